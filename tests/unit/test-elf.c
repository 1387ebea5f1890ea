// SPDX-License-Identifier: MIT
/* Against the System V ABI, chapters 4 and 5, and boot.rst. */
#include "test.h"

#include <errno.h>

#include "core/base.h"
#include "images.h"
#include "layout.h"

static struct boot_plan plan;
static struct boot_error err;

static int parse(const struct image *img)
{
	return image_parse(elf_parse, img, &plan, &err);
}

static void segments_go_to_their_physical_addresses(void **state)
{
	struct image img = image_elf();

	assert_int_equal(parse(&img), 1);
	assert_string_equal(plan.format, "ELF");
	assert_int_equal(plan.protocol, BOOT_LINUX64);
	assert_int_equal(plan.segments, 2); /* a note is not loaded */
	assert_int_equal(plan.segment[0].file_off, 0x200);
	assert_int_equal(plan.segment[0].file_len, 0x100);
	assert_int_equal(plan.segment[0].gpa, 0x1000000);
	assert_int_equal(plan.segment[1].file_off, 0x300);
	assert_int_equal(plan.segment[1].file_len, 0x80);
	assert_int_equal(plan.segment[1].gpa, 0x1400000);
	assert_int_equal(plan.segment[1].mem_len, 0x200000);
	assert_int_equal(plan.entry, 0x1000000);
	assert_int_equal(plan.reserve, 0x1000000);
	assert_int_equal(plan.reserve_len, 0x600000);
	assert_int_equal(plan.setup_len, 0);
	assert_int_equal(plan.cmdline_max, 2047);
	assert_true(plan.initrd_max == LAYOUT_HOLE - 1);
}

static void a_virtual_entry_is_found_in_its_segment(void **state)
{
	struct image img = image_elf();

	image_put(&img, 24, 8, 0xffffffff81400010);
	assert_int_equal(parse(&img), 1);
	assert_int_equal(plan.entry, 0x1400010);
}

static void an_entry_that_could_be_either_is_physical(void **state)
{
	struct image img = image_elf();

	/* As Linux's per-CPU segment: a virtual address that overlaps. */
	image_put(&img, IMAGE_PHDR(1) + 16, 8, 0x1000000);
	assert_int_equal(parse(&img), 1);
	assert_int_equal(plan.entry, 0x1000000);
}

static void position_independent_ones_are_taken(void **state)
{
	struct image img = image_elf();

	image_put(&img, 16, 2, 3); /* ET_DYN */
	assert_int_equal(parse(&img), 1);
}

static void empty_segments_are_skipped(void **state)
{
	struct image img = image_elf();

	image_phdr(&img, 1, 1, UINT64_MAX, 0, 0, 0, 0);
	assert_int_equal(parse(&img), 1);
	assert_int_equal(plan.segments, 1);
	assert_int_equal(plan.reserve_len, 0x100);
}

static void segments_may_come_in_any_order(void **state)
{
	struct image img = image_elf();

	image_put(&img, IMAGE_PHDR(1) + 24, 8, 0x100000);
	assert_int_equal(parse(&img), 1);
	assert_int_equal(plan.reserve, 0x100000);
	assert_int_equal(plan.reserve_len, 0x1000100 - 0x100000);
}

static void low_memory_that_is_free_may_be_used(void **state)
{
	struct image img = image_elf();

	image_put(&img, IMAGE_PHDR(1) + 24, 8, 0x30000);
	image_put(&img, IMAGE_PHDR(1) + 40, 8, LAYOUT_EBDA - 0x30000);
	assert_int_equal(parse(&img), 1);
	assert_int_equal(plan.segment[1].gpa, 0x30000);
}

static void as_many_segments_as_there_is_room_for(void **state)
{
	struct image img = image_elf();
	unsigned i;

	img.len = sizeof(img.data);
	image_put(&img, 32, 8, IMAGE_PHDR(0));
	image_put(&img, 56, 2, BOOT_MAX_SEGMENTS);
	for (i = 0; i < BOOT_MAX_SEGMENTS + 1; i++)
		image_phdr(&img, i, 1, 0x800, 0, 0x1000000 + i * 0x1000, 0x100,
			   0x1000);
	assert_int_equal(parse(&img), 1);
	assert_int_equal(plan.segments, BOOT_MAX_SEGMENTS);

	image_put(&img, 56, 2, BOOT_MAX_SEGMENTS + 1);
	assert_int_equal(parse(&img), -EINVAL);
	assert_int_equal(err.off, IMAGE_PHDR(BOOT_MAX_SEGMENTS));
	assert_string_equal(err.text, "ELF has more than 16 segments to load");
}

