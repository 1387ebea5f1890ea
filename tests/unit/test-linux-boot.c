// SPDX-License-Identifier: MIT
/*
 * Against Documentation/arch/x86/boot.rst and zero-page.rst: offsets are theirs,
 * as numbers.
 */
#include "test.h"

#include <errno.h>

#include "boot/linux.h"
#include "core/base.h"
#include "images.h"
#include "layout.h"

static uint8_t ram[MIB(1)];
static struct gmem gm;
static struct image img;
static struct boot_plan plan;
static struct boot_error err;
static struct linux_boot boot;
static struct e820_range e820[E820_MAX];
static const uint8_t seed[4] = { 1, 2, 3, 4 };

/* A bzImage, an initrd, and memory full of what was there before. */
static int setup(void **state)
{
	const struct platform platform =
		platform_pc(MIB(128), 1, PLATFORM_TRANSPORT);

	memset(ram, 0xcc, sizeof(ram));
	memset(&gm, 0, sizeof(gm));
	assert_int_equal(gmem_add(&gm, 0, sizeof(ram), ram), 0);
	img = image_bzimage();
	assert_int_equal(image_parse(bzimage_parse, &img, &plan, &err), 1);
	boot = (struct linux_boot){
		.plan = &plan,
		.setup = img.data + plan.setup_off,
		.cmdline = "console=ttyS0  quiet ",
		.initrd = 0x7f00000,
		.initrd_len = 0x123456,
		.e820 = e820,
		.e820_count = e820_build(&platform, e820),
		.acpi_rsdp = LAYOUT_ACPI,
	};
	return 0;
}

static uint64_t get(unsigned off, unsigned size)
{
	uint64_t val = 0;

	memcpy(&val, ram + LAYOUT_BOOT_PARAMS + off, size);
	return val;
}

static uint64_t sum(unsigned from, unsigned to)
{
	uint64_t n = 0;

	while (from < to)
		n += ram[LAYOUT_BOOT_PARAMS + from++];
	return n;
}

static int write_it(void)
{
	return linux_boot_write(&gm, &boot, &err);
}

static void the_header_is_copied_by_its_length(void **state)
{
	image_put(&img, 0x1fa, 2, 0xffff); /* vid_mode */
	image_put(&img, 0x268, 4, 0x12345678); /* its last field */
	image_put(&img, 0x26c, 4, 0xdeadbeef); /* no longer the header */
	assert_int_equal(write_it(), 0);
	assert_int_equal(get(0x1f1, 1), 1);
	assert_int_equal(get(0x1fa, 2), 0xffff);
	assert_int_equal(get(0x1fe, 2), 0xaa55);
	assert_int_equal(get(0x202, 4), 0x53726448);
	assert_int_equal(get(0x206, 2), 0x20f);
	assert_int_equal(get(0x258, 8), 0x1000000);
	assert_int_equal(get(0x268, 4), 0x12345678);
	assert_int_equal(sum(0x26c, 0x2d0), 0);
}

static void all_else_is_zero(void **state)
{
	unsigned e820_end = 0x2d0 + 20 * boot.e820_count;

	assert_int_equal(write_it(), 0);
	assert_int_equal(sum(0, 0x70), 0); /* no screen: no VGA */
	assert_int_equal(sum(0x78, 0xc0), 0);
	assert_int_equal(sum(0xcc, 0x1e8), 0);
	assert_int_equal(sum(0x1e9, 0x1f1), 0); /* the sentinel among them */
	assert_int_equal(sum(e820_end, 0x1000), 0);
	/* And nothing beyond the page. */
	assert_int_equal(ram[LAYOUT_BOOT_PARAMS - 1], 0xcc);
	assert_int_equal(ram[LAYOUT_BOOT_PARAMS + 0x1000], 0xcc);
}

