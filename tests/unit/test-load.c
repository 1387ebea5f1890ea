// SPDX-License-Identifier: MIT
/*
 * A whole guest put into memory: what a kernel, and one who boots on bare
 * hardware, finds where boot.rst, the ACPI and the MP specification have it.
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

static struct image img;
static struct source kernel, initrd[4];
static struct load_request rq;
static struct loaded loaded;
static struct mem mem;
static struct error err;

static void set_memory(uint64_t size, enum trapmap_transport transport)
{
	rq.platform = a_pc(size, 2, transport, rq.platform.virtio);
	rq.platform.cpu_signature = 0x000606a6;
	rq.platform.cpu_features = 0x1f8bfbff;
}

static int setup(void **state)
{
	kernel = (struct source){ .fd = -1 };
	memset(&err, 0, sizeof(err));
	memset(&loaded, 0xa5, sizeof(loaded));
	rq = (struct load_request){
		.kernel = &kernel,
		.initrd = initrd,
		.cmdline = "",
	};
	set_memory(MIB(16), TRAPMAP_TRANSPORT_MMIO);
	return 0;
}

static int teardown(void **state)
{
	unsigned i;

	for (i = 0; i < rq.initrds; i++)
		source_done(&initrd[i]);
	source_done(&kernel);
	mem_done(&mem);
	return 0;
}

static void add_initrd(const char *name, const void *data, size_t len)
{
	assert_int_equal(source_from_data(&initrd[rq.initrds++], name, data,
					  len),
			 0);
}

static int load(struct image image, uint64_t size)
{
	unsigned i;

	img = image;
	for (i = 0x400; i < img.len; i++)
		img.data[i] = (uint8_t)(i * 13); /* bzImage's code */
	assert_int_equal(source_from_data(&kernel, "the kernel", img.data,
					  img.len),
			 0);
	set_memory(size, rq.platform.transport);
	assert_int_equal(mem_init(&mem, &rq.platform, &err), 0);
	return load_guest(&mem.gmem, &rq, &loaded, &err);
}

static void assert_loads(struct image image, uint64_t size)
{
	if (load(image, size) < 0)
		fail_msg("%s", err.text);
}

static void assert_refused(struct image image, uint64_t size, const char *name,
			   const char *why)
{
	struct loaded before;

	memcpy(&before, &loaded, sizeof(before));
	assert_true(load(image, size) < 0);
	assert_int_equal(err.status, ERROR_INPUT);
	if (!strstr(err.text, name) || !strstr(err.text, why))
		fail_msg("\"%s\" does not say \"%s\" and \"%s\"", err.text,
			 name, why);
	assert_memory_equal(&before, &loaded, sizeof(before));
}

static const uint8_t *at(gpa_t gpa, uint64_t len)
{
	const uint8_t *p = gmem_ptr(&mem.gmem, gpa, len);

	assert_non_null(p);
	return p;
}

static const struct boot_params *params(void)
{
	return (const void *)at(LAYOUT_BOOT_PARAMS, sizeof(struct boot_params));
}

static struct image flat(void)
{
	struct image image = { .data = { 0xeb, 0xfe }, .len = 2 };

	return image;
}

/* ---- kernels ------------------------------------------------------------ */

static void a_bzimages_code_lies_where_it_prefers(void **state)
{
	assert_loads(image_bzimage(), MIB(32));
	assert_int_equal(loaded.plan.protocol, BOOT_LINUX64);
	assert_int_equal(loaded.plan.entry, 0x1000200); /* 64-bit: + 0x200 */
	assert_memory_equal(at(0x1000000, 0x400), img.data + 0x400, 0x400);
	assert_int_equal(loaded.initrd_len, 0);
}

