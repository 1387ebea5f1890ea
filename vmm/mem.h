/* SPDX-License-Identifier: MIT */
/*
 * mem.h: the owner of guest memory: one private mapping of the host, laid out
 * as layout.h says and put into KVM's slots.
 *
 * Nothing is touched here: a page costs host memory once the guest (or a
 * loader) writes to it, so a large machine starts as fast as a small one.
 */
#ifndef TRAPMAP_MEM_H
#define TRAPMAP_MEM_H

#include <stdint.h>

#include "core/gmem.h"
#include "error.h"

#define MEM_MIN (UINT64_C(1) << 20)
#define MEM_PAGE 4096u

struct mem {
	void *map; /* what mmap() gave, with slack for alignment */
	uint64_t map_len;
	uint64_t size; /* of guest memory */
	struct gmem gmem;
};

/*
 * Maps `size` bytes of zeroed guest memory (at least MEM_MIN, whole pages).
 * Returns 0, or -errno with *err.
 */
int mem_init(struct mem *mem, uint64_t size, struct error *err);
void mem_done(struct mem *mem);

/* Tells a VM of KVM's about it. Returns 0, or -errno with *err. */
int mem_attach(const struct mem *mem, int vm_fd, struct error *err);

/* Back to zeroes, and the host's pages given back. No vCPU may run. */
int mem_clear(struct mem *mem, struct error *err);

#endif
