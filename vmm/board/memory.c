// SPDX-License-Identifier: MIT
/*
 * memory.c: the memory nodes. Source: Devicetree Specification 0.4, 3.4.
 *
 * What is below 1 MiB is a PC's whatever the tree says: tables and the BIOS area lie
 * there. A tree that has memory at 0 has all of it.
 */
#include "board/walk.h"

#include <errno.h>
#include <stdlib.h>

#include "core/base.h"
#include "mem.h"

/* MAXPHYADDR is never more. */
#define ADDRESS_END BIT64(52)

int board_memory(struct board_walk *w)
{
	uint32_t ac = w->level[0].address_cells, sc = w->level[0].size_cells;
	int node = board_node(w), count = 0, i, r, step = (int)(ac + sc);
	const fdt32_t *c = NULL;

	r = board_cells(w, node, "reg", &c, &count);
	if (r < 0)
		return r;
	if (!c || ac < 1 || ac > 2 || sc < 1 || sc > 2 || count == 0 ||
	    count % step)
		return board_refuse(w, node,
				    "reg has %d cells; expected addresses and "
				    "lengths, of 1 or 2 cells each as the root "
				    "says",
				    c ? count : 0);
	for (i = 0; i < count; i += step) {
		struct board_range range = {
			.base = board_number(c + i, ac),
			.len = board_number(c + i + ac, sc),
			.node = node,
		};

		if (range.len == 0 || range.base >= ADDRESS_END ||
		    range.len > ADDRESS_END - range.base)
			return board_refuse(
				w, node,
				"memory of %#llx bytes at %#llx: expected some, "
				"and none beyond 4 PiB",
				(unsigned long long)range.len,
				(unsigned long long)range.base);
		if (w->rams == BOARD_RANGES_MAX)
			return board_refuse(w, node,
					    "more than %d ranges of memory",
					    BOARD_RANGES_MAX);
		w->ram[w->rams++] = range;
	}
	return 0;
}

static int by_base(const void *a, const void *b)
{
	const struct board_range *x = a, *y = b;

	return (x->base > y->base) - (x->base < y->base);
}

/* One more behind the others, or more of the last one. */
static int add_range(struct board_walk *w, uint64_t base, uint64_t end, int node)
{
	struct platform *p = &w->board->platform;
	struct platform_ram *last = p->rams ? &p->ram[p->rams - 1] : NULL;

	if (base % MEM_PAGE || end % MEM_PAGE)
		return board_refuse(w, node,
				    "memory from %#llx to %#llx: expected whole "
				    "pages of %u bytes",
				    (unsigned long long)base,
				    (unsigned long long)end, MEM_PAGE);
	if (base < LAYOUT_HOLE_END && end > LAYOUT_HOLE)
		return board_refuse(w, node,
				    "memory from %#llx to %#llx: expected none "
				    "from 3 GiB to 4 GiB, where devices are",
				    (unsigned long long)base,
				    (unsigned long long)end);
	if (last && base == last->base + last->len) {
		last->len = end - last->base;
		return 0;
	}
	if (p->rams == PLATFORM_RAM_MAX)
		return board_refuse(w, node,
				    "memory from %#llx to %#llx: expected at "
				    "most %d separate ranges",
				    (unsigned long long)base,
				    (unsigned long long)end, PLATFORM_RAM_MAX);
	p->ram[p->rams++] = (struct platform_ram){ base, end - base };
	return 0;
}

int board_memory_done(struct board_walk *w)
{
	struct platform *p = &w->board->platform;
	unsigned i;
	int r;

	if (w->rams == 0)
		return 0;
	qsort(w->ram, w->rams, sizeof(*w->ram), by_base);
	if (w->ram[0].base != 0)
		return board_refuse(w, w->ram[0].node,
				    "the first memory is at %#llx; expected some "
				    "at 0, where every PC starts",
				    (unsigned long long)w->ram[0].base);
	p->ram[p->rams++] = (struct platform_ram){ 0, LAYOUT_HIGH_RAM };
	for (i = 0; i < w->rams; i++) {
		const struct board_range *range = &w->ram[i];
		uint64_t base = range->base, end = base + range->len;

		r = 0;
		if (end > LAYOUT_HIGH_RAM)
			r = add_range(w,
				      base > LAYOUT_HIGH_RAM ? base :
							       LAYOUT_HIGH_RAM,
				      end, range->node);
		if (r == 0)
			r = board_claim(w, range->node, TRAPMAP_SPACE_MMIO,
					base, range->len);
		if (r < 0)
			return r;
	}
	for (i = 0; i < p->rams; i++)
		p->mem += p->ram[i].len;
	return 0;
}