static void headers_must_lie_in_the_head(void **state)
{
	struct image img = image_elf();

	/* The file is long enough, but only its head is shown. */
	memset(&plan, 0, sizeof(plan));
	image_put(&img, 32, 8, 0x20000);
	assert_int_equal(image_parse_head(elf_parse, img.data, img.len,
					  0x40000, &plan, &err),
			 -EINVAL);
	assert_int_equal(err.off, 32);
	assert_non_null(strstr(err.text, "within the first 0x400 bytes"));
}

static void without_its_magic_it_is_something_else(void **state)
{
	struct image img = image_elf();

	img.len = 3;
	assert_int_equal(parse(&img), 0);
	img = image_elf();
	img.data[1] = 'e';
	assert_int_equal(parse(&img), 0);
}

#define PH(i, field) (IMAGE_PHDR(i) + (field))

static const struct mangle mangled[] = {
	{ "only the magic", { { 0 } }, 4, 4,
	  "a header of 64 bytes expected, 4 found" },
	{ "cut in the header", { { 0 } }, 63, 63, "truncated" },
	{ "no program headers in the file", { { 0 } }, 64, 64,
	  "program headers end at 0xe8, the file at 0x40" },
	{ "cut in the program headers", { { 0 } }, 0xe7, 0xe7,
	  "program headers end at 0xe8, the file at 0xe7" },
	{ "cut before a segment", { { 0 } }, 0x200, 0x200,
	  "segment 0 ends at 0x300, the file at 0x200" },
	{ "cut in a segment", { { 0 } }, 0x37f, 0x37f,
	  "segment 1 ends at 0x380, the file at 0x37f" },
	{ "32 bits", { { 4, 1, 1 }, { 18, 2, 3 } }, 0, 4,
	  "a 32-bit ELF for i386; a 64-bit one for x86-64, or a PVH note or multiboot header, expected" },
	{ "x32", { { 4, 1, 1 } }, 0, 4, "32-bit ELF for x86-64" },
	{ "32 bits of the unknown", { { 4, 1, 1 }, { 18, 2, 999 } }, 0, 4,
	  "32-bit ELF for an unknown machine" },
	{ "no class", { { 4, 1, 0 } }, 0, 4, "class is 0; 64-bit (2)" },
	{ "AArch64", { { 18, 2, 183 } }, 0, 18,
	  "ELF for AArch64; x86-64 expected" },
	{ "RISC-V", { { 18, 2, 243 } }, 0, 18, "ELF for RISC-V" },
	{ "LoongArch", { { 18, 2, 258 } }, 0, 18, "ELF for LoongArch" },
	{ "s390, big-endian", { { 5, 1, 2 }, { 18, 2, 0x1600 } }, 0, 18,
	  "ELF for s390" },
	{ "unknown machine", { { 18, 2, 999 } }, 0, 18,
	  "machine number 999; x86-64 (62)" },
	{ "byte order", { { 5, 1, 0 } }, 0, 5, "byte order is 0" },
	{ "object file", { { 16, 2, 1 } }, 0, 16, "relocatable ELF" },
	{ "core dump", { { 16, 2, 4 } }, 0, 16, "core dump" },
	{ "unknown type", { { 16, 2, 0xfe00 } }, 0, 16, "type 65024" },
	{ "no program headers", { { 56, 2, 0 } }, 0, 56, "no program headers" },
	{ "more program headers than file", { { 56, 2, 0xffff } }, 0, 0x400,
	  "program headers end at 0x380008, the file at 0x400" },
	{ "odd program headers", { { 54, 2, 32 } }, 0, 54,
	  "32 bytes each, 56 expected" },
	{ "program headers beyond all", { { 32, 8, UINT64_MAX } }, 0, 32,
	  "beyond any file" },
	{ "a program", { { PH(2, 0), 4, 3 } }, 0, PH(2, 0), "user space" },
	{ "nothing to load", { { PH(0, 0), 4, 4 }, { PH(1, 0), 4, 4 } }, 0,
	  0x40, "no segment to load" },
	{ "more in the file than in memory", { { PH(1, 40), 8, 0x7f } }, 0,
	  PH(1, 32), "segment 1 has 0x80 bytes in the file, 0x7f in memory" },
	{ "segment beyond all", { { PH(0, 8), 8, UINT64_MAX - 0x80 } }, 0,
	  PH(0, 8), "beyond any file" },
	{ "segment past the end", { { PH(1, 8), 8, 0x381 } }, 0, 0x400,
	  "segment 1 ends at 0x401" },
	{ "segment that wraps",
	  { { PH(0, 24), 8, UINT64_MAX }, { PH(0, 40), 8, 0x100 } }, 0,
	  PH(0, 24), "bytes at 0xffffffffffffffff" },
	{ "memory size that wraps", { { PH(1, 40), 8, UINT64_MAX } }, 0,
	  PH(1, 24), "segment 1 has 0xffffffffffffffff bytes" },
	{ "segment into the hole", { { PH(1, 24), 8, 0xbfe00001 } }, 0,
	  PH(1, 24), "memory below 4 GiB ends at 0xc0000000" },
	{ "not linked to an address", { { PH(1, 24), 8, 0 } }, 0, PH(1, 24),
	  "segment 1 at 0x0 collides with the BIOS data area at 0x0" },
	{ "on the page tables", { { PH(1, 24), 8, 0x1000 } }, 0, PH(1, 24),
	  "collides with the first page tables at 0x1000" },
	{ "on boot_params",
	  { { PH(1, 24), 8, 0x7f80 }, { PH(1, 40), 8, 0x80 } }, 0, PH(1, 24),
	  "collides with boot_params at 0x7000" },
	{ "on the command line",
	  { { PH(1, 24), 8, 0x2ff80 }, { PH(1, 40), 8, 0x80 } }, 0,
	  PH(1, 24), "collides with the command line at 0x20000" },
	{ "into the EBDA",
	  { { PH(1, 24), 8, 0x9fb81 }, { PH(1, 40), 8, 0x80 } }, 0,
	  PH(1, 24), "collides with the BIOS area at 0x9fc00" },
	{ "segments that overlap", { { PH(1, 24), 8, 0x10000ff } }, 0,
	  PH(1, 24), "segment 1 at 0x10000ff overlaps segment 0 at 0x1000000" },
	{ "segments that overlap from below", { { PH(1, 24), 8, 0xe00001 } },
	  0, PH(1, 24), "overlaps segment 0" },
	{ "entry nowhere", { { 24, 8, 0x1000100 } }, 0, 24,
	  "entry 0x1000100 lies in none" },
	{ "entry in zeros", { { 24, 8, 0x1400080 } }, 0, 24, "lies in none" },
};

static void mangled_ones_are_refused_with_reason_and_offset(void **state)
{
	const char *wrong;
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(mangled); i++) {
		wrong = image_mangle(elf_parse, image_elf(), &mangled[i], &err);
		if (wrong)
			fail_msg("%s: %s: 0x%llx \"%s\"", mangled[i].name,
				 wrong, (unsigned long long)err.off, err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segments_go_to_their_physical_addresses),
		cmocka_unit_test(a_virtual_entry_is_found_in_its_segment),
		cmocka_unit_test(an_entry_that_could_be_either_is_physical),
		cmocka_unit_test(position_independent_ones_are_taken),
		cmocka_unit_test(empty_segments_are_skipped),
		cmocka_unit_test(segments_may_come_in_any_order),
		cmocka_unit_test(low_memory_that_is_free_may_be_used),
		cmocka_unit_test(as_many_segments_as_there_is_room_for),
		cmocka_unit_test(headers_must_lie_in_the_head),
		cmocka_unit_test(without_its_magic_it_is_something_else),
		cmocka_unit_test(mangled_ones_are_refused_with_reason_and_offset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
