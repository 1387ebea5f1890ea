// SPDX-License-Identifier: MIT
/*
 * reboot.c: counts its starts in the clock's battery-backed memory, which a
 * reset leaves alone; asks for a reset twice, then powers off.
 *
 * case reboot
 *	options: --on-reset=reboot
 *	status: 0
 *	out: start 1
 *	out: start 2
 *	out: start 3
 * case reboot-memfd
 *	options: --on-reset=reboot -m 64,backing=memfd
 *	status: 0
 *	out: start 3
 * case reboot-file
 *	options: --on-reset=reboot -m 16,backing=file=$dir/ram
 *	status: 0
 *	out: start 3
 * case reboot-taken-at-once
 *	options: --on-reset=reboot -m 16,prealloc
 *	status: 0
 *	out: start 3
 */
#include "guest.h"

#define NVRAM_MAGIC 0x40
#define NVRAM_COUNT 0x41
#define MAGIC 0xa7

static unsigned touched;

int guest_main(void)
{
	if (rtc_read(NVRAM_MAGIC) != MAGIC) {
		rtc_write(NVRAM_MAGIC, MAGIC);
		rtc_write(NVRAM_COUNT, 0);
	}
	rtc_write(NVRAM_COUNT, rtc_read(NVRAM_COUNT) + 1);
	print("start %u\n", rtc_read(NVRAM_COUNT));

	/* The kernel is loaded anew: what the last one wrote is gone. */
	CHECK_EQ(touched, 0);
	touched = 1;
	pic_init();

	if (rtc_read(NVRAM_COUNT) == 1)
		outb(0x64, 0xfe);
	else if (rtc_read(NVRAM_COUNT) == 2)
		acpi_reset();
	else
		acpi_power_off();
	halt_forever();
}
