// SPDX-License-Identifier: MIT
/*
 * pic.c: the two 8259A interrupt controllers. Source: Intel's 8259A data sheet.
 */
#include "guest.h"

#define PIC1 0x20
#define PIC2 0xa0
#define ICW1_INIT 0x11 /* edge triggered, cascaded, ICW4 follows */
#define ICW4_8086 0x01
#define OCW2_EOI 0x20
#define CASCADE 2

void pic_init(void)
{
	outb(PIC1, ICW1_INIT);
	outb(PIC1 + 1, VECTOR_IRQ);
	outb(PIC1 + 1, 1 << CASCADE);
	outb(PIC1 + 1, ICW4_8086);
	outb(PIC1 + 1, (uint8_t)~(1 << CASCADE));

	outb(PIC2, ICW1_INIT);
	outb(PIC2 + 1, VECTOR_IRQ + 8);
	outb(PIC2 + 1, CASCADE);
	outb(PIC2 + 1, ICW4_8086);
	outb(PIC2 + 1, 0xff);
}

static uint16_t mask_port(unsigned irq)
{
	return irq < 8 ? PIC1 + 1 : PIC2 + 1;
}

void pic_unmask(unsigned irq)
{
	uint16_t port = mask_port(irq);

	outb(port, (uint8_t)(inb(port) & ~(1u << (irq & 7))));
}

void pic_mask(unsigned irq)
{
	uint16_t port = mask_port(irq);

	outb(port, (uint8_t)(inb(port) | 1u << (irq & 7)));
}

void pic_eoi(unsigned irq)
{
	if (irq >= 8)
		outb(PIC2, OCW2_EOI);
	outb(PIC1, OCW2_EOI);
}