static void an_elfs_segments_lie_at_their_addresses(void **state)
{
	struct image elf = image_elf();
	const uint8_t *data;
	unsigned i;

	memset(elf.data + 0x200, 0x11, 0x100);
	memset(elf.data + 0x300, 0x22, 0x80);
	assert_loads(elf, MIB(32));
	assert_int_equal(loaded.plan.entry, 0x1000000);
	assert_memory_equal(at(0x1000000, 0x100), elf.data + 0x200, 0x100);
	data = at(0x1400000, 0x200000);
	assert_memory_equal(data, elf.data + 0x300, 0x80);
	for (i = 0x80; i < 0x200000; i++)
		if (data[i])
			fail_msg("not zero at %#x of .bss", i);
}

static void a_flat_binary_lies_at_1000_0000(void **state)
{
	assert_loads(flat(), MIB(1));
	assert_int_equal(loaded.plan.protocol, BOOT_REAL);
	assert_memory_equal(at(0x10000, 2), "\xeb\xfe", 2);
	assert_int_equal(at(0x10002, 1)[0], 0);
}

static void a_kernel_that_does_not_fit_says_what_it_needs(void **state)
{
	/* 16 MiB and 4 more where it starts. */
	assert_refused(image_bzimage(), MIB(19), "the kernel", "20 MiB");
	assert_non_null(strstr(err.text, "19 MiB"));
}

static void a_malformed_kernel_is_refused_with_the_offset(void **state)
{
	struct image image = image_bzimage();

	image_put(&image, 0x200, 1, 0xe9); /* no short jump */
	assert_refused(image, MIB(32), "the kernel", "0x200");
}

