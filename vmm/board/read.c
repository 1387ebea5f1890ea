// SPDX-License-Identifier: MIT
#include "board/read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "board/walk.h"

/* The first with node names as they are now. */
#define VERSION_MIN 16

/* The specification has 31 (2.2.4.1); trees are seen that have more. */
#define NAME_MAX_LEN 255

/*
 * libfdt looks for the end of a property's name each time that it meets one: names of
 * half a blob, for all properties in the other half, keep it busy for minutes.
 */
static bool has_endless_name(const void *blob, size_t len)
{
	const char *names, *end;
	uint32_t at, room, run = 0;

	if (len < FDT_V17_SIZE || fdt_check_header(blob) ||
	    fdt_totalsize(blob) > len)
		return false; /* which is found out again */
	at = fdt_off_dt_strings(blob);
	room = fdt_size_dt_strings(blob);
	if (at > len || room > len - at)
		return false;
	names = (const char *)blob + at;
	for (end = names + room; names < end && run <= NAME_MAX_LEN; names++)
		run = *names ? run + 1 : 0;
	return run > NAME_MAX_LEN;
}

int board_check_blob(const void *blob, size_t len, char err[BOARD_ERR_LEN])
{
	int r;

	if (has_endless_name(blob, len)) {
		snprintf(err, BOARD_ERR_LEN,
			 "a property's name of more than %d characters",
			 NAME_MAX_LEN);
		return -EINVAL;
	}
	r = fdt_check_full(blob, len);
	if (r == -FDT_ERR_BADMAGIC)
		snprintf(err, BOARD_ERR_LEN,
			 "no devicetree blob: it does not begin with d0 0d fe "
			 "ed");
	else if (r < 0)
		snprintf(err, BOARD_ERR_LEN,
			 "not a whole devicetree blob: libfdt says %s",
			 fdt_strerror(r));
	else if (fdt_version(blob) < VERSION_MIN)
		snprintf(err, BOARD_ERR_LEN,
			 "a devicetree blob of version %u; expected 17",
			 fdt_version(blob));
	else
		return 0;
	return -EINVAL;
}

/* Below the root: what has a meaning by its name. Returns as board_device(). */
static int read_top(struct board_walk *w, int node)
{
	static const char *const silent[] = { "__symbols__", "__fixups__",
					      "__local_fixups__" };
	unsigned i;

	if (board_named(w, node, "chosen")) {
		w->chosen = node;
		return 1;
	}
	if (board_named(w, node, "aliases")) {
		w->aliases = node;
		return 1;
	}
	if (board_named(w, node, "memory"))
		return board_memory(w) ?: 1;
	for (i = 0; i < sizeof(silent) / sizeof(*silent); i++)
		if (board_named(w, node, silent[i]))
			return 1;
	return w->level[w->depth].cpus ? 0 : board_device(w);
}

/* One node. Returns 1 where those below it are to be passed over. */
static int visit(struct board_walk *w, int node, int depth)
{
	int r;

	if (depth >= BOARD_DEPTH_MAX)
		return board_refuse(w, node,
				    "it lies deeper than any board's, with %d "
				    "nodes above it",
				    depth);
	r = board_enter(w, node, depth);
	if (r != 0 || depth == 0)
		return r;
	if (depth == 1)
		return read_top(w, node);
	return w->level[depth - 1].cpus ? board_cpu(w) : board_device(w);
}

static int walk(struct board_walk *w)
{
	int node, depth = 0, below = -1, r;

	for (node = 0; node >= 0 && depth >= 0;
	     node = fdt_next_node(w->fdt, node, &depth)) {
		if (below >= 0 && depth > below)
			continue;
		below = -1;
		r = visit(w, node, depth);
		if (r < 0)
			return r;
		if (r > 0)
			below = depth;
	}
	return 0;
}

/* One transport for all virtio devices, so of two kinds one is left. */
static int choose_transport(struct board_walk *w)
{
	struct platform *p = &w->board->platform;

	if (w->pci >= 0 && p->slots)
		return board_refuse(w, w->pci,
				    "a PCI bus beside virtio,mmio; a board has "
				    "one or the other");
	return 0;
}

int board_read(const void *blob, size_t len, struct tree_board **ret_board,
	       char err[BOARD_ERR_LEN])
{
	struct board_walk w = {
		.fdt = blob,
		.irq_partner = -1,
		.pci = -1,
		.chosen = -1,
		.aliases = -1,
		.err = err,
	};
	unsigned i;
	int r = board_check_blob(blob, len, err);

	if (r < 0)
		return r;
	if (fdt_totalsize(blob) > BOARD_LEN_MAX) {
		snprintf(err, BOARD_ERR_LEN,
			 "a devicetree of %u bytes; a board's has at most %u",
			 fdt_totalsize(blob), BOARD_LEN_MAX);
		return -EINVAL;
	}
	for (i = 0; i < LAYOUT_IOAPIC_PINS; i++)
		w.irq_node[i] = -1;
	w.board = calloc(1, sizeof(*w.board));
	w.cpu = calloc(PLATFORM_CPUS_MAX, sizeof(*w.cpu));
	if (!w.board || !w.cpu) {
		r = -ENOMEM;
		goto out;
	}
	w.board->platform.transport = TRAPMAP_TRANSPORT_MMIO;
	board_claim_fixed(&w);
	r = walk(&w) ?: choose_transport(&w) ?: board_memory_done(&w) ?:
	    board_cpus_done(&w) ?: board_chosen_done(&w);
out:
	free(w.cpu);
	if (r == 0)
		*ret_board = w.board;
	else
		board_free(w.board);
	return r;
}

void board_free(struct tree_board *board)
{
	unsigned i;

	if (!board)
		return;
	for (i = 0; i < board->notes; i++)
		free(board->note[i]);
	free(board->model);
	free(board->bootargs);
	free(board);
}