static void the_loader_s_fields_are_filled_in(void **state)
{
	image_put(&img, 0x211, 1, 0x81); /* CAN_USE_HEAP, but no setup code */
	assert_int_equal(write_it(), 0);
	assert_int_equal(get(0x210, 1), 0xff); /* type_of_loader */
	assert_int_equal(get(0x211, 1), 0x01);
	assert_int_equal(get(0x214, 4), 0x1000000); /* code32_start */
	assert_int_equal(get(0x218, 4), 0x7f00000); /* ramdisk_image */
	assert_int_equal(get(0x21c, 4), 0x123456);
	assert_int_equal(get(0x228, 4), LAYOUT_CMDLINE);
	assert_int_equal(get(0x0c0, 4), 0); /* ext_ramdisk_image */
	assert_int_equal(get(0x0c4, 4), 0);
	assert_int_equal(get(0x0c8, 4), 0); /* ext_cmd_line_ptr */
	assert_int_equal(get(0x070, 8), LAYOUT_ACPI); /* acpi_rsdp_addr */
}

static void an_initrd_beyond_32_bits_uses_the_ext_fields(void **state)
{
	boot.initrd = 0x123456789000;
	boot.initrd_len = 0x2fedcba98;
	assert_int_equal(write_it(), 0);
	assert_int_equal(get(0x218, 4), 0x56789000);
	assert_int_equal(get(0x0c0, 4), 0x1234);
	assert_int_equal(get(0x21c, 4), 0xfedcba98);
	assert_int_equal(get(0x0c4, 4), 2);
}

static void without_an_initrd_there_is_none(void **state)
{
	image_put(&img, 0x218, 4, 0x1111); /* nothing of the file's is left */
	image_put(&img, 0x21c, 4, 0x2222);
	boot.initrd_len = 0;
	assert_int_equal(write_it(), 0);
	assert_int_equal(get(0x218, 4), 0);
	assert_int_equal(get(0x21c, 4), 0);
	assert_int_equal(get(0x0c0, 8), 0);
}

static void the_memory_map_is_in_entries_of_20_bytes(void **state)
{
	unsigned i;

	assert_int_equal(write_it(), 0);
	assert_int_equal(get(0x1e8, 1), boot.e820_count);
	for (i = 0; i < boot.e820_count; i++) {
		assert_int_equal(get(0x2d0 + i * 20, 8), e820[i].base);
		assert_int_equal(get(0x2d8 + i * 20, 8), e820[i].len);
		assert_int_equal(get(0x2e0 + i * 20, 4), e820[i].type);
	}
}

static void the_command_line_is_copied_byte_for_byte(void **state)
{
	assert_int_equal(write_it(), 0);
	assert_string_equal((char *)ram + LAYOUT_CMDLINE,
			    "console=ttyS0  quiet ");
	boot.cmdline = "";
	assert_int_equal(write_it(), 0);
	assert_int_equal(ram[LAYOUT_CMDLINE], 0);
}

static void a_command_line_may_be_as_long_as_the_kernel_says(void **state)
{
	char line[2049];

	memset(line, 'x', sizeof(line));
	line[2048] = 0;
	boot.cmdline = line;
	assert_int_equal(write_it(), -EINVAL);
	assert_string_equal(err.text,
			    "command line has 2048 bytes, this kernel takes at most 2047");
	assert_int_equal(ram[LAYOUT_CMDLINE], 0xcc);
	assert_int_equal(get(0x202, 1), 0xcc); /* nothing was written */

	line[2047] = 0;
	assert_int_equal(write_it(), 0);
	assert_int_equal(ram[LAYOUT_CMDLINE + 2046], 'x');
	assert_int_equal(ram[LAYOUT_CMDLINE + 2047], 0);
}

static void a_seed_is_in_the_setup_data_list(void **state)
{
	const uint8_t *sd = ram + LAYOUT_SETUP_DATA;

	boot.rng_seed = seed;
	boot.rng_seed_len = sizeof(seed);
	assert_int_equal(write_it(), 0);
	assert_int_equal(get(0x250, 8), LAYOUT_SETUP_DATA);
	assert_int_equal(get_le64(sd), 0); /* the last */
	assert_int_equal(get_le32(sd + 8), 9); /* SETUP_RNG_SEED */
	assert_int_equal(get_le32(sd + 12), 4);
	assert_memory_equal(sd + 16, seed, 4);
	assert_int_equal(sd[20], 0xcc);

	boot.rng_seed = NULL;
	assert_int_equal(write_it(), 0);
	assert_int_equal(get(0x250, 8), 0);
}

