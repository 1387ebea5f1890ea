// SPDX-License-Identifier: MIT
/* Against the Multiboot Specification 0.6.96, 3.1 and 3.3. */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "boot/multiboot.h"
#include "core/base.h"
#include "core/gmem.h"
#include "images.h"
#include "layout.h"

#define FLAGS_ALL 0x24d /* memory, command line, modules, map, loader's name */

static struct boot_plan plan;
static struct boot_error err;

static void put_header(struct image *img, size_t off, uint32_t flags)
{
	image_put(img, off, 4, 0x1badb002);
	image_put(img, off + 4, 4, flags);
	image_put(img, off + 8, 4, 0u - (0x1badb002u + flags));
}

/* A flat file, its header at 0x40, that wants to lie at 2 MiB. */
static struct image flat_image(void)
{
	struct image img = { .len = 0x400 };

	put_header(&img, 0x40, 0x10003);
	image_put(&img, 0x4c, 4, 0x200040); /* header_addr */
	image_put(&img, 0x50, 4, 0x200000); /* load_addr */
	image_put(&img, 0x54, 4, 0x200300); /* load_end_addr */
	image_put(&img, 0x58, 4, 0x201000); /* bss_end_addr */
	image_put(&img, 0x5c, 4, 0x200080); /* entry_addr */
	return img;
}

/* An ELF32 of one segment at 4 MiB, its header right at the segment's start. */
static struct image elf32_image(void)
{
	struct image img = { .len = 0x400 };

	memcpy(img.data, "\177ELF\1\1\1", 7);
	image_put(&img, 16, 2, 2); /* ET_EXEC */
	image_put(&img, 18, 2, 3); /* EM_386 */
	image_put(&img, 20, 4, 1);
	image_put(&img, 24, 4, 0x40000c); /* e_entry */
	image_put(&img, 28, 4, 52); /* e_phoff */
	image_put(&img, 40, 2, 52); /* e_ehsize */
	image_put(&img, 42, 2, 32); /* e_phentsize */
	image_put(&img, 44, 2, 1); /* e_phnum */
	image_put(&img, 52, 4, 1); /* PT_LOAD */
	image_put(&img, 56, 4, 0x200); /* p_offset */
	image_put(&img, 60, 4, 0x400000); /* p_vaddr */
	image_put(&img, 64, 4, 0x400000); /* p_paddr */
	image_put(&img, 68, 4, 0x100); /* p_filesz */
	image_put(&img, 72, 4, 0x5000); /* p_memsz */
	put_header(&img, 0x200, 0);
	return img;
}

static int parse(const struct image *img)
{
	return image_parse(multiboot_parse, img, &plan, &err);
}

static void an_elf32_is_loaded_by_its_program_headers(void **state)
{
	struct image img = elf32_image();

	assert_int_equal(parse(&img), 1);
	assert_int_equal(plan.protocol, BOOT_MULTIBOOT);
	assert_int_equal(plan.segments, 1);
	assert_int_equal(plan.segment[0].file_off, 0x200);
	assert_int_equal(plan.segment[0].file_len, 0x100);
	assert_int_equal(plan.segment[0].gpa, 0x400000);
	assert_int_equal(plan.segment[0].mem_len, 0x5000);
	assert_int_equal(plan.entry, 0x40000c);
	assert_int_equal(plan.reserve, 0x400000);
	assert_int_equal(plan.reserve_len, 0x5000);
}

static void an_elf64_with_a_header_is_one_too(void **state)
{
	struct image img = image_elf();

	put_header(&img, 0x200, 3);
	assert_int_equal(parse(&img), 1);
	assert_int_equal(plan.protocol, BOOT_MULTIBOOT);
	assert_int_equal(plan.entry, 0x1000000);
}

static void without_an_elf_the_addresses_count(void **state)
{
	struct image img = flat_image();

	assert_int_equal(parse(&img), 1);
	assert_int_equal(plan.segments, 1);
	assert_int_equal(plan.segment[0].file_off, 0);
	assert_int_equal(plan.segment[0].file_len, 0x300);
	assert_int_equal(plan.segment[0].gpa, 0x200000);
	assert_int_equal(plan.segment[0].mem_len, 0x1000);
	assert_int_equal(plan.entry, 0x200080);
}

static void zeroes_for_the_ends_mean_the_whole_file_and_no_bss(void **state)
{
	struct image img = flat_image();

	image_put(&img, 0x50, 4, 0x200020); /* from 0x20 in the file on */
	image_put(&img, 0x54, 4, 0);
	image_put(&img, 0x58, 4, 0);
	assert_int_equal(parse(&img), 1);
	assert_int_equal(plan.segment[0].file_off, 0x20);
	assert_int_equal(plan.segment[0].file_len, 0x3e0);
	assert_int_equal(plan.segment[0].mem_len, 0x3e0);
}

