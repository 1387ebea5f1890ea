// SPDX-License-Identifier: MIT
#include "test.h"

#include <errno.h>
#include <string.h>

#include "core/base.h"
#include "core/gmem.h"

static uint8_t low[0x1000], high[0x2000];

static struct gmem two_regions(void)
{
	struct gmem gm = { 0 };

	assert_int_equal(gmem_add(&gm, 0, sizeof(low), low), 0);
	assert_int_equal(gmem_add(&gm, GIB(4), sizeof(high), high), 0);
	return gm;
}

static void a_range_must_lie_in_one_region(void **state)
{
	struct gmem gm = two_regions();

	assert_ptr_equal(gmem_ptr(&gm, 0, 0x1000), low);
	assert_ptr_equal(gmem_ptr(&gm, 0xfff, 1), low + 0xfff);
	assert_null(gmem_ptr(&gm, 0xfff, 2));
	assert_null(gmem_ptr(&gm, 0x1000, 1));
	assert_null(gmem_ptr(&gm, GIB(4) - 1, 1));
	assert_ptr_equal(gmem_ptr(&gm, GIB(4) + 0x1000, 0x1000), high + 0x1000);
	assert_null(gmem_ptr(&gm, GIB(4) + 0x1000, 0x1001));
}

static void an_empty_range_may_end_a_region(void **state)
{
	struct gmem gm = two_regions();

	assert_ptr_equal(gmem_ptr(&gm, 0x1000, 0), low + 0x1000);
	assert_null(gmem_ptr(&gm, 0x1001, 0));
}

static void lengths_that_overflow_are_refused(void **state)
{
	struct gmem gm = two_regions();

	assert_null(gmem_ptr(&gm, 0x10, UINT64_MAX));
	assert_null(gmem_ptr(&gm, UINT64_MAX, 1));
	assert_null(gmem_ptr(&gm, GIB(4), UINT64_MAX - GIB(4) + 1));
}

static void regions_ascend_and_never_overlap(void **state)
{
	struct gmem gm = two_regions();

	assert_int_equal(gmem_add(&gm, 0x2000, 0x1000, low), -EINVAL);
	assert_int_equal(gmem_add(&gm, GIB(4) + 0x1fff, 1, low), -EINVAL);
	assert_int_equal(gmem_add(&gm, GIB(8), 0, low), -EINVAL);
	assert_int_equal(gmem_add(&gm, UINT64_MAX, 2, low), -EINVAL);
	assert_int_equal(gm.count, 2);
	while (gm.count < GMEM_MAX_REGIONS)
		assert_int_equal(gmem_add(&gm, GIB(5 + gm.count), 1, low), 0);
	assert_int_equal(gmem_add(&gm, GIB(100), 1, low), -ENOSPC);
}

static void copies_are_whole_or_not_at_all(void **state)
{
	struct gmem gm = two_regions();
	uint8_t out[4] = { 9, 9, 9, 9 };

	assert_int_equal(gmem_write(&gm, 0xffc, "abcd", 4), 0);
	assert_memory_equal(low + 0xffc, "abcd", 4);
	assert_int_equal(gmem_write(&gm, 0xffd, "wxyz", 4), -EFAULT);
	assert_memory_equal(low + 0xffc, "abcd", 4);
	assert_int_equal(gmem_read(&gm, 0xffd, out, 4), -EFAULT);
	assert_int_equal(out[0], 9);
	assert_int_equal(gmem_read(&gm, 0xffc, out, 4), 0);
	assert_memory_equal(out, "abcd", 4);
}

static void rom_can_be_read_and_is_no_memory_to_write_to(void **state)
{
	struct gmem gm = { 0 };
	uint8_t out[2];

	assert_int_equal(gmem_add(&gm, 0, sizeof(low), low), 0);
	assert_int_equal(gmem_add_rom(&gm, 0x1000, sizeof(high), high), 0);
	memcpy(high, "rom", 3);
	assert_null(gmem_ptr(&gm, 0x1000, 1));
	assert_int_equal(gmem_write(&gm, 0x1000, "x", 1), -EFAULT);
	assert_int_equal(gmem_read(&gm, 0x1001, out, 2), 0);
	assert_memory_equal(out, "om", 2);
	assert_ptr_equal(gmem_rom(&gm, 0x1000, sizeof(high)), high);
	assert_null(gmem_rom(&gm, 0, 1));
	/* What follows RAM that ends there is its end, too. */
	assert_ptr_equal(gmem_ptr(&gm, 0x1000, 0), low + 0x1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_range_must_lie_in_one_region),
		cmocka_unit_test(an_empty_range_may_end_a_region),
		cmocka_unit_test(lengths_that_overflow_are_refused),
		cmocka_unit_test(regions_ascend_and_never_overlap),
		cmocka_unit_test(copies_are_whole_or_not_at_all),
		cmocka_unit_test(rom_can_be_read_and_is_no_memory_to_write_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
