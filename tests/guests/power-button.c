// SPDX-License-Identifier: MIT
/*
 * power-button.c: the button's status in PM1 is the SCI, a level at the IOAPIC's
 * input that the FADT names; the guest takes it, and powers off.
 *
 * case power-button
 *	options: --on-sigterm=powerbutton
 *	signal: TERM
 *	status: 0
 *	out: ready
 *	out: the power button, 1 interrupt
 *	err: ^trapmap: SIGTERM: the power button is pressed; a second SIGTERM ends the run$
 *	err: ^trapmap: the guest powered off \(ACPI S5\)$
 */
#include "guest.h"

#define FADT_SCI_INT 46
#define PM1_ENABLE 2 /* behind the status register */
#define PWRBTN 0x0100

static volatile unsigned count;
static uint16_t pm1;

static void on_sci(struct trap_frame *frame)
{
	CHECK_EQ(inw(pm1) & PWRBTN, PWRBTN);
	outw(pm1, PWRBTN);
	CHECK_EQ(inw(pm1) & PWRBTN, 0);
	count++;
}

int guest_main(void)
{
	pm1 = (uint16_t)acpi_fadt32(FADT_PM1A_EVENT);
	CHECK(pm1);
	pic_init();
	lapic_init();
	trap_handler(VECTOR_APIC, on_sci);
	ioapic_route(acpi_fadt32(FADT_SCI_INT) & 0xffff, VECTOR_APIC, true);
	outw(pm1 + PM1_ENABLE, PWRBTN);
	print("ready\n");
	while (!count)
		wait_for_interrupt();
	CHECK_EQ(count, 1);
	print("the power button, %u interrupt\n", count);
	acpi_power_off();
}