static void addresses_go_before_program_headers(void **state)
{
	struct image img = elf32_image();

	put_header(&img, 0x200, 0x10000);
	image_put(&img, 0x20c, 4, 0x300000);
	image_put(&img, 0x210, 4, 0x300000);
	image_put(&img, 0x214, 4, 0);
	image_put(&img, 0x218, 4, 0);
	image_put(&img, 0x21c, 4, 0x300020);
	assert_int_equal(parse(&img), 1);
	assert_int_equal(plan.segment[0].gpa, 0x300000);
	assert_int_equal(plan.segment[0].file_off, 0x200);
}

static void what_has_no_header_is_something_else(void **state)
{
	struct image img = elf32_image();

	image_put(&img, 0x208, 4, 0); /* the checksum */
	assert_int_equal(parse(&img), 0);
	img = flat_image();
	memmove(img.data + 0x42, img.data + 0x40, 0x20); /* no multiple of 4 */
	image_put(&img, 0x40, 2, 0);
	assert_int_equal(parse(&img), 0);
	assert_int_equal(image_parse_head(multiboot_parse, img.data, 0,
					  0, &plan, &err),
			 0);
}

static void refused(const struct image *img, uint64_t off, const char *what)
{
	assert_int_equal(parse(img), -EINVAL);
	assert_int_equal(err.off, off);
	if (!strstr(err.text, what))
		fail_msg("'%s' does not say '%s'", err.text, what);
}

static void unknown_requirements_are_refused(void **state)
{
	struct image img = flat_image();

	put_header(&img, 0x40, 0x10008);
	refused(&img, 0x44, "flags 0x10008 require");
}

