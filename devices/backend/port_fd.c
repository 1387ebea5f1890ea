// SPDX-License-Identifier: MIT
/*
 * Who is on the host's side of a port, and what he sends.
 *
 * A client that has shut down its writing side is there until a write fails, or
 * until another comes: nothing tells when it goes.
 *
 * Of a pty it is looked now and then who is there, since nothing tells when somebody
 * comes. Whoever wrote and left between two looks has left input, which is read.
 *
 * Lock order: the device's lock, then ours; the front's functions are called with
 * neither.
 */
#include "backend/port_fd.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "backend/port_fd_parts.h"
#include "backend/pty.h"
#include "backend/unix_socket.h"
#include "core/loop.h"

#define READ_MAX 4096u
#define LOOK_NS (200 * NSEC_PER_MSEC)

/* ---- who is there: the loop's thread ------------------------------------ */

static void on_in(void *opaque, unsigned events);
static void on_out(void *opaque, unsigned events);

static void leave(struct port_fd *pf)
{
	struct loop_watch *in, *out;

	pthread_mutex_lock(&pf->lock);
	in = pf->in_watch;
	out = pf->out_watch;
	pf->in_watch = pf->out_watch = NULL;
	pf->in_fd = -1;
	pf->blocked = false;
	port_fd_close_sink(pf);
	pf->gone = false;
	pthread_mutex_unlock(&pf->lock);
	loop_watch_free(pf->cfg.loop, in);
	loop_watch_free(pf->cfg.loop, out);
	if (pf->client >= 0 && pf->client != pf->cfg.pty_fd)
		close(pf->client);
	pf->client = -1;
}

/* Returns 0 or -errno; leave() is due either way. */
static int meet(struct port_fd *pf, int in_fd, int out_fd)
{
	struct fd_sink sink = { .fd = -1 };
	int r = 0;

	if (out_fd >= 0) {
		r = fd_sink_init(&sink, out_fd);
		if (r == 0)
			r = loop_watch_new(pf->cfg.loop, sink.fd, 0, on_out, pf,
					   &pf->out_watch);
	}
	if (r == 0 && in_fd >= 0)
		r = loop_watch_new(pf->cfg.loop, in_fd, 0, on_in, pf,
				   &pf->in_watch);
	pthread_mutex_lock(&pf->lock);
	pf->sink = sink;
	pf->in_fd = r == 0 ? in_fd : -1;
	pthread_mutex_unlock(&pf->lock);
	return r;
}

static void watch_input(struct port_fd *pf, bool on)
{
	if (pf->in_watch && pf->in_fd >= 0)
		loop_watch_set(pf->cfg.loop, pf->in_watch, on ? LOOP_IN : 0);
}

static void accept_more(struct port_fd *pf, bool on)
{
	if (pf->listen_watch)
		loop_watch_set(pf->cfg.loop, pf->listen_watch,
			       on ? LOOP_IN : 0);
}

/* Tells what has to be told. */
static void settle(struct port_fd *pf)
{
	bool gone, drained, writable;
	int failure;

	pthread_mutex_lock(&pf->lock);
	gone = pf->gone;
	failure = pf->failure;
	pf->failure = 0;
	pthread_mutex_unlock(&pf->lock);

	if (gone) {
		leave(pf);
		pf->front.connected(pf->front.opaque, false);
		accept_more(pf, true);
	}
	if (failure && pf->cfg.failed)
		pf->cfg.failed(pf->cfg.opaque, failure);

	/* By now: with him goes what waited for him. */
	pthread_mutex_lock(&pf->lock);
	drained = pf->undrained && port_fd_waiting(pf) == 0;
	if (pf->undrained && !drained && pf->len == 0)
		port_fd_look_later(pf);
	writable = pf->short_write && !pf->blocked && pf->len < PORT_FD_HIGH;
	pf->undrained &= !drained;
	pf->short_write &= !writable;
	pthread_mutex_unlock(&pf->lock);
	if (writable)
		pf->front.writable(pf->front.opaque);
	if (drained && pf->cfg.drained)
		pf->cfg.drained(pf->cfg.opaque);
}

