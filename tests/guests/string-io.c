// SPDX-License-Identifier: MIT
/*
 * string-io.c: INS and OUTS with REP: the port stays, the data moves, in both
 * directions and each width.
 *
 * case string-io
 *	status: 0
 *	out: forwards
 *	out: backwards
 *	out: words
 */
#include "guest.h"

#define COM1_LCR (COM1 + 3)
#define COM1_SCRATCH (COM1 + 7)
#define NOWHERE 0x1234

static void outs(const char *s, size_t len)
{
	asm volatile("rep outsb" : "+S"(s), "+c"(len) : "d"(COM1) : "memory");
	CHECK_EQ(len, 0);
}

static void outs_down(const char *last, size_t len)
{
	asm volatile("std; rep outsb; cld"
		     : "+S"(last), "+c"(len)
		     : "d"(COM1)
		     : "memory");
	CHECK_EQ(len, 0);
}

int guest_main(void)
{
	static const char mirrored[] = "\n\rsdrawkcab";
	static const char words[] = "words\r\n";
	uint8_t buf[40];
	uint32_t wide[4] = { 1, 2, 3, 4 };
	void *p = buf;
	const void *q = words;
	size_t n;

	outs("forwards\r\n", 10);
	outs_down(&mirrored[10], 11);

	outb(COM1_SCRATCH, 0xa7);
	memset(buf, 0, sizeof(buf));
	n = 32;
	asm volatile("rep insb"
		     : "+D"(p), "+c"(n)
		     : "d"(COM1_SCRATCH)
		     : "memory");
	CHECK(p == buf + 32 && n == 0);
	for (n = 0; n < 32; n++)
		CHECK_EQ(buf[n], 0xa7);
	CHECK_EQ(buf[32], 0);

	p = wide;
	n = 3;
	asm volatile("rep insl" : "+D"(p), "+c"(n) : "d"(NOWHERE) : "memory");
	CHECK(p == wide + 3);
	CHECK_EQ(wide[2], 0xffffffff);
	CHECK_EQ(wide[3], 4);

	/* A wide OUTS: its second byte goes to the port above. */
	outb(COM1_LCR, 0x83);
	n = 1;
	asm volatile("rep outsw" : "+S"(q), "+c"(n) : "d"(COM1) : "memory");
	CHECK_EQ(inb(COM1), 'w');
	CHECK_EQ(inb(COM1 + 1), 'o');
	outb(COM1_LCR, 0x03);
	outs(words, 7);
	return 0;
}
