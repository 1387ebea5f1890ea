// SPDX-License-Identifier: MIT
/*
 * testdev.c: the ports and the memory of QEMU's pc-testdev. Interrupts stay off:
 * the controllers show what was requested (82C59A's IRR; the local APIC's).
 */
#include "apic.h"
#include "kut.h"

#define IOPORT 0xe0
#define FLUSH_PAGE 0xe4
#define IRQ_LINE 0x2000
#define IOMEM 0xff000000u

#define PIC1_COMMAND 0x20
#define PIC1_DATA 0x21
#define PIC_ICW1 0x11
#define PIC_READ_IRR 0x0a

#define IOAPIC_SELECT 0xfec00000u
#define IOAPIC_WINDOW 0xfec00010u
#define REDIRECTION(input) (0x10 + 2 * (input))

#define PIC_LINE 5
#define IOAPIC_LINE 11
#define VECTOR 0x31

static void check_register(void)
{
	outl(IOPORT, 0x89abcdef);
	report(inl(IOPORT) == 0x89abcdef, "ioport: 32 bits");
	report(inw(IOPORT) == 0xcdef, "ioport: 16 bits");
	report(inb(IOPORT) == 0xef, "ioport: 8 bits");
	outw(IOPORT, 0x1234);
	report(inl(IOPORT) == 0x89ab1234, "ioport: half of it");
}

static void check_memory(void)
{
	volatile uint64_t *word = (volatile uint64_t *)(uintptr_t)IOMEM;

	*word = 0x1122334455667788;
	report(*word == 0x1122334455667788, "iomem: 64 bits");
	report(*(volatile uint16_t *)((uintptr_t)IOMEM + 6) == 0x1122,
	       "iomem: 16 bits of them");
}

static void check_lines(void)
{
	/* Initialised with all inputs masked, which IRR does not care for. */
	outb(PIC1_COMMAND, PIC_ICW1);
	outb(PIC1_DATA, 0x20);
	outb(PIC1_DATA, 4);
	outb(PIC1_DATA, 1);
	outb(PIC1_DATA, 0xff);
	outb(PIC1_COMMAND, PIC_READ_IRR);
	report(!(inb(PIC1_COMMAND) >> PIC_LINE & 1), "PIC: no request");
	outb(IRQ_LINE + PIC_LINE, 1);
	report(inb(PIC1_COMMAND) >> PIC_LINE & 1, "PIC: a request");
	outb(IRQ_LINE + PIC_LINE, 0);

	apic_enable();
	mmio_write32(IOAPIC_SELECT, REDIRECTION(IOAPIC_LINE) + 1);
	mmio_write32(IOAPIC_WINDOW, apic_id() << 24);
	mmio_write32(IOAPIC_SELECT, REDIRECTION(IOAPIC_LINE));
	mmio_write32(IOAPIC_WINDOW, VECTOR);
	outb(IRQ_LINE + IOAPIC_LINE, 1);
	outb(IRQ_LINE + IOAPIC_LINE, 0);
	report(apic_read(APIC_IRR + VECTOR / 32 * 0x10) >> VECTOR % 32 & 1,
	       "IOAPIC: an edge");
}

static void check_flush(void)
{
	static volatile uint32_t page[1024] __attribute__((aligned(4096)));
	bool kept = true;
	uint32_t i;

	for (i = 0; i < 4; i++) {
		page[i] = i + 1;
		outl(FLUSH_PAGE, (uint32_t)(uintptr_t)page);
		kept &= page[i] == i + 1;
	}
	report(kept, "a flushed page has what it had");
}

int test_main(int argc, char **argv)
{
	check_register();
	check_memory();
	check_lines();
	check_flush();
	return report_summary();
}
