// SPDX-License-Identifier: MIT
/*
 * uart-four.c: COM1 to COM4, each with its own other end. All have something to say
 * at once, by interrupts: COM1 and COM3 share one, COM2 and COM4 another, and an
 * edge is made by the first that asks only. With "echo" it then sends back what comes
 * on COM2, and after a 'q' what comes on COM3.
 *
 * case uart-four-files
 *	options: --serial stdio --serial file=$dir/2 --serial file=$dir/3 --serial file=$dir/4
 *	status: 0
 *	out: this is COM1
 *	out: all four have spoken
 *	check: for n in 2 3 4; do printf 'this is COM%d\r\n' $n | cmp - "$dir/$n" || exit 1; done
 * case uart-four-rules
 *	options: --serial file=$dir/1 --serial null --serial null --serial null --expect 'is COM1$' --expect 'is COM4$' --fail-on 'is COM3$'
 *	status: 10
 *	err: its COM3 console said, line 1: "this is COM3"
 *	report: console.bytes.com4 = 14
 * case uart-four-pty-and-socket
 *	if: command -v python3 >/dev/null
 *	setup: python3 "$(dirname "$0")/serial-peer.py" "$dir" talk & peer=$!
 *	options: -p echo --serial stdio --serial pty --serial socket=$dir/socket --serial null
 *	status: 0
 *	err: ^trapmap: COM2 is /dev/pts/[0-9]+$
 *	out: all four have spoken
 *	check: wait $peer 2>/dev/null; for n in 2 3; do printf 'this is COM%d\r\nhello, COM%dq' $n $n | cmp - "$dir/$n" || exit 1; done
 *	check: test ! -e "$dir/socket"
 * case uart-four-on-a-board-without
 *	if: command -v dtc >/dev/null
 *	setup: echo '/dts-v1/; / { };' >"$dir/none.dts"
 *	options: --machine $dir/none.dts --serial socket=$dir/socket
 *	status: 2
 *	err: none.dts: there is no serial port COM1 on this board$
 *	check: test ! -e "$dir/socket"
 */
#include "guest.h"

#define PORTS 4
#define IER 1
#define IIR 2
#define FCR 2
#define MCR 4
#define LSR 5
#define SCR 7
#define IER_EMPTY 0x02
#define IIR_NONE 0x01
#define IIR_EMPTY 0x02
#define MCR_OUT2 0x08
#define LSR_DR 0x01
#define BDA_COM 0x400

static struct com {
	uint16_t base;
	uint8_t irq;
	char text[20];
	volatile unsigned sent;
} com[PORTS] = {
	{ 0x3f8, 4, "this is COM1\r\n", 0 },
	{ 0x2f8, 3, "this is COM2\r\n", 0 },
	{ 0x3e8, 4, "this is COM3\r\n", 0 },
	{ 0x2e8, 3, "this is COM4\r\n", 0 },
};
static volatile unsigned interrupts[16];

/* Whether it had something to ask for. */
static bool serve(struct com *c)
{
	uint8_t iir = inb(c->base + IIR);

	if (iir & IIR_NONE)
		return false;
	CHECK_EQ(iir & 0x0f, IIR_EMPTY);
	if (c->text[c->sent])
		outb(c->base, (uint8_t)c->text[c->sent++]);
	return true;
}

/* Round all ports of the line, until none of them asks. */
static void on_line(unsigned irq)
{
	unsigned i;
	bool any;

	interrupts[irq]++;
	do {
		any = false;
		for (i = 0; i < PORTS; i++)
			if (com[i].irq == irq)
				any |= serve(&com[i]);
	} while (any);
}

static void on_irq3(struct trap_frame *frame)
{
	on_line(3);
}

static void on_irq4(struct trap_frame *frame)
{
	on_line(4);
}

static bool all_sent(void)
{
	unsigned i;

	for (i = 0; i < PORTS; i++)
		if (com[i].text[com[i].sent])
			return false;
	return true;
}

static void echo(const struct com *c)
{
	uint8_t byte = 0;

	while (byte != 'q') {
		while (!(inb(c->base + LSR) & LSR_DR))
			cpu_relax();
		byte = inb(c->base);
		outb(c->base, byte);
	}
}

int guest_main(void)
{
	unsigned i;

	for (i = 0; i < PORTS; i++) {
		CHECK_EQ(*(volatile uint16_t *)(uintptr_t)(BDA_COM + 2 * i),
			 com[i].base);
		outb(com[i].base + SCR, (uint8_t)(0x50 + i));
	}
	pic_init();
	trap_handler(VECTOR_IRQ + 3, on_irq3);
	trap_handler(VECTOR_IRQ + 4, on_irq4);
	for (i = 0; i < PORTS; i++) {
		CHECK_EQ(inb(com[i].base + SCR), 0x50 + i);
		outb(com[i].base + FCR, 0x01);
		outb(com[i].base + MCR, MCR_OUT2);
		/* The transmitter is empty: it asks at once. */
		outb(com[i].base + IER, IER_EMPTY);
	}
	pic_unmask(3);
	pic_unmask(4);
	while (!all_sent())
		wait_for_interrupt();
	CHECK(interrupts[3] > 0 && interrupts[4] > 0);
	for (i = 0; i < PORTS; i++)
		outb(com[i].base + IER, 0);
	print("all four have spoken\n");
	if (strcmp(boot_cmdline(), "echo") == 0) {
		echo(&com[1]);
		echo(&com[2]);
	}
	return 0;
}
