// SPDX-License-Identifier: MIT
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "backend/chardev.h"
#include "backend/chardev_fd.h"
#include "backend/fd_sink.h"
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

static void on_throttle(void *opaque, bool on)
{
	seen.out_of_turn |= on == seen.throttled;
	seen.throttled = on;
	seen.throttles += on;
}

static void on_drained(void *opaque)
{
	seen.drained++;
}

static void on_failed(void *opaque, int err)
{
	seen.failed++;
	seen.err = err;
}

static size_t front_room(void *opaque)
{
	return seen.room;
}

static void front_receive(void *opaque, const uint8_t *buf, size_t len)
{
	assert_in_range(len, 1, seen.room);
	assert_in_range(seen.got_len + len, 1, sizeof(seen.got));
	memcpy(seen.got + seen.got_len, buf, len);
	seen.got_len += len;
	seen.room -= len;
}

static void make(int in_fd, int out_fd)
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

static int setup(void **state)
{
	fake_loop_init(&fl, 0);
	memset(&seen, 0, sizeof(seen));
	chr = NULL;
	return 0;
}

static int teardown(void **state)
{
	unsigned i;

	chr = chardev_free(chr);
	for (i = 0; i < FAKE_LOOP_MAX; i++)
		assert_false(fl.watch[i].used);
	assert_false(seen.out_of_turn);
	return 0;
}

/* One turn of a real loop over the fake one's watches. */
static unsigned turn(int wait_ms)
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
static void settle(void)
{
	while (turn(20))
		;
}

static void send_text(const char *text)
{
	chr->ops->write(chr, (const uint8_t *)text, strlen(text));
}

static void want_input(size_t room)
{
	seen.room = room;
	chr->ops->want_input(chr);
}

static bool is_watched(int fd)
{
	unsigned i;

	for (i = 0; i < FAKE_LOOP_MAX; i++)
		if (fl.watch[i].used && fl.watch[i].fd == fd)
			return fl.watch[i].events != 0;
	return false;
}

static void make_pipe(int fd[2])
{
	assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
}

static void close_pair(const int fd[2])
{
	close(fd[0]);
	close(fd[1]);
}

/* A sequence that no shift or loss leaves unseen. */
static uint8_t byte_at(size_t i)
{
	return (uint8_t)(i ^ i >> 8 ^ i >> 16);
}

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

static void a_regular_file_is_read_and_written_at_its_offset(void **state)
{
	FILE *from = tmpfile(), *to = tmpfile();
	char buf[64];

	assert_non_null(from);
	assert_non_null(to);
	assert_int_equal(write(fileno(from), "input", 5), 5);
	assert_int_equal(lseek(fileno(from), 0, SEEK_SET), 0);
	assert_int_equal(write(fileno(to), "before ", 7), 7);
	make(fileno(from), fileno(to));
	seen.room = 100;
	send_text("after");
	settle();
	assert_int_equal(pread(fileno(to), buf, sizeof(buf), 0), 12);
	assert_memory_equal(buf, "before after", 12);
	assert_int_equal(seen.got_len, 5);
	assert_memory_equal(seen.got, "input", 5);
	assert_false(is_watched(fileno(from)));
	chr = chardev_free(chr);
	fclose(from);
	fclose(to);
}

static void dev_null_as_input_ends_at_once(void **state)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	make(fd, fd);
	seen.room = 1;
	send_text("x");
	settle();
	assert_false(is_watched(fd));
	assert_int_equal(seen.got_len, 0);
	assert_int_equal(seen.drained, 1);
	/* For good. */
	want_input(1);
	assert_false(is_watched(fd));
	close(fd);
}

static void input_of_a_closed_pipe_is_read_to_its_end(void **state)
{
	int fd[2];

	make_pipe(fd);
	assert_int_equal(write(fd[1], "last words", 10), 10);
	close(fd[1]);
	make(fd[0], -1);
	seen.room = 4;
	settle();
	assert_int_equal(seen.got_len, 4);
	want_input(100);
	settle();
	assert_int_equal(seen.got_len, 10);
	assert_memory_equal(seen.got, "last words", 10);
	assert_false(is_watched(fd[0]));
	close(fd[0]);
}

static void input_waits_for_a_slow_guest(void **state)
{
	size_t i, len = 1000;
	int fd[2];

	make_pipe(fd);
	make(fd[0], -1);
	for (i = 0; i < len; i++) {
		uint8_t byte = byte_at(i);

		assert_int_equal(write(fd[1], &byte, 1), 1);
	}
	turn(0);
	/* No room, so nobody looks at the pipe until there is. */
	assert_false(is_watched(fd[0]));
	while (seen.got_len < len) {
		want_input(1 + seen.got_len % 7);
		assert_true(is_watched(fd[0]));
		while (turn(0))
			;
		if (seen.got_len == len)
			break;
		assert_false(is_watched(fd[0]));
		assert_int_equal(seen.room, 0);
	}
	for (i = 0; i < len; i++)
		assert_int_equal((uint8_t)seen.got[i], byte_at(i));
	close_pair(fd);
}

static size_t room_that_appears_late(void *opaque)
{
	chr->ops->want_input(chr);
	return 0;
}

static void room_found_while_none_was_told_is_not_forgotten(void **state)
{
	struct chardev_front front = { .room = room_that_appears_late };
	int fd[2];

	make_pipe(fd);
	make(fd[0], -1);
	chr->ops->attach(chr, &front);
	assert_int_equal(write(fd[1], "x", 1), 1);
	assert_int_equal(turn(0), 1);
	assert_true(is_watched(fd[0]));
	close_pair(fd);
}

