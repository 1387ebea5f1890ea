// SPDX-License-Identifier: MIT
/* trace.c: "trapmap trace": a trace, line by line, for people. */
#include "trace.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trapmap/trapmap.h>

#include "commands.h"
#include "manual.h"
#include "optscan.h"
#include "say.h"
#include "trace_line.h"
#include "value.h"

/* Ten times what Trapmap writes. */
#define LINE_SIZE 16384

/* Enough of a file's end for its last lines. */
#define TAIL_SIZE 4096

struct filter {
	uint32_t kinds; /* 0: all */
	bool has_range, has_vcpu;
	uint64_t first, last;
	uint32_t vcpu;
};

struct reader {
	const char *name; /* of the file, for messages */
	FILE *file;
	struct filter filter;
	struct trapmap_symbols *symbols; /* NULL: none */
	uint64_t kernel_offset;

	uint64_t number; /* of the line in hand */
	uint64_t exits; /* seen, filtered out or not */
	bool known; /* its version has been seen */
	bool head; /* the columns' names are out */
	bool end; /* its last line has been seen */
};

/* ---- options -------------------------------------------------------------- */

static int parse_only(const char *text, uint32_t *ret_kinds)
{
	uint32_t kinds = 0;
	const char *at = text;

	for (;;) {
		size_t len = strcspn(at, ",+|");
		uint32_t bit = trace_line_kind_bit(at, len);

		if (!bit) {
			say("--only '%s': 'pio', 'mmio', 'msr', 'hypercall' or 'other' is expected, several with commas between",
			    text);
			return -EINVAL;
		}
		kinds |= bit;
		if (!at[len])
			break;
		at += len + 1;
	}
	*ret_kinds |= kinds;
	return 0;
}

static int parse_vcpu(const char *text, struct filter *filter)
{
	unsigned long val;
	char *end;

	errno = 0;
	val = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || val > UINT32_MAX) {
		say("--vcpu '%s': the number of a vCPU is expected, the first is 0",
		    text);
		return -EINVAL;
	}
	filter->vcpu = (uint32_t)val;
	filter->has_vcpu = true;
	return 0;
}

static int parse_range(const char *text, struct filter *filter)
{
	const char *why;

	if (value_range(text, &filter->first, &filter->last, &why)) {
		say("--range '%s': %s", text, why);
		return -EINVAL;
	}
	filter->has_range = true;
	return 0;
}

/* ---- what is printed ------------------------------------------------------ */

static bool is_wanted(const struct filter *f, const struct trace_line *line)
{
	if (f->kinds && !(f->kinds & line->kind_bit))
		return false;
	if (f->has_vcpu && f->vcpu != line->vcpu)
		return false;
	return !f->has_range || (line->has_addr && line->addr >= f->first &&
				 line->addr <= f->last);
}

static void print_head(struct reader *r)
{
	if (!r->head)
		printf("%13s %4s  %-22s  %-14s %18s %9s  %s\n", "time us", "cpu",
		       "exit", "device", "value", "took us", "rip");
	r->head = true;
}

static void print_rip(const struct reader *r, uint64_t rip)
{
	uint64_t offset = 0;
	const char *name;

	if (rip == 0)
		return;
	printf("  %#" PRIx64, rip);
	if (!r->symbols)
		return;
	name = trapmap_symbols_find(r->symbols, rip - r->kernel_offset,
				    &offset);
	if (name)
		printf(" %s+%#" PRIx64, name, offset);
}

static void print_exit(struct reader *r, const struct trace_line *line)
{
	const char *what = line->dir[0] ? line->dir : line->reason;
	char exit[64], value[24];
	int width = line->size > 0 && line->size <= 8 ? (int)line->size * 2 : 1;

	if (!line->dir[0] && line->has_addr)
		what = "hypercall";
	if (line->count > 1)
		snprintf(exit, sizeof(exit), "%s %#" PRIx64 " x%u", what,
			 line->addr, line->count);
	else if (line->has_addr)
		snprintf(exit, sizeof(exit), "%s %#" PRIx64, what, line->addr);
	else
		snprintf(exit, sizeof(exit), "%s", what);
	snprintf(value, sizeof(value), "0x%0*" PRIx64, width, line->value);
	print_head(r);
	printf("%13.3f %4" PRIu32 "  %-22s  %-14s %18s %9.3f", line->ts,
	       line->vcpu, exit,
	       line->device[0] ? line->device :
	       line->kind_bit & (TRAPMAP_TRACE_PIO | TRAPMAP_TRACE_MMIO) ?
				 "unclaimed" :
				 "",
	       value, line->dur);
	print_rip(r, line->rip);
	putchar('\n');
}

