// SPDX-License-Identifier: MIT
/* By QEMU's docs/specs/fw_cfg. */
#include "test.h"

#include "core/base.h"
#include "core/bus.h"
#include "fw_cfg.h"

#define SELECTOR 0x510
#define DATA 0x511

static struct device *fw_cfg;
static struct bus bus;

static int setup(void **state)
{
	const struct fw_cfg_config config = { .mem = GIB(5) + 0x123000,
					      .cpus = 0x102 };

	if (fw_cfg_new(&config, &fw_cfg) < 0)
		return -1;
	bus_init(&bus, 0xffff);
	return bus_add(&bus, SELECTOR, FW_CFG_LEN, fw_cfg, 0);
}

static int teardown(void **state)
{
	bus_done(&bus);
	fw_cfg = device_free(fw_cfg);
	return 0;
}

static void choose(uint16_t key)
{
	assert_true(bus_write(&bus, SELECTOR, 2, key));
}

/* The next n bytes, the first one lowest. */
static uint64_t next(unsigned n)
{
	uint64_t all = 0, val;
	unsigned i;

	for (i = 0; i < n; i++) {
		assert_true(bus_read(&bus, DATA, 1, &val));
		all |= val << (8 * i);
	}
	return all;
}

static void the_signature_is_qemu(void **state)
{
	choose(0x0000);
	assert_int_equal(next(1), 'Q');
	assert_int_equal(next(1), 'E');
	assert_int_equal(next(1), 'M');
	assert_int_equal(next(1), 'U');
	assert_int_equal(next(8), 0);
}

static void only_the_traditional_interface_is_there(void **state)
{
	choose(0x0001);
	assert_int_equal(next(4), 1);
}

static void memory_and_cpus_are_those_of_the_machine(void **state)
{
	choose(0x0003);
	assert_true(next(8) == GIB(5) + 0x123000);
	choose(0x0005);
	assert_int_equal(next(2), 0x102);
	choose(0x000f);
	assert_int_equal(next(2), 0x102);
}

static void the_file_directory_is_empty(void **state)
{
	choose(0x0019);
	assert_int_equal(next(4), 0);
}

static void after_an_items_end_there_are_zeros_for_ever(void **state)
{
	unsigned i;

	choose(0x0005);
	next(2);
	for (i = 0; i < 70000; i++)
		assert_int_equal(next(1), 0);
}

static void an_item_that_is_not_there_reads_as_zeros(void **state)
{
	static const uint16_t keys[] = { 0x0002, 0x0004, 0x0020, 0x3fff,
					 0x8000, 0x8003, 0xffff };
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		choose(keys[i]);
		assert_int_equal(next(8), 0);
	}
}

static void the_write_bit_selects_the_same_item(void **state)
{
	choose(0x4000);
	assert_int_equal(next(4), get_le32("QEMU"));
	/* The architecture's own items are others. */
	choose(0xc000);
	assert_int_equal(next(4), 0);
}

static void each_selection_starts_at_the_first_byte(void **state)
{
	choose(0x0000);
	assert_int_equal(next(2), 'Q' | 'E' << 8);
	choose(0x0000);
	assert_int_equal(next(1), 'Q');
}

static void writes_to_data_are_ignored(void **state)
{
	choose(0x0000);
	assert_true(bus_write(&bus, DATA, 1, 'x'));
	assert_int_equal(next(4), get_le32("QEMU"));
}

static void the_selector_takes_words_only_and_cannot_be_read(void **state)
{
	uint64_t val;

	choose(0x0000);
	bus_write(&bus, SELECTOR, 1, 5);
	bus_read(&bus, SELECTOR, 1, &val);
	assert_int_equal(val, 0xff);
	bus_read(&bus, SELECTOR, 2, &val);
	assert_int_equal(val, 0xffff);
	assert_int_equal(next(4), get_le32("QEMU"));
}

static void the_data_register_has_eight_bits(void **state)
{
	uint64_t val;

	choose(0x0000);
	assert_false(bus_read(&bus, DATA, 2, &val));
	assert_int_equal(val, 0xffff);
	assert_int_equal(next(1), 'Q');
}

static void a_reset_selects_the_signature(void **state)
{
	choose(0x0003);
	next(3);
	device_reset(fw_cfg);
	assert_int_equal(next(4), get_le32("QEMU"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_signature_is_qemu),
		T(only_the_traditional_interface_is_there),
		T(memory_and_cpus_are_those_of_the_machine),
		T(the_file_directory_is_empty),
		T(after_an_items_end_there_are_zeros_for_ever),
		T(an_item_that_is_not_there_reads_as_zeros),
		T(the_write_bit_selects_the_same_item),
		T(each_selection_starts_at_the_first_byte),
		T(writes_to_data_are_ignored),
		T(the_selector_takes_words_only_and_cannot_be_read),
		T(the_data_register_has_eight_bits),
		T(a_reset_selects_the_signature),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
