// SPDX-License-Identifier: MIT
/*
 * Characters from one file descriptor and to another.
 *
 * Output has two buffers. write() appends to `fill`; the loop's thread swaps
 * it with `out`, which is its own, and writes from there without the lock, so
 * that no vCPU waits for a system call of the loop's. Both grow by doubling
 * and are kept.
 *
 * The millisecond between a first byte and its flush is measured by a timerfd
 * of our own on CLOCK_MONOTONIC, which the loop watches like any other
 * descriptor. Of the loop's clocks VM stands still while the VM is paused,
 * when what is left must still go out, and HOST steps, which could delay the
 * output by hours. To arm it is the one system call that a writer makes per
 * flush.
 *
 * Lock order: the device's lock, then ours. front's functions are called with
 * neither; throttle() is called with ours, for its calls to be in order.
 */
#include "backend/chardev_fd.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "backend/chardev.h"
#include "backend/fd_sink.h"
#include "core/base.h"
#include "core/loop.h"

#define GATHER_NS NSEC_PER_MSEC
#define BUF_MIN 4096
#define READ_MAX 4096

struct buf {
	uint8_t *data;
	size_t len, cap;
};

enum flush {
	FLUSH_IDLE, /* nothing waits */
	FLUSH_TICK, /* the timer is armed, or the flush under way */
	FLUSH_BLOCKED, /* the reader is slow: waits for LOOP_OUT */
};

struct chardev_fd {
	struct chardev chr;
	struct chardev_fd_config cfg;
	struct chardev_front front;
	struct loop_watch *in_watch, *out_watch, *tick_watch;
	struct fd_sink sink; /* fd is -1 where output vanishes */
	int tick_fd;

	/* The loop's thread only. */
	struct buf out;
	size_t out_pos;
	bool out_watched;

	pthread_mutex_t lock; /* for all below */
	struct buf fill;
	size_t out_left; /* of `out`, not written yet */
	unsigned discards; /* so that a write under way is not counted twice */
	enum flush flush;
	bool throttled;
	bool undrained; /* drained() is due when nothing waits any more */
	bool failure_told;
	int err; /* why output vanishes for good, or 0 */
	bool input_wanted; /* by want_input(), since room() was last asked */
	bool input_over;

	_Atomic size_t pending; /* fill.len + out_left, to read without lock */
};

static struct chardev_fd *to_fd(struct chardev *chr)
{
	return container_of(chr, struct chardev_fd, chr);
}

static void arm_tick(struct chardev_fd *cf, int64_t ns)
{
	struct itimerspec in = { .it_value.tv_nsec = ns };

	timerfd_settime(cf->tick_fd, 0, &in, NULL);
}

/* With the lock: the end of every change to what waits. */
static void update_pending(struct chardev_fd *cf)
{
	size_t pending = cf->fill.len + cf->out_left;
	bool on = cf->throttled ? pending >= CHARDEV_FD_LOW :
				  pending > CHARDEV_FD_HIGH;

	atomic_store_explicit(&cf->pending, pending, memory_order_relaxed);
	if (on == cf->throttled)
		return;
	cf->throttled = on;
	if (cf->cfg.throttle)
		cf->cfg.throttle(cf->cfg.opaque, on);
}

/* With the lock. */
static void drop_all(struct chardev_fd *cf)
{
	cf->fill.len = 0;
	cf->out_left = 0;
	cf->discards++;
	update_pending(cf);
}

static int buf_append(struct buf *buf, const uint8_t *data, size_t len)
{
	size_t cap = buf->cap;
	uint8_t *bigger;

	while (cap - buf->len < len) {
		if (cap > SIZE_MAX / 2)
			return -ENOMEM;
		cap *= 2;
	}
	if (cap != buf->cap) {
		bigger = realloc(buf->data, cap);
		if (!bigger)
			return -ENOMEM;
		buf->data = bigger;
		buf->cap = cap;
	}
	memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	return 0;
}

static void fd_write(struct chardev *chr, const uint8_t *data, size_t len)
{
	struct chardev_fd *cf = to_fd(chr);
	bool arm;
	int r;

	if (cf->sink.fd < 0 || len == 0)
		return;
	pthread_mutex_lock(&cf->lock);
	if (cf->err) {
		pthread_mutex_unlock(&cf->lock);
		return;
	}
	cf->undrained = true;
	r = buf_append(&cf->fill, data, len);
	if (r < 0) {
		cf->err = -r;
		drop_all(cf);
	} else {
		update_pending(cf);
	}
	/* A failure is told by the loop's thread, now. */
	arm = cf->flush == FLUSH_IDLE || cf->err;
	if (arm)
		cf->flush = FLUSH_TICK;
	pthread_mutex_unlock(&cf->lock);
	if (arm)
		arm_tick(cf, GATHER_NS);
}