/* ---- the file ------------------------------------------------------------- */

static int bad_line(const struct reader *r, const char *why)
{
	if (!r->known)
		say("'%s' is not a trace of Trapmap's: line %" PRIu64 ": %s",
		    r->name, r->number, why);
	else
		say("'%s' is broken in line %" PRIu64 ": %s", r->name,
		    r->number, why);
	return STATUS_BAD_INPUT;
}

static int take_line(struct reader *r, const struct trace_line *line)
{
	char why[80];

	switch (line->kind) {
	case TRACE_LINE_OTHER: return 0;
	case TRACE_LINE_VERSION:
		if (line->version != TRACE_VERSION) {
			snprintf(why, sizeof(why),
				 "version %" PRIu64
				 ", where this program knows %d",
				 line->version, TRACE_VERSION);
			return bad_line(r, why);
		}
		r->known = true;
		return 0;
	case TRACE_LINE_EXIT:
		if (!r->known)
			return bad_line(r, "an event before the line that tells of Trapmap ('trapmap_trace')");
		r->exits++;
		if (is_wanted(&r->filter, line))
			print_exit(r, line);
		return 0;
	case TRACE_LINE_END: break;
	}
	r->end = true;
	if (r->known && line->exits != r->exits)
		say("note: '%s' says that it has %" PRIu64
		    " exits, but there are %" PRIu64,
		    r->name, line->exits, r->exits);
	return 0;
}

/* What can be said once nothing is left. */
static int finish(const struct reader *r, bool cut)
{
	if (ferror(r->file)) {
		say("cannot read '%s': %s", r->name, strerror(errno));
		return STATUS_BAD_INPUT;
	}
	if (!r->known) {
		say("'%s' is not a trace of Trapmap's: it has no line that says so ('trapmap_trace')",
		    r->name);
		return STATUS_BAD_INPUT;
	}
	if (cut)
		say("note: '%s' is cut off in line %" PRIu64
		    "; exits before it: %" PRIu64,
		    r->name, r->number, r->exits);
	else if (!r->end)
		say("note: '%s' is cut off behind line %" PRIu64
		    "; exits up to there: %" PRIu64,
		    r->name, r->number, r->exits);
	if (!r->exits)
		say("note: '%s' has no exits", r->name);
	else if (!r->head)
		say("note: of the exits in '%s', %" PRIu64
		    ", none is one that was asked for",
		    r->name, r->exits);
	return STATUS_OK;
}

static int read_all(struct reader *r)
{
	char err[TRACE_LINE_ERR];
	struct trace_line line;
	char buf[LINE_SIZE];
	int status;

	while (fgets(buf, sizeof(buf), r->file)) {
		size_t len = strlen(buf);
		bool whole = len > 0 && buf[len - 1] == '\n';

		r->number++;
		if (!whole && !feof(r->file))
			return bad_line(r, "too long, or with NUL bytes in it");
		if (trace_line_parse(buf, len, &line, err) < 0) {
			/* A writer that was stopped leaves half a line. */
			if (!whole && r->known)
				return finish(r, true);
			return bad_line(r, err);
		}
		status = take_line(r, &line);
		if (status)
			return status;
		if (ferror(stdout))
			break; /* finish_stdout() says why */
	}
	return ferror(stdout) ? STATUS_OK : finish(r, false);
}

/*
 * The kernel's offset is in the last line, and needed from the first on. What
 * cannot be read twice goes through a file that has no name.
 */
