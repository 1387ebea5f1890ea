// SPDX-License-Identifier: MIT
#include "test.h"

#include "debugcon.h"
#include "fake_chardev.h"

static struct device *debugcon;
static struct fake_chardev chr;

static int setup(void **state)
{
	fake_chardev_init(&chr);
	return debugcon_new(&chr.chr, &debugcon);
}

static int teardown(void **state)
{
	debugcon = device_free(debugcon);
	return 0;
}

static void a_read_gives_e9_and_is_no_output(void **state)
{
	assert_int_equal(dev_read(debugcon, 0, 1), 0xe9);
	assert_int_equal(chr.out_len, 0);
	assert_int_equal(debugcon_count(debugcon), 0);
}

static void every_byte_goes_out_as_it_is(void **state)
{
	unsigned i;

	for (i = 0; i < 256; i++)
		dev_write(debugcon, 0, 1, i);
	assert_int_equal(chr.out_len, 256);
	for (i = 0; i < 256; i++)
		assert_int_equal(chr.out[i], i);
	assert_int_equal(debugcon_count(debugcon), 256);
}

static void a_reset_counts_anew(void **state)
{
	dev_write(debugcon, 0, 1, 'a');
	device_reset(debugcon);
	assert_int_equal(debugcon_count(debugcon), 0);
	dev_write(debugcon, 0, 1, 'b');
	assert_int_equal(debugcon_count(debugcon), 1);
	assert_int_equal(chr.out_len, 2);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_read_gives_e9_and_is_no_output),
		T(every_byte_goes_out_as_it_is),
		T(a_reset_counts_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
