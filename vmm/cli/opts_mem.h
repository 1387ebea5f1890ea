/* SPDX-License-Identifier: MIT */
/* opts_mem.h: --mem. How much memory there is, is in struct trapmap_machine. */
#ifndef TRAPMAP_CLI_OPTS_MEM_H
#define TRAPMAP_CLI_OPTS_MEM_H

#include <stdbool.h>
#include <stdint.h>

#include "trapmap/trapmap.h"

struct opts_mem {
	char *size, *backing_text, *thp_text;
	bool prealloc, lock;
	enum trapmap_memory_backing backing;
	enum trapmap_thp thp;
	const char *path; /* in backing_text */
	uint64_t page_size;
};

/* Reads it, in place of what was there. Returns 0, or -EINVAL with a line in err. */
int opts_mem(const char *text, struct opts_mem *mem, uint64_t *bytes, char *err);
void opts_mem_done(struct opts_mem *mem);

/* Tells the VM. Returns as trapmap_vm_set_memory(). */
int opts_mem_set(const struct opts_mem *mem, struct trapmap_vm *vm);

#endif
