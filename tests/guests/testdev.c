// SPDX-License-Identifier: MIT
/*
 * testdev.c: the test device of KVM's unit tests, by the conventions of their
 * x86 guests.
 *
 * case testdev
 *	options: --testdev
 *	status: 0
 * case testdev-absent
 *	options: --params absent
 *	status: 0
 */
#include "guest.h"

#define IOPORT 0xe0
#define FLUSH_PAGE 0xe4
#define IOPORT_BYTE 0xe8
#define IRQ_LINE 0x2000
#define IOMEM 0xff000000
#define IOMEM_LEN 0x10000

#define IRQ_BY_PIC 5
#define INPUT_BY_IOAPIC 20
#define VECTOR_EDGE VECTOR_APIC
#define PAGE 4096

static volatile unsigned pic_irqs, edges;

static void on_pic(struct trap_frame *frame)
{
	pic_irqs++;
}

static void on_edge(struct trap_frame *frame)
{
	edges++;
}

/* Time for an interrupt to come in, with exits, at which KVM looks for one. */
static void take_interrupts(void)
{
	unsigned i;

	interrupts_on();
	for (i = 0; i < 10; i++)
		inb(IOPORT);
	interrupts_off();
}

static void check_ports(void)
{
	outl(IOPORT, 0x12345678);
	CHECK_EQ(inl(IOPORT), 0x12345678);
	CHECK_EQ(inw(IOPORT + 2), 0x1234);
	CHECK_EQ(inb(IOPORT_BYTE), 0x78);
	outw(IOPORT, 0xabcd);
	outb(IOPORT_BYTE, 0xef);
	CHECK_EQ(inl(IOPORT), 0x1234abef);
}

static void check_memory(void)
{
	volatile uint8_t *p = map_page(IOMEM);

	*(volatile uint64_t *)p = 0x1122334455667788;
	CHECK_EQ(*(volatile uint64_t *)p, 0x1122334455667788);
	CHECK_EQ(*(volatile uint16_t *)(p + 3), 0x4455);
	*(volatile uint32_t *)(p + 1) = 0xaabbccdd;
	CHECK_EQ(*(volatile uint64_t *)p, 0x112233aabbccdd88);
	p[IOMEM_LEN - 1] = 0x5a;
	CHECK_EQ(p[IOMEM_LEN - 1], 0x5a);
	CHECK_EQ(p[IOMEM_LEN], 0xff); /* nothing is there */
}

static void check_lines(void)
{
	pic_init();
	trap_handler(VECTOR_IRQ + IRQ_BY_PIC, on_pic);
	pic_unmask(IRQ_BY_PIC);
	outb(IRQ_LINE + IRQ_BY_PIC, 1);
	take_interrupts();
	CHECK_EQ(pic_irqs, 1);
	/* An edge, and no more until the line has been low. */
	take_interrupts();
	outb(IRQ_LINE + IRQ_BY_PIC, 1);
	take_interrupts();
	CHECK_EQ(pic_irqs, 1);
	outb(IRQ_LINE + IRQ_BY_PIC, 0);
	outb(IRQ_LINE + IRQ_BY_PIC, 1);
	take_interrupts();
	CHECK_EQ(pic_irqs, 2);
	outb(IRQ_LINE + IRQ_BY_PIC, 0);
	pic_mask(IRQ_BY_PIC);

	/* An input that only the IOAPIC has. */
	lapic_init();
	trap_handler(VECTOR_EDGE, on_edge);
	ioapic_route(INPUT_BY_IOAPIC, VECTOR_EDGE, false);
	outb(IRQ_LINE + INPUT_BY_IOAPIC, 1);
	outb(IRQ_LINE + INPUT_BY_IOAPIC, 0);
	take_interrupts();
	CHECK_EQ(edges, 1);
	CHECK_EQ(pic_irqs, 2);
}

/* A flushed page has what it had, and can be written again. */
static void check_flush(void)
{
	static uint8_t pages[2 * PAGE] __attribute__((aligned(PAGE)));
	volatile uint32_t *word = (volatile uint32_t *)(pages + PAGE);
	unsigned i;

	for (i = 0; i < 8; i++) {
		*word = i;
		outl(FLUSH_PAGE, (uint32_t)(uintptr_t)word);
		CHECK_EQ(*word, i);
	}
	outl(FLUSH_PAGE, IOMEM); /* no RAM, so nothing happens */
}

int guest_main(void)
{
	if (!strcmp(boot_cmdline(), "absent")) {
		outl(IOPORT, 0);
		CHECK_EQ(inl(IOPORT), 0xffffffff);
		CHECK_EQ(inb(IRQ_LINE), 0xff);
		CHECK_EQ(*(volatile uint8_t *)map_page(IOMEM), 0xff);
		return 0;
	}
	check_ports();
	check_memory();
	check_lines();
	check_flush();
	return 0;
}
