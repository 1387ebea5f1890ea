/* SPDX-License-Identifier: MIT */
/*
 * rtc_divider.h: the MC146818's divider chain as a function of a clock: what it
 * has counted, and when its next event is due. Pure arithmetic.
 *
 *	0          499 756 000     500 000 000     501 984 000     10^9 ns
 *	|               |               |               |            |
 *	released     UIP rises    update begins    update ends: bytes change,
 *	from reset                                 UIP falls, UF and AF rise
 *
 * Datasheet, Table 6, for a 32.768 kHz crystal: UIP is high for 244 us before
 * the update and for the 1984 us that it lasts; register A: the first update
 * begins half a second after the chain is released.
 */
#ifndef TRAPMAP_RTC_DIVIDER_H
#define TRAPMAP_RTC_DIVIDER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base.h"

#define DIVIDER_UPDATE_BEGINS (500 * NSEC_PER_MSEC)
#define DIVIDER_UIP_RISES (DIVIDER_UPDATE_BEGINS - 244 * NSEC_PER_USEC)
#define DIVIDER_UPDATE_ENDS (DIVIDER_UPDATE_BEGINS + 1984 * NSEC_PER_USEC)

/*
 * A time on the chain. In two parts, so that neither a clock anywhere in 64
 * bits nor a count of 8192 a second can overflow.
 */
struct divider_time {
	int64_t sec;
	int64_t ns; /* 0 to 999999999 */
};

/* The chain's time when the clock reads now; phase is 0 to 999999999 ns. */
static inline struct divider_time divider_at(int64_t now, int64_t phase)
{
	struct divider_time t = { now / NSEC_PER_SEC, now % NSEC_PER_SEC };

	t.ns += phase;
	if (t.ns < 0) {
		t.ns += NSEC_PER_SEC;
		t.sec--;
	} else if (t.ns >= NSEC_PER_SEC) {
		t.ns -= NSEC_PER_SEC;
		t.sec++;
	}
	return t;
}

static inline bool divider_uip(struct divider_time t)
{
	return t.ns >= DIVIDER_UIP_RISES && t.ns < DIVIDER_UPDATE_ENDS;
}

/* A number that grows by one at the end of each update. */
static inline int64_t divider_updates(struct divider_time t)
{
	return t.sec - (t.ns < DIVIDER_UPDATE_ENDS);
}

/* From t to the end of the next update, in ns: 1 to 10^9. */
static inline int64_t divider_to_update(struct divider_time t)
{
	return DIVIDER_UPDATE_ENDS - t.ns +
	       (t.ns < DIVIDER_UPDATE_ENDS ? 0 : NSEC_PER_SEC);
}

/*
 * A number that grows by one at each tick of a tap at hz. A tap that starts
 * low rises after half its period: so PF comes half a period before the update
 * begins, as in the datasheet's figure of update-ended and periodic interrupts.
 */
static inline int64_t divider_ticks(struct divider_time t, int64_t hz)
{
	return t.sec * hz + (t.ns * 2 * hz + NSEC_PER_SEC) / (2 * NSEC_PER_SEC);
}

/* From t to the next tick, in ns, rounded up: 1 to 10^9 / hz + 1. */
static inline int64_t divider_to_tick(struct divider_time t, int64_t hz)
{
	int64_t next;

	t.sec = 0;
	next = divider_ticks(t, hz) + 1;
	return ((2 * next - 1) * NSEC_PER_SEC + 2 * hz - 1) / (2 * hz) - t.ns;
}

#endif
