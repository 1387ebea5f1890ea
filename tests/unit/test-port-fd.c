// SPDX-License-Identifier: MIT
/* A port on real descriptors; the loop is the fake one, turned by poll(). */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend/port.h"
#include "backend/port_fd.h"
#include "backend/unix_socket.h"
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

static size_t on_room(void *opaque)
{
	return s.room;
}

static void on_receive(void *opaque, const uint8_t *buf, size_t len)
{
	assert_in_range(len, 1, s.room);
	memcpy(s.got + s.got_len, buf, len);
	s.got_len += len;
	s.room -= len;
}

static void on_connected(void *opaque, bool on)
{
	s.connected = on;
	s.tells++;
}

static void on_writable(void *opaque)
{
	s.writable++;
}

static void on_drained(void *opaque)
{
	s.drained++;
}

static void on_failed(void *opaque, int err)
{
	s.failed++;
	s.err = err;
}

static void on_throttle(void *opaque, bool on)
{
	assert_true(on != s.throttled);
	s.throttled = on;
}

static void on_output(void *opaque, const uint8_t *buf, size_t len)
{
	s.seen += len;
}

static int setup(void **state)
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

static int teardown(void **state)
{
	unsigned i;

	port = port_free(port);
	for (i = 0; i < FAKE_LOOP_MAX; i++)
		assert_false(fl.watch[i].used);
	assert_false(s.throttled);
	return 0;
}

static bool make(int in_fd, int out_fd, int listen_fd, bool console)
{
	static const struct port_front front = { .room = on_room,
						 .receive = on_receive,
						 .connected = on_connected,
						 .writable = on_writable };
	struct port_fd_config config = {
		.loop = &fl.loop,
		.in_fd = in_fd,
		.out_fd = out_fd,
		.listen_fd = listen_fd,
		.drained = on_drained,
		.failed = on_failed,
	};

	if (console) {
		config.output = on_output;
		config.throttle = on_throttle;
	}
	assert_int_equal(port_fd_new(&config, &port), 0);
	return port->ops->attach(port, &front);
}

static size_t put(const void *data, size_t len)
{
	return port->ops->write(port, data, len);
}

/* Until nothing has happened for a while. */
static void settle(void)
{
	struct pollfd p[FAKE_LOOP_MAX];
	unsigned i;

	for (;;) {
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
		if (poll(p, FAKE_LOOP_MAX, 20) <= 0)
			return;
		for (i = 0; i < FAKE_LOOP_MAX; i++)
			if (p[i].revents && fl.watch[i].used)
				fl.watch[i].ready(fl.watch[i].opaque,
						  fl.watch[i].events);
	}
}

static void assert_reads(int fd, const void *want, size_t len)
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

static void a_pair(int fd[2])
{
	assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
}

static void small_pieces_go_out_together(void **state)
{
	int fd[2];

	a_pair(fd);
	assert_true(make(-1, fd[1], -1, false));
	assert_int_equal(put("ab", 2), 2);
	assert_int_equal(put("c", 1), 1);
	assert_int_equal(port->ops->pending(port), 3);
	settle();
	assert_int_equal(port->ops->pending(port), 0);
	assert_int_equal(s.drained, 1);
	assert_reads(fd[0], "abc", 3);
	close(fd[0]);
	close(fd[1]);
}

static void a_large_piece_goes_straight_and_waits_where_it_is(void **state)
{
	int fd[2], flags;
	size_t n, more;

	a_pair(fd);
	assert_int_equal(fcntl(fd[1], F_SETPIPE_SZ, 65536), 65536);
	flags = fcntl(fd[1], F_GETFL);
	make(-1, fd[1], -1, false);
	assert_int_equal(fcntl(fd[1], F_GETFL), flags);
	assert_int_equal(put("x", 1), 1);
	/* In order, behind what was gathered. */
	n = put(big, sizeof(big));
	assert_in_range(n, 4096, 65535);
	assert_int_equal(port->ops->pending(port), 0);
	assert_int_equal(put(big, 8192), 0);
	assert_int_equal(s.writable, 0);
	assert_reads(fd[0], "x", 1);
	assert_reads(fd[0], big, n);
	settle();
	assert_int_equal(s.writable, 1);
	more = put(big + n, sizeof(big) - n);
	assert_in_range(more, 4096, 65536);
	assert_reads(fd[0], big + n, more);
	close(fd[0]);
	close(fd[1]);
}