static void arrive(struct port_fd *pf, int fd)
{
	if (pf->client >= 0) {
		leave(pf);
		pf->front.connected(pf->front.opaque, false);
	}
	pf->client = fd;
	if (meet(pf, fd, fd) < 0) {
		leave(pf);
		settle(pf);
		return;
	}
	accept_more(pf, false);
	pf->front.connected(pf->front.opaque, true);
	pthread_mutex_lock(&pf->lock);
	pf->undrained |= pf->len > 0;
	port_fd_flush(pf); /* what was kept */
	pthread_mutex_unlock(&pf->lock);
	settle(pf);
	pthread_mutex_lock(&pf->lock);
	pf->input_wanted = true;
	watch_input(pf, true);
	pthread_mutex_unlock(&pf->lock);
}

static void on_client(void *opaque, unsigned events)
{
	struct port_fd *pf = opaque;
	int fd = unix_listener_accept(pf->cfg.listen_fd);

	if (fd >= 0)
		arrive(pf, fd);
}

/* He may have gone with input left: that ends by itself. */
static void on_look(void *opaque, unsigned events)
{
	struct port_fd *pf = opaque;
	bool peer = pty_has_peer(pf->cfg.pty_fd);
	uint64_t times;

	if (read(pf->look_fd, &times, sizeof(times)) != sizeof(times))
		return;
	if (peer ? pf->sink.fd < 0
		 : pf->client < 0 && pty_has_input(pf->cfg.pty_fd)) {
		arrive(pf, pf->cfg.pty_fd);
	} else if (!peer && pf->sink.fd >= 0) {
		pthread_mutex_lock(&pf->lock);
		port_fd_close_sink(pf);
		pthread_mutex_unlock(&pf->lock);
		settle(pf);
	}
}

static void on_tick(void *opaque, unsigned events)
{
	struct port_fd *pf = opaque;
	uint64_t times;

	/* Also takes the event away; EAGAIN if it was armed anew. */
	if (read(pf->tick_fd, &times, sizeof(times)) != sizeof(times))
		return;
	pthread_mutex_lock(&pf->lock);
	pf->ticking = false;
	if (pf->cfg.pty_fd >= 0)
		pf->blocked = false;
	if (!pf->blocked)
		port_fd_flush(pf);
	pthread_mutex_unlock(&pf->lock);
	settle(pf);
}

static void on_out(void *opaque, unsigned events)
{
	struct port_fd *pf = opaque;

	pthread_mutex_lock(&pf->lock);
	port_fd_set_blocked(pf, false);
	port_fd_flush(pf);
	pthread_mutex_unlock(&pf->lock);
	settle(pf);
}

/* ---- input: the loop's thread ------------------------------------------- */

/*
 * room() takes the device's lock, under which want_input() takes ours, so we may
 * not hold ours here; input_wanted tells of a want_input() in between.
 */
static size_t room_or_pause(struct port_fd *pf)
{
	size_t room;

	pthread_mutex_lock(&pf->lock);
	pf->input_wanted = false;
	pthread_mutex_unlock(&pf->lock);

	room = pf->front.room(pf->front.opaque);
	if (room)
		return room;

	pthread_mutex_lock(&pf->lock);
	if (!pf->input_wanted)
		watch_input(pf, false);
	pthread_mutex_unlock(&pf->lock);
	return 0;
}

static void end_input(struct port_fd *pf)
{
	struct pollfd p = { .fd = pf->client };

	pthread_mutex_lock(&pf->lock);
	watch_input(pf, false);
	pf->in_fd = -1;
	if (pf->client < 0)
		pf->gone = pf->sink.fd < 0;
	else if (pf->client == pf->cfg.pty_fd)
		pf->gone = true;
	else
		pf->gone = poll(&p, 1, 0) > 0; /* POLLHUP: altogether */
	pthread_mutex_unlock(&pf->lock);
	if (pf->client >= 0)
		accept_more(pf, true);
	settle(pf);
}

