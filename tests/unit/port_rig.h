/* SPDX-License-Identifier: MIT */
/* port_rig.h: a port on real descriptors; the loop is the fake one, turned by poll(). */
#ifndef TRAPMAP_TEST_PORT_RIG_H
#define TRAPMAP_TEST_PORT_RIG_H

#include "test.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/port.h"
#include "backend/port_fd.h"
#include "core/base.h"
#include "fake_loop.h"

static struct fake_loop fl;
static struct port *port;
static uint8_t big[1 << 20];

static struct {
	size_t room, got_len;
	char got[4096];
	int connected; /* -1: never told */
	unsigned tells, writable, drained, failed;
	int err;
	bool throttled;
	size_t seen; /* by output() */
} s;

static inline size_t on_room(void *opaque)
{
	return s.room;
}

static inline void on_receive(void *opaque, const uint8_t *buf, size_t len)
{
	assert_in_range(len, 1, s.room);
	memcpy(s.got + s.got_len, buf, len);
	s.got_len += len;
	s.room -= len;
}

static inline void on_connected(void *opaque, bool on)
{
	s.connected = on;
	s.tells++;
}

static inline void on_writable(void *opaque)
{
	s.writable++;
}

static inline void on_drained(void *opaque)
{
	s.drained++;
}

static inline void on_failed(void *opaque, int err)
{
	s.failed++;
	s.err = err;
}

static inline void on_throttle(void *opaque, bool on)
{
	assert_true(on != s.throttled);
	s.throttled = on;
}

static inline void on_output(void *opaque, const uint8_t *buf, size_t len)
{
	s.seen += len;
}

static inline int setup(void **state)
{
	unsigned i;

	fake_loop_init(&fl, 0);
	memset(&s, 0, sizeof(s));
	s.connected = -1;
	s.room = 4096;
	signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i ^ i >> 8 ^ i >> 16);
	return 0;
}

static inline int teardown(void **state)
{
	unsigned i;

	port = port_free(port);
	for (i = 0; i < FAKE_LOOP_MAX; i++)
		assert_false(fl.watch[i].used);
	assert_false(s.throttled);
	return 0;
}

static inline struct port_fd_config a_config(void)
{
	return (struct port_fd_config){
		.loop = &fl.loop,
		.in_fd = -1,
		.out_fd = -1,
		.listen_fd = -1,
		.pty_fd = -1,
		.drained = on_drained,
		.failed = on_failed,
	};
}

/* Returns whether somebody is there. */
static inline bool make_as(const struct port_fd_config *config)
{
	static const struct port_front front = { .room = on_room,
						 .receive = on_receive,
						 .connected = on_connected,
						 .writable = on_writable };

	assert_int_equal(port_fd_new(config, &port), 0);
	return port->ops->attach(port, &front);
}

static inline size_t put(const void *data, size_t len)
{
	return port->ops->write(port, data, len);
}

/* Whether something happens within timeout_ms, and what follows from it. */
static inline bool turn(int timeout_ms)
{
	struct pollfd p[FAKE_LOOP_MAX];
	unsigned i;

	for (i = 0; i < FAKE_LOOP_MAX; i++) {
		const struct loop_watch *w = &fl.watch[i];

		p[i] = (struct pollfd){ .fd = -1 };
		if (!w->used || !w->events)
			continue;
		p[i].fd = w->fd;
		if (w->events & LOOP_IN)
			p[i].events |= POLLIN;
		if (w->events & LOOP_OUT)
			p[i].events |= POLLOUT;
	}
	if (poll(p, FAKE_LOOP_MAX, timeout_ms) <= 0)
		return false;
	for (i = 0; i < FAKE_LOOP_MAX; i++)
		if (p[i].revents && fl.watch[i].used)
			fl.watch[i].ready(fl.watch[i].opaque,
					  fl.watch[i].events);
	return true;
}

/* Until nothing has happened for a while. */
static inline void settle(void)
{
	while (turn(20))
		;
}

static inline void assert_reads(int fd, const void *want, size_t len)
{
	uint8_t *buf = malloc(len);
	size_t n = 0;

	assert_non_null(buf);
	while (n < len) {
		ssize_t r = read(fd, buf + n, len - n);

		assert_true(r > 0);
		n += (size_t)r;
	}
	assert_memory_equal(buf, want, len);
	free(buf);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#endif