/*
 * Writes from `out` what the reader takes. Returns 0 or -errno. The lock is
 * held on entry and on return, not in between.
 */
static int write_out(struct chardev_fd *cf)
{
	while (cf->out_left) {
		unsigned discards = cf->discards;
		size_t left = cf->out_left;
		ssize_t n;

		pthread_mutex_unlock(&cf->lock);
		n = fd_sink_write(&cf->sink, cf->out.data + cf->out_pos, left);
		pthread_mutex_lock(&cf->lock);
		if (cf->discards != discards)
			continue;
		if (n < 0)
			return (int)n;
		cf->out_pos += (size_t)n;
		cf->out_left -= (size_t)n;
		update_pending(cf);
	}
	return 0;
}

/* With the lock. */
static void swap_buffers(struct chardev_fd *cf)
{
	struct buf out = cf->out;

	cf->out = cf->fill;
	cf->out_pos = 0;
	cf->out_left = cf->out.len;
	cf->fill = out;
	cf->fill.len = 0;
}

/*
 * One flush takes what waits now. What comes meanwhile is gathered for the
 * next one, or a busy guest would have it written byte by byte.
 */
static void flush(struct chardev_fd *cf)
{
	bool tell_failed = false, tell_drained = false, watch;
	int r, err;

	pthread_mutex_lock(&cf->lock);
	r = write_out(cf);
	if (r == 0 && cf->fill.len) {
		swap_buffers(cf);
		r = write_out(cf);
	}
	if (r < 0 && r != -EAGAIN && !cf->err) {
		cf->err = -r;
		drop_all(cf);
	}
	err = cf->err;
	if (err && !cf->failure_told) {
		cf->failure_told = true;
		tell_failed = true;
	}
	if (!cf->fill.len && !cf->out_left) {
		cf->flush = FLUSH_IDLE;
		tell_drained = cf->undrained;
		cf->undrained = false;
	} else if (cf->out_left) {
		cf->flush = FLUSH_BLOCKED;
	} else {
		cf->flush = FLUSH_TICK;
		arm_tick(cf, GATHER_NS);
	}
	watch = cf->flush == FLUSH_BLOCKED;
	pthread_mutex_unlock(&cf->lock);

	if (watch != cf->out_watched) {
		cf->out_watched = watch;
		loop_watch_set(cf->cfg.loop, cf->out_watch,
			       watch ? LOOP_OUT : 0);
	}
	if (tell_failed && cf->cfg.failed)
		cf->cfg.failed(cf->cfg.opaque, err);
	if (tell_drained && cf->cfg.drained)
		cf->cfg.drained(cf->cfg.opaque);
}

static void on_tick(void *opaque, unsigned events)
{
	struct chardev_fd *cf = opaque;
	uint64_t times;

	/* Also takes the event away; EAGAIN if it was armed anew. */
	if (read(cf->tick_fd, &times, sizeof(times)) == sizeof(times))
		flush(cf);
}

static void on_out(void *opaque, unsigned events)
{
	flush(opaque);
}

static void stop_input(struct chardev_fd *cf)
{
	pthread_mutex_lock(&cf->lock);
	cf->input_over = true;
	loop_watch_set(cf->cfg.loop, cf->in_watch, 0);
	pthread_mutex_unlock(&cf->lock);
}

/*
 * room() takes the device's lock, under which want_input() takes ours, so we
 * may not hold ours here; input_wanted tells of a want_input() in between.
 */
static size_t room_or_pause(struct chardev_fd *cf)
{
	size_t room;

	pthread_mutex_lock(&cf->lock);
	cf->input_wanted = false;
	pthread_mutex_unlock(&cf->lock);

	room = cf->front.room(cf->front.opaque);
	if (room)
		return room;

	pthread_mutex_lock(&cf->lock);
	if (!cf->input_wanted)
		loop_watch_set(cf->cfg.loop, cf->in_watch, 0);
	pthread_mutex_unlock(&cf->lock);
	return 0;
}

static void on_in(void *opaque, unsigned events)
{
	struct chardev_fd *cf = opaque;
	struct pollfd p = { .fd = cf->cfg.in_fd, .events = POLLIN };
	uint8_t data[READ_MAX];
	size_t room = room_or_pause(cf);
	ssize_t n;

	/* Another reader of the same terminal may have been quicker. */
	if (!room || poll(&p, 1, 0) == 0)
		return;
	n = read(cf->cfg.in_fd, data, room < sizeof(data) ? room : sizeof(data));
	if (n > 0)
		cf->front.receive(cf->front.opaque, data, (size_t)n);
	else if (n == 0 || (errno != EINTR && errno != EAGAIN))
		stop_input(cf);
}