static void a_seed_that_does_not_fit_is_refused(void **state)
{
	boot.rng_seed = ram;
	boot.rng_seed_len = LAYOUT_SETUP_DATA_MAX - 16;
	assert_int_equal(write_it(), 0);
	boot.rng_seed_len++;
	assert_int_equal(write_it(), -EINVAL);
	boot.rng_seed_len = UINT32_MAX;
	assert_int_equal(write_it(), -EINVAL);
}

static void a_devicetree_comes_behind_the_seed_or_alone(void **state)
{
	static const uint8_t tree[] = { 0xd0, 0x0d, 0xfe, 0xed };

	boot.rng_seed = seed;
	boot.rng_seed_len = sizeof(seed);
	boot.dtb = tree;
	boot.dtb_len = sizeof(tree);
	assert_int_equal(write_it(), 0);
	assert_true(get(0x250, 8) == LAYOUT_SETUP_DATA);
	assert_int_equal(ram[LAYOUT_SETUP_DATA + 2], LAYOUT_DTB >> 16);
	assert_int_equal(ram[LAYOUT_DTB + 8], 2); /* SETUP_DTB */
	assert_int_equal(ram[LAYOUT_DTB + 12], sizeof(tree));
	assert_memory_equal(ram + LAYOUT_DTB + 16, tree, sizeof(tree));

	boot.rng_seed = NULL;
	assert_int_equal(write_it(), 0);
	assert_true(get(0x250, 8) == LAYOUT_DTB);
}

static void a_devicetree_does_not_overwrite_the_kernel(void **state)
{
	static const uint8_t tree[0x2000];

	img = image_elf();
	image_put(&img, IMAGE_PHDR(1) + 24, 8, LAYOUT_DTB + 0x2000);
	image_put(&img, IMAGE_PHDR(1) + 40, 8, 0x80);
	assert_int_equal(image_parse(elf_parse, &img, &plan, &err), 1);
	boot.setup = NULL;
	boot.dtb = tree;
	boot.dtb_len = 0x2000 - 16; /* behind its setup_data's header */
	assert_int_equal(write_it(), 0);
	boot.dtb_len++;
	memset(ram, 0xcc, sizeof(ram));
	assert_int_equal(write_it(), -EINVAL);
	assert_non_null(strstr(err.text, "devicetree"));
	assert_int_equal(ram[LAYOUT_DTB], 0xcc);
	assert_int_equal(ram[LAYOUT_CMDLINE], 0xcc);
	/* Without one it may lie there. */
	boot.dtb = NULL;
	assert_int_equal(write_it(), 0);
}

static void an_elf_kernel_gets_a_header_of_our_making(void **state)
{
	img = image_elf();
	assert_int_equal(image_parse(elf_parse, &img, &plan, &err), 1);
	boot.setup = NULL;
	assert_int_equal(write_it(), 0);
	assert_int_equal(get(0x1fe, 2), 0xaa55);
	assert_int_equal(get(0x202, 4), 0x53726448);
	assert_int_equal(get(0x206, 2), 0x20f);
	assert_int_equal(get(0x210, 1), 0xff);
	assert_int_equal(get(0x211, 1), 0x01);
	assert_int_equal(get(0x236, 2), 1); /* XLF_KERNEL_64 */
	assert_int_equal(get(0x238, 4), 2047);
	assert_int_equal(get(0x228, 4), LAYOUT_CMDLINE);
	assert_int_equal(get(0x218, 4), 0x7f00000);
	assert_int_equal(get(0x1e8, 1), boot.e820_count);
}

/* The header where the setup code lies: offsets are in the file's. */
static uint64_t get_setup(unsigned off, unsigned size)
{
	uint64_t val = 0;

	memcpy(&val, ram + LAYOUT_SETUP + off, size);
	return val;
}

