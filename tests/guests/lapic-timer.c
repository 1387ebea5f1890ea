// SPDX-License-Identifier: MIT
/*
 * lapic-timer.c: the local APIC's timer wakes a processor that sleeps in HLT,
 * once in one-shot mode and again and again in periodic mode.
 *
 * case lapic-timer
 *	status: 0
 *	out: one shot
 *	out: 5 periods
 */
#include "guest.h"

#define DIVIDE_BY_1 0xb
#define PERIODIC 0x20000
#define MASKED 0x10000
#define COUNT 2000000

static volatile unsigned fired;

static void on_timer(struct trap_frame *frame)
{
	fired++;
}

int guest_main(void)
{
	pic_init();
	lapic_init();
	CHECK_EQ(lapic_id(), 0);
	CHECK((lapic_read(LAPIC_VERSION) & 0xff) >= 0x10);
	trap_handler(VECTOR_APIC, on_timer);

	lapic_write(LAPIC_TIMER_DIVIDE, DIVIDE_BY_1);
	lapic_write(LAPIC_LVT_TIMER, VECTOR_APIC);
	lapic_write(LAPIC_TIMER_INITIAL, COUNT);
	while (!fired)
		wait_for_interrupt();
	CHECK_EQ(lapic_read(LAPIC_TIMER_CURRENT), 0);
	print("one shot\n");
	CHECK_EQ(fired, 1);

	fired = 0;
	lapic_write(LAPIC_LVT_TIMER, PERIODIC | VECTOR_APIC);
	lapic_write(LAPIC_TIMER_INITIAL, COUNT);
	while (fired < 5)
		wait_for_interrupt();
	lapic_write(LAPIC_LVT_TIMER, MASKED);
	print("5 periods\n");
	return 0;
}
