/* SPDX-License-Identifier: MIT */
/*
 * chardev_rig.h: a chardev_fd on real descriptors, with a front that takes as
 * much as the test lets it. The loop is the fake one, turned by poll().
 */
#ifndef TRAPMAP_TEST_CHARDEV_RIG_H
#define TRAPMAP_TEST_CHARDEV_RIG_H

#include "test.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "backend/chardev.h"
#include "backend/chardev_fd.h"
#include "core/base.h"
#include "fake_loop.h"

static struct fake_loop fl;
static struct chardev *chr;

/* What the board was told, and the device's end of the line. */
static struct {
	bool throttled;
	bool out_of_turn;
	unsigned throttles, drained, failed;
	int err;

	size_t room;
	char got[4096];
	size_t got_len;
} seen;

static inline void on_throttle(void *opaque, bool on)
{
	seen.out_of_turn |= on == seen.throttled;
	seen.throttled = on;
	seen.throttles += on;
}

static inline void on_drained(void *opaque)
{
	seen.drained++;
}

static inline void on_failed(void *opaque, int err)
{
	seen.failed++;
	seen.err = err;
}

static inline size_t front_room(void *opaque)
{
	return seen.room;
}

static inline void front_receive(void *opaque, const uint8_t *buf, size_t len)
{
	assert_in_range(len, 1, seen.room);
	assert_in_range(seen.got_len + len, 1, sizeof(seen.got));
	memcpy(seen.got + seen.got_len, buf, len);
	seen.got_len += len;
	seen.room -= len;
}

static inline void make(int in_fd, int out_fd)
{
	struct chardev_fd_config config = {
		.loop = &fl.loop,
		.in_fd = in_fd,
		.out_fd = out_fd,
		.throttle = on_throttle,
		.drained = on_drained,
		.failed = on_failed,
	};
	struct chardev_front front = {
		.room = front_room,
		.receive = front_receive,
	};

	assert_int_equal(chardev_fd_new(&config, &chr), 0);
	chr->ops->attach(chr, &front);
}

static inline int setup(void **state)
{
	fake_loop_init(&fl, 0);
	memset(&seen, 0, sizeof(seen));
	chr = NULL;
	return 0;
}

static inline int teardown(void **state)
{
	unsigned i;

	chr = chardev_free(chr);
	for (i = 0; i < FAKE_LOOP_MAX; i++)
		assert_false(fl.watch[i].used);
	assert_false(seen.out_of_turn);
	return 0;
}

/* One turn of a real loop over the fake one's watches. */
static inline unsigned turn(int wait_ms)
{
	struct pollfd p[FAKE_LOOP_MAX];
	unsigned i, n = 0;

	for (i = 0; i < FAKE_LOOP_MAX; i++) {
		struct loop_watch *w = &fl.watch[i];

		p[i] = (struct pollfd){ .fd = -1 };
		if (!w->used || !w->events)
			continue;
		p[i].fd = w->fd;
		p[i].events = (short)((w->events & LOOP_IN ? POLLIN : 0) |
				      (w->events & LOOP_OUT ? POLLOUT : 0));
	}
	if (poll(p, FAKE_LOOP_MAX, wait_ms) <= 0)
		return 0;
	for (i = 0; i < FAKE_LOOP_MAX; i++) {
		if (!p[i].revents)
			continue;
		fl.watch[i].ready(fl.watch[i].opaque, fl.watch[i].events);
		n++;
	}
	return n;
}

/* Until nothing has happened for a while. */
static inline void settle(void)
{
	while (turn(20))
		;
}

static inline void send_text(const char *text)
{
	chr->ops->write(chr, (const uint8_t *)text, strlen(text));
}

static inline void want_input(size_t room)
{
	seen.room = room;
	chr->ops->want_input(chr);
}

static inline bool is_watched(int fd)
{
	unsigned i;

	for (i = 0; i < FAKE_LOOP_MAX; i++)
		if (fl.watch[i].used && fl.watch[i].fd == fd)
			return fl.watch[i].events != 0;
	return false;
}

static inline void make_pipe(int fd[2])
{
	assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
}

static inline void close_pair(const int fd[2])
{
	close(fd[0]);
	close(fd[1]);
}

/* A sequence that no shift or loss leaves unseen. */
static inline uint8_t byte_at(size_t i)
{
	return (uint8_t)(i ^ i >> 8 ^ i >> 16);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
