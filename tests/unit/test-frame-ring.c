// SPDX-License-Identifier: MIT
/* Frames between two threads. */
#include "test.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "backend/frame_ring.h"

#define SIZE 1024u

static struct frame_ring ring;

static int setup(void **state)
{
	return frame_ring_init(&ring, SIZE);
}

static int teardown(void **state)
{
	frame_ring_done(&ring);
	return 0;
}

static bool put(uint8_t fill, size_t len)
{
	void *to = frame_ring_room(&ring, len);

	if (!to)
		return false;
	memset(to, fill, len);
	frame_ring_put(&ring, len);
	return true;
}

static void take(uint8_t fill, size_t want)
{
	size_t len = 0, i;
	const uint8_t *p = frame_ring_first(&ring, &len);

	assert_non_null(p);
	assert_int_equal(len, want);
	for (i = 0; i < len; i++)
		assert_int_equal(p[i], fill);
	frame_ring_drop(&ring);
}

static void frames_come_out_as_they_went_in(void **state)
{
	size_t len = 7;

	assert_null(frame_ring_first(&ring, &len));
	assert_int_equal(len, 7);
	assert_true(put(1, 60));
	assert_true(put(2, 0));
	assert_true(put(3, 1));
	take(1, 60);
	take(2, 0);
	take(3, 1);
	assert_int_equal(frame_ring_used(&ring), 0);
	assert_null(frame_ring_first(&ring, &len));
}

static void there_is_room_for_so_much_and_again_when_it_is_taken(void **state)
{
	unsigned n = 0, i;

	while (put((uint8_t)n, 100))
		n++;
	assert_int_equal(n, SIZE / 112);
	assert_true(frame_ring_used(&ring) <= SIZE);
	take(0, 100);
	assert_true(put((uint8_t)n, 80));
	for (i = 1; i < n; i++)
		take((uint8_t)i, 100);
	take((uint8_t)n, 80);
}

static void each_length_fits_at_each_place(void **state)
{
	size_t begin, len;

	for (begin = 0; begin < SIZE; begin += 8)
		for (len = 0; len < SIZE / 2 - 8; len += 5) {
			atomic_store(&ring.head, begin);
			atomic_store(&ring.tail, begin);
			assert_true(put(0xa5, len));
			take(0xa5, len);
		}
}

static void positions_may_wrap(void **state)
{
	unsigned i;

	atomic_store(&ring.head, SIZE_MAX - 263);
	atomic_store(&ring.tail, SIZE_MAX - 263);
	for (i = 0; i < 20; i++) {
		assert_true(put((uint8_t)i, 90));
		assert_true(put((uint8_t)i, 300));
		take((uint8_t)i, 90);
		take((uint8_t)i, 300);
	}
	assert_true(atomic_load(&ring.tail) < SIZE_MAX / 2);
}

#define FRAMES 20000u

static void *writer(void *opaque)
{
	unsigned i = 0;

	while (i < FRAMES) {
		if (put((uint8_t)i, i * 37 % 400))
			i++;
		else
			sched_yield();
	}
	return NULL;
}

static void a_reader_and_a_writer_need_no_lock(void **state)
{
	pthread_t thread;
	unsigned i = 0;

	assert_int_equal(pthread_create(&thread, NULL, writer, NULL), 0);
	while (i < FRAMES) {
		if (frame_ring_used(&ring)) {
			take((uint8_t)i, i * 37 % 400);
			i++;
		} else {
			sched_yield();
		}
	}
	pthread_join(thread, NULL);
	assert_int_equal(frame_ring_used(&ring), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(frames_come_out_as_they_went_in),
		T(there_is_room_for_so_much_and_again_when_it_is_taken),
		T(each_length_fits_at_each_place),
		T(positions_may_wrap),
		T(a_reader_and_a_writer_need_no_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
