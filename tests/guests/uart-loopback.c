// SPDX-License-Identifier: MIT
/*
 * uart-loopback.c: in loopback mode what is sent comes back, the four modem
 * outputs reach the four modem inputs, the FIFO holds 16 bytes, and nothing
 * gets out to the line.
 *
 * case uart-loopback
 *	status: 0
 *	check: printf 'done\r\n' | cmp - "$dir/out"
 */
#include "guest.h"

#define FCR (COM1 + 2)
#define MCR (COM1 + 4)
#define LSR (COM1 + 5)
#define MSR (COM1 + 6)
#define FCR_ENABLE_AND_CLEAR 0x07
#define MCR_LOOP 0x10
#define LSR_DR 0x01
#define LSR_OE 0x02
#define LSR_TEMT 0x40

/* Until what was sent is out. Reading LSR clears its errors, so all count. */
static uint8_t wait_sent(void)
{
	uint8_t lsr, all = 0;

	do {
		lsr = inb(LSR);
		all |= lsr;
	} while (!(lsr & LSR_TEMT));
	return all;
}

static void send(uint8_t byte)
{
	wait_sent();
	outb(COM1, byte);
}

/* MCR's DTR, RTS, OUT1, OUT2 and where each shows in the MSR. */
static const struct {
	uint8_t mcr, msr;
} modem[] = { { 0x01, 0x20 }, { 0x02, 0x10 }, { 0x04, 0x40 }, { 0x08, 0x80 } };

int guest_main(void)
{
	uint16_t got[16];
	unsigned i;
	uint8_t lsr;

	outb(FCR, FCR_ENABLE_AND_CLEAR);
	for (i = 0; i < ARRAY_SIZE(modem); i++) {
		outb(MCR, MCR_LOOP | modem[i].mcr);
		got[0] = inb(MSR) & 0xf0;
		got[1] = inb(MSR) & 0x0f; /* a change shows once */
		outb(MCR, 0);
		CHECK_EQ(got[0], modem[i].msr);
		CHECK_EQ(got[1], 0);
	}

	outb(MCR, MCR_LOOP);
	for (i = 0; i < 16; i++)
		send((uint8_t)(0x80 + i));
	wait_sent();
	for (i = 0; i < 16; i++) {
		got[i] = inb(LSR) & (LSR_DR | LSR_OE);
		got[i] = (uint16_t)(got[i] << 8 | inb(COM1));
	}
	lsr = inb(LSR);
	/* Out of the loop to say what is wrong, if anything is. */
	outb(MCR, 0);
	for (i = 0; i < 16; i++)
		CHECK_EQ(got[i], LSR_DR << 8 | (0x80 + i));
	CHECK_EQ(lsr & LSR_DR, 0);

	/* A 17th byte is one too many. */
	outb(MCR, MCR_LOOP);
	for (i = 0; i < 17; i++)
		send((uint8_t)i);
	lsr = wait_sent();
	outb(FCR, FCR_ENABLE_AND_CLEAR);
	outb(MCR, 0);
	CHECK(lsr & LSR_OE);
	CHECK_EQ(inb(LSR) & (LSR_OE | LSR_DR), 0);
	print("done\n");
	return 0;
}
