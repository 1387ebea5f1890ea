// SPDX-License-Identifier: MIT
/*
 * Output of a port. Writes are made with the lock held: none of them waits. A
 * gathered piece is flushed by the loop's thread a millisecond after its first byte,
 * by a timerfd on CLOCK_MONOTONIC, since the clocks of the loop may stand still or
 * step; or at once where much has come together. What must be told to the device,
 * which may be in the midst of a write(), the loop's thread tells, too.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>

#include "backend/port_fd_parts.h"
#include "backend/pty.h"
#include "core/loop.h"

#define GATHER_NS NSEC_PER_MSEC
#define PTY_RETRY_NS (2 * NSEC_PER_MSEC)
#define LOOK_AGAIN_NS (30 * NSEC_PER_MSEC)
#define GATHER_MAX (2 * PORT_FD_HIGH)
#define FLUSH_AT (32u * 1024)
/* From here on a piece is worth a system call of its own. */
#define LARGE 4096u

/* ---- output: all with the lock ------------------------------------------ */

static void arm(struct port_fd *pf, int64_t ns)
{
	struct itimerspec in = { .it_value.tv_nsec = ns };

	timerfd_settime(pf->tick_fd, 0, &in, NULL);
	pf->ticking = true;
}

void port_fd_update_throttle(struct port_fd *pf)
{
	bool on = pf->throttled ? pf->len >= PORT_FD_LOW
				: pf->len > PORT_FD_HIGH;

	if (pf->sink.fd < 0)
		on = false; /* what is kept waits for nobody */
	if (on == pf->throttled)
		return;
	pf->throttled = on;
	if (pf->cfg.throttle)
		pf->cfg.throttle(pf->cfg.opaque, on);
}

/* A pty's master may be ready for output, and take none: it is tried again. */
void port_fd_set_blocked(struct port_fd *pf, bool on)
{
	if (pf->cfg.pty_fd >= 0 && on)
		arm(pf, PTY_RETRY_NS);
	else if (pf->blocked != on && pf->out_watch)
		loop_watch_set(pf->cfg.loop, pf->out_watch, on ? LOOP_OUT : 0);
	pf->blocked = on;
}

/* Leaves the latest of what waits. */
static void trim(struct port_fd *pf)
{
	if (pf->len <= pf->cfg.keep)
		return;
	pf->begin += pf->len - pf->cfg.keep;
	pf->len = pf->cfg.keep;
}

void port_fd_close_sink(struct port_fd *pf)
{
	port_fd_set_blocked(pf, false);
	if (pf->sink.fd >= 0)
		fd_sink_done(&pf->sink);
	pf->sink.fd = -1;
	trim(pf);
	port_fd_update_throttle(pf);
}

/* The front is told soon. */
static void lose_reader(struct port_fd *pf, int err)
{
	port_fd_close_sink(pf);
	pf->gone = true;
	if (err != -EPIPE && err != -ECONNRESET)
		pf->failure = -err;
	arm(pf, 1);
}

void port_fd_look_later(struct port_fd *pf)
{
	arm(pf, LOOK_AGAIN_NS);
}

/* With what a pty's reader has not read, which would be lost with the pty. */
size_t port_fd_waiting(const struct port_fd *pf)
{
	if (pf->sink.fd < 0)
		return 0;
	if (pf->len || pf->cfg.pty_fd < 0 || !pf->undrained || pf->given_up)
		return pf->len;
	return pty_unread(pf->cfg.pty_fd);
}

/* Returns how much went. */
static size_t write_some(struct port_fd *pf, const uint8_t *buf, size_t len)
{
	size_t done = 0;

	while (done < len && pf->sink.fd >= 0) {
		ssize_t n = fd_sink_write(&pf->sink, buf + done, len - done);

		if (n == -EAGAIN) {
			port_fd_set_blocked(pf, true);
			return done;
		}
		if (n < 0) {
			lose_reader(pf, (int)n);
			return len;
		}
		done += (size_t)n;
	}
	return done;
}

void port_fd_flush(struct port_fd *pf)
{
	size_t n;

	if (pf->len == 0)
		return;
	n = write_some(pf, pf->buf + pf->begin, pf->len);
	if (pf->sink.fd < 0)
		return; /* the reader has gone */
	pf->begin += n;
	pf->len -= n;
	port_fd_update_throttle(pf);
}

/* For len bytes more. Returns 0 or -ENOMEM. */
static int reserve(struct port_fd *pf, size_t len)
{
	size_t cap = pf->cap ? pf->cap : GATHER_MAX;
	uint8_t *bigger;

	while (cap - pf->len < len && cap <= SIZE_MAX / 2)
		cap *= 2;
	if (cap == pf->cap)
		return 0;
	bigger = cap - pf->len < len ? NULL : realloc(pf->buf, cap);
	if (!bigger)
		return -ENOMEM;
	pf->buf = bigger;
	pf->cap = cap;
	return 0;
}

static size_t gather(struct port_fd *pf, const uint8_t *buf, size_t len)
{
	uint8_t *at;

	if (!pf->cfg.takes_all && len > GATHER_MAX - pf->len)
		len = GATHER_MAX - pf->len;
	if (reserve(pf, len) < 0) {
		pf->len = 0;
		lose_reader(pf, -ENOMEM);
		return len;
	}
	if (pf->len == 0)
		pf->begin = 0;
	if (len > pf->cap - pf->begin - pf->len) {
		memmove(pf->buf, pf->buf + pf->begin, pf->len);
		pf->begin = 0;
	}
	at = pf->buf + pf->begin + pf->len;
	memcpy(at, buf, len);
	if (pf->cfg.output)
		pf->cfg.output(pf->cfg.opaque, at, len);
	pf->len += len;
	if (pf->sink.fd < 0) {
		trim(pf);
		return len;
	}
	pf->undrained = true;
	port_fd_update_throttle(pf);
	if (pf->len >= FLUSH_AT && !pf->blocked)
		port_fd_flush(pf);
	else if (!pf->ticking && !pf->blocked)
		arm(pf, GATHER_NS);
	return len;
}

size_t port_fd_write(struct port *port, const uint8_t *buf, size_t len)
{
	struct port_fd *pf = to_port_fd(port);
	size_t n = len;

	pthread_mutex_lock(&pf->lock);
	if (pf->sink.fd >= 0) {
		/* What is looked at must be what is written: a copy. */
		if (len >= LARGE && !pf->cfg.output && !pf->cfg.takes_all) {
			port_fd_flush(pf);
			n = pf->len ? 0 : write_some(pf, buf, len);
		} else {
			n = gather(pf, buf, len);
		}
		pf->short_write |= n < len;
	} else if (pf->cfg.keep) {
		gather(pf, buf, len);
	} else if (pf->cfg.output) {
		pf->cfg.output(pf->cfg.opaque, buf, len);
	}
	pthread_mutex_unlock(&pf->lock);
	return n;
}

size_t port_fd_pending(struct port *port)
{
	struct port_fd *pf = to_port_fd(port);
	size_t n;

	pthread_mutex_lock(&pf->lock);
	n = port_fd_waiting(pf);
	pthread_mutex_unlock(&pf->lock);
	return n;
}

size_t port_fd_discard(struct port *port)
{
	struct port_fd *pf = to_port_fd(port);
	size_t n;

	pthread_mutex_lock(&pf->lock);
	n = port_fd_waiting(pf);
	pf->len = 0;
	pf->given_up = true;
	port_fd_update_throttle(pf);
	/* Even if the reader never comes back, drained() is to be called. */
	if (n)
		arm(pf, 1);
	pthread_mutex_unlock(&pf->lock);
	return n;
}