static void setup_code_finds_its_header_filled_in(void **state)
{
	memcpy(ram + LAYOUT_SETUP, img.data, 0x400);
	boot.rng_seed = seed;
	boot.rng_seed_len = sizeof(seed);
	assert_int_equal(linux_setup_write(&gm, &boot, &err), 0);
	assert_int_equal(get_setup(0x1fa, 2), 0xffff); /* vid_mode: "normal" */
	assert_int_equal(get_setup(0x210, 1), 0xff); /* type_of_loader */
	assert_int_equal(get_setup(0x211, 1), 0x81); /* CAN_USE_HEAP */
	assert_int_equal(get_setup(0x214, 4), 0x1000000); /* code32_start */
	assert_int_equal(get_setup(0x218, 4), 0x7f00000);
	assert_int_equal(get_setup(0x21c, 4), 0x123456);
	/* From the setup code's start, less 0x200; boot.rst has 0xde00. */
	assert_int_equal(get_setup(0x224, 2), 0xde00);
	assert_int_equal(get_setup(0x228, 4), LAYOUT_CMDLINE);
	assert_int_equal(get_setup(0x250, 8), LAYOUT_SETUP_DATA);
	assert_string_equal((const char *)ram + LAYOUT_CMDLINE, boot.cmdline);
	/* The rest of it stays; and boot_params it makes itself. */
	assert_memory_equal(ram + LAYOUT_SETUP, img.data, 0x1f1);
	assert_memory_equal(ram + LAYOUT_SETUP + 0x258, img.data + 0x258,
			    0x400 - 0x258);
	assert_int_equal(get(0x202, 4), 0xcccccccc);
}

static void old_setup_code_is_not_written_into(void **state)
{
	image_put(&img, 0x206, 2, 0x0202);
	memset(img.data + 0x22c, 0x90, 0x400 - 0x22c);
	memcpy(ram + LAYOUT_SETUP, img.data, 0x400);
	boot.rng_seed = seed;
	boot.rng_seed_len = sizeof(seed);
	assert_int_equal(linux_setup_write(&gm, &boot, &err), 0);
	assert_memory_equal(ram + LAYOUT_SETUP + 0x22c, img.data + 0x22c,
			    0x400 - 0x22c);
}

static void memory_that_is_not_there_is_not_written(void **state)
{
	struct gmem small = { 0 };

	assert_int_equal(gmem_add(&small, 0, LAYOUT_CMDLINE, ram), 0);
	assert_int_equal(linux_boot_write(&small, &boot, &err), -EINVAL);
	assert_int_equal(get(0x202, 1), 0xcc);
}

/* ---- where an initrd goes ----------------------------------------------- */

static gpa_t at;

static int place(uint64_t mem, uint64_t len)
{
	struct gmem big = { 0 };
	uint64_t low = mem < LAYOUT_HOLE ? mem : LAYOUT_HOLE;

	assert_int_equal(gmem_add(&big, 0, low, ram), 0);
	if (mem > low)
		assert_int_equal(gmem_add(&big, GIB(4), mem - low, ram), 0);
	at = 1;
	return linux_place_initrd(&big, &plan, len, &at, &err);
}

static void an_initrd_goes_to_the_top_on_a_page(void **state)
{
	assert_int_equal(place(MIB(128), MIB(8)), 0);
	assert_int_equal(at, MIB(120));
	assert_int_equal(place(MIB(128), 1), 0);
	assert_int_equal(at, MIB(128) - 4096);
	assert_int_equal(place(MIB(128), 4097), 0);
	assert_int_equal(at, MIB(128) - 8192);
}

static void it_stays_below_the_hole_and_the_kernel_s_limit(void **state)
{
	struct gmem all = { 0 };

	assert_int_equal(place(GIB(8), MIB(8)), 0);
	assert_true(at == LAYOUT_HOLE - MIB(8));
	plan.initrd_max = 0x7fffffff;
	assert_int_equal(place(GIB(8), MIB(8)), 0);
	assert_true(at == 0x80000000 - MIB(8));
	plan.initrd_max = 0x7ffffffe; /* a page less, then */
	assert_int_equal(place(GIB(8), MIB(8)), 0);
	assert_true(at == 0x7ffff000 - MIB(8));
	plan.initrd_max = UINT64_MAX;
	assert_int_equal(place(GIB(8), MIB(8)), 0);
	assert_true(at == LAYOUT_HOLE - MIB(8));

	/* Even if somebody had memory there. */
	assert_int_equal(gmem_add(&all, 0, GIB(8), ram), 0);
	assert_int_equal(linux_place_initrd(&all, &plan, MIB(8), &at, &err), 0);
	assert_true(at == LAYOUT_HOLE - MIB(8));
}