static void a_nonblocking_input_without_data_is_no_end(void **state)
{
	int fd[2];

	make_pipe(fd);
	assert_int_equal(fcntl(fd[0], F_SETFL, O_NONBLOCK), 0);
	make(fd[0], -1);
	seen.room = 10;
	/* Another reader was quicker. */
	assert_int_equal(fake_loop_ready(&fl, fd[0], LOOP_IN), 1);
	assert_true(is_watched(fd[0]));
	assert_int_equal(write(fd[1], "x", 1), 1);
	settle();
	assert_int_equal(seen.got_len, 1);
	close_pair(fd);
}

static void without_descriptors_all_vanishes(void **state)
{
	make(-1, -1);
	send_text("x");
	assert_int_equal(chardev_fd_pending(chr), 0);
	assert_int_equal(chardev_fd_discard(chr), 0);
	want_input(10);
	assert_int_equal(turn(0), 0);
}

static void a_closed_descriptor_is_refused(void **state)
{
	struct chardev_fd_config config = {
		.loop = &fl.loop,
		.in_fd = -1,
	};
	int fd[2];

	make_pipe(fd);
	close_pair(fd);
	config.out_fd = fd[1];
	assert_int_equal(chardev_fd_new(&config, &chr), -EBADF);
	assert_null(chr);
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

#define THREAD_BYTES (256u * 1024)
#define WRITERS 2

static void *writer(void *opaque)
{
	uint8_t id = (uint8_t)(uintptr_t)opaque;
	size_t i;

	/* Each byte: which writer, and a count modulo 128. */
	for (i = 0; i < THREAD_BYTES; i++) {
		uint8_t byte = (uint8_t)(id << 7 | (i & 0x7f));

		while (chardev_fd_pending(chr) > CHARDEV_FD_HIGH)
			sched_yield();
		chr->ops->write(chr, &byte, 1);
	}
	return NULL;
}

/* For TSan too: two vCPUs write while the loop's thread flushes. */
static void writers_on_other_threads_lose_nothing(void **state)
{
	size_t next[WRITERS] = { 0 }, got = 0;
	pthread_t thread[WRITERS];
	uint8_t buf[4096];
	uintptr_t w;
	int fd[2];

	make_pipe(fd);
	assert_int_equal(fcntl(fd[0], F_SETFL, O_NONBLOCK), 0);
	make(-1, fd[1]);
	for (w = 0; w < WRITERS; w++)
		assert_int_equal(pthread_create(&thread[w], NULL, writer,
						(void *)w),
				 0);
	while (got < WRITERS * THREAD_BYTES) {
		ssize_t i, n;

		turn(1);
		n = read(fd[0], buf, sizeof(buf));
		for (i = 0; i < n; i++) {
			unsigned id = buf[i] >> 7;

			assert_int_equal(buf[i] & 0x7f, next[id]++ & 0x7f);
		}
		got += n > 0 ? (size_t)n : 0;
	}
	for (w = 0; w < WRITERS; w++)
		pthread_join(thread[w], NULL);
	settle();
	assert_int_equal(chardev_fd_pending(chr), 0);
	assert_false(seen.throttled);
	close_pair(fd);
}

static atomic_bool enough;

static void *discarder(void *opaque)
{
	size_t *dropped = opaque;

	while (!atomic_load(&enough)) {
		*dropped += chardev_fd_discard(chr);
		sched_yield();
	}
	return NULL;
}

/*
 * A write under way must not be counted on top of the discard. Large writes to
 * a file, so that some are.
 */
static void discarding_during_a_flush_keeps_the_count_right(void **state)
{
	static uint8_t buf[MIB(1)];
	size_t dropped = 0, sent = 0;
	FILE *file = tmpfile();
	pthread_t thread;
	int i;

	assert_non_null(file);
	make(-1, fileno(file));
	atomic_store(&enough, false);
	assert_int_equal(pthread_create(&thread, NULL, discarder, &dropped), 0);
	for (i = 0; i < 200; i++) {
		chr->ops->write(chr, buf, sizeof(buf));
		sent += sizeof(buf);
		/* The output's own watch: a flush now, not a tick later. */
		fl.watch[0].ready(fl.watch[0].opaque, LOOP_OUT);
		assert_int_equal(chardev_fd_pending(chr), 0);
		assert_int_equal(lseek(fileno(file), 0, SEEK_SET), 0);
	}
	atomic_store(&enough, true);
	pthread_join(thread, NULL);
	settle();
	assert_in_range(dropped, 0, sent);
	assert_int_equal(seen.failed, 0);
	assert_false(seen.throttled);
	chr = chardev_free(chr);
	fclose(file);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

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
		T(a_regular_file_is_read_and_written_at_its_offset),
		T(dev_null_as_input_ends_at_once),
		T(input_of_a_closed_pipe_is_read_to_its_end),
		T(input_waits_for_a_slow_guest),
		T(room_found_while_none_was_told_is_not_forgotten),
		T(a_nonblocking_input_without_data_is_no_end),
		T(without_descriptors_all_vanishes),
		T(a_closed_descriptor_is_refused),
		T(a_pipe_that_cannot_be_opened_anew_is_not_waited_for),
		T(writers_on_other_threads_lose_nothing),
		T(discarding_during_a_flush_keeps_the_count_right),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
