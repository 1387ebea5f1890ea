/* SPDX-License-Identifier: MIT */
/*
 * plan.h: what a boot image's parser finds out: which bytes of the file go
 * where in guest memory, and in what state the first vCPU starts there.
 *
 * Parsers work on (buf, len): the first bytes of the file, and its whole
 * length. They touch no file descriptor, no guest memory and no KVM.
 */
#ifndef TRAPMAP_BOOT_PLAN_H
#define TRAPMAP_BOOT_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "core/gmem.h"

/* How many bytes of a file a parser is shown; all headers must lie in them. */
#define BOOT_HEAD_LEN 65536u

#define BOOT_MAX_SEGMENTS 16

enum boot_protocol {
	BOOT_LINUX64, /* long mode, paging on, RSI = boot_params */
	BOOT_REAL, /* real mode, CS:IP as given */
	BOOT_MULTIBOOT, /* 32-bit protected mode, EBX = multiboot information */
};

struct boot_segment {
	uint64_t file_off;
	uint64_t file_len;
	gpa_t gpa;
	uint64_t mem_len; /* >= file_len; the rest is zero */
};

struct boot_plan {
	const char *format; /* "bzImage", for people */
	enum boot_protocol protocol;

	struct boot_segment segment[BOOT_MAX_SEGMENTS];
	unsigned segments;

	/* Where it starts. BOOT_REAL: IP. */
	uint64_t entry;
	/* BOOT_REAL */
	uint16_t cs, ss, sp;

	/*
	 * All but BOOT_REAL: the memory that must be free of initrd and tables
	 * while the kernel starts, [reserve, reserve + reserve_len).
	 */
	gpa_t reserve;
	uint64_t reserve_len;

	/* bzImage only: its setup header, to be copied to boot_params. */
	uint64_t setup_off; /* in the file */
	uint32_t setup_len; /* 0: none, boot_params gets a made one */

	uint32_t cmdline_max; /* the longest command line, without its NUL */
	uint64_t initrd_max; /* the highest address an initrd's byte may have */
};

/*
 * Why an image was refused. text is one clause for people: what was found,
 * what was expected; off is the offset in the file.
 */
struct boot_error {
	uint64_t off;
	char text[160];
};

/* Fills *err; returns -EINVAL, so that a parser can `return boot_refuse(...)`. */
int boot_refuse(struct boot_error *err, uint64_t off, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Each parser returns 1: it is this format and *ret_plan is filled; 0: it is
 * not this format; -EINVAL: it is, but malformed, and *err says why. head has
 * min(BOOT_HEAD_LEN, file_len) bytes.
 */
int bzimage_parse(const uint8_t *head, size_t head_len, uint64_t file_len,
		  struct boot_plan *ret_plan, struct boot_error *err);
int multiboot_parse(const uint8_t *head, size_t head_len, uint64_t file_len,
		    struct boot_plan *ret_plan, struct boot_error *err);
int elf_parse(const uint8_t *head, size_t head_len, uint64_t file_len,
	      struct boot_plan *ret_plan, struct boot_error *err);
int bootsector_parse(const uint8_t *head, size_t head_len, uint64_t file_len,
		     struct boot_plan *ret_plan, struct boot_error *err);
int flat_parse(const uint8_t *head, size_t head_len, uint64_t file_len,
	       struct boot_plan *ret_plan, struct boot_error *err);

/*
 * Recognises a kernel by content: the parsers above, in that order; but what
 * is known to be something else (compressed data, an archive, a script) is
 * refused by name rather than run as a flat binary. 0, or -EINVAL with *err.
 */
int boot_recognise(const uint8_t *head, size_t head_len, uint64_t file_len,
		   struct boot_plan *ret_plan, struct boot_error *err);

/*
 * Whether the plan's segments and its reserve lie in this memory. Returns 0, or
 * -EINVAL with *err, which says how much memory the kernel needs.
 */
int boot_plan_fits(const struct gmem *gm, const struct boot_plan *plan,
		   struct boot_error *err);

#endif
