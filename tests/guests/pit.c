// SPDX-License-Identifier: MIT
/*
 * pit.c: the timer's interrupt by either way: IRQ 0 of the PIC, and the input
 * of the IOAPIC that the MADT says IRQ 0 is wired to.
 *
 * case pit-pic
 *	options: --params pic
 *	status: 0
 *	out: 10 ticks
 * case pit-ioapic
 *	options: --params ioapic
 *	status: 0
 *	out: 10 ticks
 */
#include "guest.h"

#define TICKS 10
#define MADT_ENTRIES 44
#define MADT_OVERRIDE 2

static volatile unsigned ticks;

static void on_tick(struct trap_frame *frame)
{
	ticks++;
}

/* The IOAPIC's input for an ISA interrupt; they agree unless overridden. */
static unsigned ioapic_input(unsigned irq)
{
	const struct acpi_header *madt = acpi_find("APIC");
	const uint8_t *p, *end;
	uint32_t input;

	CHECK(madt);
	p = (const uint8_t *)madt + MADT_ENTRIES;
	end = (const uint8_t *)madt + madt->length;
	for (; p + 2 <= end && p[1] >= 2; p += p[1]) {
		if (p[0] != MADT_OVERRIDE || p[3] != irq)
			continue;
		memcpy(&input, p + 4, sizeof(input));
		return input;
	}
	return irq;
}

int guest_main(void)
{
	pic_init();
	if (!strcmp(boot_cmdline(), "pic")) {
		trap_handler(VECTOR_IRQ, on_tick);
		pic_unmask(0);
	} else {
		lapic_init();
		lapic_write(LAPIC_LVT_LINT0, 0x10000); /* no PIC any more */
		trap_handler(VECTOR_APIC, on_tick);
		ioapic_route(ioapic_input(0), VECTOR_APIC, false);
	}
	pit_start(PIT_HZ / 500);
	while (ticks < TICKS)
		wait_for_interrupt();
	print("%u ticks\n", ticks);
	return 0;
}
