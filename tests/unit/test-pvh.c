// SPDX-License-Identifier: MIT
/*
 * PVH: against the System V ABI's "Note Section", Xen's docs/misc/pvh.pandoc and
 * xen/include/public/arch-x86/hvm/start_info.h. Offsets are theirs, as numbers.
 */
#include "test.h"

#include <errno.h>

#include "boot/elf_notes.h"
#include "boot/pvh.h"
#include "core/base.h"
#include "images.h"
#include "layout.h"

static struct boot_plan plan;
static struct boot_error err;
static struct boot_notes notes;

/* ---- notes -------------------------------------------------------------- */

static uint8_t note[256];
static struct elf_notes_range range;

static int setup_notes(void **state)
{
	memset(note, 0, sizeof(note));
	memset(&notes, 0, sizeof(notes));
	range = (struct elf_notes_range){ .off = 0x5000, .align = 4 };
	return 0;
}

static void add_note(const char *name, uint32_t type, const void *desc,
		     uint32_t len)
{
	uint32_t name_len = (uint32_t)strlen(name) + 1;
	size_t at = range.len;

	put_le32(note + at, name_len);
	put_le32(note + at + 4, len);
	put_le32(note + at + 8, type);
	memcpy(note + at + 12, name, name_len);
	at = align_up(at + 12 + name_len, range.align);
	memcpy(note + at, desc, len);
	range.len = align_up(at + len, range.align);
}

/* From a copy of its own size, so that ASan sees a read past the end. */
static void read_notes(void)
{
	uint8_t *copy = malloc(range.len + 1);

	memcpy(copy, note, range.len);
	elf_notes_read(copy, &range, &notes);
	free(copy);
}

static void the_entry_is_in_a_note_of_xens(void **state)
{
	const uint32_t entry = 0x1000850;

	add_note("GNU", 3, "build-id", 8);
	add_note("Xen", 18, &entry, 4);
	read_notes();
	assert_true(notes.has_pvh);
	assert_false(notes.is_linux);
	assert_int_equal(notes.pvh_entry, 0x1000850);
	assert_int_equal(notes.pvh_off, 0x5000 + 24 + 16);
}

static void it_has_four_bytes_or_eight(void **state)
{
	const uint64_t entry = 0x1000850;

	add_note("Xen", 18, &entry, 8);
	read_notes();
	assert_int_equal(notes.pvh_entry, 0x1000850);
	setup_notes(NULL);
	add_note("Xen", 18, &entry, 2);
	read_notes();
	assert_false(notes.has_pvh);
}

static void another_owners_note_of_that_number_is_none(void **state)
{
	const uint32_t entry = 0x1000850;

	add_note("Xenon", 18, &entry, 4);
	add_note("Xen", 1, &entry, 4); /* XEN_ELFNOTE_ENTRY: for Xen PV */
	read_notes();
	assert_false(notes.has_pvh);
}

static void notes_of_eight_bytes_alignment_are_read(void **state)
{
	const uint64_t entry = 0x123456;

	range.align = 8;
	add_note("GNU", 5, "property", 5);
	add_note("Xen", 18, &entry, 8);
	read_notes();
	assert_int_equal(notes.pvh_entry, 0x123456);
}

static void linux_says_so_in_one_of_two_ways(void **state)
{
	add_note("Linux", 0x100, "salt", 4);
	read_notes();
	assert_true(notes.is_linux);
	setup_notes(NULL);
	add_note("Xen", 6, "linux", 6);
	read_notes();
	assert_true(notes.is_linux);
	setup_notes(NULL);
	add_note("Xen", 6, "FreeBSD", 8);
	read_notes();
	assert_false(notes.is_linux);
}

static void sizes_that_lead_out_of_the_segment_end_it(void **state)
{
	const uint32_t entry = 0x1000850, huge = UINT32_MAX;
	const size_t at[] = { 0, 4 };
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(at); i++) {
		setup_notes(NULL);
		add_note("Xen", 18, &entry, 4);
		memcpy(note + at[i], &huge, 4);
		read_notes();
		assert_false(notes.has_pvh);
	}
	setup_notes(NULL);
	add_note("Xen", 18, &entry, 4);
	range.len--;
	read_notes();
	assert_false(notes.has_pvh);
	range.len = 3;
	read_notes();
	assert_false(notes.has_pvh);
}

static void a_segment_of_notes_is_found_by_its_header(void **state)
{
	struct image img = image_elf();
	struct boot_image image = {
		.head = img.data,
		.head_len = img.len,
		.len = img.len,
	};

	assert_true(elf_notes_find(&image, 0, &range));
	assert_int_equal(range.off, 0x380);
	assert_int_equal(range.len, 0x20);
	assert_int_equal(range.align, 4);
	assert_false(elf_notes_find(&image, 1, &range));
	/* What does not lie in the file has nothing in it. */
	image_put(&img, IMAGE_PHDR(2) + 32, 8, 0x81);
	assert_true(elf_notes_find(&image, 0, &range));
	assert_int_equal(range.len, 0);
	image_put(&img, IMAGE_PHDR(2) + 8, 8, UINT64_MAX);
	assert_true(elf_notes_find(&image, 0, &range));
	assert_int_equal(range.len, 0);
}

