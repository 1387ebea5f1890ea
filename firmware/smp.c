// SPDX-License-Identifier: MIT
/*
 * smp.c: starts the other processors: INIT, then a start-up IPI that sends them
 * to trampoline.S, one after another. Sources: SDM volume 3, section 9.4; the
 * MADT of ACPI 6.4, section 5.2.12.
 */
#include "guest.h"

#define ICR_INIT 0x4500u /* INIT, assert */
#define ICR_STARTUP 0x4600u
#define TRAMPOLINE 0x8000
#define AP_STACK 1024

#define MADT_ENTRIES 44
#define MADT_LAPIC 0
#define MADT_X2APIC 9
#define MADT_ENABLED 1

extern const char trampoline[], trampoline_end[];
extern uint64_t trampoline_cr3, trampoline_stack;
void ap_main(void);
void trap_load(void);

static uint8_t stacks[SMP_MAX][AP_STACK] __attribute__((aligned(16)));
static unsigned started;
static void (*volatile ap_entry)(void);
static volatile bool ap_x2apic;
static volatile uint32_t ap_running;

unsigned smp_list(uint32_t ids[SMP_MAX])
{
	const struct acpi_header *madt = acpi_find("APIC");
	const uint8_t *p, *end;
	unsigned count = 0;

	if (!madt)
		return 0;
	p = (const uint8_t *)madt + MADT_ENTRIES;
	end = (const uint8_t *)madt + madt->length;
	for (; p + 2 <= end && p[1] >= 2; p += p[1]) {
		if (count == SMP_MAX)
			break;
		if (p[0] == MADT_LAPIC && p[4] & MADT_ENABLED)
			ids[count++] = p[3];
		else if (p[0] == MADT_X2APIC && p[8] & MADT_ENABLED)
			memcpy(&ids[count++], p + 4, 4);
	}
	return count;
}

/* Called by trampoline.S. */
void ap_main(void)
{
	void (*entry)(void) = ap_entry;

	trap_load();
	if (ap_x2apic)
		lapic_x2apic();
	lapic_init();
	/* Pairs with the wait in smp_start(): the next one may come now. */
	ap_running = 1;
	entry();
	halt_forever();
}

void smp_start(uint32_t apic_id, void (*entry)(void))
{
	CHECK(started < SMP_MAX);
	trampoline_cr3 = read_cr3();
	trampoline_stack = (uintptr_t)stacks[started++] + AP_STACK;
	memcpy((void *)TRAMPOLINE, trampoline,
	       (size_t)(trampoline_end - trampoline));
	ap_entry = entry;
	/* INIT leaves an APIC in the mode of its reset (SDM volume 3, 11.12.5.1). */
	ap_x2apic = lapic_is_x2apic();
	ap_running = 0;

	/*
	 * The delays of the MP specification are for a serial APIC bus; a
	 * second start-up IPI is only for a processor that missed the first.
	 */
	lapic_send(ICR_INIT, apic_id);
	lapic_send(ICR_STARTUP | TRAMPOLINE >> 12, apic_id);
	while (!ap_running)
		cpu_relax();
}
