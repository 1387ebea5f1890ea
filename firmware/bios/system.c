// SPDX-License-Identifier: MIT
/*
 * system.c: INT 15h: how much memory there is and where, the A20 gate, a pause, a
 * copy to or from above 1 MiB. Source for the memory map: ACPI specification 6.4,
 * section 15.
 *
 * Not here: APM, the PS/2 mouse, the configuration table, waits by event.
 */
#include "bios/bios.h"

#define SMAP 0x534d4150
#define MIB 0x100000u
#define PORT_B 0x61
#define PORT_B_REFRESH 0x10
#define REFRESH_US 15 /* between two of its changes */

static void memory_map(struct regs *r)
{
	uint32_t i = r->b.e;

	if (r->d.e != SMAP || r->c.e < sizeof(bios.range[0]) ||
	    i >= bios.ranges) {
		unsupported(r);
		return;
	}
	far_copy_out(r->es, r->di.x, &bios.range[i], sizeof(bios.range[0]));
	r->a.e = SMAP;
	r->b.e = i + 1 < bios.ranges ? i + 1 : 0;
	r->c.e = sizeof(bios.range[0]);
	set_flag(r, FLAG_CF, false);
}

/* Where the memory ends that begins at 1 MiB, as far as 32 bits can say. */
static uint32_t memory_end(void)
{
	unsigned i;

	for (i = 0; i < bios.ranges; i++) {
		const struct trapmap_bios_range *range = &bios.range[i];

		if (range->base == MIB && range->type == 1)
			return MIB + (uint32_t)range->len;
	}
	return MIB;
}

static void memory_sizes(struct regs *r)
{
	uint32_t end = memory_end(), below_16 = end < 16 * MIB ? end : 16 * MIB;

	r->a.x = r->c.x = (uint16_t)((below_16 - MIB) >> 10);
	r->b.x = r->d.x = (uint16_t)((end - below_16) >> 16);
	set_flag(r, FLAG_CF, false);
}

/* In KiB, at most 63 MiB: more does not fit into what old callers do with it. */
static void memory_extended(struct regs *r)
{
	uint32_t len = memory_end() - MIB;

	r->a.x = (uint16_t)((len < 63 * MIB ? len : 63 * MIB) >> 10);
	set_flag(r, FLAG_CF, false);
}

/* The line is open for good. */
static void a20(struct regs *r)
{
	switch (r->a.l) {
	case 0x01: break;
	case 0x02: r->a.l = 1; break;
	case 0x03: r->b.x = 1; break; /* by the keyboard controller */
	default: unsupported(r); return;
	}
	r->a.h = 0;
	set_flag(r, FLAG_CF, false);
}

/* CX:DX microseconds, and somewhat more, counted by the memory's refresh. */
static void pause_for(struct regs *r)
{
	uint32_t left = ((uint32_t)r->c.x << 16 | r->d.x) / REFRESH_US + 1;
	uint8_t was = inb(PORT_B) & PORT_B_REFRESH, is;

	for (; left > 0; left--, was = is)
		while ((is = inb(PORT_B) & PORT_B_REFRESH) == was)
			breathe();
	set_flag(r, FLAG_CF, false);
}

/* A descriptor's base, in the table that AH=87h is given. */
static uint32_t base_in(const struct regs *r, uint16_t selector)
{
	uint16_t at = (uint16_t)(r->si.x + selector);

	return far_read16(r->es, at + 2) |
	       (uint32_t)far_read8(r->es, at + 4) << 16 |
	       (uint32_t)far_read8(r->es, at + 7) << 24;
}

#define MOVE_FROM 0x10
#define MOVE_TO 0x18

static void move_block(struct regs *r)
{
	uint32_t from = base_in(r, MOVE_FROM), to = base_in(r, MOVE_TO);
	uint32_t len = r->c.x * 2u;

	flat_begin();
	for (; len >= 4; len -= 4, from += 4, to += 4)
		flat_write32(to, flat_read32(from));
	for (; len > 0; len--)
		flat_write8(to++, flat_read8(from++));
	r->a.h = 0;
	set_flag(r, FLAG_CF, false);
	set_flag(r, FLAG_ZF, true);
}

void int15_system(struct regs *r)
{
	switch (r->a.h) {
	case 0x24: a20(r); break;
	case 0x86: pause_for(r); break;
	case 0x87: move_block(r); break;
	case 0x88: memory_extended(r); break;
	case 0x90: /* a device is busy, or is no more: */
	case 0x91: /* nobody else wants the processor */
		r->a.h = 0;
		set_flag(r, FLAG_CF, false);
		break;
	case 0xc1:
		r->es = bda_read16(0x0e);
		set_flag(r, FLAG_CF, false);
		break;
	case 0xe8:
		if (r->a.l == 0x20)
			memory_map(r);
		else if (r->a.l == 0x01)
			memory_sizes(r);
		else
			unsupported(r);
		break;
	default: unsupported(r);
	}
}
