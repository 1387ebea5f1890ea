// SPDX-License-Identifier: MIT
/*
 * pm-timer.c: ACPI's timer never goes back and, over three ticks of the PIT,
 * advances by no less than their time. (By more on a busy host.)
 *
 * case pm-timer
 *	status: 0
 *	match: ^[0-9]+ PM timer ticks in [0-9]+ TSC cycles$
 */
#include "guest.h"

#define PM_TIMER_HZ 3579545
#define TICK_HZ 100
#define TICKS 3

static volatile unsigned ticks;

static void on_tick(struct trap_frame *frame)
{
	ticks++;
}

int guest_main(void)
{
	uint16_t port = (uint16_t)acpi_fadt32(FADT_PM_TIMER);
	uint32_t start, now, last;
	uint64_t tsc;
	unsigned i;

	CHECK(port);
	last = inl(port);
	for (i = 0; i < 500; i++) {
		now = inl(port);
		CHECK((int32_t)((now - last) << 8) >= 0);
		last = now;
	}

	pic_init();
	trap_handler(VECTOR_IRQ, on_tick);
	pic_unmask(0);
	start = inl(port);
	tsc = rdtsc();
	pit_start(PIT_HZ / TICK_HZ);
	while (ticks < TICKS)
		wait_for_interrupt();
	now = (inl(port) - start) & 0xffffff;
	tsc = rdtsc() - tsc;
	/* 2 percent: the PIT's count is a whole number, so is a tick. */
	CHECK(now >= PM_TIMER_HZ / TICK_HZ * TICKS * 98u / 100);
	print("%u PM timer ticks in %lu TSC cycles\n", now, tsc);
	return 0;
}