static void a_console_s_writer_is_held_while_its_reader_is_slow(void **state)
{
	int fd[2];
	size_t n = 0, r;

	a_pair(fd);
	assert_int_equal(fcntl(fd[1], F_SETPIPE_SZ, 4096), 4096);
	make(-1, fd[1], -1, true);
	while ((r = put(big + n, 5000)) == 5000)
		n += r;
	n += r;
	assert_true(s.throttled);
	assert_int_equal(s.seen, n);
	assert_int_equal(port->ops->pending(port), n - 4096);
	assert_reads(fd[0], big, 4096);
	for (r = 4096; r < n; r += 4096) {
		settle();
		assert_reads(fd[0], big + r, n - r < 4096 ? n - r : 4096);
	}
	settle();
	assert_false(s.throttled);
	assert_int_equal(s.writable, 1);
	assert_int_equal(s.drained, 1);
	/* And when it is freed in between. */
	while (put(big, 5000) == 5000)
		;
	assert_true(s.throttled);
	port = port_free(port);
	close(fd[0]);
	close(fd[1]);
}

static void what_is_discarded_is_counted(void **state)
{
	int fd[2];
	size_t n = 0;

	a_pair(fd);
	make(-1, fd[1], -1, true);
	while (put(big, 1000) == 1000)
		n += 1000;
	assert_true(port->ops->pending(port) > 0);
	n = port->ops->pending(port);
	assert_int_equal(port->ops->discard(port), n);
	assert_int_equal(port->ops->pending(port), 0);
	settle();
	assert_int_equal(s.drained, 1);
	close(fd[0]);
	close(fd[1]);
}

static void a_reader_that_has_gone_is_a_hang_up(void **state)
{
	int fd[2];

	a_pair(fd);
	make(-1, fd[1], -1, false);
	close(fd[0]);
	assert_int_equal(put(big, 10000), 10000);
	assert_int_equal(s.connected, -1); /* not in the midst of a write */
	settle();
	assert_int_equal(s.connected, 0);
	assert_int_equal(s.failed, 0);
	assert_int_equal(put("x", 1), 1);
	settle();
	assert_int_equal(s.tells, 1);
	close(fd[1]);
}

static void an_error_is_told_once(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	make(-1, fd, -1, true);
	put("x", 1);
	settle();
	assert_int_equal(s.failed, 1);
	assert_int_equal(s.err, ENOSPC);
	put("x", 1);
	settle();
	assert_int_equal(s.failed, 1);
	assert_int_equal(port->ops->pending(port), 0);
	close(fd);
}

static void input_comes_as_there_is_room(void **state)
{
	int fd[2];

	a_pair(fd);
	assert_true(make(fd[0], -1, -1, false));
	s.room = 0;
	assert_int_equal(write(fd[1], "abcdef", 6), 6);
	settle();
	assert_int_equal(s.got_len, 0);
	s.room = 4;
	port->ops->want_input(port);
	settle();
	assert_int_equal(s.got_len, 4);
	close(fd[1]);
	settle();
	assert_int_equal(s.connected, -1);
	s.room = 10;
	port->ops->want_input(port);
	settle();
	assert_memory_equal(s.got, "abcdef", 6);
	/* Where there is no output, the end of the input is all. */
	assert_int_equal(s.connected, 0);
	close(fd[0]);
}

static void an_end_of_input_leaves_the_output(void **state)
{
	int in[2], out[2];

	a_pair(in);
	a_pair(out);
	make(in[0], out[1], -1, false);
	close(in[1]);
	settle();
	assert_int_equal(s.connected, -1);
	put("still", 5);
	settle();
	assert_reads(out[0], "still", 5);
	close(in[0]);
	close(out[0]);
	close(out[1]);
}

