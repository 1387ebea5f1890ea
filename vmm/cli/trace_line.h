/* SPDX-License-Identifier: MIT */
/*
 * trace_line.h: a line of a trace, as docs/trace.md has it. What a line says is
 * somebody's file: nothing of it is believed before it has been looked at.
 */
#ifndef TRAPMAP_CLI_TRACE_LINE_H
#define TRAPMAP_CLI_TRACE_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACE_VERSION 1 /* the newest that is understood */

#define TRACE_LINE_ERR 160

enum trace_line_kind {
	TRACE_LINE_OTHER, /* brackets, names for a viewer */
	TRACE_LINE_VERSION, /* what this file is; before the first exit */
	TRACE_LINE_EXIT,
	TRACE_LINE_END,
};

struct trace_line {
	enum trace_line_kind kind;

	/* TRACE_LINE_VERSION */
	uint64_t version;

	/* TRACE_LINE_END */
	uint64_t exits;
	uint64_t kernel_offset; /* 0: not known */

	/* TRACE_LINE_EXIT. Texts are printable; "" where there is none. */
	double ts, dur; /* microseconds */
	uint32_t vcpu;
	uint32_t kind_bit; /* TRAPMAP_TRACE_* */
	char reason[24];
	char dir[8];
	char device[68];
	bool has_addr;
	uint64_t addr;
	uint64_t value;
	uint64_t rip; /* 0: not known */
	unsigned size; /* 0: no access */
	unsigned count;
};

/*
 * Reads a line of len bytes, with or without its newline. Returns 0, or -EINVAL
 * with a clause in err that says what is wrong.
 */
int trace_line_parse(const char *text, size_t len, struct trace_line *ret_line,
		     char err[TRACE_LINE_ERR]);

/* The bit of a category's name ("pio"); 0: there is no such. */
uint32_t trace_line_kind_bit(const char *name, size_t len);

#endif
