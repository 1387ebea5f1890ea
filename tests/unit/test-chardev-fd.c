// SPDX-License-Identifier: MIT
/* chardev_fd: output to every kind of descriptor. */
#include "chardev_rig.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <termios.h>

#include "backend/fd_sink.h"

static void a_burst_is_gathered_into_one_write(void **state)
{
	char buf[64];
	int fd[2];
	int i;

	/* A datagram keeps the borders of the writes visible. */
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, fd), 0);
	make(-1, fd[1]);
	for (i = 0; i < 10; i++)
		send_text("ab");
	assert_int_equal(chardev_fd_pending(chr), 20);
	assert_int_equal(recv(fd[0], buf, sizeof(buf), MSG_DONTWAIT), -1);
	settle();
	assert_int_equal(recv(fd[0], buf, sizeof(buf), MSG_DONTWAIT), 20);
	assert_memory_equal(buf, "abababababababababab", 20);
	assert_int_equal(chardev_fd_pending(chr), 0);
	assert_int_equal(seen.drained, 1);
	/* Nothing is due any more. */
	assert_int_equal(turn(5), 0);
	send_text("c");
	settle();
	assert_int_equal(recv(fd[0], buf, sizeof(buf), MSG_DONTWAIT), 1);
	assert_int_equal(seen.drained, 2);
	close_pair(fd);
}

/*
 * Moves `total` bytes to a reader that looks only once the guest is held, and
 * takes at most `bite` a turn.
 */
static void move(int from, size_t total, size_t bite)
{
	size_t sent = 0, got = 0;
	uint8_t buf[8192];

	while (got < total) {
		size_t i, len = 700;
		ssize_t n;

		for (i = 0; i < len && sent + i < total; i++)
			buf[i] = byte_at(sent + i);
		/* As the board does: a held vCPU writes nothing. */
		if (!seen.throttled && i) {
			chr->ops->write(chr, buf, i);
			sent += i;
		}
		turn(0);
		if (!seen.throttled && sent < total)
			continue;
		n = recv(from, buf, bite, MSG_DONTWAIT);
		if (n < 0 && errno == ENOTSOCK)
			n = read(from, buf, bite);
		if (n < 0 && errno == EAGAIN)
			turn(1);
		for (i = 0; n > 0 && i < (size_t)n; i++)
			if (buf[i] != byte_at(got + i))
				fail_msg("wrong byte at %zu", got + i);
		got += n > 0 ? (size_t)n : 0;
		assert_in_range(chardev_fd_pending(chr), 0,
				CHARDEV_FD_HIGH + len);
	}
	settle();
	assert_int_equal(sent, total);
	assert_int_equal(chardev_fd_pending(chr), 0);
	assert_in_range(seen.throttles, 2, total);
	assert_false(seen.throttled);
	assert_in_range(seen.drained, 1, total);
	assert_int_equal(seen.failed, 0);
}

static void a_slow_reader_of_a_pipe_loses_nothing(void **state)
{
	int fd[2], flags;

	make_pipe(fd);
	flags = fcntl(fd[1], F_GETFL);
	make(-1, fd[1]);
	assert_int_equal(fcntl(fd[0], F_SETFL, O_NONBLOCK), 0);
	move(fd[0], MIB(2), 4096);
	assert_int_equal(fcntl(fd[1], F_GETFL), flags);
	assert_int_equal(flags & O_NONBLOCK, 0);
	close_pair(fd);
}

static void a_slow_reader_of_a_socket_loses_nothing(void **state)
{
	int fd[2], flags;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	flags = fcntl(fd[1], F_GETFL);
	make(fd[1], fd[1]);
	move(fd[0], MIB(1), 1000);
	assert_int_equal(fcntl(fd[1], F_GETFL), flags);
	close_pair(fd);
}

/* A raw terminal, or false where there are none to be had. */
static bool make_pty(int fd[2])
{
	struct termios t;
	char name[64];

	fd[0] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (fd[0] < 0 || unlockpt(fd[0]) < 0 ||
	    ptsname_r(fd[0], name, sizeof(name)))
		return false;
	fd[1] = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd[1] < 0 || tcgetattr(fd[1], &t) < 0)
		return false;
	cfmakeraw(&t);
	return tcsetattr(fd[1], TCSANOW, &t) == 0;
}

static void a_slow_reader_of_a_terminal_loses_nothing(void **state)
{
	int fd[2], flags;

	if (!make_pty(fd))
		skip();
	flags = fcntl(fd[1], F_GETFL);
	make(fd[1], fd[1]);
	move(fd[0], MIB(1), 1000);
	assert_int_equal(write(fd[0], "typed", 5), 5);
	want_input(5);
	settle();
	assert_memory_equal(seen.got, "typed", 5);
	assert_int_equal(fcntl(fd[1], F_GETFL), flags);
	close_pair(fd);
}

