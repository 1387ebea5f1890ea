// SPDX-License-Identifier: MIT
/* Against Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header". */
#include "test.h"

#include <errno.h>

#include "core/base.h"
#include "images.h"
#include "layout.h"

static struct boot_plan plan;
static struct boot_error err;

static int parse(const struct image *img)
{
	return image_parse(bzimage_parse, img, &plan, &err);
}

static void a_kernel_is_entered_0x200_into_its_code(void **state)
{
	struct image img = image_bzimage();

	assert_int_equal(parse(&img), 1);
	assert_string_equal(plan.format, "bzImage");
	assert_int_equal(plan.protocol, BOOT_LINUX64);
	assert_int_equal(plan.segments, 1);
	assert_int_equal(plan.segment[0].file_off, 0x400);
	assert_int_equal(plan.segment[0].file_len, 0x400);
	assert_int_equal(plan.segment[0].mem_len, 0x400);
	assert_int_equal(plan.segment[0].gpa, 0x1000000);
	assert_int_equal(plan.entry, 0x1000200);
	assert_int_equal(plan.reserve, 0x1000000);
	assert_int_equal(plan.reserve_len, 0x400000);
	assert_int_equal(plan.setup_off, 0x1f1);
	assert_int_equal(plan.setup_len, 0x26c - 0x1f1);
	assert_int_equal(plan.cmdline_max, 2047);
}

static void no_setup_sects_means_four(void **state)
{
	struct image img = image_bzimage();

	image_put(&img, 0x1f1, 1, 0);
	img.len = 5 * 512 + 0x400;
	assert_int_equal(parse(&img), 1);
	assert_int_equal(plan.segment[0].file_off, 5 * 512);
}

static void bytes_after_the_code_are_not_loaded(void **state)
{
	struct image img = image_bzimage();

	img.len += 0x123; /* a signature */
	assert_int_equal(parse(&img), 1);
	assert_int_equal(plan.segment[0].file_len, 0x400);
}

/* As iPXE is built. */
static void the_last_paragraph_of_the_code_may_be_cut_short(void **state)
{
	struct image img = image_bzimage();

	img.len -= 7;
	assert_int_equal(parse(&img), -EINVAL); /* Linux is not */
	image_put(&img, 0x206, 2, 0x0207); /* before there was a payload */
	assert_int_equal(parse(&img), 1);
	assert_int_equal(plan.segment[0].file_len, 0x3f9);
	assert_int_equal(plan.segment[0].mem_len, 0x3f9);
	img.len -= 9;
	assert_int_equal(parse(&img), -EINVAL);
	assert_non_null(strstr(err.text, "truncated"));
}

static void a_relocatable_kernel_is_loaded_on_its_alignment(void **state)
{
	struct image img = image_bzimage();

	image_put(&img, 0x258, 8, 0x1000001);
	assert_int_equal(parse(&img), 1);
	assert_int_equal(plan.segment[0].gpa, 0x1200000);
	assert_int_equal(plan.entry, 0x1200200);
}

static void one_that_is_not_stays_where_it_must_run(void **state)
{
	struct image img = image_bzimage();

	image_put(&img, 0x234, 1, 0);
	image_put(&img, 0x230, 4, 0); /* alignment means nothing then */
	image_put(&img, 0x258, 8, 0x1234000);
	assert_int_equal(parse(&img), 1);
	assert_int_equal(plan.segment[0].gpa, 0x1234000);
}

static void the_code_itself_is_reserved_if_init_size_is_less(void **state)
{
	struct image img = image_bzimage();

	image_put(&img, 0x260, 4, 0);
	assert_int_equal(parse(&img), 1);
	assert_int_equal(plan.reserve_len, 0x400);
}

static void an_initrd_stays_below_the_hole(void **state)
{
	struct image img = image_bzimage();

	assert_int_equal(parse(&img), 1);
	assert_true(plan.initrd_max == LAYOUT_HOLE - 1);

	image_put(&img, 0x236, 2, 0x01); /* not XLF_CAN_BE_LOADED_ABOVE_4G */
	assert_int_equal(parse(&img), 1);
	assert_int_equal(plan.initrd_max, 0x7fffffff);

	image_put(&img, 0x22c, 4, 0xffffffff);
	assert_int_equal(parse(&img), 1);
	assert_true(plan.initrd_max == LAYOUT_HOLE - 1);
}

