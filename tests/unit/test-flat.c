// SPDX-License-Identifier: MIT
/* Boot sectors and flat binaries: real mode, the file as it is. */
#include "test.h"

#include <errno.h>

#include "core/base.h"
#include "images.h"
#include "layout.h"

static struct boot_plan plan;
static struct boot_error err;

static struct image sector(void)
{
	struct image img = { .len = 512 };

	img.data[0] = 0xf4; /* hlt */
	image_put(&img, 510, 2, 0xaa55);
	return img;
}

static void a_boot_sector_starts_at_0000_7c00(void **state)
{
	struct image img = sector();

	assert_int_equal(image_parse(bootsector_parse, &img, &plan, &err), 1);
	assert_string_equal(plan.format, "boot sector");
	assert_int_equal(plan.protocol, BOOT_REAL);
	assert_int_equal(plan.segments, 1);
	assert_int_equal(plan.segment[0].gpa, 0x7c00);
	assert_int_equal(plan.segment[0].file_off, 0);
	assert_int_equal(plan.segment[0].file_len, 512);
	assert_int_equal(plan.segment[0].mem_len, 512);
	assert_int_equal(plan.cs, 0);
	assert_int_equal(plan.entry, 0x7c00);
	/* The stack grows away from the sector. */
	assert_int_equal(plan.ss, 0);
	assert_int_equal(plan.sp, 0x7c00);
}

static void anything_but_512_bytes_with_a_signature_is_none(void **state)
{
	struct image img = sector();

	img.len = 511;
	assert_int_equal(image_parse(bootsector_parse, &img, &plan, &err), 0);
	img.len = 513;
	assert_int_equal(image_parse(bootsector_parse, &img, &plan, &err), 0);
	img.len = 0;
	assert_int_equal(image_parse(bootsector_parse, &img, &plan, &err), 0);
	img = sector();
	image_put(&img, 510, 2, 0x55aa);
	assert_int_equal(image_parse(bootsector_parse, &img, &plan, &err), 0);
}

static void a_flat_binary_starts_at_1000_0000(void **state)
{
	struct image img = { .data = { 0xf4 }, .len = 1 };

	assert_int_equal(image_parse(flat_parse, &img, &plan, &err), 1);
	assert_string_equal(plan.format, "flat binary");
	assert_int_equal(plan.protocol, BOOT_REAL);
	assert_int_equal(plan.segments, 1);
	assert_int_equal(plan.segment[0].gpa, 0x10000);
	assert_int_equal(plan.segment[0].file_len, 1);
	assert_int_equal(plan.segment[0].mem_len, 1);
	assert_int_equal(plan.cs, 0x1000);
	assert_int_equal(plan.entry, 0);
}

/* The stack of a binary of len bytes: [bottom, top) has 4 KiB clear of it. */
static void check_stack(uint64_t len)
{
	uint8_t head[1] = { 0xf4 };
	uint64_t top;

	assert_int_equal(image_parse_head(flat_parse, head, 1,
					  len, &plan, &err),
			 1);
	top = plan.ss * 16u + plan.sp;
	assert_in_range(top, 0x500 + 0x1000, LAYOUT_EBDA);
	assert_in_range(plan.sp, 0x1000, 0xffff);
	assert_true(top <= LAYOUT_FLAT || top - 0x1000 >= LAYOUT_FLAT + len);
}

static void the_stack_is_clear_of_the_binary(void **state)
{
	check_stack(1);
	assert_int_equal(plan.ss, plan.cs);
	check_stack(0xeff0);
	assert_int_equal(plan.ss, plan.cs);
	check_stack(0xeff1);
	check_stack(0x10000);
	check_stack(LAYOUT_FLAT_MAX);
}

static void one_that_is_too_big_is_refused_with_numbers(void **state)
{
	uint8_t head[1] = { 0xf4 };

	assert_int_equal(image_parse_head(flat_parse, head, 1,
					  588800, &plan, &err),
			 1);
	assert_int_equal(plan.segment[0].gpa + plan.segment[0].mem_len,
			 LAYOUT_EBDA);
	assert_int_equal(image_parse_head(flat_parse, head, 1,
					  588801, &plan, &err),
			 -EINVAL);
	assert_int_equal(err.off, 588800);
	assert_non_null(strstr(err.text,
			       "588801 bytes, at most 588800 expected"));
	assert_int_equal(image_parse_head(flat_parse, head, 1,
					  UINT64_MAX, &plan, &err),
			 -EINVAL);
}

static void a_disk_image_is_said_to_be_one(void **state)
{
	uint8_t head[512] = { [510] = 0x55, [511] = 0xaa };

	assert_int_equal(image_parse_head(flat_parse, head, sizeof(head),
					  MIB(1), &plan, &err),
			 -EINVAL);
	assert_int_equal(err.off, 510);
	assert_non_null(strstr(err.text, "a disk image"));
	/* Small enough, it could be a program all the same. */
	assert_int_equal(image_parse_head(flat_parse, head, sizeof(head),
					  1024, &plan, &err),
			 1);
}

static void an_empty_file_is_refused(void **state)
{
	struct image img = { .len = 0 };

	assert_int_equal(image_parse(flat_parse, &img, &plan, &err), -EINVAL);
	assert_int_equal(err.off, 0);
	assert_string_equal(err.text, "the file is empty");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_boot_sector_starts_at_0000_7c00),
		cmocka_unit_test(anything_but_512_bytes_with_a_signature_is_none),
		cmocka_unit_test(a_flat_binary_starts_at_1000_0000),
		cmocka_unit_test(the_stack_is_clear_of_the_binary),
		cmocka_unit_test(one_that_is_too_big_is_refused_with_numbers),
		cmocka_unit_test(a_disk_image_is_said_to_be_one),
		cmocka_unit_test(an_empty_file_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
