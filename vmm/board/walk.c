// SPDX-License-Identifier: MIT
/*
 * walk.c: nodes and properties of a tree that may be anybody's: a value is what its
 * length says it is, and of a name only what can be shown is shown.
 */
#include "board/walk.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More than 2 make no number that we could use, but 3 are PCI's. */
#define CELLS_MAX 4

#define TEXT_MAX 64 /* of what a tree says, in a message */

static void make_printable(char *s)
{
	for (; *s; s++)
		if (*s < ' ' || *s > '~')
			*s = '?';
}

const char *board_path(const struct board_walk *w, int node,
		       char path[BOARD_PATH_LEN])
{
	if (fdt_get_path(w->fdt, node, path, BOARD_PATH_LEN) < 0)
		snprintf(path, BOARD_PATH_LEN, "(node at offset %d)", node);
	make_printable(path);
	return path;
}

static void __attribute__((format(printf, 3, 0)))
say(struct board_walk *w, int at, const char *fmt, va_list ap)
{
	if (at < 0 || at >= BOARD_ERR_LEN)
		return;
	vsnprintf(w->err + at, BOARD_ERR_LEN - (size_t)at, fmt, ap);
	make_printable(w->err);
}

int board_refuse(struct board_walk *w, int node, const char *fmt, ...)
{
	char path[BOARD_PATH_LEN];
	va_list ap;

	va_start(ap, fmt);
	say(w,
	    snprintf(w->err, BOARD_ERR_LEN, "%s: ", board_path(w, node, path)),
	    fmt, ap);
	va_end(ap);
	return -EINVAL;
}

int board_refuse_both(struct board_walk *w, int a, int b, const char *fmt, ...)
{
	char one[BOARD_PATH_LEN], two[BOARD_PATH_LEN];
	va_list ap;

	va_start(ap, fmt);
	say(w,
	    snprintf(w->err, BOARD_ERR_LEN, "%s and %s: ",
		     board_path(w, a, one), board_path(w, b, two)),
	    fmt, ap);
	va_end(ap);
	return -EINVAL;
}

bool board_named(const struct board_walk *w, int node, const char *name)
{
	size_t len = strlen(name);
	const char *is = fdt_get_name(w->fdt, node, NULL);

	return is && strncmp(is, name, len) == 0 &&
	       (is[len] == '\0' || is[len] == '@');
}

bool board_compatible(const struct board_walk *w, int node, const char *name)
{
	return fdt_node_check_compatible(w->fdt, node, name) == 0;
}

int board_string(struct board_walk *w, int node, const char *name,
		 const char **ret)
{
	int len = 0;
	const char *val = fdt_getprop(w->fdt, node, name, &len);

	if (val && (len <= 0 || !memchr(val, '\0', (size_t)len)))
		return board_refuse(w, node, "%s is no string", name);
	*ret = val;
	return 0;
}

int board_cells(struct board_walk *w, int node, const char *name,
		const fdt32_t **ret, int *ret_count)
{
	int len = 0;
	const fdt32_t *val = fdt_getprop(w->fdt, node, name, &len);

	if (val && len % (int)sizeof(*val))
		return board_refuse(w, node,
				    "%s has %d bytes; cells of 4 are expected",
				    name, len);
	*ret = val;
	*ret_count = val ? len / (int)sizeof(*val) : -1;
	return 0;
}

int board_u32(struct board_walk *w, int node, const char *name, uint32_t without,
	      uint32_t *ret)
{
	const fdt32_t *cell = NULL;
	int count = 0, r = board_cells(w, node, name, &cell, &count);

	if (r < 0)
		return r;
	if (cell && count != 1)
		return board_refuse(w, node, "%s has %d cells; one is expected",
				    name, count);
	*ret = cell ? fdt32_ld(cell) : without;
	return 0;
}

uint64_t board_number(const fdt32_t *c, uint32_t n)
{
	return n == 1 ? fdt32_ld(c) :
			(uint64_t)fdt32_ld(c) << 32 | fdt32_ld(c + 1);
}

static int cells_of(struct board_walk *w, int node, const char *name,
		    uint32_t without, uint32_t *ret)
{
	int r = board_u32(w, node, name, without, ret);

	if (r == 0 && *ret > CELLS_MAX)
		return board_refuse(w, node, "%s is %u; expected 0 to %d", name,
				    *ret, CELLS_MAX);
	return r;
}

int board_enter(struct board_walk *w, int node, int depth)
{
	struct board_level *level = &w->level[depth];
	const char *status = NULL, *type = NULL;
	uint32_t parent = depth ? w->level[depth - 1].interrupt_parent : 0;
	int r = board_string(w, node, "status", &status);

	if (r < 0)
		return r;
	if (status && strcmp(status, "okay") && strcmp(status, "ok"))
		return 1;
	*level = (struct board_level){ .node = node };
	w->depth = depth;
	/* The defaults are the specification's, 2.3.5. */
	r = cells_of(w, node, "#address-cells", 2, &level->address_cells);
	if (r == 0)
		r = cells_of(w, node, "#size-cells", 1, &level->size_cells);
	if (r == 0)
		r = board_u32(w, node, "interrupt-parent", parent,
			      &level->interrupt_parent);
	if (r == 0)
		r = board_string(w, node, "device_type", &type);
	if (r < 0)
		return r;
	level->isa = board_compatible(w, node, "isa") ||
		     (type && strcmp(type, "isa") == 0);
	level->cpus = depth == 1 && board_named(w, node, "cpus");
	return 0;
}

int board_note(struct board_walk *w, const char *fmt, ...)
{
	struct tree_board *b = w->board;
	char path[BOARD_PATH_LEN], text[TEXT_MAX + 64], *note = NULL;
	va_list ap;

	if (b->notes == BOARD_NOTES_MAX) {
		b->withheld++;
		return 0;
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	make_printable(text);
	if (asprintf(&note, "%s: %s", board_path(w, board_node(w), path),
		     text) < 0)
		return -ENOMEM;
	b->note[b->notes++] = note;
	return 0;
}
