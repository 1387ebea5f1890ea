// SPDX-License-Identifier: MIT
/*
 * unclaimed.c: where nothing answers, reads are all ones of their width and
 * writes vanish; an access that is wider than a device's registers is split. The
 * POST code's port, which PCs write to in passing, reads back.
 *
 * case unclaimed
 *	status: 0
 */
#include <trapmap/guest_abi.h>

#include "guest.h"

#define NOWHERE 0x1234
#define NOWHERE_MMIO 0xc8000000
#define VGA_HOLE 0xa0000
#define COM1_LCR (COM1 + 3)

int guest_main(void)
{
	volatile uint8_t *b = map_page(NOWHERE_MMIO);
	volatile uint8_t *vga = (volatile uint8_t *)VGA_HOLE;

	outb(NOWHERE, 1);
	outw(NOWHERE, 1);
	outl(NOWHERE, 1);
	CHECK_EQ(inb(NOWHERE), 0xff);
	CHECK_EQ(inw(NOWHERE), 0xffff);
	CHECK_EQ(inl(NOWHERE), 0xffffffff);
	CHECK_EQ(inl(0xfffc), 0xffffffff);

	*b = 1;
	*(volatile uint16_t *)b = 1;
	*(volatile uint32_t *)b = 1;
	*(volatile uint64_t *)b = 1;
	CHECK_EQ(*b, 0xff);
	CHECK_EQ(*(volatile uint16_t *)b, 0xffff);
	CHECK_EQ(*(volatile uint32_t *)b, 0xffffffff);
	CHECK_EQ(*(volatile uint64_t *)b, ~0ull);
	*vga = 7;
	CHECK_EQ(*vga, 0xff);

	/* The POST code's port is a spare register of the DMA controller. */
	outb(TRAPMAP_POST_PORT, 0x42);
	CHECK_EQ(inb(TRAPMAP_POST_PORT), 0x42);

	/* LCR and MCR side by side. */
	outw(COM1_LCR, 0x0803);
	CHECK_EQ(inb(COM1_LCR), 0x03);
	CHECK_EQ(inb(COM1_LCR + 1), 0x08);
	CHECK_EQ(inw(COM1_LCR), 0x0803);
	/* Two bytes of the serial port and two of nothing. */
	CHECK_EQ(inl(COM1 + 6), 0xffffffff);
	return 0;
}