/* ---- which protocol ----------------------------------------------------- */

static int parse(const struct image *img, bool is_linux)
{
	const struct boot_notes say = {
		.has_pvh = true,
		.is_linux = is_linux,
		.pvh_entry = 0x1000010,
		.pvh_off = 0x390,
	};

	return image_parse_as(elf_parse, img, TRAPMAP_BOOT_AUTO, &say, &plan,
			      &err);
}

static void linux_starts_by_its_own_protocol_others_by_pvh(void **state)
{
	struct image img = image_elf();

	assert_int_equal(parse(&img, true), 1);
	assert_int_equal(plan.boot, TRAPMAP_BOOT_LINUX64);
	assert_true(plan.is_linux);
	assert_int_equal(parse(&img, false), 1);
	assert_int_equal(plan.boot, TRAPMAP_BOOT_PVH);
	assert_int_equal(plan.protocol, BOOT_PVH);
	assert_int_equal(plan.entry, 0x1000010);
	assert_int_equal(plan.offers,
			 BIT(TRAPMAP_BOOT_PVH) | BIT(TRAPMAP_BOOT_LINUX64));
}

static void with_a_note_e_entry_need_not_be_one(void **state)
{
	struct image img = image_elf();

	image_put(&img, 24, 8, 0);
	assert_int_equal(parse(&img, false), 1);
	assert_int_equal(plan.entry, 0x1000010);
	assert_int_equal(plan.offers, BIT(TRAPMAP_BOOT_PVH));
}

/* FreeBSD's kernel has one, /red/herring. */
static void an_interpreter_matters_to_a_program_only(void **state)
{
	struct image img = image_elf();

	image_put(&img, IMAGE_PHDR(2), 4, 3); /* PT_INTERP, in the note's place */
	assert_int_equal(parse(&img, false), 1);
	assert_int_equal(plan.boot, TRAPMAP_BOOT_PVH);
	assert_int_equal(parse(&img, true), -EINVAL);
	assert_non_null(strstr(err.text, "user space"));
}

static void an_elf32_starts_by_its_note(void **state)
{
	struct image img = { .len = 0x400 };

	memcpy(img.data, "\177ELF\1\1\1", 7);
	image_put(&img, 16, 2, 2); /* ET_EXEC */
	image_put(&img, 18, 2, 3); /* EM_386 */
	image_put(&img, 24, 4, 0x1000000); /* e_entry */
	image_put(&img, 28, 4, 52); /* e_phoff */
	image_put(&img, 42, 2, 32); /* e_phentsize */
	image_put(&img, 44, 2, 1); /* e_phnum */
	image_put(&img, 52, 4, 1); /* PT_LOAD */
	image_put(&img, 56, 4, 0x200); /* p_offset */
	image_put(&img, 64, 4, 0x1000000); /* p_paddr */
	image_put(&img, 68, 4, 0x100); /* p_filesz */
	image_put(&img, 72, 4, 0x100); /* p_memsz */
	assert_int_equal(parse(&img, false), 1);
	assert_int_equal(plan.boot, TRAPMAP_BOOT_PVH);
	assert_int_equal(plan.entry, 0x1000010);
	/* As Linux for i386 has it: its e_entry is the 32-bit one. */
	assert_int_equal(parse(&img, true), 1);
	assert_int_equal(plan.protocol, BOOT_LINUX32);
	assert_int_equal(plan.entry, 0x1000000);
}

static void an_entry_outside_of_what_is_loaded_is_refused(void **state)
{
	struct image img = image_elf();
	const struct boot_notes say = {
		.has_pvh = true,
		.pvh_entry = 0xffffffff81000000, /* physical it has to be */
		.pvh_off = 0x390,
	};

	assert_int_equal(image_parse_as(elf_parse, &img, TRAPMAP_BOOT_AUTO,
					&say, &plan, &err),
			 -EINVAL);
	assert_int_equal(err.off, 0x390);
	assert_string_equal(err.text,
			    "ELF's PVH entry 0xffffffff81000000 lies in none of its segments");
}

/* ---- start info --------------------------------------------------------- */

static uint8_t ram[MIB(1)];
static struct gmem gm;
static struct pvh_boot boot;
static const struct e820_range map[] = {
	{ 0, 0x9fc00, E820_RAM },
	{ 0x9fc00, 0x400, E820_RESERVED },
	{ 0x100000000, 0x80000000, E820_RAM },
};
static struct pvh_module modules[] = {
	{ "initrd.img quiet", 0x7f00000, 0x123456 },
	{ NULL, 0x100000000, 0x200000001 },
};

