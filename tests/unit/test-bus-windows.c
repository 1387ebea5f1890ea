// SPDX-License-Identifier: MIT
/*
 * Windows of a bus: what lies where after each move, and moves while others look.
 */
#include "test.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "core/bus.h"

#define LEN 0x1000

/* Says who it is, and at which offset it was asked. */
struct toy {
	struct device dev;
	uint8_t name;
	uint64_t written_at;
};

static uint64_t toy_read(struct device *dev, uint64_t off, unsigned size)
{
	const struct toy *toy = container_of(dev, struct toy, dev);

	return (uint64_t)toy->name << 24 | off;
}

static void toy_write(struct device *dev, uint64_t off, unsigned size,
		      uint64_t val)
{
	container_of(dev, struct toy, dev)->written_at = off;
}

static const struct device_ops toy_ops = {
	.name = "toy", .sizes = 1 | 2 | 4, .read = toy_read, .write = toy_write,
};

static struct toy a = { .name = 0xa }, b = { .name = 0xb }, c = { .name = 0xc };
static struct bus bus;

static int setup(void **state)
{
	device_init(&a.dev, &toy_ops);
	device_init(&b.dev, &toy_ops);
	device_init(&c.dev, &toy_ops);
	bus_init(&bus, UINT64_MAX - 1);
	return 0;
}

static int teardown(void **state)
{
	bus_done(&bus);
	device_done(&a.dev);
	device_done(&b.dev);
	device_done(&c.dev);
	return 0;
}

static struct bus_window *window(struct toy *toy, uint64_t len, uint64_t off)
{
	struct bus_window *w = NULL;

	assert_int_equal(bus_add_window(&bus, len, &toy->dev, off, &w), 0);
	return w;
}

static uint32_t r32(uint64_t addr)
{
	uint64_t val;

	bus_read(&bus, addr, 4, &val);
	return (uint32_t)val;
}

static void a_window_answers_where_it_was_put(void **state)
{
	struct bus_window *w = window(&a, LEN, 0x100);

	assert_int_equal(r32(0), UINT32_MAX);
	assert_int_equal(bus.unclaimed[0].reads, 1);
	bus_move_window(&bus, w, 0x5000);
	assert_int_equal(r32(0x4ffc), UINT32_MAX);
	assert_int_equal(r32(0x5000), 0x0a000100);
	assert_int_equal(r32(0x5ffc), 0x0a0010fc);
	assert_int_equal(r32(0x5ffd), UINT32_MAX); /* ends beyond it */
	assert_int_equal(r32(0x6000), UINT32_MAX);
	assert_true(bus_write(&bus, 0x5010, 4, 1));
	assert_int_equal(a.written_at, 0x110);
	assert_ptr_equal(bus_find(&bus, 0x5fff), &a.dev);
	assert_null(bus_find(&bus, 0x6000));

	bus_move_window(&bus, w, UINT64_C(0x8000000000));
	assert_int_equal(r32(0x5000), UINT32_MAX);
	assert_false(bus_write(&bus, 0x5000, 4, 0));
	assert_int_equal(r32(UINT64_C(0x8000000004)), 0x0a000104);
	bus_move_window(&bus, w, BUS_NOWHERE);
	assert_int_equal(r32(UINT64_C(0x8000000004)), UINT32_MAX);
}

static void a_wide_access_is_split_as_in_a_range(void **state)
{
	struct bus_window *w = window(&a, LEN, 0);
	uint64_t val;

	bus_move_window(&bus, w, 0x5000);
	assert_true(bus_read(&bus, 0x5008, 8, &val));
	assert_true(val == UINT64_C(0x0a00000c0a000008));
	assert_true(bus_write(&bus, 0x5008, 8, 0));
	assert_int_equal(a.written_at, 12);
}

static void what_was_there_before_stays(void **state)
{
	struct bus_window *first = window(&a, LEN, 0);
	struct bus_window *second = window(&b, LEN, 0);

	assert_int_equal(bus_add(&bus, 0x5800, 0x100, &c.dev, 0), 0);
	bus_move_window(&bus, second, 0x5000);
	assert_int_equal(r32(0x5000), 0x0b000000);
	bus_move_window(&bus, first, 0x5400);
	/* The device that does not move, then whichever was added first. */
	assert_int_equal(r32(0x5000), 0x0b000000);
	assert_int_equal(r32(0x5400), 0x0a000000);
	assert_int_equal(r32(0x5800), 0x0c000000);
	assert_int_equal(r32(0x58fc), 0x0c0000fc);
	assert_int_equal(r32(0x58fe), UINT32_MAX); /* not whole in any */
	assert_int_equal(r32(0x5900), 0x0a000500);
	assert_ptr_equal(bus_find(&bus, 0x5800), &c.dev);
	bus_move_window(&bus, first, BUS_NOWHERE);
	assert_int_equal(r32(0x5400), 0x0b000400);
}

