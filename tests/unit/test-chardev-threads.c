// SPDX-License-Identifier: MIT
/* chardev_fd: vCPUs beside the loop's thread. For TSan too. */
#include "chardev_rig.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(writers_on_other_threads_lose_nothing),
		T(discarding_during_a_flush_keeps_the_count_right),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
