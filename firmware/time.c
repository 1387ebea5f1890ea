// SPDX-License-Identifier: MIT
/*
 * time.c: how fast the time-stamp counter runs, and the 8254 timer. Sources:
 * the kernel's Documentation/virt/kvm/x86/cpuid.rst and VMware's leaf
 * 0x40000010 for the former, Intel's 82C54 data sheet for the latter.
 */
#include "guest.h"

#define PM_TIMER_HZ 3579545u
#define PM_TIMER_MASK 0xffffffu /* 24 bits are certain to be there */

#define PIT_COUNTER0 0x40
#define PIT_CONTROL 0x43
#define PIT_COUNTER0_MODE2 0x34 /* counter 0, low then high byte, mode 2 */

/*
 * Reads the two clocks as close together as it can: the PM timer's read is the
 * slow one, so the TSC is taken on both sides of it.
 */
static uint32_t read_pm_timer(uint16_t port, uint64_t *ret_tsc)
{
	uint64_t before = rdtsc();
	uint32_t ticks = inl(port);

	*ret_tsc = before + (rdtsc() - before) / 2;
	return ticks & PM_TIMER_MASK;
}

static uint32_t measure_khz(uint16_t port)
{
	uint64_t start_tsc, tsc;
	uint32_t start = read_pm_timer(port, &start_tsc);
	uint32_t ticks;

	do {
		ticks = (read_pm_timer(port, &tsc) - start) & PM_TIMER_MASK;
	} while (ticks < PM_TIMER_HZ / 50);
	return (uint32_t)((tsc - start_tsc) * PM_TIMER_HZ / ticks / 1000);
}

uint32_t tsc_khz(const char **ret_source)
{
	uint16_t port = (uint16_t)acpi_fadt32(FADT_PM_TIMER);
	struct cpuid r;

	if (cpuid(1, 0).ecx >> 31 && cpuid(0x40000000, 0).eax >= 0x40000010) {
		r = cpuid(0x40000010, 0);
		if (r.eax) {
			*ret_source = "CPUID 0x40000010";
			return r.eax;
		}
	}
	if (cpuid(0, 0).eax >= 0x15) {
		r = cpuid(0x15, 0);
		if (r.eax && r.ebx && r.ecx) {
			*ret_source = "CPUID 0x15";
			return (uint32_t)((uint64_t)r.ecx * r.ebx / r.eax / 1000);
		}
	}
	*ret_source = port ? "measured against the PM timer" : "unknown";
	return port ? measure_khz(port) : 0;
}

void pit_start(uint16_t count)
{
	outb(PIT_CONTROL, PIT_COUNTER0_MODE2);
	outb(PIT_COUNTER0, (uint8_t)count);
	outb(PIT_COUNTER0, (uint8_t)(count >> 8));
}
