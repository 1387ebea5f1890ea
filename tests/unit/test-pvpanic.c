// SPDX-License-Identifier: MIT
/* By QEMU's docs/specs/pvpanic. */
#include "test.h"

#include "fake_end.h"
#include "pvpanic.h"

static struct device *pvpanic;
static struct fake_end end;

static int setup(void **state)
{
	const struct end_sink sink = { fake_end_request, &end };

	end = (struct fake_end){ 0 };
	return pvpanic_new(&sink, &pvpanic);
}

static int teardown(void **state)
{
	pvpanic = device_free(pvpanic);
	return 0;
}

static void a_read_tells_the_two_events_and_reports_none(void **state)
{
	assert_int_equal(dev_read(pvpanic, 0, 1), 3);
	assert_int_equal(end.count, 0);
}

static void bit_0_is_a_panic(void **state)
{
	dev_write(pvpanic, 0, 1, 1);
	assert_int_equal(end.count, 1);
	assert_int_equal(end.kind, END_PANIC);
	assert_string_equal(end.who, "pvpanic, port 0x505");
}

static void bit_1_is_a_crash_that_the_guest_handles(void **state)
{
	dev_write(pvpanic, 0, 1, 2);
	assert_int_equal(end.count, 1);
	assert_int_equal(end.kind, END_CRASHLOADED);
}

static void of_both_the_panic_counts(void **state)
{
	dev_write(pvpanic, 0, 1, 3);
	assert_int_equal(end.count, 1);
	assert_int_equal(end.kind, END_PANIC);
}

static void bits_that_it_does_not_know_are_ignored(void **state)
{
	dev_write(pvpanic, 0, 1, 0);
	dev_write(pvpanic, 0, 1, 0xfc);
	assert_int_equal(end.count, 0);
	dev_write(pvpanic, 0, 1, 0xfd);
	assert_int_equal(end.count, 1);
	assert_int_equal(end.kind, END_PANIC);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_read_tells_the_two_events_and_reports_none),
		T(bit_0_is_a_panic),
		T(bit_1_is_a_crash_that_the_guest_handles),
		T(of_both_the_panic_counts),
		T(bits_that_it_does_not_know_are_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
