// SPDX-License-Identifier: MIT
/* apic.c: SDM volume 3, chapter 11, and 9.4 for how processors are started. */
#include <trapmap/guest_abi.h>

#include "apic.h"
#include "kut.h"

#define SPURIOUS_ENABLED 0x1ff
#define TO_ALL_OTHERS 0xc0000u
#define INIT 0x4500u
#define STARTUP 0x4600u
#define LOW_PAGE 0x8000u

extern const uint8_t ap_begin[], ap_end[];
void ap_main(void);

static uint32_t ids[PROCESSORS_MAX];
static volatile uint32_t running = 1;

uint32_t apic_read(uint32_t reg)
{
	return mmio_read32(APIC_ADDRESS + reg);
}

void apic_write(uint32_t reg, uint32_t val)
{
	mmio_write32(APIC_ADDRESS + reg, val);
}

uint32_t apic_id(void)
{
	return apic_read(APIC_ID) >> 24;
}

void apic_enable(void)
{
	apic_write(APIC_SPURIOUS, SPURIOUS_ENABLED);
}

uint32_t processor_id(unsigned n)
{
	return ids[n];
}

/* Called by start.S on each of the others. */
void ap_main(void)
{
	uint32_t n = atomic_add(&running, 1);

	if (n < PROCESSORS_MAX)
		ids[n] = apic_id();
	for (;;)
		asm volatile("cli; hlt");
}

/* The POST port: a way to wait that takes its time on every host. */
static void wait_a_little(void)
{
	outb(TRAPMAP_POST_PORT, 0);
}

static uint8_t rtc_seconds(void)
{
	outb(0x70, 0);
	return inb(0x71);
}

unsigned start_processors(unsigned expected)
{
	const uint8_t *from = ap_begin;
	uint8_t *to = (uint8_t *)(uintptr_t)LOW_PAGE, second;
	unsigned i, passed = 0;

	while (from < ap_end)
		*(volatile uint8_t *)to++ = *from++;
	apic_enable();
	ids[0] = apic_id();
	apic_write(APIC_ICR, TO_ALL_OTHERS | INIT);
	apic_write(APIC_ICR, TO_ALL_OTHERS | STARTUP | LOW_PAGE >> 12);
	second = rtc_seconds();
	while (running < expected && passed < 3) {
		uint8_t now = rtc_seconds();

		passed += now != second;
		second = now;
	}
	/* Whoever comes beyond what is expected, and the last one's id. */
	for (i = 0; i < 1000; i++)
		wait_a_little();
	return running;
}
