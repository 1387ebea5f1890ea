// SPDX-License-Identifier: MIT
#include "test.h"

#include "core/base.h"
#include "fake_loop.h"
#include "post_code.h"

static struct device *post;
static struct fake_loop fl;
static struct post_code_entry history[POST_CODE_HISTORY];

static int setup(void **state)
{
	fake_loop_init(&fl, 0);
	return post_code_new(&fl.loop, &post);
}

static int teardown(void **state)
{
	post = device_free(post);
	return 0;
}

static void there_is_no_code_before_the_first(void **state)
{
	assert_int_equal(post_code_last(post), -1);
	assert_int_equal(dev_read(post, 0, 1), 0);
	assert_int_equal(post_code_last(post), -1);
}

static void the_last_code_is_kept_and_reads_back(void **state)
{
	dev_write(post, 0, 1, 0x55);
	dev_write(post, 0, 1, 0xaa);
	assert_int_equal(post_code_last(post), 0xaa);
	assert_int_equal(dev_read(post, 0, 1), 0xaa);
	dev_write(post, 0, 1, 0x00);
	assert_int_equal(post_code_last(post), 0);
	dev_write(post, 0, 1, 0xff);
	assert_int_equal(post_code_last(post), 0xff);
}

static void a_reset_forgets_it(void **state)
{
	dev_write(post, 0, 1, 0x42);
	device_reset(post);
	assert_int_equal(post_code_last(post), -1);
	assert_int_equal(post_code_history(post, history, 16), 0);
	/* The first one after it is a change, the same code or not. */
	dev_write(post, 0, 1, 0x42);
	assert_int_equal(post_code_history(post, history, 16), 1);
}

static void assert_entry(const struct post_code_entry *e, unsigned code,
			 int64_t ns, uint64_t count)
{
	assert_int_equal(e->code, code);
	assert_int_equal(e->ns, ns);
	assert_int_equal(e->count, count);
}

static void changes_are_kept_with_time_and_count(void **state)
{
	fl.now[LOOP_CLOCK_HOST] = 999;
	fl.now[LOOP_CLOCK_VM] = 100;
	dev_write(post, 0, 1, 0x11);
	fl.now[LOOP_CLOCK_VM] = 200;
	dev_write(post, 0, 1, 0x11);
	dev_write(post, 0, 1, 0x11);
	fl.now[LOOP_CLOCK_VM] = 300;
	dev_write(post, 0, 1, 0x22);
	fl.now[LOOP_CLOCK_VM] = 400;
	dev_write(post, 0, 1, 0x11);

	assert_int_equal(post_code_history(post, history, 16), 3);
	assert_entry(&history[0], 0x11, 100, 3);
	assert_entry(&history[1], 0x22, 300, 1);
	assert_entry(&history[2], 0x11, 400, 1);
}

static int64_t reading;
static unsigned readings;

static int64_t counted_now(struct loop *loop, enum loop_clock clock)
{
	readings++;
	return reading;
}

/* A kernel's delays must not cost a reading of the host's clock each. */
static void a_code_that_repeats_costs_no_reading_of_the_clock(void **state)
{
	const struct loop_ops ops = { .now = counted_now };
	struct loop loop = { .ops = &ops };
	struct device *dev = NULL;
	unsigned i;

	readings = 0;
	assert_int_equal(post_code_new(&loop, &dev), 0);
	for (i = 0; i < 5000; i++)
		dev_write(dev, 0, 1, 0);
	assert_int_equal(readings, 1);
	assert_int_equal(post_code_history(dev, history, 16), 1);
	assert_entry(&history[0], 0, 0, 5000);
	device_free(dev);
}

static void the_last_sixteen_are_kept_oldest_first(void **state)
{
	unsigned i;

	for (i = 0; i < 100; i++) {
		fl.now[LOOP_CLOCK_VM] = i;
		dev_write(post, 0, 1, i);
	}
	assert_int_equal(post_code_history(post, history, 1000), 16);
	for (i = 0; i < 16; i++)
		assert_entry(&history[i], 84 + i, 84 + i, 1);
	/* Fewer are the newest ones. */
	assert_int_equal(post_code_history(post, history, 3), 3);
	assert_entry(&history[0], 97, 97, 1);
	assert_entry(&history[2], 99, 99, 1);
	assert_int_equal(post_code_history(post, history, 0), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(there_is_no_code_before_the_first),
		T(the_last_code_is_kept_and_reads_back),
		T(a_reset_forgets_it),
		T(changes_are_kept_with_time_and_count),
		T(a_code_that_repeats_costs_no_reading_of_the_clock),
		T(the_last_sixteen_are_kept_oldest_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
