/* SPDX-License-Identifier: MIT */
/*
 * loop.h: what the event loop does for a device: read a clock, run a timer,
 * watch a file descriptor. A contract only; vmm/loop.c fulfils it on a thread
 * of the VM's own, tests/support/fake_loop.c under a test's hand.
 *
 * Callbacks run on the loop's thread, one at a time, with no lock held. A
 * device takes its own lock in them. now() and timer_set() may be called from
 * any thread and with a device's lock held. Each *_free() returns only when
 * its callback neither runs nor will run again, so it must not be called with
 * a lock held that the callback takes; all accept NULL.
 */
#ifndef TRAPMAP_CORE_LOOP_H
#define TRAPMAP_CORE_LOOP_H

#include <stdint.h>

enum loop_clock {
	/* ns since the VM first started; stands still while it is paused. */
	LOOP_CLOCK_VM,
	/* ns since 1970-01-01 00:00:00 UTC on the host; steps when it does. */
	LOOP_CLOCK_HOST,
};

#define LOOP_NEVER INT64_MAX

/* Bits of `events`, for watches. */
#define LOOP_IN 1u
#define LOOP_OUT 2u

struct loop;
struct loop_timer;
struct loop_watch;

struct loop_ops {
	int64_t (*now)(struct loop *loop, enum loop_clock clock);

	/* A timer starts disarmed. Returns 0 or -errno. */
	int (*timer_new)(struct loop *loop, enum loop_clock clock,
			 void (*fire)(void *opaque), void *opaque,
			 struct loop_timer **ret_timer);
	/*
	 * Fires once when `clock` reaches deadline (at once if it has), in
	 * place of what was set before; LOOP_NEVER disarms. A fire() that has
	 * already begun is not called off, so it looks at the clock.
	 */
	void (*timer_set)(struct loop *loop, struct loop_timer *timer,
			  int64_t deadline);
	void (*timer_free)(struct loop *loop, struct loop_timer *timer);

	/*
	 * Calls ready() while fd has one of `events` (level triggered; an
	 * error or a hang-up counts as every event asked for). A file that
	 * cannot be polled, such as a regular file or /dev/null, counts as
	 * always ready. events may be 0. Returns 0 or -errno. The fd stays the
	 * caller's, and open until watch_free() returns.
	 */
	int (*watch_new)(struct loop *loop, int fd, unsigned events,
			 void (*ready)(void *opaque, unsigned events),
			 void *opaque, struct loop_watch **ret_watch);
	/* Any thread. */
	void (*watch_set)(struct loop *loop, struct loop_watch *watch,
			  unsigned events);
	void (*watch_free)(struct loop *loop, struct loop_watch *watch);
};

struct loop {
	const struct loop_ops *ops;
};

static inline int64_t loop_now(struct loop *loop, enum loop_clock clock)
{
	return loop->ops->now(loop, clock);
}

static inline int loop_timer_new(struct loop *loop, enum loop_clock clock,
				 void (*fire)(void *opaque), void *opaque,
				 struct loop_timer **ret_timer)
{
	return loop->ops->timer_new(loop, clock, fire, opaque, ret_timer);
}

static inline void loop_timer_set(struct loop *loop, struct loop_timer *timer,
				  int64_t deadline)
{
	loop->ops->timer_set(loop, timer, deadline);
}

static inline void loop_timer_free(struct loop *loop, struct loop_timer *timer)
{
	if (timer)
		loop->ops->timer_free(loop, timer);
}

static inline int loop_watch_new(struct loop *loop, int fd, unsigned events,
				 void (*ready)(void *opaque, unsigned events),
				 void *opaque, struct loop_watch **ret_watch)
{
	return loop->ops->watch_new(loop, fd, events, ready, opaque, ret_watch);
}

static inline void loop_watch_set(struct loop *loop, struct loop_watch *watch,
				  unsigned events)
{
	loop->ops->watch_set(loop, watch, events);
}

static inline void loop_watch_free(struct loop *loop, struct loop_watch *watch)
{
	if (watch)
		loop->ops->watch_free(loop, watch);
}

#endif
