/* SPDX-License-Identifier: MIT */
/*
 * fake_loop.h: the loop contract under a test's hand. Time stands still until
 * the test moves it; timers fire on the test's thread, in order of deadline.
 */
#ifndef TRAPMAP_TEST_FAKE_LOOP_H
#define TRAPMAP_TEST_FAKE_LOOP_H

#include <stdint.h>

#include "core/loop.h"

#define FAKE_LOOP_MAX 24

struct loop_timer {
	enum loop_clock clock;
	void (*fire)(void *opaque);
	void *opaque;
	int64_t deadline;
	int used;
};

struct loop_watch {
	int fd;
	unsigned events;
	void (*ready)(void *opaque, unsigned events);
	void *opaque;
	int used;
};

struct fake_loop {
	struct loop loop; /* what the device is given */
	int64_t now[2]; /* by enum loop_clock; the test may set it */
	struct loop_timer timer[FAKE_LOOP_MAX];
	struct loop_watch watch[FAKE_LOOP_MAX];
	unsigned timer_sets; /* calls of timer_set() with a deadline */
};

/* Both clocks start at host_now. */
void fake_loop_init(struct fake_loop *fl, int64_t host_now);

/*
 * Moves both clocks on by ns, stopping at every deadline on the way to fire its
 * timer.
 */
void fake_loop_advance(struct fake_loop *fl, int64_t ns);

/* How many timers are armed. */
unsigned fake_loop_armed(const struct fake_loop *fl);

/*
 * Calls every watch on fd that asks for one of `events`. Returns how many.
 */
unsigned fake_loop_ready(struct fake_loop *fl, int fd, unsigned events);

#endif
