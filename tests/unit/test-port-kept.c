// SPDX-License-Identifier: MIT
/*
 * A port of a device that cannot wait, with nobody there at times: what is kept, and
 * who gets it. Behind a socket and a pseudo terminal.
 */
#include "port_rig.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>

#include "backend/chardev.h"
#include "backend/chardev_port.h"
#include "backend/pty.h"
#include "backend/unix_socket.h"

#define KEEP 65536u

static struct unix_listener listener;
static char path[64], name[PTY_NAME_MAX];
static int master;

static void make_line(int listen_fd, int pty_fd)
{
	struct port_fd_config config = a_config();

	config.listen_fd = listen_fd;
	config.pty_fd = pty_fd;
	config.keep = KEEP;
	config.takes_all = true;
	config.throttle = on_throttle;
	make_as(&config);
}

static void make_socket(void)
{
	snprintf(path, sizeof(path), "/tmp/test-port-kept-%d", (int)getpid());
	assert_int_equal(unix_listener_init(&listener, path, 4), 0);
	make_line(listener.fd, -1);
}

static int done_socket(void **state)
{
	int r = teardown(state);

	unix_listener_done(&listener);
	return r;
}

static void make_pty(void)
{
	master = pty_open(name);
	assert_true(master >= 0);
	make_line(-1, master);
}

static int done_pty(void **state)
{
	int r = teardown(state);

	close(master);
	return r;
}

/* A pty is looked at again and again, so it never settles. */
static void run_for(int ms)
{
	struct timespec now, end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_nsec += ms * NSEC_PER_MSEC;
	end.tv_sec += end.tv_nsec / NSEC_PER_SEC;
	end.tv_nsec %= NSEC_PER_SEC;
	do {
		turn(1);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec < end.tv_sec ||
		 (now.tv_sec == end.tv_sec && now.tv_nsec < end.tv_nsec));
}

/* Longer than the time between two looks at who has the pty open. */
static void a_while(void)
{
	run_for(450);
}

