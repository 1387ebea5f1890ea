// SPDX-License-Identifier: MIT
#include "test.h"

#include "debug_exit.h"
#include "fake_end.h"

static struct device *debug_exit, *test_exit;
static struct fake_end end;

static int setup(void **state)
{
	const struct end_sink sink = { fake_end_request, &end };

	end = (struct fake_end){ 0 };
	if (debug_exit_new(&sink, &debug_exit) < 0)
		return -1;
	return test_exit_new(&sink, &test_exit);
}

static int teardown(void **state)
{
	debug_exit = device_free(debug_exit);
	test_exit = device_free(test_exit);
	return 0;
}

static void expect(enum end_request kind, unsigned count, uint32_t value)
{
	assert_int_equal(end.count, count);
	assert_int_equal(end.kind, kind);
	assert_int_equal(end.value, value);
}

static void a_write_of_any_size_ends_with_its_value(void **state)
{
	dev_write(debug_exit, 0, 1, 0x10);
	expect(END_DEBUG_EXIT, 1, 0x10);
	dev_write(debug_exit, 0, 2, 0xabcd);
	expect(END_DEBUG_EXIT, 2, 0xabcd);
	dev_write(debug_exit, 0, 4, 0x89abcdef);
	expect(END_DEBUG_EXIT, 3, 0x89abcdef);
	dev_write(test_exit, 0, 4, 0);
	expect(END_TEST_EXIT, 4, 0);
	dev_write(test_exit, 0, 1, 3);
	expect(END_TEST_EXIT, 5, 3);
}

static void every_offset_counts(void **state)
{
	dev_write(debug_exit, 3, 1, 0x11);
	expect(END_DEBUG_EXIT, 1, 0x11);
	dev_write(test_exit, 2, 2, 0x1234);
	expect(END_TEST_EXIT, 2, 0x1234);
}

static void bits_beyond_the_size_are_not_part_of_the_value(void **state)
{
	dev_write(debug_exit, 0, 1, 0xffffff10);
	expect(END_DEBUG_EXIT, 1, 0x10);
	dev_write(test_exit, 0, 2, 0xffff0000);
	expect(END_TEST_EXIT, 2, 0);
}

static void they_take_1_2_and_4_bytes(void **state)
{
	assert_int_equal(debug_exit->ops->sizes, 7);
	assert_int_equal(test_exit->ops->sizes, 7);
}

static void reads_give_zero_and_end_nothing(void **state)
{
	assert_int_equal(dev_read(debug_exit, 0, 1), 0);
	assert_int_equal(dev_read(debug_exit, 0, 4), 0);
	assert_int_equal(dev_read(test_exit, 0, 1), 0);
	assert_int_equal(dev_read(test_exit, 0, 4), 0);
	assert_int_equal(end.count, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_write_of_any_size_ends_with_its_value),
		T(every_offset_counts),
		T(bits_beyond_the_size_are_not_part_of_the_value),
		T(they_take_1_2_and_4_bytes),
		T(reads_give_zero_and_end_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
