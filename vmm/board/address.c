// SPDX-License-Identifier: MIT
/*
 * address.c: where a device of the tree is, and what it interrupts. Sources:
 * Devicetree Specification 0.4, 2.3.6 (reg), 2.3.8 (ranges), 2.4 (interrupts); the ISA
 * bus binding of IEEE 1275; Linux's intel,ce4100-ioapic.
 *
 * Not here: interrupt-map on the way to the IOAPIC, and ISA's memory space.
 */
#include "board/walk.h"

#include <errno.h>

#define ISA_IO 1 /* the first cell of an ISA address: port space */
#define ISA_PORTS 0x10000u

/* The second cell of an interrupt: on the edge, rising or falling. */
#define SENSE_EDGE_RISING 0
#define SENSE_EDGE_FALLING 3

static bool usable(uint32_t cells)
{
	return cells == 1 || cells == 2;
}

/* One level up, by the bus's ranges. */
static int translate(struct board_walk *w, int depth, uint64_t *addr,
		     uint64_t len)
{
	const struct board_level *bus = &w->level[depth];
	const struct board_level *up = &w->level[depth - 1];
	uint32_t ac = bus->address_cells, uc = up->address_cells;
	uint32_t sc = bus->size_cells;
	char path[BOARD_PATH_LEN];
	const fdt32_t *c = NULL;
	int count = 0, r, i, step = (int)(ac + uc + sc);

	r = board_cells(w, bus->node, "ranges", &c, &count);
	if (r < 0)
		return r;
	if (!c)
		return board_refuse(w, board_node(w),
				    "no processor reaches it: its bus %s has no "
				    "ranges",
				    board_path(w, bus->node, path));
	if (count == 0)
		return 0;
	if (!usable(ac) || !usable(uc) || !usable(sc) || count % step)
		return board_refuse(w, bus->node,
				    "ranges has %d cells; expected %d for each, "
				    "of numbers of 1 or 2",
				    count, step);
	for (i = 0; i < count; i += step) {
		uint64_t base = board_number(c + i, ac);
		uint64_t to = board_number(c + i + ac, uc);
		uint64_t room = board_number(c + i + ac + uc, sc);

		if (*addr < base || *addr - base >= room ||
		    room - (*addr - base) < len ||
		    to > UINT64_MAX - (*addr - base))
			continue;
		*addr = to + (*addr - base);
		return 0;
	}
	return board_refuse(w, board_node(w),
			    "address %#llx is in none of the ranges of its bus "
			    "%s",
			    (unsigned long long)*addr,
			    board_path(w, bus->node, path));
}

static int isa_address(struct board_walk *w, const fdt32_t *c, int count,
		       struct platform_place *place, uint64_t *ret_len)
{
	const struct board_level *bus = &w->level[w->depth - 1];

	if (bus->address_cells != 2 || bus->size_cells != 1 || count != 3 ||
	    fdt32_ld(c) != ISA_IO)
		return board_refuse(w, board_node(w),
				    "reg: expected <1 PORT LENGTH>, a place in "
				    "ISA's port space");
	place->space = TRAPMAP_SPACE_PIO;
	place->base = fdt32_ld(c + 1);
	*ret_len = fdt32_ld(c + 2);
	if (place->base >= ISA_PORTS || *ret_len > ISA_PORTS - place->base)
		return board_refuse(w, board_node(w),
				    "ports %#llx and on, %llu of them: the last "
				    "that there is is 0xffff",
				    (unsigned long long)place->base,
				    (unsigned long long)*ret_len);
	return 0;
}

static int memory_address(struct board_walk *w, const fdt32_t *c, int count,
			  struct platform_place *place, uint64_t *ret_len)
{
	const struct board_level *bus = &w->level[w->depth - 1];
	uint32_t ac = bus->address_cells, sc = bus->size_cells;
	int depth, r;

