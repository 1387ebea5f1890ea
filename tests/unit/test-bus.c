// SPDX-License-Identifier: MIT
#include "test.h"

#include <errno.h>
#include <string.h>

#include "core/base.h"
#include "core/bus.h"

/* Sixteen registers that remember, and a log of the last accesses. */
struct toy {
	struct device dev;
	uint8_t reg[16];
	unsigned accesses;
	uint64_t last_off;
	unsigned last_size;
};

static uint64_t toy_read(struct device *dev, uint64_t off, unsigned size)
{
	struct toy *toy = container_of(dev, struct toy, dev);
	uint64_t val = 0;

	assert_in_range(off + size, 1, sizeof(toy->reg));
	memcpy(&val, toy->reg + off, size);
	toy->accesses++;
	toy->last_off = off;
	toy->last_size = size;
	return val | ~size_mask(size); /* the bus cuts it */
}

static void toy_write(struct device *dev, uint64_t off, unsigned size,
		      uint64_t val)
{
	struct toy *toy = container_of(dev, struct toy, dev);

	assert_in_range(off + size, 1, sizeof(toy->reg));
	memcpy(toy->reg + off, &val, size);
	toy->accesses++;
	toy->last_off = off;
	toy->last_size = size;
}

static const struct device_ops byte_ops = {
	.name = "bytes", .sizes = 1, .read = toy_read, .write = toy_write,
};
static const struct device_ops any_ops = {
	.name = "any", .sizes = 1 | 2 | 4 | 8, .read = toy_read,
	.write = toy_write,
};
static const struct device_ops dword_ops = {
	.name = "dwords", .sizes = 4, .read = toy_read, .write = toy_write,
};

static struct toy a, b;
static struct bus bus;

static int setup(void **state)
{
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	device_init(&a.dev, &byte_ops);
	device_init(&b.dev, &any_ops);
	bus_init(&bus, 0xffff);
	return 0;
}

static int teardown(void **state)
{
	bus_done(&bus);
	device_done(&a.dev);
	device_done(&b.dev);
	return 0;
}

static void ranges_are_disjoint_and_never_empty(void **state)
{
	assert_int_equal(bus_add(&bus, 0x70, 2, &a.dev, 0), 0);
	assert_int_equal(bus_add(&bus, 0x72, 2, &b.dev, 0), 0);
	assert_int_equal(bus_add(&bus, 0x6f, 1, &b.dev, 0), 0);
	assert_int_equal(bus_add(&bus, 0x71, 1, &b.dev, 0), -EEXIST);
	assert_int_equal(bus_add(&bus, 0x6e, 100, &b.dev, 0), -EEXIST);
	assert_int_equal(bus_add(&bus, 0x70, 2, &a.dev, 0), -EEXIST);
	assert_int_equal(bus_add(&bus, 0x80, 0, &b.dev, 0), -EINVAL);
	assert_int_equal(bus_add(&bus, 0xffff, 2, &b.dev, 0), -EINVAL);
	assert_int_equal(bus_add(&bus, 0x80, UINT64_MAX, &b.dev, 0), -EINVAL);
	assert_int_equal(bus_add(&bus, 0xffff, 1, &b.dev, 0), 0);
	assert_int_equal(bus.count, 4);

	assert_ptr_equal(bus_find(&bus, 0x6f), &b.dev);
	assert_ptr_equal(bus_find(&bus, 0x70), &a.dev);
	assert_ptr_equal(bus_find(&bus, 0x71), &a.dev);
	assert_ptr_equal(bus_find(&bus, 0x73), &b.dev);
	assert_null(bus_find(&bus, 0x74));
}

static void the_device_sees_offsets(void **state)
{
	uint64_t val;

	assert_int_equal(bus_add(&bus, 0x60, 1, &a.dev, 0), 0);
	assert_int_equal(bus_add(&bus, 0x64, 1, &a.dev, 4), 0);
	assert_true(bus_write(&bus, 0x64, 1, 0x5a));
	assert_int_equal(a.last_off, 4);
	assert_true(bus_read(&bus, 0x64, 1, &val));
	assert_int_equal(val, 0x5a);
	assert_true(bus_read(&bus, 0x60, 1, &val));
	assert_int_equal(a.last_off, 0);
}

