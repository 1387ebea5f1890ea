// SPDX-License-Identifier: MIT
/* An interrupt line that several devices raise. */
#include "test.h"

#include <string.h>

#include "core/irq_shared.h"

static struct irq_shared shared;
static struct irq_line a, b;
static struct {
	bool level;
	unsigned edges; /* up */
} pin;

static void set_pin(void *opaque, bool level)
{
	assert_true(level != pin.level);
	pin.level = level;
	pin.edges += level;
}

static int setup(void **state)
{
	memset(&pin, 0, sizeof(pin));
	irq_shared_init(&shared, (struct irq_line){ .set = set_pin });
	a = irq_shared_line(&shared);
	b = irq_shared_line(&shared);
	return 0;
}

static int teardown(void **state)
{
	irq_shared_done(&shared);
	return 0;
}

static void none_pulls_another_one_s_down(void **state)
{
	irq_set(&a, true);
	irq_set(&b, true);
	assert_int_equal(pin.edges, 1);
	irq_set(&a, false);
	assert_true(pin.level);
	irq_set(&b, false);
	assert_false(pin.level);
	irq_set(&b, true);
	assert_int_equal(pin.edges, 2);
	irq_set(&b, false);
	assert_false(pin.level);
}

static void a_level_set_twice_counts_once(void **state)
{
	irq_set(&a, true);
	irq_set(&a, true);
	irq_set(&a, false);
	assert_false(pin.level);
	irq_set(&a, false);
	irq_set(&b, true);
	assert_true(pin.level);
}

/* As Linux does it, so that no edge is lost for ever. */
static void a_handler_that_goes_round_until_none_asks_misses_none(void **state)
{
	unsigned served = 0;

	irq_set(&a, true);
	irq_set(&b, true); /* no edge of its own */
	assert_int_equal(pin.edges, 1);
	while (a.level || b.level) {
		if (a.level) {
			irq_set(&a, false);
			served++;
		} else {
			irq_set(&b, false);
			if (served++ == 1)
				irq_set(&a, true); /* meanwhile */
		}
	}
	assert_int_equal(served, 3);
	assert_false(pin.level);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(none_pulls_another_one_s_down),
		T(a_level_set_twice_counts_once),
		T(a_handler_that_goes_round_until_none_asks_misses_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
