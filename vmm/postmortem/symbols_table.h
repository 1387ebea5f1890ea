/* SPDX-License-Identifier: MIT */
/*
 * symbols_table.h: what symbols.h hides, for the files that fill and use it.
 */
#ifndef TRAPMAP_POSTMORTEM_SYMBOLS_TABLE_H
#define TRAPMAP_POSTMORTEM_SYMBOLS_TABLE_H

#include "postmortem/symbols.h"

#define SYMBOLS_SAMPLES 4
#define SYMBOLS_SAMPLE_LEN 64

/* Linux's own limit is far below: UTS_RELEASE, builder and compiler. */
#define SYMBOLS_BANNER_MAX 1024

/* Longer names are left out; Linux's KSYM_NAME_LEN is 512. */
#define SYMBOLS_NAME_MAX 1024

struct symbol {
	uint64_t addr;
	uint64_t end;  /* what lies at or beyond it is not this symbol's */
	uint32_t name; /* its place in names */
	uint32_t rank; /* of several at one address the highest counts */
};

/* Bytes of a file, to be compared with memory. */
struct symbols_sample {
	uint64_t vaddr, paddr;
	uint32_t len;
	uint8_t bytes[SYMBOLS_SAMPLE_LEN];
};

struct symbols {
	struct symbol *symbol;
	size_t count, room;
	/* symbol[0..placed) are sorted by address; the rest are mere values. */
	size_t placed;
	char *names;
	size_t names_len, names_room;

	struct symbols_sample sample[SYMBOLS_SAMPLES];
	unsigned samples;
	char banner[SYMBOLS_BANNER_MAX]; /* linux_banner's text; "": not known */
};

#define SYMBOLS_RANK_VALUE UINT32_MAX /* absolute: no place in memory */

/*
 * Adds one. A name that could not be shown in a terminal or a report is left
 * out. Returns 0 or -ENOMEM.
 */
int symbols_add(struct symbols *s, const char *name, size_t len, uint64_t addr,
		uint64_t end, uint32_t rank);

/* The two formats; they fill *s. As symbols_read(). */
int symbols_read_elf(const char *name, const uint8_t *buf, size_t len,
		     struct symbols *s, struct error *err);
int symbols_read_map(const char *name, const uint8_t *buf, size_t len,
		     struct symbols *s, struct error *err);

/* "ffffffff81000000 T _stext": whether line begins so, and its parts. */
struct symbols_line {
	uint64_t addr;
	char type;
	const char *name;
	size_t name_len;
};
bool symbols_parse_line(const char *line, size_t len,
			struct symbols_line *ret_line);

#endif