/* The kernel has [16 MiB, 20 MiB). */
static void it_is_clear_of_the_kernel(void **state)
{
	assert_int_equal(place(MIB(32), MIB(12)), 0);
	assert_int_equal(at, MIB(20));
	/* Not above, but there is room below. */
	assert_int_equal(place(MIB(32), MIB(12) + 1), 0);
	assert_int_equal(at, MIB(4) - 4096);
	assert_int_equal(place(MIB(32), MIB(15)), 0);
	assert_int_equal(at, MIB(1));
	/* A kernel that ends within a page has all of it. */
	plan.reserve_len++;
	assert_int_equal(place(MIB(32), MIB(12) - 1), 0);
	assert_int_equal(at, MIB(4));
}

static void it_is_refused_with_the_room_there_was(void **state)
{
	plan.reserve_len = MIB(84); /* to 100 MiB */
	assert_int_equal(place(MIB(112), MIB(30)), -EINVAL);
	assert_string_equal(err.text,
			    "initrd has 30 MiB, room for 15 MiB; more memory is needed, 130 MiB at least");
	assert_int_equal(at, 1);
	assert_int_equal(place(MIB(130), MIB(30)), 0);
	assert_int_equal(at, MIB(100));

	plan.reserve = MIB(1);
	plan.reserve_len = MIB(31);
	assert_int_equal(place(MIB(32), 5000), -EINVAL);
	assert_string_equal(err.text,
			    "initrd has 5 KiB, room for 0 KiB; more memory is needed, 33 MiB at least");
	assert_int_equal(place(MIB(33), 5000), 0);
}

static void more_memory_is_not_promised_in_vain(void **state)
{
	plan.initrd_max = MIB(128) - 1;
	assert_int_equal(place(GIB(8), MIB(109)), -EINVAL);
	assert_string_equal(err.text,
			    "initrd has 109 MiB, this kernel has room for 108 MiB however much memory there is");
	assert_int_equal(place(GIB(8), UINT64_MAX), -EINVAL);
	plan.initrd_max = 0;
	assert_int_equal(place(GIB(8), 1), -EINVAL);
}

static void one_mib_has_room_for_none(void **state)
{
	assert_int_equal(place(MIB(1), 1), -EINVAL);
	assert_non_null(strstr(err.text, "initrd has 1 KiB, room for 0 KiB"));
}

#define T(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_header_is_copied_by_its_length),
		T(all_else_is_zero),
		T(the_loader_s_fields_are_filled_in),
		T(an_initrd_beyond_32_bits_uses_the_ext_fields),
		T(without_an_initrd_there_is_none),
		T(the_memory_map_is_in_entries_of_20_bytes),
		T(the_command_line_is_copied_byte_for_byte),
		T(a_command_line_may_be_as_long_as_the_kernel_says),
		T(a_seed_is_in_the_setup_data_list),
		T(a_seed_that_does_not_fit_is_refused),
		T(a_devicetree_comes_behind_the_seed_or_alone),
		T(a_devicetree_does_not_overwrite_the_kernel),
		T(an_elf_kernel_gets_a_header_of_our_making),
		T(setup_code_finds_its_header_filled_in),
		T(old_setup_code_is_not_written_into),
		T(memory_that_is_not_there_is_not_written),
		T(an_initrd_goes_to_the_top_on_a_page),
		T(it_stays_below_the_hole_and_the_kernel_s_limit),
		T(it_is_clear_of_the_kernel),
		T(it_is_refused_with_the_room_there_was),
		T(more_memory_is_not_promised_in_vain),
		T(one_mib_has_room_for_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
