/* SPDX-License-Identifier: MIT */
/*
 * elf_notes.h: what a kernel says of itself in its ELF notes, which may lie
 * anywhere in the file.
 */
#ifndef TRAPMAP_BOOT_ELF_NOTES_H
#define TRAPMAP_BOOT_ELF_NOTES_H

#include "boot/plan.h"

/* Of a segment of notes no more than this is looked at. */
#define ELF_NOTES_MAX 65536u

struct elf_notes_range {
	uint64_t off;
	size_t len; /* at most ELF_NOTES_MAX */
	unsigned align; /* 4 or 8 */
};

/*
 * The n-th segment of notes in an ELF file that could be a kernel: true, and
 * where it is, wholly in the file; else false.
 */
bool elf_notes_find(const struct boot_image *image, unsigned n,
		    struct elf_notes_range *ret_range);

/* Adds what is in such a segment to *notes. What is malformed says nothing. */
void elf_notes_read(const uint8_t *data, const struct elf_notes_range *range,
		    struct boot_notes *notes);

#endif