static void clients_come_and_go(void **state)
{
	struct unix_listener l = UNIX_LISTENER_INIT;
	char path[64], buf[8];
	int a, b;

	snprintf(path, sizeof(path), "/tmp/test-port-fd-%d", (int)getpid());
	assert_int_equal(unix_listener_init(&l, path, 4), 0);
	/* Whatever is there is left alone. */
	assert_int_equal(unix_listener_init(&(struct unix_listener){ .fd = -1 },
					    path, 4),
			 -EADDRINUSE);
	assert_false(make(-1, -1, l.fd, true));
	assert_int_equal(put("nobody", 6), 6);
	assert_int_equal(s.seen, 6); /* is heard all the same */
	a = unix_socket_connect(path);
	b = unix_socket_connect(path);
	assert_true(a >= 0 && b >= 0);
	settle();
	assert_int_equal(s.connected, 1);
	assert_int_equal(s.tells, 1);
	put("hello", 5);
	assert_int_equal(write(a, "hi", 2), 2);
	assert_int_equal(write(b, "later", 5), 5);
	settle();
	assert_int_equal(s.got_len, 2);
	assert_int_equal(read(a, buf, 8), 5);
	close(a);
	settle();
	assert_int_equal(s.tells, 3);
	assert_int_equal(s.connected, 1);
	assert_memory_equal(s.got, "hilater", 7);
	/* One that only listens makes way for the next. */
	shutdown(b, SHUT_WR);
	settle();
	assert_int_equal(s.connected, 1);
	put("ok", 2);
	settle();
	assert_int_equal(read(b, buf, 8), 2);
	a = unix_socket_connect(path);
	settle();
	assert_int_equal(s.tells, 5);
	assert_int_equal(read(b, buf, 8), 0);
	put("new", 3);
	settle();
	assert_int_equal(read(a, buf, 8), 3);
	/* A client that does not read, and goes. */
	while (put(big, 50000) == 50000)
		;
	close(a);
	settle();
	assert_int_equal(s.connected, 0);
	assert_true(s.writable > 0);
	port = port_free(port);
	close(b);
	unix_listener_done(&l);
	assert_int_equal(access(path, F_OK), -1);
}

/* Has only the watches for input, and the timer's, called. */
static void look_for_input(void)
{
	unsigned i;

	for (i = 0; i < FAKE_LOOP_MAX; i++)
		if (fl.watch[i].used && fl.watch[i].events == LOOP_IN)
			fl.watch[i].ready(fl.watch[i].opaque, LOOP_IN);
}

static void a_client_that_goes_leaves_nobody_waiting(void **state)
{
	struct unix_listener l = UNIX_LISTENER_INIT;
	char path[64], buf[8];
	unsigned i;
	int a, b;

	snprintf(path, sizeof(path), "/tmp/test-port-fd-%d", (int)getpid());
	assert_int_equal(unix_listener_init(&l, path, 4), 0);
	make(-1, -1, l.fd, true);
	a = unix_socket_connect(path);
	settle();
	while (put(big, 50000) == 50000)
		;
	assert_true(s.throttled);
	s.writable = s.drained = 0;
	/* The end of its input is seen before that of its output. */
	close(a);
	look_for_input();
	settle();
	assert_int_equal(s.connected, 0);
	assert_int_equal(s.writable, 1);
	assert_int_equal(s.drained, 1);
	/* One that makes way for the next. */
	a = unix_socket_connect(path);
	settle();
	while (put(big, 50000) == 50000)
		;
	shutdown(a, SHUT_WR);
	look_for_input();
	s.writable = s.drained = 0;
	b = unix_socket_connect(path);
	settle();
	assert_int_equal(s.connected, 1);
	assert_true(s.writable > 0);
	assert_int_equal(s.drained, 1);
	close(a);
	/* Of one whose leaving is noticed as the next comes that one is free. */
	shutdown(b, SHUT_WR);
	settle();
	close(b);
	put(big, 50000);
	b = unix_socket_connect(path);
	for (i = 0; i < FAKE_LOOP_MAX; i++)
		if (fl.watch[i].used && fl.watch[i].fd == l.fd)
			fl.watch[i].ready(fl.watch[i].opaque, LOOP_IN);
	settle();
	assert_int_equal(s.connected, 1);
	put("new", 3);
	settle();
	assert_int_equal(read(b, buf, 8), 3);
	close(b);
	port = port_free(port);
	unix_listener_done(&l);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(small_pieces_go_out_together),
		T(a_large_piece_goes_straight_and_waits_where_it_is),
		T(a_console_s_writer_is_held_while_its_reader_is_slow),
		T(what_is_discarded_is_counted),
		T(a_reader_that_has_gone_is_a_hang_up),
		T(an_error_is_told_once),
		T(input_comes_as_there_is_room),
		T(an_end_of_input_leaves_the_output),
		T(clients_come_and_go),
		T(a_client_that_goes_leaves_nobody_waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
