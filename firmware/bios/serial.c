// SPDX-License-Identifier: MIT
/*
 * serial.c: COM1, which is screen and keyboard here; and INT 14h, which drives it.
 *
 * Not here: the speed that INT 14h AH=00h asks for (the line has none), its time-out,
 * and any port but the first.
 */
#include "bios/bios.h"

#define UART_DATA 0
#define UART_IER 1
#define UART_MCR 4
#define UART_LSR 5
#define UART_MSR 6
#define IER_RX 0x01
#define MCR_OUT2 0x08
#define LSR_DR 0x01
#define LSR_THRE 0x20

#define PIC1_MASK 0x21
#define IRQ_COM1 4
#define VECTOR_COM1 0x0c

/* entry.S */
extern const uint16_t vectors[];

void serial_put(uint8_t c)
{
	if (!bios.com1)
		return;
	while (!(inb(bios.com1 + UART_LSR) & LSR_THRE))
		asm volatile("pause");
	outb(bios.com1 + UART_DATA, c);
}

void serial_text(const char *text)
{
	while (*text)
		serial_put((uint8_t)*text++);
}

bool serial_has_input(void)
{
	return bios.com1 && inb(bios.com1 + UART_LSR) & LSR_DR;
}

uint8_t serial_get(void)
{
	return inb(bios.com1 + UART_DATA);
}

/* Whether COM1's interrupt is still ours to use. */
static bool is_ours(void)
{
	return inb(bios.com1 + UART_IER) == 0 &&
	       far_read16(0, VECTOR_COM1 * 4) == vectors[VECTOR_COM1] &&
	       far_read16(0, VECTOR_COM1 * 4 + 2) == TRAPMAP_BIOS_SEGMENT;
}

/*
 * Asleep, if a character can wake us: its interrupt is enabled before the last look,
 * so that one which comes after it stays pending until HLT. Other interrupts wake,
 * too.
 */
void serial_wait(void)
{
	uint8_t mask, mcr;

	if (!bios.com1) {
		sleep();
		return;
	}
	if (!is_ours()) {
		breathe();
		return;
	}
	mcr = inb(bios.com1 + UART_MCR);
	mask = inb(PIC1_MASK);
	outb(bios.com1 + UART_MCR, mcr | MCR_OUT2);
	outb(bios.com1 + UART_IER, IER_RX);
	outb(PIC1_MASK, (uint8_t)(mask & ~(1 << IRQ_COM1)));
	if (!serial_has_input())
		sleep();
	outb(PIC1_MASK, mask);
	outb(bios.com1 + UART_IER, 0);
	outb(bios.com1 + UART_MCR, mcr);
}

#define STATUS_TIMEOUT 0x80

static void status(struct regs *r)
{
	r->a.h = inb(bios.com1 + UART_LSR);
	r->a.l = inb(bios.com1 + UART_MSR);
}

void int14_serial(struct regs *r)
{
	if (r->d.x != 0 || !bios.com1) {
		r->a.h = STATUS_TIMEOUT;
		return;
	}
	switch (r->a.h) {
	case 0x00:
	case 0x03: status(r); break;
	case 0x01:
		serial_put(r->a.l);
		r->a.h = inb(bios.com1 + UART_LSR);
		break;
	case 0x02:
		if (!serial_has_input()) {
			r->a.h = STATUS_TIMEOUT;
			break;
		}
		r->a.l = serial_get();
		r->a.h = 0;
		break;
	}
}
