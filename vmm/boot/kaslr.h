/* SPDX-License-Identifier: MIT */
/*
 * kaslr.h: a Linux kernel's virtual addresses moved by a random distance, as the
 * code in a bzImage does that is passed over when the kernel is unpacked here.
 */
#ifndef TRAPMAP_BOOT_KASLR_H
#define TRAPMAP_BOOT_KASLR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/plan.h"

struct kaslr {
	uint8_t *image; /* the unpacked kernel */
	size_t len;
	const struct boot_plan *plan; /* by elf_parse() of it */
	/* From the setup header. */
	uint64_t align; /* kernel_alignment */
	uint64_t need; /* init_size */
};

/* Whether the command line forbids it: the word nokaslr. */
bool kaslr_is_off(const char *cmdline);

/*
 * Moves the kernel by one of its possible distances, which `random` chooses.
 * Returns 1 and the distance; 0: it has no relocations, so it cannot be moved; or
 * -EINVAL with *err: they are malformed (image may have been changed).
 */
int kaslr_move(const struct kaslr *k, uint64_t random, uint64_t *ret_distance,
	       struct boot_error *err);

#endif