static void a_long_command_line_is_limited_by_our_room(void **state)
{
	struct image img = image_bzimage();

	image_put(&img, 0x238, 4, 0xffffffff);
	assert_int_equal(parse(&img), 1);
	assert_int_equal(plan.cmdline_max, 0xffff);
}

static void all_that_linux_has_of_its_header_may_be_there(void **state)
{
	struct image img = image_bzimage();

	image_put(&img, 0x201, 1, 0x264 - 0x202);
	assert_int_equal(parse(&img), 1);
	assert_int_equal(plan.setup_len, 0x264 - 0x1f1);
	image_put(&img, 0x201, 1, 0x290 - 0x202);
	assert_int_equal(parse(&img), 1);
	assert_int_equal(plan.setup_len, 0x290 - 0x1f1);
}

static int parse_as(const struct image *img, enum trapmap_boot want)
{
	return image_parse_as(bzimage_parse, img, want, NULL, &plan, &err);
}

/* "32-bit Boot Protocol": the start of the protected-mode code. */
static void its_32_bit_entry_is_where_its_code_begins(void **state)
{
	struct image img = image_bzimage();

	assert_int_equal(parse_as(&img, TRAPMAP_BOOT_LINUX32), 1);
	assert_int_equal(plan.boot, TRAPMAP_BOOT_LINUX32);
	assert_int_equal(plan.protocol, BOOT_LINUX32);
	assert_int_equal(plan.entry, 0x1000000);
	assert_int_equal(plan.segments, 1);
	assert_int_equal(plan.segment[0].gpa, 0x1000000);
	assert_int_equal(plan.setup_len, 0x26c - 0x1f1);
}

/* "Running the Kernel": at X + 0x200, of which CS:IP is (X >> 4) + 0x20:0. */
static void its_real_mode_entry_is_behind_its_boot_sector(void **state)
{
	struct image img = image_bzimage();
	const struct boot_segment *setup = &plan.segment[1];

	assert_int_equal(parse_as(&img, TRAPMAP_BOOT_LINUX16), 1);
	assert_int_equal(plan.boot, TRAPMAP_BOOT_LINUX16);
	assert_int_equal(plan.protocol, BOOT_LINUX16);
	assert_int_equal(plan.segments, 2);
	assert_int_equal(plan.segment[0].gpa, 0x1000000);
	assert_int_equal(setup->file_off, 0);
	assert_int_equal(setup->file_len, 0x400); /* two sectors */
	assert_int_equal(setup->gpa % 16, 0);
	assert_int_equal(plan.ss, setup->gpa / 16);
	assert_int_equal(plan.cs, plan.ss + 0x20);
	assert_int_equal(plan.entry, 0);
	/* Up to 64 KiB are its own: heap and stack lie behind it. */
	assert_true(plan.sp > 0x8000);
}

static void setup_code_without_room_for_a_heap_is_not_run(void **state)
{
	static uint8_t big[0x9000];
	struct boot_image image = {
		.head = big,
		.head_len = sizeof(big),
		.len = sizeof(big),
		.want = TRAPMAP_BOOT_LINUX16,
	};
	struct image img = image_bzimage();

	memcpy(big, img.data, img.len);
	big[0x1f1] = 63; /* 32 KiB with the boot sector */
	assert_int_equal(bzimage_parse(&image, &plan, &err), 1);
	assert_int_equal(plan.boot, TRAPMAP_BOOT_LINUX16);
	big[0x1f1] = 64;
	assert_int_equal(bzimage_parse(&image, &plan, &err), 1);
	assert_int_equal(plan.boot, TRAPMAP_BOOT_LINUX64);
	assert_int_equal(plan.offers & BIT(TRAPMAP_BOOT_LINUX16), 0);
}

static void what_it_offers_is_by_protocol_and_flags(void **state)
{
	const uint32_t old = BIT(TRAPMAP_BOOT_LINUX32) |
			     BIT(TRAPMAP_BOOT_LINUX16);
	const uint32_t all = old | BIT(TRAPMAP_BOOT_UNPACK) |
			     BIT(TRAPMAP_BOOT_LINUX64);
	const struct {
		uint16_t version, xloadflags;
		uint32_t offers;
	} expected[] = {
		{ 0x0202, 0xffff, old },
		{ 0x0207, 0xffff, old },
		{ 0x020b, 0xffff, old },
		{ 0x020c, 0x0002, old },
		{ 0x020c, 0x0001, all },
		{ 0x020f, 0x0003, all },
	};
	struct image img = image_bzimage();
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(expected); i++) {
		bool is_64 = expected[i].offers & BIT(TRAPMAP_BOOT_LINUX64);

		image_put(&img, 0x206, 2, expected[i].version);
		image_put(&img, 0x236, 2, expected[i].xloadflags);
		assert_int_equal(parse(&img), 1);
		assert_int_equal(plan.version, expected[i].version);
		assert_int_equal(plan.offers, expected[i].offers);
		assert_int_equal(plan.protocol,
				 is_64 ? BOOT_LINUX64 : BOOT_LINUX32);
		assert_int_equal(plan.entry % 0x1000, is_64 ? 0x200 : 0);
	}
}