static void a_kernel_that_cannot_be_read_is_refused(void **state)
{
	assert_int_equal(source_from_path(&kernel, "/nonexistent/kernel"), 0);
	assert_int_equal(mem_init(&mem, &rq.platform, &err), 0);
	assert_int_equal(load_guest(&mem.gmem, &rq, &loaded, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nonexistent/kernel"));
}

/* ---- boot_params -------------------------------------------------------- */

static void a_kernel_finds_its_parameters(void **state)
{
	const struct boot_params *bp;

	rq.cmdline = "console=ttyS0 quiet";
	assert_loads(image_bzimage(), MIB(32));
	bp = params();
	/* The file's own header, by the protocol's numbers... */
	assert_int_equal(bp->hdr.header, 0x53726448);
	assert_int_equal(bp->hdr.version, 0x20f);
	assert_int_equal(bp->hdr.init_size, 0x400000);
	/* ...and what a loader fills in. */
	assert_int_not_equal(bp->hdr.type_of_loader, 0);
	assert_int_equal(bp->hdr.ramdisk_size, 0);
	assert_string_equal((const char *)at(bp->hdr.cmd_line_ptr, 64),
			    "console=ttyS0 quiet");
	assert_memory_equal(at(bp->acpi_rsdp_addr, 8), "RSD PTR ", 8);
}

static const struct boot_e820_entry *e820_at(const struct boot_params *bp,
					     uint64_t addr)
{
	unsigned i;

	for (i = 0; i < bp->e820_entries; i++)
		if (addr - bp->e820_table[i].addr < bp->e820_table[i].size)
			return &bp->e820_table[i];
	return NULL;
}

static void the_memory_map_is_that_of_the_memory(void **state)
{
	const struct boot_params *bp;
	uint64_t ram = 0;
	unsigned i;

	assert_loads(image_bzimage(), GIB(4));
	bp = params();
	for (i = 0; i < bp->e820_entries; i++) {
		const struct boot_e820_entry e = bp->e820_table[i];

		if (e.type != 1)
			continue;
		ram += e.size;
		/* What is called usable is there. */
		assert_non_null(gmem_ptr(&mem.gmem, e.addr, e.size));
	}
	/* 640 KiB less the EBDA's, and all but the first MiB. */
	assert_int_equal(ram, GIB(4) - MIB(1) + 0x9fc00);
	assert_int_equal(e820_at(bp, MIB(1))->size, GIB(3) - MIB(1));
	assert_int_equal(e820_at(bp, GIB(4))->size, GIB(1));
	/* The tables are nobody's to use. */
	assert_int_equal(e820_at(bp, LAYOUT_ACPI)->type, 2);
	assert_int_equal(e820_at(bp, LAYOUT_MPTABLE)->type, 2);
	assert_int_equal(e820_at(bp, LAYOUT_EBDA)->type, 2);
	assert_null(e820_at(bp, 0xa0000));
}

static void each_start_has_a_random_seed_of_its_own(void **state)
{
	struct setup_data head;
	uint8_t first[32], zero[32] = { 0 };

	assert_loads(image_bzimage(), MIB(32));
	memcpy(&head, at(params()->hdr.setup_data, sizeof(head)), sizeof(head));
	assert_int_equal(head.type, 9); /* SETUP_RNG_SEED */
	assert_int_equal(head.len, 32);
	assert_int_equal(head.next, 0);
	memcpy(first, at(params()->hdr.setup_data + sizeof(head), 32), 32);
	assert_memory_not_equal(first, zero, 32);
	/* As a reboot does. */
	assert_int_equal(mem_clear(&mem, false, &err), 0);
	assert_int_equal(load_guest(&mem.gmem, &rq, &loaded, &err), 0);
	assert_memory_not_equal(at(params()->hdr.setup_data + sizeof(head), 32),
				first, 32);
}

static void a_command_line_as_long_as_the_kernel_takes_is_whole(void **state)
{
	char line[2049];

	memset(line, 'x', sizeof(line));
	line[2047] = '\0';
	rq.cmdline = line;
	assert_loads(image_bzimage(), MIB(32));
	assert_string_equal((const char *)at(params()->hdr.cmd_line_ptr, 2048),
			    line);
}

static void a_command_line_that_is_too_long_is_refused(void **state)
{
	char line[2049];

	memset(line, 'x', sizeof(line));
	line[2048] = '\0';
	rq.cmdline = line;
	assert_refused(image_bzimage(), MIB(32), "2048", "2047");
}

static void devices_are_named_to_a_linux_kernel_if_nothing_else_does(void **state)
{
	rq.cmdline = "quiet";
	rq.platform.transport = TRAPMAP_TRANSPORT_MMIO_CMDLINE;
	rq.platform.virtio = 1;
	assert_loads(image_bzimage(), MIB(32));
	assert_string_equal((const char *)at(params()->hdr.cmd_line_ptr, 64),
			    "quiet virtio_mmio.device=4K@0xd0000000:5");
}

static void no_room_to_name_devices_is_said_so(void **state)
{
	char line[2049];

	memset(line, 'x', sizeof(line));
	line[2040] = '\0';
	rq.cmdline = line;
	rq.platform.transport = TRAPMAP_TRANSPORT_MMIO_CMDLINE;
	rq.platform.virtio = 1;
	assert_refused(image_bzimage(), MIB(32), "2040 bytes leaves no room",
		       "2047");
}

/* ---- tables ------------------------------------------------------------- */

static void assert_sums_to_zero(gpa_t gpa, unsigned len)
{
	const uint8_t *p = at(gpa, len);
	uint8_t sum = 0;

	while (len--)
		sum = (uint8_t)(sum + *p++);
	assert_int_equal(sum, 0);
}

/* Where a kernel that was not told looks: on 16 bytes, from 0xe0000 on. */
static void every_guest_finds_the_tables_of_a_bios(void **state)
{
	assert_loads(flat(), MIB(1));
	assert_memory_equal(at(LAYOUT_ACPI, 8), "RSD PTR ", 8);
	assert_sums_to_zero(LAYOUT_ACPI, 20);
	assert_int_equal(LAYOUT_ACPI % 16, 0);
	assert_in_range(LAYOUT_ACPI, 0xe0000, 0xfffff);
	/* MP 1.4, 4.1: the BIOS area from 0xf0000. */
	assert_memory_equal(at(LAYOUT_MPTABLE, 4), "_MP_", 4);
	assert_sums_to_zero(LAYOUT_MPTABLE, 16);
	assert_in_range(LAYOUT_MPTABLE, 0xf0000, 0xfffff);
}

static void every_guest_finds_a_bios_data_area(void **state)
{
	assert_loads(flat(), MIB(1));
	assert_int_equal(get_le16(at(0x400, 2)), 0x3f8); /* COM1 */
	assert_int_equal(get_le16(at(0x402, 2)), 0); /* no COM2 */
	assert_int_equal(get_le16(at(0x40e, 2)), 0x9fc0); /* EBDA */
	assert_int_equal(get_le16(at(0x413, 2)), 639); /* KiB below it */
}

/* ---- initrds ------------------------------------------------------------ */

static void initrds_follow_each_other_at_multiples_of_four(void **state)
{
	const struct boot_params *bp;
	const uint8_t *p;

	add_initrd("first", "12345", 5);
	add_initrd("second", "abcd", 4);
	add_initrd("third", "z", 1);
	assert_loads(image_bzimage(), MIB(32));
	bp = params();
	assert_int_equal(loaded.initrd_len, 13);
	assert_int_equal(bp->hdr.ramdisk_size, 13);
	assert_int_equal(bp->hdr.ramdisk_image, loaded.initrd);
	assert_int_equal(bp->ext_ramdisk_image, 0);
	p = at(loaded.initrd, 13);
	/* Between two archives the kernel takes zeroes only. */
	assert_memory_equal(p, "12345\0\0\0abcdz", 13);
	assert_int_equal(loaded.initrd % 4096, 0);
	/* Clear of where the kernel works: 16 to 20 MiB. */
	assert_true(loaded.initrd >= MIB(20) || loaded.initrd + 13 <= MIB(16));
}

static void an_initrd_that_is_too_large_says_how_much_room_there_is(
	void **state)
{
	static uint8_t big[MIB(1)];
	struct image image = image_bzimage();

	image_put(&image, 0x260, 4, 0xf80000); /* up to 0.5 MiB from the end */
	image_put(&image, 0x258, 8, 0x100000); /* from 1 MiB, none before */
	image_put(&image, 0x230, 4, 0x1000);
	add_initrd("the initrd", big, sizeof(big));
	assert_refused(image, MIB(17), "the initrd", "1024 KiB");
	assert_non_null(strstr(err.text, "room for 512 KiB"));
	assert_non_null(strstr(err.text, "18 MiB"));
}

static void an_empty_initrd_is_refused(void **state)
{
	add_initrd("good", "x", 1);
	add_initrd("bad", "", 0);
	assert_refused(image_bzimage(), MIB(32), "bad", "empty");
}

static void a_flat_binary_takes_no_initrd(void **state)
{
	add_initrd("my initrd", "x", 1);
	assert_refused(flat(), MIB(16), "my initrd", "flat binary");
}

static void a_flat_binary_takes_no_command_line(void **state)
{
	rq.cmdline = "quiet";
	assert_refused(flat(), MIB(16), "the kernel", "command line");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_bzimages_code_lies_where_it_prefers),
		T(an_elfs_segments_lie_at_their_addresses),
		T(a_flat_binary_lies_at_1000_0000),
		T(a_kernel_that_does_not_fit_says_what_it_needs),
		T(a_malformed_kernel_is_refused_with_the_offset),
		T(a_kernel_that_cannot_be_read_is_refused),
		T(a_kernel_finds_its_parameters),
		T(the_memory_map_is_that_of_the_memory),
		T(each_start_has_a_random_seed_of_its_own),
		T(a_command_line_as_long_as_the_kernel_takes_is_whole),
		T(a_command_line_that_is_too_long_is_refused),
		T(devices_are_named_to_a_linux_kernel_if_nothing_else_does),
		T(no_room_to_name_devices_is_said_so),
		T(every_guest_finds_the_tables_of_a_bios),
		T(every_guest_finds_a_bios_data_area),
		T(initrds_follow_each_other_at_multiples_of_four),
		T(an_initrd_that_is_too_large_says_how_much_room_there_is),
		T(an_empty_initrd_is_refused),
		T(a_flat_binary_takes_no_initrd),
		T(a_flat_binary_takes_no_command_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
