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
#include "core/loop.h"

#define GATHER_NS NSEC_PER_MSEC
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

	if (on == pf->throttled)
		return;
	pf->throttled = on;
	if (pf->cfg.throttle)
		pf->cfg.throttle(pf->cfg.opaque, on);
}

void port_fd_set_blocked(struct port_fd *pf, bool on)
{
	if (pf->blocked != on && pf->out_watch)
		loop_watch_set(pf->cfg.loop, pf->out_watch, on ? LOOP_OUT : 0);
	pf->blocked = on;
}

/* Nobody reads any more: what waits is lost, and the front is told soon. */
static void lose_reader(struct port_fd *pf, int err)
{
	port_fd_set_blocked(pf, false);
	fd_sink_done(&pf->sink);
	pf->sink.fd = -1;
	pf->len = 0;
	pf->gone = true;
	if (err != -EPIPE && err != -ECONNRESET)
		pf->failure = -err;
	port_fd_update_throttle(pf);
	arm(pf, 1);
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
	if (pf->len == 0)
		return; /* it was lost */
	pf->begin += n;
	pf->len -= n;
	port_fd_update_throttle(pf);
}

static size_t gather(struct port_fd *pf, const uint8_t *buf, size_t len)
{
	uint8_t *at;

	if (!pf->buf) {
		pf->buf = malloc(GATHER_MAX);
		if (!pf->buf) {
			lose_reader(pf, -ENOMEM);
			return len;
		}
	}
	if (len > GATHER_MAX - pf->len)
		len = GATHER_MAX - pf->len;
	if (pf->len == 0)
		pf->begin = 0;
	if (len > GATHER_MAX - pf->begin - pf->len) {
		memmove(pf->buf, pf->buf + pf->begin, pf->len);
		pf->begin = 0;
	}
	at = pf->buf + pf->begin + pf->len;
	memcpy(at, buf, len);
	if (pf->cfg.output)
		pf->cfg.output(pf->cfg.opaque, at, len);
	pf->len += len;
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
		if (len >= LARGE && !pf->cfg.output) {
			port_fd_flush(pf);
			n = pf->len ? 0 : write_some(pf, buf, len);
		} else {
			n = gather(pf, buf, len);
		}
		pf->short_write |= n < len;
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
	n = pf->len;
	pthread_mutex_unlock(&pf->lock);
	return n;
}

size_t port_fd_discard(struct port *port)
{
	struct port_fd *pf = to_port_fd(port);
	size_t n;

	pthread_mutex_lock(&pf->lock);
	n = pf->len;
	pf->len = 0;
	port_fd_update_throttle(pf);
	/* Even if the reader never comes back, drained() is to be called. */
	if (n)
		arm(pf, 1);
	pthread_mutex_unlock(&pf->lock);
	return n;
}
