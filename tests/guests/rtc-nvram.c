// SPDX-License-Identifier: MIT
/*
 * rtc-nvram.c: 114 bytes of memory behind the clock's registers; bit 7 of port
 * 0x70 (which masks the NMI on a PC) is no part of the index.
 *
 * case rtc-nvram
 *	status: 0
 */
#include "guest.h"

#define CENTURY 0x32

int guest_main(void)
{
	unsigned i;

	for (i = 0x0e; i < 0x80; i++)
		if (i != CENTURY)
			rtc_write((uint8_t)i, (uint8_t)(i * 37));
	for (i = 0x0e; i < 0x80; i++)
		if (i != CENTURY)
			CHECK_EQ(rtc_read((uint8_t)(i | 0x80)),
				 (uint8_t)(i * 37));
	return 0;
}
