// SPDX-License-Identifier: MIT
/*
 * zero.c: memory that nothing was loaded into is zero at the start: one word
 * of each page, at an offset that changes from page to page.
 *
 * case zero
 *	options: -m 64
 *	status: 0
 *	out: all zero
 */
#include "guest.h"

#define PAGE 4096ull

extern char guest_end[];

static void check_zero(uint64_t from, uint64_t to)
{
	uint64_t p;

	for (p = (from + PAGE - 1) & ~(PAGE - 1); p + PAGE <= to; p += PAGE)
		CHECK_EQ(*(uint64_t *)(p + (p >> 9) % PAGE), 0);
}

int guest_main(void)
{
	check_zero(0x30000, 0x9fc00);
	check_zero((uintptr_t)guest_end, 64 << 20);
	print("all zero\n");
	return 0;
}
