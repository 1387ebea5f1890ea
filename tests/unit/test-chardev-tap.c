// SPDX-License-Identifier: MIT
/* What stands between a device and its back end: nobody notices. */
#include "test.h"

#include <string.h>

#include "backend/chardev_tap.h"
#include "fake_chardev.h"

static struct fake_chardev under;
static struct chardev *tap;
static char seen[64], got[64];
static size_t seen_len, got_len, under_had;

static void on_output(void *opaque, const uint8_t *buf, size_t len)
{
	assert_ptr_equal(opaque, seen);
	assert_true(seen_len + len <= sizeof(seen));
	memcpy(seen + seen_len, buf, len);
	seen_len += len;
	under_had = under.out_len;
}

static size_t front_room(void *opaque)
{
	return sizeof(got) - got_len;
}

static void front_receive(void *opaque, const uint8_t *buf, size_t len)
{
	memcpy((char *)opaque + got_len, buf, len);
	got_len += len;
}

static int setup(void **state)
{
	const struct chardev_tap_config config = { .under = &under.chr,
						   .output = on_output,
						   .opaque = seen };

	fake_chardev_init(&under);
	seen_len = got_len = under_had = 0;
	return chardev_tap_new(&config, &tap);
}

/* The back end has no free(): the tap must not call it. */
static int teardown(void **state)
{
	chardev_free(tap);
	return 0;
}

static void output_goes_on_and_is_seen_after_that(void **state)
{
	tap->ops->write(tap, (const uint8_t *)"he", 2);
	assert_int_equal(under_had, 2);
	tap->ops->write(tap, (const uint8_t *)"\0llo", 4);
	assert_int_equal(under_had, 6);
	assert_int_equal(seen_len, 6);
	assert_memory_equal(seen, "he\0llo", 6);
	assert_memory_equal(under.out, "he\0llo", 6);
}

static void input_reaches_the_front_and_is_not_seen(void **state)
{
	tap->ops->attach(tap, &(struct chardev_front){
				      .room = front_room,
				      .receive = front_receive,
				      .opaque = got });
	assert_int_equal(fake_chardev_type(&under, "abc", 3), 3);
	assert_memory_equal(got, "abc", 3);
	assert_int_equal(seen_len, 0);
}

static void the_wish_for_input_is_passed_on(void **state)
{
	tap->ops->want_input(tap);
	assert_int_equal(under.wants, 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(output_goes_on_and_is_seen_after_that),
		T(input_reaches_the_front_and_is_not_seen),
		T(the_wish_for_input_is_passed_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
