// SPDX-License-Identifier: MIT
/*
 * Compressed kernels put into memory: a whole file, and what is packed in a
 * bzImage. What is packed here is made by hand from the formats' descriptions, in
 * blocks that are stored as they are, so that its bytes are known.
 */
#include "test.h"

#include <asm/bootparam.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "a_pc.h"
#include "core/base.h"
#include "images.h"
#include "layout.h"
#include "load.h"
#include "mem.h"

#define PAYLOAD 0x640 /* in the file: image_bzimage()'s code and its offset */

static struct source kernel;
static struct load_request rq;
static struct loaded loaded;
static struct mem mem;
static struct error err;
static struct image file;

static int setup(void **state)
{
	kernel = (struct source){ .fd = -1 };
	memset(&err, 0, sizeof(err));
	memset(&loaded, 0, sizeof(loaded));
	rq = (struct load_request){
		.kernel = &kernel,
		.cmdline = "",
		.platform = a_pc(MIB(32), 1, TRAPMAP_TRANSPORT_MMIO, 0),
	};
	return 0;
}

static int teardown(void **state)
{
	source_done(&kernel);
	mem_done(&mem);
	return 0;
}

static int load(const struct image *img, enum trapmap_boot boot)
{
	file = *img;
	rq.boot = boot;
	assert_int_equal(source_from_data(&kernel, "vmlinuz", file.data,
					  file.len),
			 0);
	assert_int_equal(mem_init(&mem, &rq.platform, &err), 0);
	return load_guest(&mem.gmem, &rq, &loaded, &err);
}

static void assert_loads(const struct image *img, enum trapmap_boot boot)
{
	if (load(img, boot) == 0)
		return;
	if (strstr(err.text, "was built without"))
		skip();
	fail_msg("%s", err.text);
}

static void assert_refused(const struct image *img, const char *why)
{
	assert_int_equal(load(img, TRAPMAP_BOOT_UNPACK), -EINVAL);
	if (strstr(err.text, "was built without"))
		skip();
	assert_int_equal(err.status, ERROR_INPUT);
	if (!strstr(err.text, why) || !strstr(err.text, "vmlinuz: "))
		fail_msg("\"%s\" does not say \"%s\"", err.text, why);
}

static const uint8_t *at(gpa_t gpa)
{
	return gmem_ptr(&mem.gmem, gpa, 16);
}

static const struct setup_header *header(void)
{
	return &((const struct boot_params *)gmem_ptr(
			 &mem.gmem, LAYOUT_BOOT_PARAMS,
			 sizeof(struct boot_params)))
			->hdr;
}

/* As vmlinux, but small: text at 16 MiB, data at 18 MiB, one relocation. */
static struct image vmlinux(void)
{
	struct image img = image_elf();

	img.len = 0x380;
	image_put(&img, 56, 2, 2); /* e_phnum: without the note */
	image_phdr(&img, 1, 1, 0x300, 0xffffffff81200000, 0x1200000, 0x80,
		   0x1000);
	image_put(&img, 0x200, 8, 0xf4fa); /* cli; hlt */
	image_put(&img, 0x208, 8, 0xffffffff81000000);
	return img;
}

static void add_relocations(struct image *img)
{
	image_put(img, img->len, 4, 0);
	image_put(img, img->len + 4, 4, 0x81000008);
	image_put(img, img->len + 8, 4, 0);
	img->len += 12;
}

/* RFC 8878: one frame of one raw block, of 256 bytes or more. */
static size_t zstd(uint8_t *to, const struct image *img)
{
	static const uint8_t head[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x60 };

	memcpy(to, head, sizeof(head));
	put_le16(to + 5, (uint16_t)(img->len - 256));
	put_le16(to + 7, (uint16_t)(img->len << 3 | 1));
	to[9] = 0;
	memcpy(to + 10, img->data, img->len);
	return 10 + img->len;
}