static int setup_info(void **state)
{
	memset(ram, 0xcc, sizeof(ram));
	memset(&gm, 0, sizeof(gm));
	assert_int_equal(gmem_add(&gm, 0, sizeof(ram), ram), 0);
	boot = (struct pvh_boot){
		.cmdline = "console=ttyS0",
		.cmdline_max = 2047,
		.e820 = map,
		.e820_count = ARRAY_SIZE(map),
		.module = modules,
		.modules = ARRAY_SIZE(modules),
		.acpi_rsdp = 0xe0000,
	};
	return 0;
}

static uint64_t get(uint64_t gpa, unsigned size)
{
	uint64_t val = 0;

	assert_int_equal(gmem_read(&gm, gpa, &val, size), 0);
	return val;
}

static void it_says_what_version_1_says(void **state)
{
	const uint64_t info = LAYOUT_PVH;
	uint64_t at;
	unsigned i;

	assert_int_equal(pvh_write(&gm, &boot, &err), 0);
	assert_int_equal(get(info, 4), 0x336ec578); /* "xEn3", E with 0x80 */
	assert_int_equal(get(info + 4, 4), 1);
	assert_int_equal(get(info + 8, 4), 0); /* flags */
	assert_int_equal(get(info + 12, 4), 2);
	assert_string_equal((const char *)ram + get(info + 24, 8),
			    "console=ttyS0");
	assert_int_equal(get(info + 32, 8), 0xe0000);
	assert_int_equal(get(info + 48, 4), 3);
	assert_int_equal(get(info + 52, 4), 0);

	at = get(info + 40, 8);
	assert_int_equal(at % 8, 0);
	for (i = 0; i < ARRAY_SIZE(map); i++, at += 24) {
		assert_int_equal(get(at, 8), map[i].base);
		assert_int_equal(get(at + 8, 8), map[i].len);
		assert_int_equal(get(at + 16, 4), map[i].type);
		assert_int_equal(get(at + 20, 4), 0);
	}
}

static void each_module_is_described(void **state)
{
	uint64_t at;

	assert_int_equal(pvh_write(&gm, &boot, &err), 0);
	at = get(LAYOUT_PVH + 16, 8);
	assert_int_equal(at % 8, 0);
	assert_int_equal(get(at, 8), 0x7f00000);
	assert_int_equal(get(at + 8, 8), 0x123456);
	assert_string_equal((const char *)ram + get(at + 16, 8),
			    "initrd.img quiet");
	assert_int_equal(get(at + 24, 8), 0);
	assert_int_equal(get(at + 32, 8), 0x100000000);
	assert_int_equal(get(at + 40, 8), 0x200000001);
	assert_int_equal(get(at + 48, 8), 0);

	boot.modules = 0;
	assert_int_equal(pvh_write(&gm, &boot, &err), 0);
	assert_int_equal(get(LAYOUT_PVH + 12, 4), 0);
	assert_int_equal(get(LAYOUT_PVH + 16, 8), 0);
}

static void what_is_too_long_is_refused_and_not_written(void **state)
{
	static char line[2049], name[0x8000];

	memset(line, 'x', 2047);
	boot.cmdline = line;
	assert_int_equal(pvh_write(&gm, &boot, &err), 0);
	setup_info(NULL);
	line[2047] = 'x';
	boot.cmdline = line;
	assert_int_equal(pvh_write(&gm, &boot, &err), -EINVAL);
	assert_string_equal(err.text,
			    "command line has 2048 bytes, this kernel takes at most 2047");
	assert_int_equal(ram[LAYOUT_PVH], 0xcc);

	boot.cmdline = "";
	memset(name, 'n', sizeof(name) - 1);
	modules[1].cmdline = name;
	assert_int_equal(pvh_write(&gm, &boot, &err), -EINVAL);
	assert_string_equal(err.text, "the names of 2 modules are too long");
	assert_int_equal(ram[LAYOUT_PVH], 0xcc);
	modules[1].cmdline = NULL;
}

#define NOTE(f) cmocka_unit_test_setup(f, setup_notes)
#define INFO(f) cmocka_unit_test_setup(f, setup_info)

int main(void)
{
	const struct CMUnitTest tests[] = {
		NOTE(the_entry_is_in_a_note_of_xens),
		NOTE(it_has_four_bytes_or_eight),
		NOTE(another_owners_note_of_that_number_is_none),
		NOTE(notes_of_eight_bytes_alignment_are_read),
		NOTE(linux_says_so_in_one_of_two_ways),
		NOTE(sizes_that_lead_out_of_the_segment_end_it),
		NOTE(a_segment_of_notes_is_found_by_its_header),
		cmocka_unit_test(linux_starts_by_its_own_protocol_others_by_pvh),
		cmocka_unit_test(with_a_note_e_entry_need_not_be_one),
		cmocka_unit_test(an_interpreter_matters_to_a_program_only),
		cmocka_unit_test(an_elf32_starts_by_its_note),
		cmocka_unit_test(an_entry_outside_of_what_is_loaded_is_refused),
		INFO(it_says_what_version_1_says),
		INFO(each_module_is_described),
		INFO(what_is_too_long_is_refused_and_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
