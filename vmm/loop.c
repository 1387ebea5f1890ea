// SPDX-License-Identifier: MIT
/*
 * One epoll set, one thread. A timer is a timerfd of its own, made when it is
 * first set, so that a device that never sets it costs nothing.
 */
#include "loop.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "core/base.h"
#include "thread.h"

#define EVENTS_PER_WAIT 16

enum source_kind { SOURCE_TIMER, SOURCE_WATCH };

/* What an epoll event points to. */
struct source {
	enum source_kind kind;
	bool dead; /* freed; released once no event can point to it */
	struct source *next; /* in vm_loop.dead */
};

struct loop_timer {
	struct source source;
	enum loop_clock clock;
	void (*fire)(void *opaque);
	void *opaque;
	int fd; /* -1 until first set */
	int64_t deadline;
	struct loop_timer *next;
};

struct loop_watch {
	struct source source;
	int fd;
	unsigned events;
	bool pollable;
	void (*ready)(void *opaque, unsigned events);
	void *opaque;
	struct loop_watch *next; /* in vm_loop.always */
};

struct vm_loop {
	struct loop loop;
	int epoll_fd;
	int wake_fd;
	pthread_t thread;
	const char *name;
	bool running;
	_Atomic bool quit;

	/*
	 * LOOP_CLOCK_VM: reads clock_held where that is >= 0, else the host's
	 * monotonic clock less clock_base. Changed only while the vCPUs stand.
	 */
	_Atomic int64_t clock_held;
	_Atomic int64_t clock_base;

	/* Guards all below; held for moments, never across a callback. */
	pthread_mutex_t lock;
	pthread_cond_t idle; /* `current` has changed */
	struct source *current; /* its callback is running */
	struct loop_timer *timers;
	struct loop_watch *always; /* watches that epoll does not take */
	struct source *dead;
};

static struct vm_loop *to_vm_loop(struct loop *loop)
{
	return container_of(loop, struct vm_loop, loop);
}

static int64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static int64_t vm_loop_now(struct loop *loop, enum loop_clock clock)
{
	struct vm_loop *vl = to_vm_loop(loop);
	int64_t held;

	if (clock == LOOP_CLOCK_HOST)
		return clock_ns(CLOCK_REALTIME);
	held = atomic_load(&vl->clock_held);
	if (held >= 0)
		return held;
	return clock_ns(CLOCK_MONOTONIC) - atomic_load(&vl->clock_base);
}

static void wake(struct vm_loop *vl)
{
	uint64_t one = 1;

	/* EAGAIN: it is awake already. */
	(void)!write(vl->wake_fd, &one, sizeof(one));
}

/* ---- timers ------------------------------------------------------------- */

static int vm_loop_timer_new(struct loop *loop, enum loop_clock clock,
			     void (*fire)(void *opaque), void *opaque,
			     struct loop_timer **ret_timer)
{
	struct vm_loop *vl = to_vm_loop(loop);
	struct loop_timer *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->source.kind = SOURCE_TIMER;
	t->clock = clock;
	t->fire = fire;
	t->opaque = opaque;
	t->fd = -1;
	t->deadline = LOOP_NEVER;

	pthread_mutex_lock(&vl->lock);
	t->next = vl->timers;
	vl->timers = t;
	pthread_mutex_unlock(&vl->lock);
	*ret_timer = t;
	return 0;
}

/* Called with the lock held. */
static int timer_open(struct vm_loop *vl, struct loop_timer *t)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = &t->source };

	t->fd = timerfd_create(t->clock == LOOP_CLOCK_HOST ? CLOCK_REALTIME :
							     CLOCK_MONOTONIC,
			       TFD_NONBLOCK | TFD_CLOEXEC);
	if (t->fd < 0)
		return -errno;
	if (epoll_ctl(vl->epoll_fd, EPOLL_CTL_ADD, t->fd, &ev) < 0) {
		close(t->fd);
		t->fd = -1;
		return -ENOMEM;
	}
	return 0;
}

