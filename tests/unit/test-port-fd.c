// SPDX-License-Identifier: MIT
/* A port on real descriptors, and behind a socket. */
#include "port_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>

#include "backend/unix_socket.h"

static bool make(int in_fd, int out_fd, int listen_fd, bool console)
{
	struct port_fd_config config = a_config();

	config.in_fd = in_fd;
	config.out_fd = out_fd;
	config.listen_fd = listen_fd;
	if (console) {
		config.output = on_output;
		config.throttle = on_throttle;
	}
	return make_as(&config);
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