static void a_wide_access_is_split_low_address_first(void **state)
{
	uint64_t val;

	assert_int_equal(bus_add(&bus, 0x70, 4, &a.dev, 0), 0);
	assert_true(bus_write(&bus, 0x70, 2, 0xbbaa));
	assert_int_equal(a.reg[0], 0xaa);
	assert_int_equal(a.reg[1], 0xbb);
	assert_int_equal(a.accesses, 2);
	assert_int_equal(a.last_off, 1);
	assert_true(bus_read(&bus, 0x70, 4, &val));
	assert_int_equal(val, 0xbbaa);
}

static void a_narrow_access_that_the_device_refuses_is_unclaimed(void **state)
{
	uint64_t val;

	b.dev.ops = &dword_ops;
	assert_int_equal(bus_add(&bus, 0x70, 8, &b.dev, 0), 0);
	assert_false(bus_read(&bus, 0x70, 2, &val));
	assert_int_equal(val, 0xffff);
	assert_true(bus_read(&bus, 0x70, 8, &val));
	assert_int_equal(b.accesses, 2);
	assert_int_equal(b.last_size, 4);
}

static void a_whole_access_must_fit_in_one_range(void **state)
{
	uint64_t val;

	assert_int_equal(bus_add(&bus, 0x70, 2, &a.dev, 0), 0);
	assert_int_equal(bus_add(&bus, 0x72, 2, &b.dev, 0), 0);
	assert_false(bus_read(&bus, 0x71, 2, &val));
	assert_int_equal(val, 0xffff);
	assert_false(bus_write(&bus, 0x6f, 2, 0));
	assert_int_equal(a.accesses + b.accesses, 0);
}

static void results_are_cut_to_their_width(void **state)
{
	uint64_t val;

	assert_int_equal(bus_add(&bus, 0x70, 8, &b.dev, 0), 0);
	assert_true(bus_read(&bus, 0x70, 1, &val));
	assert_int_equal(val, 0);
	assert_true(bus_read(&bus, 0x70, 4, &val));
	assert_int_equal(val, 0);
}

static uint64_t count_of(uint64_t addr, bool writes)
{
	unsigned i;

	for (i = 0; i < BUS_UNCLAIMED_MAX; i++)
		if (bus.unclaimed[i].key == addr + 1)
			return writes ? bus.unclaimed[i].writes :
					bus.unclaimed[i].reads;
	return 0;
}

static void unclaimed_reads_all_ones_of_its_width(void **state)
{
	uint64_t val;

	assert_false(bus_read(&bus, 0xcf8, 1, &val));
	assert_int_equal(val, 0xff);
	assert_false(bus_read(&bus, 0xcf8, 2, &val));
	assert_int_equal(val, 0xffff);
	assert_false(bus_read(&bus, 0xcf8, 4, &val));
	assert_int_equal(val, 0xffffffff);
	assert_false(bus_read(&bus, 0xcf8, 8, &val));
	assert_true(val == UINT64_MAX);
	assert_false(bus_write(&bus, 0xcf8, 4, 0));
	assert_int_equal(count_of(0xcf8, false), 4);
	assert_int_equal(count_of(0xcf8, true), 1);
}

static void unclaimed_addresses_beyond_the_table_are_counted_too(void **state)
{
	uint64_t val;
	unsigned i;

	for (i = 0; i < BUS_UNCLAIMED_MAX + 10; i++)
		bus_read(&bus, i * 3, 1, &val);
	assert_int_equal(bus.unclaimed_others, 10);
	for (i = 0; i < BUS_UNCLAIMED_MAX; i++)
		assert_int_equal(count_of(i * 3, false), 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(ranges_are_disjoint_and_never_empty),
		T(the_device_sees_offsets),
		T(a_wide_access_is_split_low_address_first),
		T(a_narrow_access_that_the_device_refuses_is_unclaimed),
		T(a_whole_access_must_fit_in_one_range),
		T(results_are_cut_to_their_width),
		T(unclaimed_reads_all_ones_of_its_width),
		T(unclaimed_addresses_beyond_the_table_are_counted_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
