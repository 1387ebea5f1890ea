// SPDX-License-Identifier: MIT
#include "test.h"

#include "post_code.h"

static struct device *post;

static int setup(void **state)
{
	return post_code_new(&post);
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
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(there_is_no_code_before_the_first),
		T(the_last_code_is_kept_and_reads_back),
		T(a_reset_forgets_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
