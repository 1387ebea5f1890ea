// SPDX-License-Identifier: MIT
/*
 * lapic.c: the local APIC, by MMIO (xAPIC) or by MSR (x2APIC) as the boot
 * loader left it, and the IOAPIC. Sources: SDM volume 3, chapter 11; Intel's
 * 82093AA data sheet.
 */
#include "guest.h"

#define MSR_APIC_BASE 0x1b
#define APIC_BASE_ENABLE 0x800u
#define APIC_BASE_X2APIC 0x400u
#define MSR_X2APIC 0x800
#define LAPIC_ADDRESS 0xfee00000ull
#define LAPIC_EOI 0xb0
#define LAPIC_ICR_LOW 0x300
#define LAPIC_ICR_HIGH 0x310
#define ICR_PENDING 0x1000u
#define SPURIOUS_ENABLE 0x100u

#define IOAPIC_ADDRESS 0xfec00000ull
#define IOREGSEL 0x00
#define IOWIN 0x10
#define IOREDTBL(input) (0x10 + 2 * (input))
#define REDIRECTION_LEVEL 0x8000u
#define REDIRECTION_MASK 0x10000u

bool lapic_is_x2apic(void)
{
	return rdmsr(MSR_APIC_BASE) & APIC_BASE_X2APIC;
}

void lapic_x2apic(void)
{
	uint64_t base = rdmsr(MSR_APIC_BASE);

	/* SDM volume 3, 11.12.5: from disabled there is a way by xAPIC only. */
	wrmsr(MSR_APIC_BASE, base | APIC_BASE_ENABLE);
	wrmsr(MSR_APIC_BASE, base | APIC_BASE_ENABLE | APIC_BASE_X2APIC);
}

uint32_t lapic_read(uint32_t reg)
{
	if (lapic_is_x2apic())
		return (uint32_t)rdmsr(MSR_X2APIC + (reg >> 4));
	return mmio_read32(LAPIC_ADDRESS + reg);
}

void lapic_write(uint32_t reg, uint32_t val)
{
	if (lapic_is_x2apic())
		wrmsr(MSR_X2APIC + (reg >> 4), val);
	else
		mmio_write32(LAPIC_ADDRESS + reg, val);
}

void lapic_init(void)
{
	uint64_t base = rdmsr(MSR_APIC_BASE);

	if (!(base & APIC_BASE_ENABLE))
		wrmsr(MSR_APIC_BASE, base | APIC_BASE_ENABLE);
	map_page(LAPIC_ADDRESS);
	lapic_write(LAPIC_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
}

uint32_t lapic_id(void)
{
	uint32_t id = lapic_read(LAPIC_ID);

	return lapic_is_x2apic() ? id : id >> 24;
}

void lapic_eoi(void)
{
	lapic_write(LAPIC_EOI, 0);
}

void lapic_send(uint32_t command, uint32_t apic_id)
{
	if (lapic_is_x2apic()) {
		wrmsr(MSR_X2APIC + (LAPIC_ICR_LOW >> 4),
		      (uint64_t)apic_id << 32 | command);
		return;
	}
	lapic_write(LAPIC_ICR_HIGH, apic_id << 24);
	lapic_write(LAPIC_ICR_LOW, command);
	while (lapic_read(LAPIC_ICR_LOW) & ICR_PENDING)
		cpu_relax();
}

static void ioapic_write(uint32_t reg, uint32_t val)
{
	mmio_write32(IOAPIC_ADDRESS + IOREGSEL, reg);
	mmio_write32(IOAPIC_ADDRESS + IOWIN, val);
}

void ioapic_route(unsigned input, unsigned vector, bool level)
{
	map_page(IOAPIC_ADDRESS);
	ioapic_write(IOREDTBL(input) + 1, lapic_id() << 24);
	ioapic_write(IOREDTBL(input), vector | (level ? REDIRECTION_LEVEL : 0));
}

void ioapic_mask(unsigned input)
{
	ioapic_write(IOREDTBL(input), REDIRECTION_MASK);
}