static int find_offset(struct reader *r)
{
	char buf[TAIL_SIZE + 1], err[TRACE_LINE_ERR], *at;
	struct trace_line line;
	FILE *copy;
	size_t n;

	if (fseek(r->file, 0, SEEK_END) < 0) {
		copy = tmpfile();
		if (!copy)
			return -errno;
		while ((n = fread(buf, 1, TAIL_SIZE, r->file)) > 0)
			if (fwrite(buf, 1, n, copy) != n)
				break;
		if (ferror(r->file) || ferror(copy) || fflush(copy) != 0) {
			fclose(copy);
			return -EIO;
		}
		if (r->file != stdin)
			fclose(r->file);
		r->file = copy;
		(void)fseek(copy, 0, SEEK_END);
	}
	if (ftell(r->file) > TAIL_SIZE)
		(void)fseek(r->file, -TAIL_SIZE, SEEK_END);
	else
		rewind(r->file);
	n = fread(buf, 1, TAIL_SIZE, r->file);
	buf[n] = '\0';
	at = strstr(buf, "{\"name\":\"trapmap_end\"");
	if (at && trace_line_parse(at, strcspn(at, "\n"), &line, err) == 0 &&
	    line.kind == TRACE_LINE_END)
		r->kernel_offset = line.kernel_offset;
	rewind(r->file);
	return 0;
}

static int open_symbols(struct reader *r, const char *path)
{
	const struct trapmap_source source = { .size = sizeof(source),
					       .path = path };
	int err = trapmap_symbols_new(&source, &r->symbols);

	if (err == -ENOEXEC)
		say("--symbols '%s': neither an ELF file nor a System.map, or malformed",
		    path);
	else if (err == -ENODATA)
		say("--symbols '%s': it has no symbols", path);
	else if (err < 0)
		say("--symbols '%s': %s", path, strerror(-err));
	if (err < 0)
		return err;
	err = find_offset(r);
	if (err < 0)
		say("cannot read '%s': %s", r->name, strerror(-err));
	return err;
}

static int print_trace(struct reader *r, const char *symbols)
{
	int status = STATUS_BAD_INPUT;

	if (strcmp(r->name, "-") == 0) {
		r->file = stdin;
		r->name = "standard input";
	} else {
		r->file = fopen(r->name, "re");
	}
	if (!r->file) {
		say("cannot open '%s': %s", r->name, strerror(errno));
		return STATUS_BAD_INPUT;
	}
	if (!symbols || open_symbols(r, symbols) == 0)
		status = read_all(r);
	trapmap_symbols_free(r->symbols);
	if (r->file != stdin)
		fclose(r->file);
	return status;
}

int cmd_trace(int argc, char **argv)
{
	const char *symbols = NULL, *text = NULL;
	struct reader r = { 0 };
	struct optscan scan;
	char err[1024];
	int id, bad;

	optscan_init(&scan, trace_manual.table, trace_manual.count,
		     "trapmap trace", argc, argv, err, sizeof(err));
	while ((id = optscan_next(&scan, &text)) != OPTSCAN_END) {
		bad = 0;
		switch (id) {
		case 'h':
			manual_help(stdout, &trace_manual);
			return finish_stdout(STATUS_OK);
		case TRACE_ONLY:
			bad = parse_only(text, &r.filter.kinds);
			break;
		case TRACE_RANGE: bad = parse_range(text, &r.filter); break;
		case TRACE_VCPU: bad = parse_vcpu(text, &r.filter); break;
		case TRACE_SYMBOLS: symbols = text; break;
		case OPTSCAN_WORD:
			if (r.name) {
				say("'%s': one trace at a time; '%s' was given already",
				    text, r.name);
				return STATUS_BAD_INPUT;
			}
			r.name = text;
			break;
		default: say("%s", err); return STATUS_BAD_INPUT;
		}
		if (bad)
			return STATUS_BAD_INPUT;
	}
	if (!r.name) {
		say("which trace? 'trapmap trace FILE' is expected; 'trapmap trace --help' tells more");
		return STATUS_BAD_INPUT;
	}
	return finish_stdout(print_trace(&r, symbols));
}