	if (!usable(ac) || !usable(sc) || count != (int)(ac + sc))
		return board_refuse(w, board_node(w),
				    "reg has %d cells; expected one address and "
				    "one length, of 1 or 2 cells each as its "
				    "bus says",
				    count);
	place->space = TRAPMAP_SPACE_MMIO;
	place->base = board_number(c, ac);
	*ret_len = board_number(c + ac, sc);
	for (depth = w->depth - 1; depth > 0; depth--) {
		r = translate(w, depth, &place->base, *ret_len);
		if (r < 0)
			return r;
	}
	if (place->base < LAYOUT_HIGH_RAM || place->base > LAYOUT_HOLE_END ||
	    *ret_len > LAYOUT_HOLE_END - place->base)
		return board_refuse(w, board_node(w),
				    "registers at %#llx: expected from 1 MiB to "
				    "4 GiB",
				    (unsigned long long)place->base);
	return 0;
}

int board_address(struct board_walk *w, uint64_t least,
		  struct platform_place *ret_place, uint64_t *ret_len)
{
	struct platform_place place = { .there = true };
	const fdt32_t *c = NULL;
	uint64_t len = 0;
	int count = 0, r;

	r = board_cells(w, board_node(w), "reg", &c, &count);
	if (r < 0)
		return r;
	if (!c || w->depth == 0)
		return board_refuse(w, board_node(w),
				    "it has no reg that says where it is");
	r = w->level[w->depth - 1].isa ?
		    isa_address(w, c, count, &place, &len) :
		    memory_address(w, c, count, &place, &len);
	if (r < 0)
		return r;
	if (len < least)
		return board_refuse(w, board_node(w),
				    "reg: %#llx bytes; it has registers in %#llx",
				    (unsigned long long)len,
				    (unsigned long long)least);
	*ret_place = place;
	*ret_len = len;
	return 0;
}

/* Whom the cells at c are for. */
static int check_parent(struct board_walk *w, uint32_t phandle)
{
	int node = fdt_node_offset_by_phandle(w->fdt, phandle);
	char path[BOARD_PATH_LEN];
	uint32_t cells = 0;
	int r;

	if (node < 0)
		return board_refuse(w, board_node(w),
				    "its interrupt's parent is <%#x>, and no "
				    "node has that phandle",
				    phandle);
	if (!board_compatible(w, node, "intel,ce4100-ioapic"))
		return board_refuse(w, board_node(w),
				    "its interrupt goes to %s; expected an "
				    "intel,ce4100-ioapic, which is what KVM has",
				    board_path(w, node, path));
	r = board_u32(w, node, "#interrupt-cells", 0, &cells);
	if (r == 0 && cells != 2)
		return board_refuse(w, node, "#interrupt-cells is %u; expected 2",
				    cells);
	return r;
}

int board_interrupt(struct board_walk *w, int *ret_irq)
{
	uint32_t parent = w->level[w->depth].interrupt_parent, sense;
	const fdt32_t *c = NULL;
	int node = board_node(w), count = 0, r;

	r = board_cells(w, node, "interrupts-extended", &c, &count);
	if (r == 0 && c && count > 0) {
		parent = fdt32_ld(c);
		c++;
		count--;
	} else if (r == 0) {
		r = board_cells(w, node, "interrupts", &c, &count);
	}
	if (r < 0)
		return r;
	if (!c) {
		*ret_irq = -1;
		return 0;
	}
	if (parent == 0)
		return board_refuse(w, node,
				    "it has an interrupt, but no "
				    "interrupt-parent");
	r = check_parent(w, parent);
	if (r < 0)
		return r;
	if (count != 2)
		return board_refuse(w, node,
				    "its interrupts have %d cells; expected one "
				    "interrupt, of 2",
				    count);
	sense = fdt32_ld(c + 1);
	if (sense != SENSE_EDGE_RISING && sense != SENSE_EDGE_FALLING)
		return board_refuse(w, node,
				    "interrupt %u is of sense %u; expected %d, "
				    "on the edge",
				    fdt32_ld(c), sense, SENSE_EDGE_RISING);
	r = board_claim_irq(w, fdt32_ld(c));
	if (r == 0)
		*ret_irq = (int)fdt32_ld(c);
	return r;
}
