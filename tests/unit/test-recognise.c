// SPDX-License-Identifier: MIT
/* What a file is, by content alone; and what it is not, by name. */
#include "test.h"

#include <errno.h>

#include "core/base.h"
#include "images.h"
#include "layout.h"

static struct boot_plan plan;
static struct boot_error err;

static int recognise(const struct image *img)
{
	return image_parse(boot_recognise, img, &plan, &err);
}

/* Code that no other format starts with: cli; hlt; jmp to itself. */
static struct image flat(size_t len)
{
	struct image img = { .data = { 0xfa, 0xf4, 0xeb, 0xfe }, .len = len };

	return img;
}

static void each_format_is_recognised(void **state)
{
	struct image img = image_bzimage();

	assert_int_equal(recognise(&img), 0);
	assert_string_equal(plan.format, "bzImage");
	memcpy(img.data, "MZ", 2); /* as every kernel with an EFI stub */
	assert_int_equal(recognise(&img), 0);
	assert_string_equal(plan.format, "bzImage");
	img = image_elf();
	assert_int_equal(recognise(&img), 0);
	assert_string_equal(plan.format, "ELF");
	img = flat(512);
	image_put(&img, 510, 2, 0xaa55);
	assert_int_equal(recognise(&img), 0);
	assert_string_equal(plan.format, "boot sector");
	img = flat(4);
	assert_int_equal(recognise(&img), 0);
	assert_string_equal(plan.format, "flat binary");
}

static void a_mangled_kernel_is_not_a_flat_binary(void **state)
{
	struct image img = image_bzimage();

	img.len = 0x700;
	assert_int_equal(recognise(&img), -EINVAL);
	assert_non_null(strstr(err.text, "bzImage is truncated"));
	img = image_elf();
	img.len = 5;
	assert_int_equal(recognise(&img), -EINVAL);
	assert_non_null(strstr(err.text, "ELF is truncated"));
}

/* Every prefix of a kernel is refused, and for being cut off. */
static void a_kernel_cut_anywhere_is_refused(void **state)
{
	struct image img = image_bzimage();
	size_t len = img.len;

	memcpy(img.data, "MZ", 2);
	for (img.len = 2; img.len < len; img.len++) {
		assert_int_equal(recognise(&img), -EINVAL);
		if (img.len >= 0x206)
			assert_int_equal(err.off, img.len);
	}
	img = image_elf();
	for (img.len = 4; img.len < 0x380; img.len++) {
		assert_int_equal(recognise(&img), -EINVAL);
		assert_int_equal(err.off, img.len);
	}
}

static const struct {
	const char *name;
	size_t off, len;
	const char *bytes;
	const char *want;
} foreign[] = {
	{ "gzip", 0, 4, "\x1f\x8b\x08\x00",
	  "gzip-compressed data; unpack it first" },
	{ "xz", 0, 6, "\xfd\x37\x7a\x58\x5a\x00", "xz-compressed" },
	{ "zstd", 0, 4, "\x28\xb5\x2f\xfd", "zstd-compressed" },
	{ "lz4 frame", 0, 4, "\x04\x22\x4d\x18", "lz4-compressed" },
	{ "lz4 as the kernel has it", 0, 4, "\x02\x21\x4c\x18",
	  "lz4-compressed" },
	{ "bzip2", 0, 4, "BZh9", "bzip2-compressed" },
	{ "lzip", 0, 5, "LZIP\1", "lzip-compressed" },
	{ "lzop", 0, 9, "\x89LZO\0\r\n\x1a\n", "lzop-compressed" },
	{ "lzma of unknown size", 0, 13,
	  "\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff",
	  "lzma-compressed" },
	{ "lzma of 16 MiB", 0, 13, "\x5d\0\0\x80\0\0\0\0\1\0\0\0\0",
	  "lzma-compressed" },
	{ "zip", 0, 4, "PK\3\4", "zip archive" },
	{ "deb", 0, 21, "!<arch>\ndebian-binary", "Debian package" },
	{ "static library", 0, 16, "!<arch>\n/       ", "ar archive" },
	{ "rpm", 0, 4, "\xed\xab\xee\xdb", "RPM package" },
	{ "initramfs", 0, 6, "070701", "cpio archive, as an initrd is" },
	{ "initramfs with checksums", 0, 6, "070702", "cpio archive" },
	{ "tar", 257, 6, "ustar\0", "tar archive" },
	{ "script", 0, 10, "#!/bin/sh\n", "script" },
	{ "AArch64's Image", 0x38, 4, "ARM\x64", "kernel for AArch64" },
	{ "RISC-V's Image", 0x38, 4, "RSC\x05", "kernel for RISC-V" },
	{ "EFI program", 0, 2, "MZ", "without Linux's setup header at 0x202" },
	{ "uImage", 0, 4, "\x27\x05\x19\x56", "uImage" },
	{ "FIT", 0, 4, "\xd0\x0d\xfe\xed", "device tree or FIT" },
	{ "Android", 0, 8, "ANDROID!", "Android boot image" },
	{ "squashfs", 0, 4, "hsqs", "squashfs" },
	{ "qcow2", 0, 4, "QFI\xfb", "qcow2" },
};