static void one_that_would_end_beyond_the_bus_is_nowhere(void **state)
{
	struct bus_window *w = window(&a, LEN, 0);

	bus_move_window(&bus, w, UINT64_MAX - LEN);
	assert_ptr_equal(bus_find(&bus, UINT64_MAX - 1), &a.dev);
	bus_move_window(&bus, w, UINT64_MAX - LEN + 1);
	assert_null(bus_find(&bus, UINT64_MAX - 1));
	/* What wraps around does not answer at the bottom. */
	bus_move_window(&bus, w, UINT64_MAX - 1);
	assert_null(bus_find(&bus, UINT64_MAX - 1));
	assert_null(bus_find(&bus, 0));
}

static void there_is_room_for_so_many(void **state)
{
	struct bus_window *w;
	unsigned i;

	assert_int_equal(bus_add_window(&bus, 0, &a.dev, 0, &w), -EINVAL);
	for (i = 0; i < BUS_WINDOWS_MAX; i++)
		bus_move_window(&bus, window(&a, 16, i), 0x100 + 16 * i);
	assert_int_equal(bus_add_window(&bus, 16, &a.dev, 0, &w), -ENOSPC);
	assert_int_equal(r32(0x100 + 16 * (BUS_WINDOWS_MAX - 1)),
			 0x0a000000 + BUS_WINDOWS_MAX - 1);
}

static void ports_can_have_windows_too(void **state)
{
	struct bus_window *w;

	bus_done(&bus);
	bus_init(&bus, 0xffff);
	w = window(&a, 16, 0);
	assert_int_equal(bus_add(&bus, 0x70, 2, &b.dev, 0), 0);
	bus_move_window(&bus, w, 0x68);
	assert_int_equal(r32(0x68), 0x0a000000);
	assert_ptr_equal(bus_find(&bus, 0x70), &b.dev);
	assert_ptr_equal(bus_find(&bus, 0x72), &a.dev);
	bus_move_window(&bus, w, 0xfff8);
	assert_null(bus_find(&bus, 0xfff8));
}

/* ---- threads ------------------------------------------------------------- */

#define MOVES 20000

static _Atomic bool done;

/* Whatever it gets belongs to where the window was at some moment. */
static void *look(void *opaque)
{
	unsigned *seen = opaque;
	uint64_t val;

	while (!done) {
		if (bus_read(&bus, 0x10010, 4, &val)) {
			if (val != 0x0a000010 && val != 0x0b000010)
				abort();
			++*seen;
		} else if (val != UINT32_MAX) {
			abort();
		}
		if (bus_read(&bus, 0x20010, 4, &val) && val != 0x0a000010)
			abort();
		bus_write(&bus, 0x20020, 4, 0);
	}
	return NULL;
}

static void it_moves_while_others_look(void **state)
{
	struct bus_window *wa = window(&a, LEN, 0), *wb = window(&b, LEN, 0);
	unsigned seen[2] = { 0, 0 }, i;
	pthread_t thread[2];

	done = false;
	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, look,
						&seen[i]),
				 0);
	for (i = 0; i < MOVES; i++) {
		bus_move_window(&bus, wa, 0x10000);
		bus_move_window(&bus, wb, i & 1 ? 0x10000 : BUS_NOWHERE);
		bus_move_window(&bus, wa, i & 2 ? 0x20000 : BUS_NOWHERE);
	}
	done = true;
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	bus_move_window(&bus, wa, 0x10000);
	assert_int_equal(r32(0x10010), 0x0a000010);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_window_answers_where_it_was_put),
		T(a_wide_access_is_split_as_in_a_range),
		T(what_was_there_before_stays),
		T(one_that_would_end_beyond_the_bus_is_nowhere),
		T(there_is_room_for_so_many),
		T(ports_can_have_windows_too),
		T(it_moves_while_others_look),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