static void on_in(void *opaque, unsigned events)
{
	struct port_fd *pf = opaque;
	struct pollfd p = { .fd = pf->in_fd, .events = POLLIN };
	uint8_t data[READ_MAX];
	size_t room = room_or_pause(pf);
	ssize_t n;

	/* Another reader of the same terminal may have been quicker. */
	if (!room || poll(&p, 1, 0) == 0)
		return;
	n = read(pf->in_fd, data, room < sizeof(data) ? room : sizeof(data));
	if (n > 0)
		pf->front.receive(pf->front.opaque, data, (size_t)n);
	else if (n == 0 || (errno != EINTR && errno != EAGAIN))
		end_input(pf);
}

static void fd_want_input(struct port *port)
{
	struct port_fd *pf = to_port_fd(port);

	pthread_mutex_lock(&pf->lock);
	pf->input_wanted = true;
	watch_input(pf, true);
	pthread_mutex_unlock(&pf->lock);
}

/* ---- coming and going --------------------------------------------------- */

static bool fd_attach(struct port *port, const struct port_front *front)
{
	static const struct itimerspec look = {
		.it_value.tv_nsec = LOOK_NS,
		.it_interval.tv_nsec = LOOK_NS,
	};
	struct port_fd *pf = to_port_fd(port);

	pf->front = *front;
	fd_want_input(port);
	accept_more(pf, true);
	if (pf->look_fd >= 0)
		timerfd_settime(pf->look_fd, 0, &look, NULL);
	return pf->in_fd >= 0 || pf->sink.fd >= 0;
}

static void fd_free(struct port *port)
{
	struct port_fd *pf = to_port_fd(port);

	leave(pf);
	loop_watch_free(pf->cfg.loop, pf->listen_watch);
	loop_watch_free(pf->cfg.loop, pf->tick_watch);
	loop_watch_free(pf->cfg.loop, pf->look_watch);
	if (pf->look_fd >= 0)
		close(pf->look_fd);
	if (pf->tick_fd >= 0)
		close(pf->tick_fd);
	free(pf->buf);
	pthread_mutex_destroy(&pf->lock);
	free(pf);
}

static const struct port_ops fd_ops = {
	.attach = fd_attach,
	.write = port_fd_write,
	.want_input = fd_want_input,
	.pending = port_fd_pending,
	.discard = port_fd_discard,
	.free = fd_free,
};

/* The watches of what is read and accepted start with attach(). */
static int open_timer(struct port_fd *pf, int *ret_fd,
		      void (*ready)(void *opaque, unsigned events),
		      struct loop_watch **ret_watch)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return loop_watch_new(pf->cfg.loop, fd, LOOP_IN, ready, pf, ret_watch);
}

static int open_all(struct port_fd *pf)
{
	struct loop *loop = pf->cfg.loop;
	int r = open_timer(pf, &pf->tick_fd, on_tick, &pf->tick_watch);

	if (r == 0 && pf->cfg.pty_fd >= 0)
		return open_timer(pf, &pf->look_fd, on_look, &pf->look_watch);
	if (r < 0)
		return r;
	if (pf->cfg.listen_fd >= 0)
		return loop_watch_new(loop, pf->cfg.listen_fd, 0, on_client, pf,
				      &pf->listen_watch);
	return meet(pf, pf->cfg.in_fd, pf->cfg.out_fd);
}

int port_fd_new(const struct port_fd_config *config, struct port **ret_port)
{
	struct port_fd *pf = calloc(1, sizeof(*pf));
	int r;

	if (!pf)
		return -ENOMEM;
	pf->port.ops = &fd_ops;
	pf->cfg = *config;
	pf->tick_fd = pf->look_fd = -1;
	pf->client = pf->in_fd = pf->sink.fd = -1;
	pthread_mutex_init(&pf->lock, NULL);
	r = open_all(pf);
	if (r < 0) {
		fd_free(&pf->port);
		return r;
	}
	*ret_port = &pf->port;
	return 0;
}
