// SPDX-License-Identifier: MIT
/*
 * uart-bulk.c: 64 KiB in bursts of 16 bytes into the FIFO, not one of them lost
 * or changed.
 *
 * case uart-bulk
 *	status: 0
 *	check: awk 'BEGIN { while (i < 1024) printf "line %06d of 1024 lines which arrive unharmed, all 64 bytes.\n", i++ }' | cmp - "$dir/lines"
 */
#include "guest.h"

#define FCR (COM1 + 2)
#define LSR (COM1 + 5)
#define LSR_THRE 0x20
#define LINES 1024
#define FIFO 16

int guest_main(void)
{
	char line[] = "line 000000 of 1024 lines which arrive unharmed, "
		      "all 64 bytes.\r\n";
	unsigned i, j;

	outb(FCR, 0x01);
	for (i = 0; i < LINES; i++) {
		const char *p = line;
		size_t n;

		for (j = 0; j < 6; j++) {
			static const unsigned ten[] = { 100000, 10000, 1000,
							100,	10,    1 };

			line[5 + j] = (char)('0' + i / ten[j] % 10);
		}
		for (j = 0; j < sizeof(line) - 1; j += FIFO) {
			while (!(inb(LSR) & LSR_THRE))
				cpu_relax();
			n = sizeof(line) - 1 - j;
			if (n > FIFO)
				n = FIFO;
			asm volatile("rep outsb"
				     : "+S"(p), "+c"(n)
				     : "d"(COM1)
				     : "memory");
		}
	}
	return 0;
}