static uint32_t crc32(const uint8_t *p, size_t len)
{
	uint32_t crc = UINT32_MAX;
	unsigned bit;

	for (; len > 0; len--, p++)
		for (crc ^= *p, bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	return ~crc;
}

/* RFC 1952, with one stored block of RFC 1951. */
static size_t gzip(uint8_t *to, const struct image *img)
{
	static const uint8_t head[] = { 0x1f, 0x8b, 8, 0, 0, 0,
					0,    0,    0, 3, 1 };
	uint8_t *end = to + 15 + img->len;

	memcpy(to, head, sizeof(head));
	put_le16(to + 11, (uint16_t)img->len);
	put_le16(to + 13, (uint16_t)~img->len);
	memcpy(to + 15, img->data, img->len);
	put_le32(end, crc32(img->data, img->len));
	put_le32(end + 4, (uint32_t)img->len);
	return (size_t)(end + 8 - to);
}

static struct image with_payload(const uint8_t *payload, size_t len)
{
	struct image img = image_bzimage();

	memcpy(img.data + PAYLOAD, payload, len);
	img.len = align_up(PAYLOAD + len, 16);
	image_put(&img, 0x1f4, 4, (img.len - 0x400) / 16); /* syssize */
	image_put(&img, 0x24c, 4, len);
	return img;
}

/* As a kernel's build has it: the unpacked size behind what is packed. */
static struct image bzimage_zstd(const struct image *inside, uint32_t size)
{
	uint8_t payload[0x800];
	size_t len = zstd(payload, inside);

	put_le32(payload + len, size);
	return with_payload(payload, len + 4);
}

static void a_packed_vmlinux_is_loaded_as_the_vmlinux(void **state)
{
	struct image inside = vmlinux(), img = { 0 };

	img.len = gzip(img.data, &inside);
	assert_loads(&img, TRAPMAP_BOOT_AUTO);
	assert_string_equal(loaded.plan.format, "ELF");
	assert_int_equal(loaded.plan.entry, 0x1000000);
	assert_memory_equal(at(0x1000000), inside.data + 0x200, 16);
	/* Its addresses are as the linker left them. */
	assert_false(header()->loadflags & KASLR_FLAG);
}

static void what_is_packed_twice_is_refused(void **state)
{
	struct image inside = vmlinux(), once = { 0 }, twice = { 0 };

	once.len = gzip(once.data, &inside);
	twice.len = gzip(twice.data, &once);
	assert_int_equal(load(&twice, TRAPMAP_BOOT_AUTO), -EINVAL);
	if (!strstr(err.text, "was built without"))
		assert_non_null(strstr(err.text, "gzip-compressed data"));
}

static void code_of_ones_own_may_begin_as_it_likes(void **state)
{
	struct image inside = vmlinux(), img = { 0 };

	img.len = gzip(img.data, &inside);
	assert_int_equal(load(&img, TRAPMAP_BOOT_FLAT), 0);
	assert_memory_equal(at(LAYOUT_FLAT), img.data, 16);
}

static void the_kernel_in_a_bzimage_starts_with_its_header(void **state)
{
	struct image inside = vmlinux();
	struct image img = bzimage_zstd(&inside, (uint32_t)inside.len);

	rq.cmdline = "one two";
	assert_loads(&img, TRAPMAP_BOOT_UNPACK);
	assert_string_equal(loaded.plan.format, "unpacked bzImage");
	assert_int_equal(loaded.plan.boot, TRAPMAP_BOOT_UNPACK);
	assert_int_equal(loaded.plan.protocol, BOOT_LINUX64);
	assert_int_equal(loaded.plan.entry, 0x1000000);
	/* Nothing but the kernel; its own zeroes, and room up to init_size. */
	assert_memory_equal(at(0x1000000), inside.data + 0x200, 16);
	assert_int_equal(loaded.plan.reserve_len, 0x400000);
	assert_int_equal(header()->kernel_info_offset, 0x300);
	assert_int_equal(header()->cmdline_size, 2047);
	/* No relocations: not moved. */
	assert_false(header()->loadflags & KASLR_FLAG);
}

static void gzip_has_the_size_in_its_own_end(void **state)
{
	struct image inside = vmlinux(), img;
	uint8_t payload[0x800];
	size_t len = gzip(payload, &inside);

	img = with_payload(payload, len);
	assert_loads(&img, TRAPMAP_BOOT_UNPACK);
	assert_memory_equal(at(0x1000000), inside.data + 0x200, 16);
}

static void a_payload_may_be_an_elf_file_as_it_is(void **state)
{
	struct image inside = vmlinux(), img;

	img = with_payload(inside.data, inside.len);
	assert_loads(&img, TRAPMAP_BOOT_UNPACK);
	assert_memory_equal(at(0x1000000), inside.data + 0x200, 16);
}

static void relocations_let_it_be_moved_at_random(void **state)
{
	uint64_t was = 0, now;
	unsigned i, moved = 0;

	for (i = 0; i < 8; i++) {
		struct image inside = vmlinux(), img;

		add_relocations(&inside);
		img = bzimage_zstd(&inside, (uint32_t)inside.len);
		assert_loads(&img, TRAPMAP_BOOT_UNPACK);
		now = get_le64(at(0x1000008));
		assert_true(now >= 0xffffffff81000000);
		assert_true(now <= 0xffffffffc0000000 - 0x400000);
		assert_int_equal(now % MIB(2), 0);
		assert_true(header()->loadflags & KASLR_FLAG);
		/* Where it lies in memory stays. */
		assert_int_equal(loaded.plan.entry, 0x1000000);
		moved += now != was;
		was = now;
		teardown(NULL);
		setup(NULL);
	}
	assert_true(moved > 4);
}

static void nokaslr_keeps_it_where_it_is(void **state)
{
	struct image inside = vmlinux(), img;

	add_relocations(&inside);
	img = bzimage_zstd(&inside, (uint32_t)inside.len);
	rq.cmdline = "quiet nokaslr";
	assert_loads(&img, TRAPMAP_BOOT_UNPACK);
	assert_int_equal(get_le64(at(0x1000008)), 0xffffffff81000000);
	assert_false(header()->loadflags & KASLR_FLAG);
}

static void what_does_not_unpack_to_its_size_is_refused(void **state)
{
	struct image inside = vmlinux();
	struct image img = bzimage_zstd(&inside, (uint32_t)inside.len + 1);

	assert_refused(&img, "0x381 expected");
	teardown(NULL);
	img = bzimage_zstd(&inside, (uint32_t)inside.len - 1);
	assert_refused(&img, "more than 895 bytes");
	teardown(NULL);
	img = bzimage_zstd(&inside, 0x400001);
	assert_refused(&img, "init_size leaves room for 0x400000");
}

static void a_spoilt_payload_is_refused_with_its_offset(void **state)
{
	struct image inside = vmlinux();
	struct image whole = bzimage_zstd(&inside, (uint32_t)inside.len), img;

	img = whole;
	img.data[PAYLOAD + 7] |= 6; /* the block's type: 3 is reserved */
	assert_refused(&img, "corrupt zstd-compressed data");
	teardown(NULL);
	img = whole;
	img.data[PAYLOAD] = 0;
	assert_refused(&img, "at offset 0x640: not compressed in a known way");
	teardown(NULL);
	img = whole;
	image_put(&img, 0x24c, 4, 100); /* payload_length */
	image_put(&img, PAYLOAD + 96, 4, 0x380);
	assert_refused(&img, "at offset 0x6a0: the file is truncated");
	teardown(NULL);
	img = whole;
	image_put(&img, 0x24c, 4, 3);
	assert_refused(&img, "a payload of 3 bytes");
}

static void what_is_in_it_must_be_its_kernel(void **state)
{
	struct image inside = vmlinux(), img;

	inside.data[0] = 'X';
	img = bzimage_zstd(&inside, (uint32_t)inside.len);
	assert_refused(&img, "an ELF kernel expected");
	teardown(NULL);
	inside = vmlinux();
	inside.len = 0x340;
	img = bzimage_zstd(&inside, (uint32_t)inside.len);
	assert_refused(&img, "the kernel in it, at offset 0x340: ");
	teardown(NULL);
	inside = vmlinux();
	image_phdr(&inside, 1, 1, 0x300, 0, 0x13ff000, 0x80, 0x2000);
	img = bzimage_zstd(&inside, (uint32_t)inside.len);
	assert_refused(&img, "0x1000000 to 0x1400000 expected");
	teardown(NULL);
	img = vmlinux();
	assert_refused(&img, "unpack was asked for: that takes a bzImage");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_packed_vmlinux_is_loaded_as_the_vmlinux),
		TEST(what_is_packed_twice_is_refused),
		TEST(code_of_ones_own_may_begin_as_it_likes),
		TEST(the_kernel_in_a_bzimage_starts_with_its_header),
		TEST(gzip_has_the_size_in_its_own_end),
		TEST(a_payload_may_be_an_elf_file_as_it_is),
		TEST(relocations_let_it_be_moved_at_random),
		TEST(nokaslr_keeps_it_where_it_is),
		TEST(what_does_not_unpack_to_its_size_is_refused),
		TEST(a_spoilt_payload_is_refused_with_its_offset),
		TEST(what_is_in_it_must_be_its_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