/* What a field is before there is one, by its paragraph in boot.rst. */
static void an_old_kernel_has_the_limits_of_its_time(void **state)
{
	struct image img = image_bzimage();

	image_put(&img, 0x206, 2, 0x0202);
	image_put(&img, 0x1f4, 4, 0x10040); /* the upper half is garbage */
	image_put(&img, 0x201, 1, 0x22c - 0x202);
	assert_int_equal(parse(&img), 1);
	assert_int_equal(plan.segment[0].file_len, 0x400);
	assert_int_equal(plan.segment[0].gpa, 0x100000);
	assert_int_equal(plan.entry, 0x100000);
	assert_int_equal(plan.cmdline_max, 255);
	assert_int_equal(plan.initrd_max, 0x37ffffff);
	/* It says nothing of what it needs to unpack itself. */
	assert_true(plan.reserve_len > 4 * plan.segment[0].file_len);

	image_put(&img, 0x1f4, 4, 0x40);
	image_put(&img, 0x206, 2, 0x0205);
	image_put(&img, 0x201, 1, 0x238 - 0x202);
	image_put(&img, 0x22c, 4, 0x12345fff);
	assert_int_equal(parse(&img), 1);
	assert_int_equal(plan.initrd_max, 0x12345fff);
	assert_int_equal(plan.cmdline_max, 255);
	assert_int_equal(plan.segment[0].gpa, 0x200000); /* its alignment */

	image_put(&img, 0x206, 2, 0x0209);
	image_put(&img, 0x201, 1, 0x258 - 0x202);
	assert_int_equal(parse(&img), 1);
	assert_int_equal(plan.cmdline_max, 2047);
	assert_int_equal(plan.segment[0].gpa, 0x200000);
}

static void without_hdrs_it_is_something_else(void **state)
{
	struct image img = image_bzimage();

	img.len = 0x205;
	assert_int_equal(parse(&img), 0);
	img = image_bzimage();
	img.data[0x202] = 'h';
	assert_int_equal(parse(&img), 0);
	img.len = 0;
	assert_int_equal(parse(&img), 0);
}