/* To open /dev/ptmx anew would make another terminal. */
static void a_terminals_master_is_written_to_itself(void **state)
{
	char buf[8];
	int fd[2];

	if (!make_pty(fd))
		skip();
	make(fd[0], fd[0]);
	send_text("hello");
	settle();
	assert_int_equal(read(fd[1], buf, sizeof(buf)), 5);
	assert_memory_equal(buf, "hello", 5);
	close_pair(fd);
}

static void a_broken_pipe_fails_once_and_then_output_vanishes(void **state)
{
	int fd[2];

	make_pipe(fd);
	make(-1, fd[1]);
	close(fd[0]);
	send_text("lost");
	settle();
	assert_int_equal(seen.failed, 1);
	assert_int_equal(seen.err, EPIPE);
	assert_int_equal(seen.drained, 1);
	assert_int_equal(chardev_fd_pending(chr), 0);
	send_text("more");
	assert_int_equal(chardev_fd_pending(chr), 0);
	settle();
	assert_int_equal(seen.failed, 1);
	close(fd[1]);
}

static void a_reader_that_goes_away_lifts_the_throttle(void **state)
{
	static uint8_t zeros[4096];
	int fd[2];

	make_pipe(fd);
	make(-1, fd[1]);
	while (!seen.throttled) {
		chr->ops->write(chr, zeros, sizeof(zeros));
		settle();
	}
	assert_in_range(chardev_fd_pending(chr), CHARDEV_FD_HIGH + 1,
			CHARDEV_FD_HIGH + sizeof(zeros));
	assert_int_equal(turn(5), 0);
	seen.drained = 0;
	close(fd[0]);
	settle();
	assert_false(seen.throttled);
	assert_int_equal(seen.err, EPIPE);
	assert_int_equal(seen.drained, 1);
	close(fd[1]);
}

static void a_full_disk_fails_with_its_own_errno(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	make(-1, fd);
	send_text("x");
	settle();
	assert_int_equal(seen.failed, 1);
	assert_int_equal(seen.err, ENOSPC);
	close(fd);
}

static void discard_drops_what_a_stuck_reader_left(void **state)
{
	static uint8_t zeros[4096];
	size_t pending;
	int fd[2];

	make_pipe(fd);
	make(-1, fd[1]);
	while (!seen.throttled) {
		chr->ops->write(chr, zeros, sizeof(zeros));
		settle();
	}
	seen.drained = 0;
	pending = chardev_fd_pending(chr);
	assert_int_equal(chardev_fd_discard(chr), pending);
	assert_int_equal(chardev_fd_pending(chr), 0);
	assert_false(seen.throttled);
	assert_int_equal(seen.drained, 0);
	settle();
	assert_int_equal(seen.drained, 1);
	assert_int_equal(chardev_fd_discard(chr), 0);
	settle();
	assert_int_equal(seen.drained, 1);
	close_pair(fd);
}

/* Where /proc is missing, or the terminal is another user's. */
static void a_pipe_that_cannot_be_opened_anew_is_not_waited_for(void **state)
{
	struct fd_sink sink;
	uint8_t buf[4096] = { 0 };
	size_t sent = 0, got = 0;
	ssize_t n;
	int fd[2];

	make_pipe(fd);
	assert_int_equal(fd_sink_init(&sink, fd[1]), 0);
	assert_int_equal(sink.kind, FD_SINK_WRITE);
	fd_sink_done(&sink);

	sink.kind = FD_SINK_POLL;
	sink.fd = fd[1];
	while ((n = fd_sink_write(&sink, buf, sizeof(buf))) > 0)
		sent += (size_t)n;
	assert_int_equal(n, -EAGAIN);
	assert_in_range(sent, 4096, MIB(1));
	while (got < sent) {
		n = read(fd[0], buf, sizeof(buf));
		assert_true(n > 0);
		got += (size_t)n;
	}
	assert_int_equal(fd_sink_write(&sink, buf, 100), 100);
	close_pair(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_burst_is_gathered_into_one_write),
		T(a_slow_reader_of_a_pipe_loses_nothing),
		T(a_slow_reader_of_a_socket_loses_nothing),
		T(a_slow_reader_of_a_terminal_loses_nothing),
		T(a_terminals_master_is_written_to_itself),
		T(a_broken_pipe_fails_once_and_then_output_vanishes),
		T(a_reader_that_goes_away_lifts_the_throttle),
		T(a_full_disk_fails_with_its_own_errno),
		T(discard_drops_what_a_stuck_reader_left),
		T(a_pipe_that_cannot_be_opened_anew_is_not_waited_for),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