static void what_is_known_to_be_no_kernel_is_named(void **state)
{
	struct image img;
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(foreign); i++) {
		img = flat(512);
		/* Not even a boot sector's signature helps. */
		image_put(&img, 510, 2, 0xaa55);
		memcpy(img.data + foreign[i].off, foreign[i].bytes,
		       foreign[i].len);
		if (recognise(&img) != -EINVAL ||
		    err.off != foreign[i].off ||
		    !strstr(err.text, foreign[i].want))
			fail_msg("%s: 0x%llx \"%s\"", foreign[i].name,
				 (unsigned long long)err.off, err.text);
		/* The mark alone is enough. */
		img.len = foreign[i].off + foreign[i].len;
		if (recognise(&img) != -EINVAL)
			fail_msg("%s, its mark alone", foreign[i].name);
	}
}

static struct boot_notes pvh_of(bool is_linux)
{
	return (struct boot_notes){
		.has_pvh = true,
		.is_linux = is_linux,
		.pvh_entry = 0x1000010,
	};
}

static int recognise_as(const struct image *img, enum trapmap_boot want,
			const struct boot_notes *notes)
{
	return image_parse_as(boot_recognise, img, want, notes, &plan, &err);
}

static void assert_refused(const struct image *img, enum trapmap_boot want,
			   const char *text)
{
	assert_int_equal(recognise_as(img, want, NULL), -EINVAL);
	assert_string_equal(err.text, text);
	assert_true(err.off == BOOT_NOWHERE);
}

/* One line: what it is, what it offers, what was asked for. */
static void a_protocol_that_it_has_not_got_is_refused(void **state)
{
	struct image img = image_bzimage();

	assert_refused(&img, TRAPMAP_BOOT_PVH,
		       "a bzImage of boot protocol 2.15, which offers linux64, linux32, linux16 and unpack; pvh was asked for: that takes the vmlinux from which it was made");
	assert_refused(&img, TRAPMAP_BOOT_SECTOR,
		       "a bzImage of boot protocol 2.15, which offers linux64, linux32, linux16 and unpack; sector was asked for: that takes 512 bytes that end in 55 aa");
	image_put(&img, 0x206, 2, 0x020b);
	assert_refused(&img, TRAPMAP_BOOT_LINUX64,
		       "a bzImage of boot protocol 2.11, which offers linux32 and linux16; linux64 was asked for: that takes a 64-bit kernel of protocol 2.12 or newer");
	img = image_elf();
	assert_refused(&img, TRAPMAP_BOOT_PVH,
		       "an ELF, which offers linux64; pvh was asked for: that takes an ELF file with a PVH note");
	assert_refused(&img, TRAPMAP_BOOT_LINUX32,
		       "an ELF, which offers linux64; linux32 was asked for: that takes a bzImage");
	img = flat(4);
	assert_refused(&img, TRAPMAP_BOOT_SECTOR,
		       "a flat binary, which offers flat; sector was asked for: that takes 512 bytes that end in 55 aa");
	assert_refused(&img, TRAPMAP_BOOT_MULTIBOOT,
		       "a flat binary, which offers flat; multiboot was asked for: that takes a multiboot header in the first 8 KiB");
}

static void a_file_starts_as_is_asked_for(void **state)
{
	struct image img = image_bzimage();
	struct boot_notes pvh = pvh_of(true);
	unsigned want;

	for (want = TRAPMAP_BOOT_LINUX64; want <= TRAPMAP_BOOT_LINUX16; want++) {
		assert_int_equal(recognise_as(&img, want, NULL), 0);
		assert_int_equal(plan.boot, want);
	}
	img = image_elf();
	assert_int_equal(recognise_as(&img, TRAPMAP_BOOT_PVH, &pvh), 0);
	assert_int_equal(plan.protocol, BOOT_PVH);
	assert_int_equal(recognise_as(&img, TRAPMAP_BOOT_LINUX64, &pvh), 0);
	assert_int_equal(plan.protocol, BOOT_LINUX64);
	img = flat(512);
	image_put(&img, 510, 2, 0xaa55);
	assert_int_equal(recognise_as(&img, TRAPMAP_BOOT_FLAT, NULL), 0);
	assert_int_equal(plan.segment[0].gpa, 0x10000);
}

