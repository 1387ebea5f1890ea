// SPDX-License-Identifier: MIT
#include "fake_loop.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "core/base.h"

static struct fake_loop *to_fake(struct loop *loop)
{
	return container_of(loop, struct fake_loop, loop);
}

static int64_t fake_now(struct loop *loop, enum loop_clock clock)
{
	return to_fake(loop)->now[clock];
}

static int fake_timer_new(struct loop *loop, enum loop_clock clock,
			  void (*fire)(void *opaque), void *opaque,
			  struct loop_timer **ret_timer)
{
	struct fake_loop *fl = to_fake(loop);
	unsigned i;

	for (i = 0; i < FAKE_LOOP_MAX; i++) {
		struct loop_timer *t = &fl->timer[i];

		if (t->used)
			continue;
		*t = (struct loop_timer){ clock, fire, opaque, LOOP_NEVER, 1 };
		*ret_timer = t;
		return 0;
	}
	return -ENOMEM;
}

static void fake_timer_set(struct loop *loop, struct loop_timer *timer,
			   int64_t deadline)
{
	timer->deadline = deadline;
	if (deadline != LOOP_NEVER)
		to_fake(loop)->timer_sets++;
}

static void fake_timer_free(struct loop *loop, struct loop_timer *timer)
{
	timer->used = 0;
	timer->deadline = LOOP_NEVER;
}

static int fake_watch_new(struct loop *loop, int fd, unsigned events,
			  void (*ready)(void *opaque, unsigned events),
			  void *opaque, struct loop_watch **ret_watch)
{
	struct fake_loop *fl = to_fake(loop);
	unsigned i;

	for (i = 0; i < FAKE_LOOP_MAX; i++) {
		struct loop_watch *w = &fl->watch[i];

		if (w->used)
			continue;
		*w = (struct loop_watch){ fd, events, ready, opaque, 1 };
		*ret_watch = w;
		return 0;
	}
	return -ENOMEM;
}

static void fake_watch_set(struct loop *loop, struct loop_watch *watch,
			   unsigned events)
{
	watch->events = events;
}

static void fake_watch_free(struct loop *loop, struct loop_watch *watch)
{
	watch->used = 0;
}

static const struct loop_ops fake_ops = {
	.now = fake_now,
	.timer_new = fake_timer_new,
	.timer_set = fake_timer_set,
	.timer_free = fake_timer_free,
	.watch_new = fake_watch_new,
	.watch_set = fake_watch_set,
	.watch_free = fake_watch_free,
};

void fake_loop_init(struct fake_loop *fl, int64_t host_now)
{
	memset(fl, 0, sizeof(*fl));
	fl->loop.ops = &fake_ops;
	fl->now[LOOP_CLOCK_VM] = host_now;
	fl->now[LOOP_CLOCK_HOST] = host_now;
}

/* The armed timer that is due first, and in how many ns. */
static struct loop_timer *next_timer(struct fake_loop *fl, int64_t *ret_in)
{
	struct loop_timer *next = NULL;
	int64_t best = INT64_MAX;
	unsigned i;

	for (i = 0; i < FAKE_LOOP_MAX; i++) {
		struct loop_timer *t = &fl->timer[i];
		int64_t in;

		if (!t->used || t->deadline == LOOP_NEVER)
			continue;
		if (t->deadline <= fl->now[t->clock])
			in = 0;
		else if (__builtin_sub_overflow(t->deadline,
						fl->now[t->clock], &in))
			in = INT64_MAX;
		if (!next || in < best) {
			next = t;
			best = in;
		}
	}
	if (next)
		*ret_in = best;
	return next;
}

void fake_loop_advance(struct fake_loop *fl, int64_t ns)
{
	struct loop_timer *t;
	int64_t in = 0;

	while ((t = next_timer(fl, &in)) && in <= ns) {
		fl->now[LOOP_CLOCK_VM] += in;
		fl->now[LOOP_CLOCK_HOST] += in;
		ns -= in;
		t->deadline = LOOP_NEVER;
		t->fire(t->opaque);
	}
	fl->now[LOOP_CLOCK_VM] += ns;
	fl->now[LOOP_CLOCK_HOST] += ns;
}

unsigned fake_loop_armed(const struct fake_loop *fl)
{
	unsigned i, n = 0;

	for (i = 0; i < FAKE_LOOP_MAX; i++)
		n += fl->timer[i].used && fl->timer[i].deadline != LOOP_NEVER;
	return n;
}

unsigned fake_loop_ready(struct fake_loop *fl, int fd, unsigned events)
{
	unsigned i, n = 0;

	for (i = 0; i < FAKE_LOOP_MAX; i++) {
		struct loop_watch *w = &fl->watch[i];

		if (!w->used || w->fd != fd || !(w->events & events))
			continue;
		w->ready(w->opaque, w->events & events);
		n++;
	}
	return n;
}
