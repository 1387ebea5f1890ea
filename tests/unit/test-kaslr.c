// SPDX-License-Identifier: MIT
/* Relocations behind an ELF kernel, as arch/x86/tools/relocs.c writes them. */
#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "boot/kaslr.h"
#include "core/base.h"
#include "images.h"

/* Of image_elf(): the text's first byte, in the file and by its own address. */
#define TEXT_OFF 0x200
#define TEXT 0x81000000u
#define DATA_OFF 0x300
#define DATA 0x81400000u

static struct image img;
static struct boot_plan plan;
static struct boot_error err;
static struct kaslr k;
static uint64_t distance;

static int setup(void **state)
{
	img = image_elf();
	img.len = 0x380; /* the data's end, and no section headers */
	image_put(&img, 56, 2, 2); /* e_phnum: without the note */
	memset(img.data + TEXT_OFF, 0, 0x180);
	image_put(&img, TEXT_OFF + 8, 8, 0xffffffff81000040);
	image_put(&img, TEXT_OFF + 0x20, 4, TEXT);
	image_put(&img, DATA_OFF + 4, 4, 0x1000);
	memset(&err, 0, sizeof(err));
	distance = 77;
	return 0;
}

static void append(uint32_t word)
{
	image_put(&img, img.len, 4, word);
	img.len += 4;
}

static int move(uint64_t random)
{
	const struct boot_image image = {
		.head = img.data,
		.head_len = img.len,
		.len = img.len,
		.want = TRAPMAP_BOOT_LINUX64,
	};

	assert_int_equal(elf_parse(&image, &plan, &err), 1);
	k = (struct kaslr){
		.image = img.data,
		.len = img.len,
		.plan = &plan,
		.align = MIB(2),
		.need = MIB(40),
	};
	return kaslr_move(&k, random, &distance, &err);
}

static void each_table_moves_its_places(void **state)
{
	append(0);
	append(TEXT + 8);
	append(0);
	append(DATA + 4);
	append(0);
	append(TEXT + 0x20);
	assert_int_equal(move(3), 1);
	assert_int_equal(distance, MIB(6));
	assert_int_equal(get_le64(img.data + TEXT_OFF + 8),
			 0xffffffff81000040 + MIB(6));
	assert_int_equal(get_le32(img.data + TEXT_OFF + 0x20), TEXT + MIB(6));
	assert_int_equal(get_le32(img.data + DATA_OFF + 4),
			 (uint32_t)(0x1000 - MIB(6)));
}

static void newer_kernels_have_two_tables(void **state)
{
	append(0);
	append(TEXT + 8);
	append(0);
	append(DATA + 4);
	assert_int_equal(move(1), 1);
	assert_int_equal(get_le64(img.data + TEXT_OFF + 8), 0xffffffff81200040);
	assert_int_equal(get_le32(img.data + DATA_OFF + 4), 0x1000 + MIB(2));
}

/* From where it is linked, 16 MiB, up to where all it needs still fits. */
static void it_stays_below_a_gigabyte(void **state)
{
	const uint64_t slots = 1 + (GIB(1) - MIB(16) - MIB(40)) / MIB(2);

	append(0);
	append(0);
	assert_int_equal(move(slots - 1), 1);
	assert_int_equal(distance, GIB(1) - MIB(56));
	assert_int_equal(move(slots), 1);
	assert_int_equal(distance, 0);
	assert_int_equal(move(UINT64_MAX), 1);
	assert_true(distance <= GIB(1) - MIB(56));
}

static void one_without_tables_cannot_be_moved(void **state)
{
	assert_int_equal(move(5), 0);
	assert_int_equal(distance, 77);
}

static void a_place_outside_of_the_kernel_is_refused(void **state)
{
	static const uint32_t bad[] = {
		1,	       TEXT - 1,    TEXT + 0xf9, /* its last byte is not in the file */
		TEXT + 0x100,  DATA + 0x7d, DATA + 0x80, 0xffffffff,
		TEXT - 0x1000,
	};
	struct image whole = img;
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		img = whole;
		append(0);
		append(bad[i]);
		append(0);
		assert_int_equal(move(1), -EINVAL);
		assert_int_equal(err.off, 0x384);
		assert_non_null(strstr(err.text, "outside"));
		assert_int_equal(distance, 77);
	}
}

static void tables_that_are_none_are_refused(void **state)
{
	struct image whole = img;
	unsigned i;

	append(TEXT);
	assert_int_equal(move(1), -EINVAL);
	assert_non_null(strstr(err.text, "not its relocations"));
	img = whole;
	append(0);
	img.len--;
	assert_int_equal(move(1), -EINVAL);
	img = whole;
	append(0);
	assert_int_equal(move(1), -EINVAL);
	assert_non_null(strstr(err.text, "1 tables"));
	for (i = 0; i < 3; i++)
		append(0);
	assert_int_equal(move(1), -EINVAL);
	img = whole;
	image_put(&img, 40, 8, 0x401); /* e_shoff */
	assert_int_equal(move(1), -EINVAL);
	image_put(&img, 40, 8, 0x340);
	image_put(&img, 58, 2, 64); /* e_shentsize */
	image_put(&img, 60, 2, 2); /* e_shnum: up to 0x3c0 */
	assert_int_equal(move(1), -EINVAL);
	assert_non_null(strstr(err.text, "truncated"));
}

static void nokaslr_is_a_word_of_its_own(void **state)
{
	assert_true(kaslr_is_off("nokaslr"));
	assert_true(kaslr_is_off("console=ttyS0 nokaslr"));
	assert_true(kaslr_is_off("nokaslrx\tnokaslr\n"));
	assert_false(kaslr_is_off(""));
	assert_false(kaslr_is_off("xnokaslr nokaslr=0 nokasl"));
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_table_moves_its_places),
		TEST(newer_kernels_have_two_tables),
		TEST(it_stays_below_a_gigabyte),
		TEST(one_without_tables_cannot_be_moved),
		TEST(a_place_outside_of_the_kernel_is_refused),
		TEST(tables_that_are_none_are_refused),
		TEST(nokaslr_is_a_word_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