/* A multiboot header in an ELF file with all else that one can have. */
static void an_elf_with_several_protocols_is_multiboot_first(void **state)
{
	struct image img = image_elf();
	struct boot_notes pvh = pvh_of(false);

	image_put(&img, 0x240, 4, 0x1badb002);
	image_put(&img, 0x248, 4, 0u - 0x1badb002u);
	assert_int_equal(recognise_as(&img, TRAPMAP_BOOT_AUTO, &pvh), 0);
	assert_int_equal(plan.boot, TRAPMAP_BOOT_MULTIBOOT);
	assert_int_equal(plan.offers, BIT(TRAPMAP_BOOT_MULTIBOOT) |
					      BIT(TRAPMAP_BOOT_PVH) |
					      BIT(TRAPMAP_BOOT_LINUX64));
	assert_int_equal(recognise_as(&img, TRAPMAP_BOOT_PVH, &pvh), 0);
	assert_int_equal(plan.protocol, BOOT_PVH);
	assert_int_equal(plan.entry, 0x1000010);
	assert_int_equal(recognise_as(&img, TRAPMAP_BOOT_LINUX64, &pvh), 0);
	assert_int_equal(plan.entry, 0x1000000);
	assert_refused(&img, TRAPMAP_BOOT_LINUX16,
		       "a multiboot kernel, which offers linux64 and multiboot; linux16 was asked for: that takes a bzImage");
}

/* Even what has another name, when that is what is asked for. */
static void any_small_file_is_flat_when_asked_for(void **state)
{
	static uint8_t head[BOOT_HEAD_LEN];
	struct image img = image_bzimage();
	struct boot_image big = {
		.head = head,
		.head_len = sizeof(head),
		.len = 588801,
		.want = TRAPMAP_BOOT_FLAT,
	};

	assert_int_equal(recognise_as(&img, TRAPMAP_BOOT_FLAT, NULL), 0);
	assert_string_equal(plan.format, "flat binary");
	assert_int_equal(plan.segment[0].file_len, 0x800);
	img = flat(64);
	memcpy(img.data, "#!/bin/sh", 9);
	assert_int_equal(recognise_as(&img, TRAPMAP_BOOT_FLAT, NULL), 0);

	img = image_bzimage();
	memcpy(head, img.data, img.len);
	assert_int_equal(boot_recognise(&big, &plan, &err), -EINVAL);
	assert_string_equal(err.text,
			    "a bzImage of 588801 bytes; as a flat binary a file may have at most 588800");
	memset(head, 0xcc, sizeof(head));
	assert_int_equal(boot_recognise(&big, &plan, &err), -EINVAL);
	assert_non_null(strstr(err.text, "too big for a flat binary"));
}

static void a_disc_image_is_found_by_its_32nd_kib(void **state)
{
	static uint8_t head[BOOT_HEAD_LEN];

	memcpy(head + 0x8001, "CD001", 5);
	assert_int_equal(image_parse_head(boot_recognise, head, sizeof(head),
					  GIB(1), &plan, &err),
			 -EINVAL);
	assert_int_equal(err.off, 0x8001);
	assert_string_equal(err.text,
			    "an ISO 9660 disc image; a kernel expected");
}

static void text_is_not_run_as_code(void **state)
{
	struct image img = { .len = 0 };

	strcpy((char *)img.data, "<!DOCTYPE html>\r\n<p>404\tNot Found</p>\n");
	img.len = strlen((char *)img.data);
	assert_int_equal(recognise(&img), -EINVAL);
	assert_int_equal(err.off, 0);
	assert_string_equal(err.text, "a text file; a kernel expected");

	/* One byte that is no text, and it is taken. */
	img.data[img.len - 1] = 0xf4;
	assert_int_equal(recognise(&img), 0);
}

static void code_that_begins_as_lzma_does_is_taken(void **state)
{
	struct image img = flat(64);

	/* pop bp; add [bx+si], al; and no sane size after it. */
	memcpy(img.data, "\x5d\0\0\x10\0\xb8\x34\x12\xcd\x10\xf4\xeb\xfd", 13);
	assert_int_equal(recognise(&img), 0);
}

static void an_empty_file_is_refused(void **state)
{
	struct image img = { .len = 0 };

	assert_int_equal(recognise(&img), -EINVAL);
	assert_string_equal(err.text, "the file is empty");
}

static void a_big_unknown_file_is_refused(void **state)
{
	static const uint8_t head[BOOT_HEAD_LEN];

	assert_int_equal(image_parse_head(boot_recognise, head, sizeof(head),
					  MIB(1440) / 1000, &plan, &err),
			 -EINVAL);
	assert_int_equal(err.off, LAYOUT_FLAT_MAX);
	assert_non_null(strstr(err.text, "too big for a flat binary"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_format_is_recognised),
		cmocka_unit_test(a_mangled_kernel_is_not_a_flat_binary),
		cmocka_unit_test(a_kernel_cut_anywhere_is_refused),
		cmocka_unit_test(what_is_known_to_be_no_kernel_is_named),
		cmocka_unit_test(a_protocol_that_it_has_not_got_is_refused),
		cmocka_unit_test(a_file_starts_as_is_asked_for),
		cmocka_unit_test(an_elf_with_several_protocols_is_multiboot_first),
		cmocka_unit_test(any_small_file_is_flat_when_asked_for),
		cmocka_unit_test(a_disc_image_is_found_by_its_32nd_kib),
		cmocka_unit_test(text_is_not_run_as_code),
		cmocka_unit_test(code_that_begins_as_lzma_does_is_taken),
		cmocka_unit_test(an_empty_file_is_refused),
		cmocka_unit_test(a_big_unknown_file_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
