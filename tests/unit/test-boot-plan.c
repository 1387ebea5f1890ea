// SPDX-License-Identifier: MIT
/* Whether a kernel fits in memory, and what is said if it does not. */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "boot/plan.h"
#include "core/base.h"
#include "images.h"
#include "layout.h"

static uint8_t host; /* never touched */
static struct boot_error err;

/* As loaded by a stock kernel: 1 MiB of code at 16 MiB, 51.5 MiB in all. */
static const struct boot_plan kernel = {
	.format = "bzImage",
	.protocol = BOOT_LINUX64,
	.segment = { { 0x5000, MIB(1), 0x1000000, MIB(1) } },
	.segments = 1,
	.reserve = 0x1000000,
	.reserve_len = 0x3378000,
};

static struct gmem memory(uint64_t mem)
{
	struct gmem gm = { 0 };
	uint64_t low = mem < LAYOUT_HOLE ? mem : LAYOUT_HOLE;

	assert_int_equal(gmem_add(&gm, 0, low, &host), 0);
	if (mem > low)
		assert_int_equal(gmem_add(&gm, GIB(4), mem - low, &host), 0);
	return gm;
}

static int fits(uint64_t mem, const struct boot_plan *plan)
{
	struct gmem gm = memory(mem);

	return boot_plan_fits(&gm, plan, &err);
}

static void all_that_a_kernel_needs_must_fit(void **state)
{
	assert_int_equal(fits(0x4378000, &kernel), 0);
	assert_int_equal(fits(MIB(68), &kernel), 0);
	assert_int_equal(fits(GIB(16), &kernel), 0);
	assert_int_equal(fits(MIB(67), &kernel), -EINVAL);
	assert_string_equal(err.text,
			    "bzImage needs 68 MiB of memory to start, the machine has 67 MiB");
	assert_int_equal(err.off, 0);
	assert_int_equal(fits(MIB(1), &kernel), -EINVAL);
	assert_non_null(strstr(err.text, "the machine has 1 MiB"));
}

static void a_segment_outside_of_what_is_reserved_counts_too(void **state)
{
	struct boot_plan plan = kernel;

	plan.segment[plan.segments++] =
		(struct boot_segment){ 0x6000, 1, MIB(128), MIB(1) };
	assert_int_equal(fits(MIB(129), &plan), 0);
	assert_int_equal(fits(MIB(128), &plan), -EINVAL);
	assert_int_equal(err.off, 0x6000);
	assert_non_null(strstr(err.text, "129 MiB"));
}

static void memory_with_a_gap_below_1_mib_will_do(void **state)
{
	struct boot_plan plan = kernel;
	struct gmem gm = { 0 };

	assert_int_equal(gmem_add(&gm, 0, 0xa0000, &host), 0);
	assert_int_equal(gmem_add(&gm, 0xc0000, MIB(68) - 0xc0000, &host), 0);
	plan.segment[plan.segments++] =
		(struct boot_segment){ 0x6000, 1, 0x30000, 0x1000 };
	plan.reserve = 0x30000;
	plan.reserve_len = MIB(68) - 0x30000;
	assert_int_equal(boot_plan_fits(&gm, &plan, &err), 0);

	plan.segment[1].gpa = 0x9fff0;
	assert_int_equal(boot_plan_fits(&gm, &plan, &err), -EINVAL);
	assert_int_equal(err.off, 0x6000);
	assert_string_equal(err.text,
			    "bzImage needs 0x1000 bytes at 0x9fff0, where a machine has no memory");
}

static void more_memory_does_not_help_in_the_hole(void **state)
{
	struct boot_plan plan = kernel;

	plan.segment[0].gpa = LAYOUT_HOLE;
	assert_int_equal(fits(GIB(16), &plan), -EINVAL);
	assert_non_null(strstr(err.text, "where a machine has no memory"));
	plan.segment[0].gpa = UINT64_MAX;
	assert_int_equal(fits(GIB(16), &plan), -EINVAL);
}

static void a_flat_binary_fits_in_1_mib(void **state)
{
	struct boot_plan plan;
	uint8_t head[1] = { 0xf4 };

	assert_int_equal(image_parse_head(flat_parse, head, 1,
					  LAYOUT_FLAT_MAX, &plan, &err),
			 1);
	assert_int_equal(fits(MIB(1), &plan), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_that_a_kernel_needs_must_fit),
		cmocka_unit_test(a_segment_outside_of_what_is_reserved_counts_too),
		cmocka_unit_test(memory_with_a_gap_below_1_mib_will_do),
		cmocka_unit_test(more_memory_does_not_help_in_the_hole),
		cmocka_unit_test(a_flat_binary_fits_in_1_mib),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