static void allow_input(struct chardev_fd *cf)
{
	pthread_mutex_lock(&cf->lock);
	cf->input_wanted = true;
	if (cf->in_watch && !cf->input_over)
		loop_watch_set(cf->cfg.loop, cf->in_watch, LOOP_IN);
	pthread_mutex_unlock(&cf->lock);
}

static void fd_attach(struct chardev *chr, const struct chardev_front *front)
{
	struct chardev_fd *cf = to_fd(chr);

	cf->front = *front;
	allow_input(cf);
}

static void fd_want_input(struct chardev *chr)
{
	allow_input(to_fd(chr));
}

/* What still waits is lost: the board looks at chardev_fd_pending() first. */
static void fd_free(struct chardev *chr)
{
	struct chardev_fd *cf = to_fd(chr);

	loop_watch_free(cf->cfg.loop, cf->in_watch);
	loop_watch_free(cf->cfg.loop, cf->out_watch);
	loop_watch_free(cf->cfg.loop, cf->tick_watch);
	if (cf->tick_fd >= 0)
		close(cf->tick_fd);
	if (cf->sink.fd >= 0)
		fd_sink_done(&cf->sink);
	free(cf->fill.data);
	free(cf->out.data);
	pthread_mutex_destroy(&cf->lock);
	free(cf);
}

static const struct chardev_ops fd_ops = {
	.attach = fd_attach,
	.write = fd_write,
	.want_input = fd_want_input,
	.pending = chardev_fd_pending,
	.discard = chardev_fd_discard,
	.free = fd_free,
};

static int buf_init(struct buf *buf)
{
	buf->data = malloc(BUF_MIN);
	if (!buf->data)
		return -ENOMEM;
	buf->cap = BUF_MIN;
	return 0;
}

static int open_output(struct chardev_fd *cf)
{
	int r;

	if (cf->cfg.out_fd < 0)
		return 0;
	r = fd_sink_init(&cf->sink, cf->cfg.out_fd);
	if (r < 0)
		return r;
	if (buf_init(&cf->fill) < 0 || buf_init(&cf->out) < 0)
		return -ENOMEM;
	cf->tick_fd = timerfd_create(CLOCK_MONOTONIC,
				     TFD_NONBLOCK | TFD_CLOEXEC);
	if (cf->tick_fd < 0)
		return -errno;
	r = loop_watch_new(cf->cfg.loop, cf->sink.fd, 0, on_out, cf,
			   &cf->out_watch);
	if (r < 0)
		return r;
	return loop_watch_new(cf->cfg.loop, cf->tick_fd, LOOP_IN, on_tick, cf,
			      &cf->tick_watch);
}

/* The watch starts with attach(): until then nobody takes the input. */
static int open_input(struct chardev_fd *cf)
{
	if (cf->cfg.in_fd < 0)
		return 0;
	return loop_watch_new(cf->cfg.loop, cf->cfg.in_fd, 0, on_in, cf,
			      &cf->in_watch);
}

int chardev_fd_new(const struct chardev_fd_config *config,
		   struct chardev **ret_chr)
{
	struct chardev_fd *cf = calloc(1, sizeof(*cf));
	int r;

	if (!cf)
		return -ENOMEM;
	cf->chr.ops = &fd_ops;
	cf->cfg = *config;
	cf->sink.fd = -1;
	cf->tick_fd = -1;
	pthread_mutex_init(&cf->lock, NULL);

	r = open_output(cf);
	if (r == 0)
		r = open_input(cf);
	if (r < 0) {
		fd_free(&cf->chr);
		return r;
	}
	*ret_chr = &cf->chr;
	return 0;
}

size_t chardev_fd_pending(struct chardev *chr)
{
	return atomic_load_explicit(&to_fd(chr)->pending, memory_order_relaxed);
}

size_t chardev_fd_discard(struct chardev *chr)
{
	struct chardev_fd *cf = to_fd(chr);
	size_t dropped;
	bool arm;

	pthread_mutex_lock(&cf->lock);
	dropped = cf->fill.len + cf->out_left;
	drop_all(cf);
	/* Even if the reader never comes back, drained() is to be called. */
	arm = dropped && cf->flush != FLUSH_IDLE;
	if (arm)
		cf->flush = FLUSH_TICK;
	pthread_mutex_unlock(&cf->lock);
	if (arm)
		arm_tick(cf, 1);
	return dropped;
}