/* Sets the timerfd by t->deadline and the clocks. Called with the lock held. */
static void timer_apply(struct vm_loop *vl, struct loop_timer *t)
{
	struct itimerspec spec = { 0 };
	int64_t at = t->deadline;

	if (t->clock == LOOP_CLOCK_VM && atomic_load(&vl->clock_held) >= 0)
		at = LOOP_NEVER;
	if (at == LOOP_NEVER && t->fd < 0)
		return;
	if (t->fd < 0 && timer_open(vl, t) < 0) {
		t->deadline = LOOP_NEVER; /* the next set tries again */
		return;
	}

	if (at != LOOP_NEVER) {
		if (t->clock == LOOP_CLOCK_VM)
			at += atomic_load(&vl->clock_base);
		if (at < 1)
			at = 1; /* all zeroes would disarm */
		spec.it_value.tv_sec = at / NSEC_PER_SEC;
		spec.it_value.tv_nsec = at % NSEC_PER_SEC;
	}
	(void)timerfd_settime(t->fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

static void vm_loop_timer_set(struct loop *loop, struct loop_timer *t,
			      int64_t deadline)
{
	struct vm_loop *vl = to_vm_loop(loop);

	pthread_mutex_lock(&vl->lock);
	if (t->deadline != deadline) {
		t->deadline = deadline;
		timer_apply(vl, t);
	}
	pthread_mutex_unlock(&vl->lock);
}

/*
 * Waits until the source's callback is not running, unless we are in it, and
 * hands the memory to the loop, which may hold an event that points to it.
 * Called with the lock held.
 */
static void source_bury(struct vm_loop *vl, struct source *s)
{
	s->dead = true;
	while (vl->current == s && !pthread_equal(vl->thread, pthread_self()))
		pthread_cond_wait(&vl->idle, &vl->lock);
	s->next = vl->dead;
	vl->dead = s;
}

static void vm_loop_timer_free(struct loop *loop, struct loop_timer *t)
{
	struct vm_loop *vl = to_vm_loop(loop);
	struct loop_timer **p;

	pthread_mutex_lock(&vl->lock);
	for (p = &vl->timers; *p != t; p = &(*p)->next)
		;
	*p = t->next;
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
	source_bury(vl, &t->source);
	pthread_mutex_unlock(&vl->lock);
}

/* ---- watches ------------------------------------------------------------ */

static uint32_t epoll_bits(unsigned events)
{
	return (events & LOOP_IN ? EPOLLIN : 0) |
	       (events & LOOP_OUT ? EPOLLOUT : 0);
}

/*
 * With no events asked for the descriptor leaves the set, since epoll would
 * report a hang-up all the same. Called with the lock held.
 */
static int watch_apply(struct vm_loop *vl, struct loop_watch *w, unsigned events)
{
	struct epoll_event ev = { .events = epoll_bits(events),
				  .data.ptr = &w->source };
	int op = w->events == 0 ? EPOLL_CTL_ADD :
		 events == 0	? EPOLL_CTL_DEL :
				  EPOLL_CTL_MOD;

	if (epoll_ctl(vl->epoll_fd, op, w->fd, &ev) < 0)
		return -errno;
	w->events = events;
	return 0;
}

static void vm_loop_watch_set(struct loop *loop, struct loop_watch *w,
			      unsigned events)
{
	struct vm_loop *vl = to_vm_loop(loop);

	pthread_mutex_lock(&vl->lock);
	if (w->events != events) {
		if (w->pollable) {
			(void)watch_apply(vl, w, events);
		} else {
			w->events = events;
			wake(vl);
		}
	}
	pthread_mutex_unlock(&vl->lock);
}

static int vm_loop_watch_new(struct loop *loop, int fd, unsigned events,
			     void (*ready)(void *opaque, unsigned events),
			     void *opaque, struct loop_watch **ret_watch)
{
	struct vm_loop *vl = to_vm_loop(loop);
	struct loop_watch *w = calloc(1, sizeof(*w));
	int r = 0;

	if (!w)
		return -ENOMEM;
	w->source.kind = SOURCE_WATCH;
	w->fd = fd;
	w->ready = ready;
	w->opaque = opaque;

	pthread_mutex_lock(&vl->lock);
	/* Asked even where events is 0, to learn whether it can be polled. */
	r = watch_apply(vl, w, events ? events : LOOP_IN);
	w->pollable = r != -EPERM;
	if (r == -EPERM) {
		w->events = events;
		w->next = vl->always;
		vl->always = w;
		wake(vl);
		r = 0;
	} else if (r == 0 && events == 0) {
		(void)watch_apply(vl, w, 0);
	}
	pthread_mutex_unlock(&vl->lock);
	if (r < 0) {
		free(w);
		return r;
	}
	*ret_watch = w;
	return 0;
}

static void vm_loop_watch_free(struct loop *loop, struct loop_watch *w)
{
	struct vm_loop *vl = to_vm_loop(loop);
	struct loop_watch **p;

	pthread_mutex_lock(&vl->lock);
	if (w->pollable) {
		if (w->events)
			(void)watch_apply(vl, w, 0);
	} else {
		for (p = &vl->always; *p != w; p = &(*p)->next)
			;
		*p = w->next;
		w->events = 0;
	}
	source_bury(vl, &w->source);
	pthread_mutex_unlock(&vl->lock);
}

/* ---- the thread --------------------------------------------------------- */

/* Called with the lock held, which it lets go of during the callback. */
static void dispatch_timer(struct vm_loop *vl, struct loop_timer *t)
{
	uint64_t expirations;

	if (read(t->fd, &expirations, sizeof(expirations)) < 0)
		return; /* set anew meanwhile */
	t->deadline = LOOP_NEVER;
	vl->current = &t->source;
	pthread_mutex_unlock(&vl->lock);
	t->fire(t->opaque);
	pthread_mutex_lock(&vl->lock);
	vl->current = NULL;
	pthread_cond_broadcast(&vl->idle);
}

static void dispatch_watch(struct vm_loop *vl, struct loop_watch *w,
			   unsigned events)
{
	events &= w->events;
	if (!events)
		return;
	vl->current = &w->source;
	pthread_mutex_unlock(&vl->lock);
	w->ready(w->opaque, events);
	pthread_mutex_lock(&vl->lock);
	vl->current = NULL;
	pthread_cond_broadcast(&vl->idle);
}

static void dispatch(struct vm_loop *vl, const struct epoll_event *ev)
{
	struct source *s = ev->data.ptr;
	unsigned events = 0;
	uint64_t n;

	if (!s) {
		(void)!read(vl->wake_fd, &n, sizeof(n));
		return;
	}
	if (s->dead)
		return;
	if (s->kind == SOURCE_TIMER) {
		dispatch_timer(vl, container_of(s, struct loop_timer, source));
		return;
	}
	if (ev->events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		events |= LOOP_IN;
	if (ev->events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		events |= LOOP_OUT;
	dispatch_watch(vl, container_of(s, struct loop_watch, source), events);
}

/* One round of those that are always ready. Returns whether one was. */
static bool dispatch_always(struct vm_loop *vl)
{
	struct loop_watch *w, *next;
	bool any = false;

	for (w = vl->always; w; w = next) {
		next = w->next;
		if (w->source.dead || !w->events)
			continue;
		any = true;
		dispatch_watch(vl, w, w->events);
		/* If it was freed meanwhile, its memory is still there. */
		next = w->next;
	}
	return any;
}

static void bury_the_dead(struct vm_loop *vl)
{
	struct source *s;

	while ((s = vl->dead)) {
		vl->dead = s->next;
		if (s->kind == SOURCE_TIMER)
			free(container_of(s, struct loop_timer, source));
		else
			free(container_of(s, struct loop_watch, source));
	}
}

static void *loop_main(void *opaque)
{
	struct epoll_event events[EVENTS_PER_WAIT];
	struct vm_loop *vl = opaque;
	bool busy = false;
	int i, n;

	thread_set_name(vl->name);
	while (!atomic_load(&vl->quit)) {
		n = epoll_wait(vl->epoll_fd, events, EVENTS_PER_WAIT,
			       busy ? 0 : -1);
		pthread_mutex_lock(&vl->lock);
		for (i = 0; i < n; i++)
			dispatch(vl, &events[i]);
		busy = dispatch_always(vl);
		bury_the_dead(vl);
		pthread_mutex_unlock(&vl->lock);
	}
	return NULL;
}

static const struct loop_ops vm_loop_ops = {
	.now = vm_loop_now,
	.timer_new = vm_loop_timer_new,
	.timer_set = vm_loop_timer_set,
	.timer_free = vm_loop_timer_free,
	.watch_new = vm_loop_watch_new,
	.watch_set = vm_loop_watch_set,
	.watch_free = vm_loop_watch_free,
};

int vm_loop_new(struct loop **ret_loop)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = NULL };
	struct vm_loop *vl = calloc(1, sizeof(*vl));
	int r;

	if (!vl)
		return -ENOMEM;
	vl->loop.ops = &vm_loop_ops;
	pthread_mutex_init(&vl->lock, NULL);
	pthread_cond_init(&vl->idle, NULL);
	vl->wake_fd = -1;
	vl->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (vl->epoll_fd >= 0)
		vl->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (vl->wake_fd < 0 ||
	    epoll_ctl(vl->epoll_fd, EPOLL_CTL_ADD, vl->wake_fd, &ev) < 0) {
		r = -errno;
		vm_loop_free(&vl->loop);
		return r;
	}
	*ret_loop = &vl->loop;
	return 0;
}

int vm_loop_start(struct loop *loop, const char *name)
{
	struct vm_loop *vl = to_vm_loop(loop);
	int r;

	vl->name = name;
	r = thread_start(&vl->thread, loop_main, vl);
	if (r < 0)
		return r;
	vl->running = true;
	return 0;
}

void vm_loop_stop(struct loop *loop)
{
	struct vm_loop *vl = to_vm_loop(loop);

	if (!vl->running)
		return;
	atomic_store(&vl->quit, true);
	wake(vl);
	pthread_join(vl->thread, NULL);
	vl->running = false;
}

void vm_loop_free(struct loop *loop)
{
	struct vm_loop *vl;

	if (!loop)
		return;
	vl = to_vm_loop(loop);
	vm_loop_stop(loop);
	bury_the_dead(vl);
	if (vl->wake_fd >= 0)
		close(vl->wake_fd);
	if (vl->epoll_fd >= 0)
		close(vl->epoll_fd);
	pthread_cond_destroy(&vl->idle);
	pthread_mutex_destroy(&vl->lock);
	free(vl);
}

/* ---- the VM's clock ----------------------------------------------------- */

static void reapply_vm_timers(struct vm_loop *vl)
{
	struct loop_timer *t;

	for (t = vl->timers; t; t = t->next)
		if (t->clock == LOOP_CLOCK_VM && t->deadline != LOOP_NEVER)
			timer_apply(vl, t);
}

void vm_loop_clock_run(struct loop *loop)
{
	struct vm_loop *vl = to_vm_loop(loop);
	int64_t held;

	pthread_mutex_lock(&vl->lock);
	held = atomic_load(&vl->clock_held);
	if (held >= 0) {
		atomic_store(&vl->clock_base, clock_ns(CLOCK_MONOTONIC) - held);
		atomic_store(&vl->clock_held, -1);
		reapply_vm_timers(vl);
	}
	pthread_mutex_unlock(&vl->lock);
}

void vm_loop_clock_hold(struct loop *loop)
{
	struct vm_loop *vl = to_vm_loop(loop);

	pthread_mutex_lock(&vl->lock);
	if (atomic_load(&vl->clock_held) < 0) {
		atomic_store(&vl->clock_held,
			     vm_loop_now(loop, LOOP_CLOCK_VM));
		reapply_vm_timers(vl);
	}
	pthread_mutex_unlock(&vl->lock);
}
