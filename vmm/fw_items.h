/* SPDX-License-Identifier: MIT */
/*
 * fw_items.h: what the guest finds in fw_cfg: the machine's size, the memory map, the
 * command line, files of the user's; and where firmware runs also kernel and initrd,
 * which nobody has loaded then.
 */
#ifndef TRAPMAP_FW_ITEMS_H
#define TRAPMAP_FW_ITEMS_H

#include <stdint.h>

#include "error.h"
#include "source.h"

struct device;
struct load_request;

#define FW_FILES_MAX 32
#define FW_ITEMS_E820 "etc/e820" /* a file of ours */

/* A file of the user's. */
struct fw_file {
	char *name;
	struct source source;
};

/* The bytes that items point to, and what they are read from. */
struct fw_items {
	uint8_t *e820;
	uint8_t *setup; /* a bzImage's first sectors, its header filled in */
	struct source *kernel;
	uint64_t kernel_off; /* what of its file is the kernel's item */
	struct source *initrd;
	unsigned initrds;
};

/*
 * Puts the items of a guest that is about to start into fw_cfg, in the place of those
 * of the last one. The sources and the strings of *request outlive the items. Opens
 * the files. Returns 0, or -errno with *err.
 */
int fw_items_set(struct fw_items *items, struct device *fw_cfg,
		 const struct load_request *request, struct fw_file *file,
		 unsigned files, struct error *err);

/* fw_cfg is not read any more. Accepts one that is all zero. */
void fw_items_done(struct fw_items *items);

#endif
