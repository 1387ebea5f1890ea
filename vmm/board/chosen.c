// SPDX-License-Identifier: MIT
/*
 * chosen.c: /chosen and /aliases, and by them which serial port is the first; and what
 * the board is called.
 * Source: Devicetree Specification 0.4, 3.3 and 3.6.
 */
#include "board/walk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALIASES 10 /* serial0 to serial9 */
#define PATH_MAX_LEN 256

/*
 * The node of a path, which ends at a ':' or with the string; -1 for none. Not by
 * the name of an alias: libfdt would follow those in a circle.
 */
static int node_at(const struct board_walk *w, const char *path)
{
	size_t len = strcspn(path, ":");

	if (path[0] != '/')
		return -1;
	return fdt_path_offset_namelen(w->fdt, path, (int)len);
}

static int alias_node(struct board_walk *w, const char *name, int *ret_node)
{
	const char *path = NULL;
	int r = 0;

	if (w->aliases >= 0)
		r = board_string(w, w->aliases, name, &path);
	if (r == 0)
		*ret_node = path ? node_at(w, path) : -1;
	return r;
}

static int find_console(struct board_walk *w, int *ret_node)
{
	const char *path = NULL;
	char name[PATH_MAX_LEN];
	size_t len;
	int node = -1, r;
	unsigned i;

	r = board_string(w, w->chosen, "stdout-path", &path);
	if (r == 0 && !path)
		r = board_string(w, w->chosen, "linux,stdout-path", &path);
	if (r < 0 || !path)
		return r;
	len = strcspn(path, ":");
	if (path[0] == '/') {
		node = node_at(w, path);
	} else if (len < sizeof(name)) {
		memcpy(name, path, len);
		name[len] = '\0';
		r = alias_node(w, name, &node);
		if (r < 0)
			return r;
	}
	for (i = 0; i < w->uarts; i++)
		if (node >= 0 && w->uart_node[i] == node) {
			*ret_node = node;
			return 0;
		}
	return board_refuse(w, w->chosen,
			    "stdout-path '%.64s' is no serial port of the board",
			    path);
}

/* Puts the one at `node`, if it is none of those already, behind them. */
static void take_uart(struct board_walk *w, int node, unsigned *count)
{
	struct platform *p = &w->board->platform;
	unsigned i;

	for (i = 0; node >= 0 && i < w->uarts; i++)
		if (w->uart_node[i] == node && w->uart[i].there) {
			p->uart[(*count)++] = w->uart[i];
			w->uart[i].there = false;
		}
}

/* The console first, then by the aliases, then as they stand in the tree. */
static int order_uarts(struct board_walk *w, int console)
{
	char name[] = "serial0";
	unsigned i, count = 0;
	int node = -1, r;

	take_uart(w, console, &count);
	for (i = 0; i < ALIASES; i++) {
		name[sizeof(name) - 2] = (char)('0' + i);
		r = alias_node(w, name, &node);
		if (r < 0)
			return r;
		take_uart(w, node, &count);
	}
	for (i = 0; i < w->uarts; i++)
		take_uart(w, w->uart_node[i], &count);
	return 0;
}

static int keep(const char *text, char **ret_copy)
{
	if (!text)
		return 0;
	*ret_copy = strdup(text);
	return *ret_copy ? 0 : -ENOMEM;
}

int board_chosen_done(struct board_walk *w)
{
	const char *model = NULL, *bootargs = NULL;
	int console = -1, r;

	r = board_string(w, w->level[0].node, "model", &model);
	if (r == 0 && w->chosen >= 0) {
		r = board_string(w, w->chosen, "bootargs", &bootargs);
		if (r == 0)
			r = find_console(w, &console);
	}
	if (r == 0)
		r = order_uarts(w, console);
	if (r < 0)
		return r;
	return keep(model, &w->board->model) ?:
	       keep(bootargs, &w->board->bootargs);
}
