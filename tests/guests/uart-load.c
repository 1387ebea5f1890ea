// SPDX-License-Identifier: MIT
/*
 * uart-load.c: 64 KiB out of COM1 and 64 KiB into it at the same time, by interrupts
 * and string instructions; each side looks at every byte. The peer is a program that
 * reads and writes in odd pieces, and now and then not at all. (16 MiB each way are
 * for tests/unit/test-uart-load.c: here each byte that goes out is an exit.)
 *
 * case uart-load-socket
 *	if: command -v python3 >/dev/null
 *	setup: python3 "$(dirname "$0")/serial-peer.py" "$dir" load-socket & peer=$!
 *	options: --serial socket=$dir/socket
 *	status: 0
 *	check: wait $peer 2>/dev/null; test "$(cat "$dir/peer")" = "65536 bytes, as they were sent"
 * case uart-load-pty
 *	if: command -v python3 >/dev/null
 *	setup: python3 "$(dirname "$0")/serial-peer.py" "$dir" load-pty & peer=$!
 *	options: --serial pty
 *	status: 0
 *	check: wait $peer 2>/dev/null; test "$(cat "$dir/peer")" = "65536 bytes, as they were sent"
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
#define FCR_TRIGGER_14 0xc0
#define TRIGGER 14
#define FIFO 16
#define MCR_OUT2 0x08
#define LSR_DR 0x01
#define LSR_OE 0x02
#define TOTAL 65536

static volatile unsigned sent, got;

static uint8_t byte_at(unsigned i)
{
	return (uint8_t)(i * 2654435761u >> 24 ^ i);
}

static void take(const uint8_t *buf, unsigned len)
{
	unsigned i;

	for (i = 0; i < len; i++, got++)
		CHECK_EQ(buf[i], byte_at(~got));
}

static void receive(unsigned at_once)
{
	uint8_t buf[FIFO];
	void *p = buf;
	size_t n = at_once;

	asm volatile("rep insb" : "+D"(p), "+c"(n) : "d"(COM1) : "memory");
	take(buf, at_once);
}

static void receive_the_rest(void)
{
	uint8_t lsr;

	while ((lsr = inb(LSR)) & LSR_DR) {
		CHECK(!(lsr & LSR_OE));
		receive(1);
	}
}

static void send(void)
{
	uint8_t buf[FIFO];
	const void *p = buf;
	size_t n = 0;

	for (; n < FIFO && sent < TOTAL; n++, sent++)
		buf[n] = byte_at(sent);
	asm volatile("rep outsb" : "+S"(p), "+c"(n) : "d"(COM1) : "memory");
}

static void on_irq(struct trap_frame *frame)
{
	uint8_t iir;

	while (!((iir = inb(IIR)) & IIR_NONE)) {
		switch (iir & 0x0f) {
		case IIR_DATA: receive(TRIGGER); break;
		case IIR_TIMEOUT: receive_the_rest(); break;
		case IIR_EMPTY: send(); break;
		default: CHECK(!"an interrupt that nobody asked for");
		}
	}
}

int guest_main(void)
{
	pic_init();
	trap_handler(VECTOR_IRQ + IRQ_COM1, on_irq);
	outb(FCR, FCR_ENABLE | FCR_TRIGGER_14);
	outb(MCR, MCR_OUT2);
	/* Once somebody is there, or what is kept for him would be the latest only. */
	while (!(inb(LSR) & LSR_DR))
		cpu_relax();
	pic_unmask(IRQ_COM1);
	outb(IER, IER_DATA | IER_EMPTY);
	while (got < TOTAL || sent < TOTAL)
		wait_for_interrupt();
	return 0;
}
