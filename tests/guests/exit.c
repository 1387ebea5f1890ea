// SPDX-License-Identifier: MIT
/*
 * exit.c: writes a value to an exit port; the command line says PORT, WIDTH in
 * bytes and VALUE.
 *
 * case debug-exit-1
 *	options: --params '0xf4 1 0x10'
 *	status: 33
 * case debug-exit-2
 *	options: --params '0xf4 2 0x10'
 *	status: 33
 * case debug-exit-4
 *	options: --params '0xf4 4 0x11'
 *	status: 35
 * case debug-exit-eight-bits
 *	options: --params '0xf4 4 0x12345690'
 *	status: 33
 * case debug-exit-zero-is-not-success
 *	options: --params '0xf4 4 0'
 *	status: 1
 * case debug-exit-plain
 *	options: --debug-exit=plain --params '0xf4 4 0x10'
 *	status: 16
 * case debug-exit-plain-success
 *	options: --debug-exit=plain --params '0xf4 1 0'
 *	status: 0
 * case test-exit-success
 *	options: --params '0x560 1 0'
 *	status: 0
 * case test-exit-failure
 *	options: --params '0x560 4 3'
 *	status: 7
 */
#include <trapmap/guest_abi.h>

#include "guest.h"

int guest_main(void)
{
	const char *s = boot_cmdline();
	uint16_t port = (uint16_t)parse_number(&s);
	unsigned width = (unsigned)parse_number(&s);
	uint32_t value = (uint32_t)parse_number(&s);

	CHECK_EQ(inb(TRAPMAP_TEST_EXIT_PORT), 0);
	if (width == 1)
		outb(port, (uint8_t)value);
	else if (width == 2)
		outw(port, (uint16_t)value);
	else
		outl(port, value);
	halt_forever();
}
