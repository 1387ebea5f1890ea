// SPDX-License-Identifier: MIT
/*
 * console.c: prints its initrd and powers off. So it can stand in for a kernel
 * whose console says what is to be tested.
 *
 * case console-text
 *	setup: printf 'one\ntwo\n' >$dir/text
 *	options: -i $dir/text
 *	status: 0
 *	out: one
 *	out: two
 * case console-panic
 *	setup: echo '[    1.5] Kernel panic - not syncing: no init' >$dir/text
 *	options: -i $dir/text --fail-on panic
 *	status: 10
 *	err: Kernel panic - not syncing: no init
 */
#include "guest.h"

int guest_main(void)
{
	uint64_t len, i;
	const uint8_t *text = boot_initrd(&len);

	for (i = 0; i < len; i++)
		serial_put((char)text[i]);
	acpi_power_off();
}
