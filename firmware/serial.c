// SPDX-License-Identifier: MIT
/*
 * serial.c: COM1, by polling. The line's speed is left as it is: there is no
 * wire. Source: the PC16550D data sheet.
 */
#include "guest.h"

#define THR 0 /* transmitter holding register */
#define LSR 5 /* line status register */
#define LSR_THRE 0x20

static void put_raw(char c)
{
	while (!(inb(COM1 + LSR) & LSR_THRE))
		cpu_relax();
	outb(COM1 + THR, (uint8_t)c);
}

void serial_put(char c)
{
	if (c == '\n')
		put_raw('\r');
	put_raw(c);
}
