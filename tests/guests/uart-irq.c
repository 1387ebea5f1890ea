// SPDX-License-Identifier: MIT
/*
 * uart-irq.c: a text sent by "transmitter empty" interrupts alone, then what
 * comes in sent back by "data available" interrupts until a line ends.
 *
 * case uart-irq
 *	stdin: ping, and 16 more than fit in one FIFO\n
 *	status: 0
 *	out: sent by interrupts
 *	out: ping, and 16 more than fit in one FIFO
 */
#include "guest.h"

#define IRQ_COM1 4
#define IER (COM1 + 1)
#define IIR (COM1 + 2)
#define FCR (COM1 + 2)
#define MCR (COM1 + 4)
#define LSR (COM1 + 5)
#define IER_DATA 0x01
#define IER_EMPTY 0x02
#define IIR_NONE 0x01
#define IIR_EMPTY 0x02
#define IIR_DATA 0x04
#define IIR_TIMEOUT 0x0c
#define FCR_ENABLE 0x01
#define MCR_OUT2 0x08 /* on a PC it lets the interrupt through */
#define LSR_DR 0x01

static const char *volatile next = "sent by interrupts\r\n";
static volatile unsigned interrupts;
static char line[80];
static volatile unsigned len;
static volatile bool ended;

static void receive(void)
{
	while (inb(LSR) & LSR_DR) {
		char c = (char)inb(COM1);

		CHECK(len < sizeof(line) - 1);
		line[len++] = c;
		ended |= c == '\n';
	}
}

static void on_irq(struct trap_frame *frame)
{
	uint8_t iir;

	/* An edge: another one comes only once every cause has gone. */
	while (!((iir = inb(IIR)) & IIR_NONE)) {
		interrupts++;
		if ((iir & 0x0f) == IIR_DATA || (iir & 0x0f) == IIR_TIMEOUT)
			receive();
		else if ((iir & 0x0f) == IIR_EMPTY && *next)
			outb(COM1, (uint8_t)*next++);
	}
}

int guest_main(void)
{
	pic_init();
	trap_handler(VECTOR_IRQ + IRQ_COM1, on_irq);
	outb(FCR, FCR_ENABLE);
	outb(MCR, MCR_OUT2);
	pic_unmask(IRQ_COM1);

	/* The transmitter is empty already, so enabling is the first cause. */
	outb(IER, IER_EMPTY);
	while (*next)
		wait_for_interrupt();
	CHECK(interrupts >= strlen("sent by interrupts\r\n"));

	outb(IER, IER_DATA);
	while (!ended)
		wait_for_interrupt();
	outb(IER, 0);
	print("%s", line);
	return 0;
}
