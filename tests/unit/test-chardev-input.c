// SPDX-License-Identifier: MIT
/* chardev_fd: input, files, and what is not there. */
#include "chardev_rig.h"

#include <errno.h>
#include <stdio.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_regular_file_is_read_and_written_at_its_offset),
		T(dev_null_as_input_ends_at_once),
		T(input_of_a_closed_pipe_is_read_to_its_end),
		T(input_waits_for_a_slow_guest),
		T(room_found_while_none_was_told_is_not_forgotten),
		T(a_nonblocking_input_without_data_is_no_end),
		T(without_descriptors_all_vanishes),
		T(a_closed_descriptor_is_refused),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