static void addresses_that_cannot_be_are_refused(void **state)
{
	static const struct {
		size_t off;
		uint32_t val;
		const char *what;
	} bad[] = {
		{ 0x50, 0x200041, "load_addr" }, /* above header_addr */
		{ 0x50, 0x1fffff, "load_addr" }, /* before the file */
		{ 0x54, 0x1fffff, "load_end_addr" },
		{ 0x58, 0x2002ff, "bss_end_addr" },
		{ 0x5c, 0x200300, "entry_addr" },
		{ 0x5c, 0x1fffff, "entry_addr" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct image img = flat_image();

		image_put(&img, bad[i].off, 4, bad[i].val);
		refused(&img, bad[i].off, bad[i].what);
	}
}

static void an_end_beyond_the_file_is_refused(void **state)
{
	struct image img = flat_image();

	image_put(&img, 0x54, 4, 0x200401);
	refused(&img, 0x400, "truncated");
}

static void a_place_that_is_taken_is_refused(void **state)
{
	struct image img = flat_image();

	image_put(&img, 0x4c, 4, 0x9040);
	image_put(&img, 0x50, 4, 0x9000);
	image_put(&img, 0x54, 4, 0x9300);
	image_put(&img, 0x58, 4, 0);
	image_put(&img, 0x5c, 4, 0x9080);
	refused(&img, 0x50, "multiboot information");
}

static void in_an_elf32_the_field_at_fault_is_named(void **state)
{
	struct image img = elf32_image();

	image_put(&img, 64, 4, 0x9000); /* p_paddr */
	refused(&img, 64, "multiboot information");
	img = elf32_image();
	image_put(&img, 72, 4, 0xff); /* p_memsz, less than p_filesz */
	refused(&img, 68, "0xff in memory");
}

static void neither_addresses_nor_an_elf_is_refused(void **state)
{
	struct image img = flat_image();

	put_header(&img, 0x40, 3);
	refused(&img, 0x44, "flag 16");
}

/* ---- the information ---------------------------------------------------- */

static uint8_t *memory;
static struct gmem gm;

static int set_up(void **state)
{
	memory = calloc(1, MIB(1));
	memset(&gm, 0, sizeof(gm));
	return memory ? gmem_add(&gm, 0, MIB(1), memory) : -1;
}

static int tear_down(void **state)
{
	free(memory);
	return 0;
}

static uint32_t info(unsigned off)
{
	return get_le32(memory + LAYOUT_MULTIBOOT + off);
}

static const char *string_at(uint32_t gpa)
{
	return (const char *)memory + gpa;
}

static const struct e820_range map[] = {
	{ 0, 0x9fc00, E820_RAM },
	{ 0x9fc00, 0x400, E820_RESERVED },
	{ 0x100000, 0x3f00000, E820_RAM },
};

static struct multiboot_boot boot(void)
{
	return (struct multiboot_boot){
		.kernel = "a.flat",
		.cmdline = "x  y",
		.e820 = map,
		.e820_count = ARRAY_SIZE(map),
	};
}

static void the_kernel_finds_memory_map_and_arguments(void **state)
{
	struct multiboot_boot b = boot();
	const uint8_t *entry;

	assert_int_equal(multiboot_write(&gm, &b, &err), 0);
	assert_int_equal(info(0), FLAGS_ALL);
	assert_int_equal(info(4), 639);
	assert_int_equal(info(8), 0x3f00000 / 1024);
	assert_string_equal(string_at(info(16)), "a.flat x  y");
	assert_string_equal(string_at(info(64)), "Trapmap");
	assert_int_equal(info(44), 3 * 24);
	entry = memory + info(48) + 24;
	assert_int_equal(get_le32(entry), 20); /* without itself */
	assert_int_equal(get_le64(entry + 4), 0x9fc00);
	assert_int_equal(get_le64(entry + 12), 0x400);
	assert_int_equal(get_le32(entry + 20), 2);
	assert_int_equal(info(20), 0); /* no modules */
}

static void without_arguments_there_is_the_name_alone(void **state)
{
	struct multiboot_boot b = boot();

	b.cmdline = "";
	assert_int_equal(multiboot_write(&gm, &b, &err), 0);
	assert_string_equal(string_at(info(16)), "a.flat");
}

static void modules_have_their_place_and_name(void **state)
{
	static const struct multiboot_module modules[] = {
		{ "one", 0x500000, 0x1234 },
		{ "dir/two", 0x502000, 1 },
	};
	struct multiboot_boot b = boot();
	const uint8_t *m;

	b.module = modules;
	b.modules = 2;
	assert_int_equal(multiboot_write(&gm, &b, &err), 0);
	assert_int_equal(info(20), 2);
	m = memory + info(24) + 16;
	assert_int_equal(get_le32(m), 0x502000);
	assert_int_equal(get_le32(m + 4), 0x502001);
	assert_string_equal(string_at(get_le32(m + 8)), "dir/two");
	assert_int_equal(get_le32(m + 12), 0);
}

static void what_is_too_long_is_refused(void **state)
{
	struct multiboot_module modules[64];
	struct multiboot_boot b = boot();
	static char text[LAYOUT_CMDLINE_MAX + 1];
	size_t i;

	memset(text, 'x', LAYOUT_CMDLINE_MAX - sizeof("a.flat"));
	b.cmdline = text;
	assert_int_equal(multiboot_write(&gm, &b, &err), -EINVAL);
	assert_non_null(strstr(err.text, "command line"));
	text[LAYOUT_CMDLINE_MAX - sizeof("a.flat") - 1] = 0;
	assert_int_equal(multiboot_write(&gm, &b, &err), 0);
	assert_int_equal(strlen(string_at(info(16))), LAYOUT_CMDLINE_MAX - 1);

	memset(text, 'x', LAYOUT_CMDLINE_MAX - 1);
	b.kernel = text;
	b.cmdline = "a";
	assert_int_equal(multiboot_write(&gm, &b, &err), -EINVAL);
	assert_non_null(strstr(err.text, "command line"));

	b = boot();
	text[4000] = 0;
	b.cmdline = "";
	for (i = 0; i < ARRAY_SIZE(modules); i++)
		modules[i] = (struct multiboot_module){ text, 0x500000, 1 };
	b.module = modules;
	b.modules = ARRAY_SIZE(modules);
	assert_int_equal(multiboot_write(&gm, &b, &err), -EINVAL);
	assert_non_null(strstr(err.text, "modules"));
}

#define T(f) cmocka_unit_test(f)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_elf32_is_loaded_by_its_program_headers),
		T(an_elf64_with_a_header_is_one_too),
		T(without_an_elf_the_addresses_count),
		T(zeroes_for_the_ends_mean_the_whole_file_and_no_bss),
		T(addresses_go_before_program_headers),
		T(what_has_no_header_is_something_else),
		T(unknown_requirements_are_refused),
		T(addresses_that_cannot_be_are_refused),
		T(an_end_beyond_the_file_is_refused),
		T(a_place_that_is_taken_is_refused),
		T(in_an_elf32_the_field_at_fault_is_named),
		T(neither_addresses_nor_an_elf_is_refused),
		T(the_kernel_finds_memory_map_and_arguments),
		T(without_arguments_there_is_the_name_alone),
		T(modules_have_their_place_and_name),
		T(what_is_too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
