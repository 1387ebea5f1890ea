// SPDX-License-Identifier: MIT
/*
 * initrd.c: several initrds lie one after another, each at a multiple of four
 * bytes, with zeros between. Zeros are shown as dots.
 *
 * case initrd-one
 *	setup: printf first >"$dir/1"
 *	options: -i "$dir/1"
 *	status: 0
 *	out: 5 bytes: first
 * case initrd-three
 *	setup: printf first >"$dir/1"; printf 4444 >"$dir/2"; printf 333 >"$dir/3"
 *	options: -i "$dir/1" -i "$dir/2" --initrd "$dir/3"
 *	status: 0
 *	out: 15 bytes: first...4444333
 * case initrd-none
 *	status: 0
 *	match: ^0 bytes: $
 */
#include "guest.h"

int guest_main(void)
{
	uint64_t len, i;
	const uint8_t *initrd = boot_initrd(&len);

	CHECK_EQ((uintptr_t)initrd & 0xfff, 0);
	print("%lu bytes: ", len);
	for (i = 0; i < len; i++)
		serial_put(initrd[i] ? (char)initrd[i] : '.');
	print("\n");
	return 0;
}
