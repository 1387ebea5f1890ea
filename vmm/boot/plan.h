/* SPDX-License-Identifier: MIT */
/*
 * plan.h: what a boot image's parser finds out: which bytes of the file go
 * where in guest memory, and in what state the first vCPU starts there.
 *
 * Parsers work on the first bytes of the file, its whole length and an ELF's
 * notes. They touch no file descriptor, no guest memory and no KVM.
 */
#ifndef TRAPMAP_BOOT_PLAN_H
#define TRAPMAP_BOOT_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/gmem.h"
#include "trapmap/trapmap.h"

/* How many bytes of a file a parser is shown; all headers must lie in them. */
#define BOOT_HEAD_LEN 65536u

#define BOOT_MAX_SEGMENTS 16

/* The states to start in; regs.h. */
enum boot_protocol {
	BOOT_LINUX64, /* long mode, paging on, RSI = boot_params */
	BOOT_REAL, /* real mode, CS:IP as given */
	BOOT_RESET, /* as after a reset: firmware, which finds all else itself */
	BOOT_MULTIBOOT, /* 32-bit protected mode, EBX = multiboot information */
	BOOT_LINUX32, /* 32-bit protected mode, ESI = boot_params */
	BOOT_LINUX16, /* real mode, CS:IP as given, DS = SS */
	BOOT_PVH, /* 32-bit protected mode, EBX = hvm_start_info */
};

/* What the notes of an ELF file say; see elf_notes.h. */
struct boot_notes {
	bool has_pvh;
	bool is_linux;
	uint64_t pvh_entry;
	uint64_t pvh_off; /* of that in the file */
};

/* A file as a parser is shown it. */
struct boot_image {
	const uint8_t *head; /* min(BOOT_HEAD_LEN, len) bytes */
	size_t head_len;
	uint64_t len;
	enum trapmap_boot want;
	struct boot_notes notes; /* all zero: there are none */
};

struct boot_segment {
	uint64_t file_off;
	uint64_t file_len;
	gpa_t gpa;
	uint64_t mem_len; /* >= file_len; the rest is zero */
};

struct boot_plan {
	const char *format; /* "bzImage", for people */
	uint16_t version; /* of its boot protocol: 0x020c is 2.12; 0: none */
	uint32_t offers; /* BIT(enum trapmap_boot) of each that it can */
	enum trapmap_boot boot; /* the one that it is for: what was wanted */
	enum boot_protocol protocol;
	bool is_linux; /* known to be, or started by a protocol of its */

	struct boot_segment segment[BOOT_MAX_SEGMENTS];
	unsigned segments;

	/* Where it starts. BOOT_REAL and _LINUX16: IP. */
	uint64_t entry;
	/* BOOT_REAL and _LINUX16 */
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
	/* What it has packed in it, in the file; and kernel_alignment. */
	uint64_t payload_off, payload_len;
	uint32_t align;
	bool is_moved; /* its virtual addresses were, at random: KASLR */

	uint32_t cmdline_max; /* the longest command line, without its NUL */
	uint64_t initrd_max; /* the highest address an initrd's byte may have */
};

/*
 * Why an image was refused. text is one clause for people: what was found,
 * what was expected; off is the offset in the file, or BOOT_NOWHERE.
 */
#define BOOT_NOWHERE UINT64_MAX
struct boot_error {
	uint64_t off;
	char text[240];
};

/* Fills *err; returns -EINVAL, so that a parser can `return boot_refuse(...)`. */
int boot_refuse(struct boot_error *err, uint64_t off, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Each parser returns 1: it is this format and *ret_plan is filled, by the
 * protocol that is wanted or, if it has not got that, by the one of its own
 * choice; 0: it is not this format; -EINVAL: it is, but malformed, and *err says
 * why.
 */
int bzimage_parse(const struct boot_image *image, struct boot_plan *ret_plan,
		  struct boot_error *err);
int multiboot_parse(const struct boot_image *image, struct boot_plan *ret_plan,
		    struct boot_error *err);
int elf_parse(const struct boot_image *image, struct boot_plan *ret_plan,
	      struct boot_error *err);
int bootsector_parse(const struct boot_image *image,
		     struct boot_plan *ret_plan, struct boot_error *err);
int flat_parse(const struct boot_image *image, struct boot_plan *ret_plan,
	       struct boot_error *err);

/*
 * Recognises a kernel by content: the parsers above, in that order; but what
 * is known to be something else (compressed data, an archive, a script) is
 * refused by name rather than run as a flat binary. A kernel that has not got
 * the protocol that is wanted is refused by what it is and has. 0, or -EINVAL
 * with *err.
 */
int boot_recognise(const struct boot_image *image, struct boot_plan *ret_plan,
		   struct boot_error *err);

/* As --boot has it: "linux64". NULL for AUTO, and for what there is not. */
const char *boot_name(enum trapmap_boot boot);

/*
 * Whether the plan's segments and its reserve lie in this memory. Returns 0, or
 * -EINVAL with *err, which says how much memory the kernel needs.
 */
int boot_plan_fits(const struct gmem *gm, const struct boot_plan *plan,
		   struct boot_error *err);

#endif