static const struct mangle mangled[] = {
	{ "no signature", { { 0x1fe, 2, 0x55aa } }, 0, 0x1fe,
	  "0x55aa, 0xaa55 expected" },
	{ "cut before the version", { { 0 } }, 0x206, 0x206, "truncated" },
	{ "cut in the version", { { 0 } }, 0x207, 0x207, "truncated" },
	{ "cut after the version", { { 0 } }, 0x208, 0x208,
	  "setup header ends at 0x26c, the file at 0x208" },
	{ "cut in the header", { { 0 } }, 0x26b, 0x26b,
	  "setup header ends at 0x26c, the file at 0x26b" },
	{ "cut after the header", { { 0 } }, 0x26c, 0x26c,
	  "0x400 bytes of setup code expected, 0x26c found" },
	{ "cut in the setup code", { { 0 } }, 0x3ff, 0x3ff,
	  "0x400 bytes of setup code expected, 0x3ff found" },
	{ "no protected-mode code at all", { { 0 } }, 0x400, 0x400,
	  "0x400 bytes of protected-mode code expected, 0x0 found" },
	{ "cut by a byte", { { 0 } }, 0x7ff, 0x7ff,
	  "0x400 bytes of protected-mode code expected, 0x3ff found" },
	{ "protocol just too old", { { 0x206, 2, 0x0201 } }, 0, 0x206,
	  "boot protocol 2.01; 2.02 or newer" },
	{ "protocol of the first kernels", { { 0x206, 2, 0 } }, 0, 0x206,
	  "boot protocol 0.00; 2.02 or newer" },
	{ "no jump", { { 0x200, 1, 0xe9 } }, 0, 0x200, "0xe9, a short jump" },
	{ "header too short", { { 0x201, 1, 0x61 } }, 0, 0x201,
	  "ends at 0x263, 0x264 to 0x290 expected" },
	{ "header too long", { { 0x201, 1, 0x8f } }, 0, 0x201,
	  "ends at 0x291, 0x264 to 0x290 expected" },
	{ "zImage", { { 0x211, 1, 0x80 } }, 0, 0x211, "zImage" },
	{ "no code", { { 0x1f4, 4, 0 } }, 0, 0x1f4,
	  "0x0 bytes of protected-mode code" },
	{ "no code for 32 bits either", { { 0x1f4, 4, 0 }, { 0x236, 2, 0 } }, 0,
	  0x1f4, "0x0 bytes of protected-mode code; more than 0x0" },
	{ "code that ends at its entry", { { 0x1f4, 4, 0x20 } }, 0, 0x1f4,
	  "0x200 bytes of protected-mode code" },
	{ "code beyond 4 GiB of file", { { 0x1f4, 4, 0xffffffff } }, 0, 0x800,
	  "0xffffffff0 bytes of protected-mode code expected, 0x400 found" },
	{ "more setup code than file", { { 0x1f1, 1, 0xff } }, 0, 0x800,
	  "0x20000 bytes of setup code expected, 0x800 found" },
	{ "payload outside", { { 0x248, 4, 0x301 } }, 0, 0x248,
	  "payload ends at 0x401 of 0x400" },
	{ "payload that wraps",
	  { { 0x248, 4, 0xffffffff }, { 0x24c, 4, 0xffffffff } }, 0, 0x248,
	  "payload ends at 0x1fffffffe" },
	{ "prefers low memory", { { 0x258, 8, 0x90000 } }, 0, 0x258,
	  "prefers address 0x90000, 0x100000 to 0xbfffffff expected" },
	{ "prefers the hole", { { 0x258, 8, 0xc0000000 } }, 0, 0x258,
	  "prefers address 0xc0000000" },
	{ "prefers the end of the world", { { 0x258, 8, UINT64_MAX } }, 0,
	  0x258, "prefers address 0xffffffffffffffff" },
	{ "no alignment", { { 0x230, 4, 0 } }, 0, 0x230, "alignment is 0x0" },
	{ "odd alignment", { { 0x230, 4, 0x200001 } }, 0, 0x230,
	  "alignment is 0x200001, a power of two" },
	{ "aligned into the hole", { { 0x230, 4, 0x80000000 },
	  { 0x258, 8, 0x80000001 } }, 0, 0x260, "bytes at 0x100000000" },
	{ "needs more than there is below the hole",
	  { { 0x260, 4, 0xbf000001 } }, 0, 0x260,
	  "needs 0xbf000001 bytes at 0x1000000" },
};

static void mangled_ones_are_refused_with_reason_and_offset(void **state)
{
	const char *wrong;
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(mangled); i++) {
		wrong = image_mangle(bzimage_parse, image_bzimage(),
				     &mangled[i], &err);
		if (wrong)
			fail_msg("%s: %s: 0x%llx \"%s\"", mangled[i].name,
				 wrong, (unsigned long long)err.off, err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kernel_is_entered_0x200_into_its_code),
		cmocka_unit_test(no_setup_sects_means_four),
		cmocka_unit_test(bytes_after_the_code_are_not_loaded),
		cmocka_unit_test(the_last_paragraph_of_the_code_may_be_cut_short),
		cmocka_unit_test(a_relocatable_kernel_is_loaded_on_its_alignment),
		cmocka_unit_test(one_that_is_not_stays_where_it_must_run),
		cmocka_unit_test(the_code_itself_is_reserved_if_init_size_is_less),
		cmocka_unit_test(an_initrd_stays_below_the_hole),
		cmocka_unit_test(a_long_command_line_is_limited_by_our_room),
		cmocka_unit_test(all_that_linux_has_of_its_header_may_be_there),
		cmocka_unit_test(its_32_bit_entry_is_where_its_code_begins),
		cmocka_unit_test(its_real_mode_entry_is_behind_its_boot_sector),
		cmocka_unit_test(setup_code_without_room_for_a_heap_is_not_run),
		cmocka_unit_test(what_it_offers_is_by_protocol_and_flags),
		cmocka_unit_test(an_old_kernel_has_the_limits_of_its_time),
		cmocka_unit_test(without_hdrs_it_is_something_else),
		cmocka_unit_test(mangled_ones_are_refused_with_reason_and_offset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