static int open_peer(int flags)
{
	int fd = open(name, flags | O_NOCTTY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* ---- a socket ----------------------------------------------------------- */

static void what_is_said_to_nobody_waits_for_the_first_to_come(void **state)
{
	int a;

	make_socket();
	assert_int_equal(put("hello ", 6), 6);
	settle();
	assert_int_equal(port->ops->pending(port), 0); /* for nobody */
	a = unix_socket_connect(path);
	settle();
	put("you", 3);
	settle();
	assert_reads(a, "hello you", 9);
	assert_int_equal(s.drained, 2);
	close(a);
}

static void the_latest_is_kept_and_nobody_is_held(void **state)
{
	size_t n;
	int a;

	make_socket();
	for (n = 0; n < 300000; n += 1000)
		assert_int_equal(put(big + n, 1000), 1000);
	assert_false(s.throttled);
	settle();
	a = unix_socket_connect(path);
	settle();
	assert_reads(a, big + 300000 - KEEP, KEEP);
	close(a);
}

static void a_slow_client_holds_the_writer_until_it_goes(void **state)
{
	size_t n = 0, sent, left;
	int a, b;

	make_socket();
	a = unix_socket_connect(path);
	settle();
	while (!s.throttled) {
		assert_int_equal(put(big + n, 700), 700);
		n += 700;
	}
	/* All vCPUs may write some more before they stand. */
	assert_int_equal(put(big + n, 200000), 200000);
	n += 200000;
	assert_true(port->ops->pending(port) > 200000);
	sent = n - port->ops->pending(port);
	assert_reads(a, big, sent);
	settle();
	left = port->ops->pending(port);
	assert_true(left < 200000 + KEEP);
	close(a);
	settle();
	assert_false(s.throttled);
	assert_int_equal(s.connected, 0);
	assert_int_equal(port->ops->pending(port), 0);
	/* The end of what was not sent yet is the next one's. */
	b = unix_socket_connect(path);
	settle();
	if (left > KEEP)
		left = KEEP;
	assert_reads(b, big + n - left, left);
	close(b);
}

static void what_is_discarded_is_not_kept(void **state)
{
	int a;

	make_socket();
	a = unix_socket_connect(path);
	settle();
	while (!s.throttled)
		put(big, 1000);
	assert_true(port->ops->discard(port) > KEEP);
	assert_int_equal(port->ops->pending(port), 0);
	settle();
	assert_int_equal(s.drained, 1);
	close(a);
}

/* ---- a pseudo terminal -------------------------------------------------- */

static void a_pty_is_raw_and_nobody_is_there_at_first(void **state)
{
	struct termios t;
	int fd;

	make_pty();
	assert_false(pty_has_peer(master));
	fd = open_peer(O_RDWR);
	assert_true(pty_has_peer(master));
	assert_int_equal(tcgetattr(fd, &t), 0);
	assert_false(t.c_lflag & (ECHO | ICANON | ISIG | IEXTEN));
	assert_false(t.c_iflag & (ICRNL | IXON));
	assert_false(t.c_oflag & OPOST);
	close(fd);
	assert_false(pty_has_peer(master));
	assert_int_equal(fcntl(master, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

static void who_opens_a_pty_gets_what_was_kept(void **state)
{
	static const char text[] = "\0\3\4\r\n\21\23\177\377 all bytes";
	int fd;

	make_pty();
	put(text, sizeof(text));
	a_while();
	assert_int_equal(port->ops->pending(port), 0);
	fd = open_peer(O_RDWR | O_NONBLOCK);
	a_while();
	assert_int_equal(s.connected, 1);
	assert_reads(fd, text, sizeof(text));
	assert_int_equal(write(fd, text, sizeof(text)), sizeof(text));
	run_for(20);
	assert_int_equal(s.got_len, sizeof(text));
	assert_memory_equal(s.got, text, sizeof(text));
	/* It leaves, and another comes. */
	close(fd);
	a_while();
	assert_int_equal(s.connected, 0);
	put("again", 5);
	fd = open_peer(O_RDONLY);
	a_while();
	assert_reads(fd, "again", 5);
	close(fd);
}

static void who_writes_and_leaves_is_heard(void **state)
{
	int fd;

	make_pty();
	fd = open_peer(O_WRONLY);
	assert_int_equal(write(fd, "reboot", 6), 6);
	close(fd);
	a_while();
	assert_int_equal(s.got_len, 6);
	assert_int_equal(s.connected, 0);
	/* Without room it waits, and meanwhile somebody else may come. */
	s.room = 0;
	fd = open_peer(O_WRONLY);
	assert_int_equal(write(fd, "more", 4), 4);
	close(fd);
	a_while();
	put("x", 1);
	fd = open_peer(O_RDWR);
	a_while();
	assert_reads(fd, "x", 1);
	s.room = 100;
	port->ops->want_input(port);
	run_for(20);
	assert_int_equal(s.got_len, 10);
	close(fd);
}

static void a_slow_reader_of_a_pty_loses_nothing(void **state)
{
	size_t n = 0, r = 0;
	int fd;

	make_pty();
	fd = open_peer(O_RDWR);
	a_while();
	while (!s.throttled && n < sizeof(big) - 1000) {
		put(big + n, 1000);
		n += 1000;
	}
	assert_true(s.throttled);
	for (; r < n; r += 500) {
		if (r % 2000 == 0)
			run_for(20);
		assert_reads(fd, big + r, 500);
	}
	run_for(20);
	assert_false(s.throttled);
	assert_int_equal(s.drained, 1);
	close(fd);
}

static void what_a_pty_s_reader_has_not_read_yet_is_pending(void **state)
{
	int fd;

	make_pty();
	fd = open_peer(O_RDWR);
	a_while();
	put("the last line", 13);
	run_for(20);
	assert_int_equal(port->ops->pending(port), 13);
	assert_int_equal(s.drained, 0);
	assert_reads(fd, "the last line", 13);
	a_while();
	assert_int_equal(port->ops->pending(port), 0);
	assert_int_equal(s.drained, 1);
	/* And can be given up. */
	put("unread", 6);
	run_for(20);
	assert_int_equal(port->ops->discard(port), 6);
	assert_int_equal(port->ops->pending(port), 0);
	a_while();
	assert_int_equal(s.drained, 2);
	close(fd);
}

/* ---- as a serial line --------------------------------------------------- */

static void a_serial_line_is_a_port_s_other_side(void **state)
{
	static const struct chardev_front front = { .room = on_room,
						    .receive = on_receive };
	struct chardev *chr;
	int a;

	make_socket();
	assert_int_equal(chardev_port_new(port, &chr), 0);
	port = NULL;
	chr->ops->attach(chr, &front);
	chr->ops->write(chr, (const uint8_t *)"out", 3);
	a = unix_socket_connect(path);
	assert_int_equal(write(a, "in", 2), 2);
	settle();
	assert_reads(a, "out", 3);
	assert_memory_equal(s.got, "in", 2);
	while (!s.throttled)
		chr->ops->write(chr, big, 100);
	assert_true(chr->ops->pending(chr) > KEEP);
	assert_true(chr->ops->discard(chr) > KEEP);
	settle();
	assert_int_equal(chr->ops->pending(chr), 0);
	chr = chardev_free(chr);
	close(a);
}

#define SOCKET(fn) cmocka_unit_test_setup_teardown(fn, setup, done_socket)
#define PTY(fn) cmocka_unit_test_setup_teardown(fn, setup, done_pty)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SOCKET(what_is_said_to_nobody_waits_for_the_first_to_come),
		SOCKET(the_latest_is_kept_and_nobody_is_held),
		SOCKET(a_slow_client_holds_the_writer_until_it_goes),
		SOCKET(what_is_discarded_is_not_kept),
		PTY(a_pty_is_raw_and_nobody_is_there_at_first),
		PTY(who_opens_a_pty_gets_what_was_kept),
		PTY(who_writes_and_leaves_is_heard),
		PTY(a_slow_reader_of_a_pty_loses_nothing),
		PTY(what_a_pty_s_reader_has_not_read_yet_is_pending),
		SOCKET(a_serial_line_is_a_port_s_other_side),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
