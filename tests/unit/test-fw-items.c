// SPDX-License-Identifier: MIT
/*
 * What firmware finds in fw_cfg: the keys by QEMU's fw_cfg_keys.h, the header's fields
 * by boot.rst. And firmware itself: where it lies.
 */
#include "test.h"

#include <asm/bootparam.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "a_pc.h"
#include "core/base.h"
#include "core/bus.h"
#include "core/device.h"
#include "fw_cfg.h"
#include "fw_items.h"
#include "images.h"
#include "load_firmware.h"
#include "mem.h"

static struct device *fw;
static struct bus bus;
static struct fw_items items;
static struct load_request rq;
static struct source kernel, initrd[2], firmware;
static struct fw_file file;
static struct error err;
static struct mem mem;

static int setup(void **state)
{
	if (fw_cfg_new(&(struct fw_cfg_config){ 0 }, &fw) < 0)
		return -1;
	kernel = firmware = (struct source){ .fd = -1 };
	initrd[0] = initrd[1] = file.source = kernel;
	file.name = NULL;
	memset(&items, 0, sizeof(items));
	rq = (struct load_request){
		.kernel = &kernel,
		.initrd = initrd,
		.cmdline = "console=ttyS0",
		.platform = platform_pc(MIB(64), 3, TRAPMAP_TRANSPORT_MMIO),
	};
	bus_init(&bus, 0xffff);
	return bus_add(&bus, 0x510, FW_CFG_LEN, fw, 0);
}

static int teardown(void **state)
{
	fw_items_done(&items);
	source_done(&kernel);
	source_done(&initrd[0]);
	source_done(&initrd[1]);
	source_done(&file.source);
	source_done(&firmware);
	mem_done(&mem);
	bus_done(&bus);
	device_free(fw);
	return 0;
}

static void choose(uint16_t key)
{
	assert_true(bus_write(&bus, 0x510, 2, key));
}

static uint64_t next(unsigned n)
{
	uint64_t all = 0, val = 0;
	unsigned i;

	for (i = 0; i < n; i++) {
		assert_true(bus_read(&bus, 0x511, 1, &val));
		all |= val << (8 * i);
	}
	return all;
}

static uint64_t item(uint16_t key, unsigned n)
{
	choose(key);
	return next(n);
}

static void set(void)
{
	assert_int_equal(fw_items_set(&items, fw, &rq, &file,
				      file.name ? 1 : 0, &err),
			 0);
}

static void give_kernel(const void *data, size_t len)
{
	rq.firmware = &firmware;
	assert_int_equal(source_from_data(&kernel, "kernel", data, len), 0);
}

static void every_guest_finds_the_machine_and_the_command_line(void **state)
{
	unsigned i;

	set();
	assert_int_equal(item(FW_CFG_RAM_SIZE, 8), MIB(64));
	assert_int_equal(item(FW_CFG_NB_CPUS, 2), 3);
	assert_int_equal(item(FW_CFG_MAX_CPUS, 2), 3);
	assert_int_equal(item(FW_CFG_CMDLINE_SIZE, 4), 14);
	choose(FW_CFG_CMDLINE_DATA);
	for (i = 0; i < 14; i++)
		assert_int_equal(next(1), "console=ttyS0"[i]);
	assert_int_equal(item(FW_CFG_KERNEL_SIZE, 4), 0);
}

static void the_memory_map_is_a_file(void **state)
{
	uint64_t low;

	set();
	choose(FW_CFG_FILE_DIR);
	assert_int_equal(next(4), 0x01000000);
	next(4); /* size */
	next(4);
	assert_int_equal(next(8), get_le64("etc/e820"));
	choose(FW_CFG_FILE_FIRST);
	assert_int_equal(next(8), 0);
	low = next(8);
	assert_in_range(low, KIB(512), KIB(640));
	assert_int_equal(next(4), 1);
}

static void a_file_of_the_users_is_read_as_it_is_asked_for(void **state)
{
	file.name = (char *)(uintptr_t)"opt/x";
	assert_int_equal(source_from_data(&file.source, "x", "words", 5), 0);
	set();
	assert_int_equal(item(FW_CFG_FILE_FIRST + 1, 5),
			 get_le32("word") | (uint64_t)'s' << 32);
	/* After a reboot too. */
	set();
	assert_int_equal(item(FW_CFG_FILE_FIRST + 1, 4), get_le32("word"));
}

static void a_file_that_is_not_there_is_named(void **state)
{
	file.name = (char *)(uintptr_t)"opt/x";
	assert_int_equal(source_from_path(&file.source, "/nonexistent/x"), 0);
	assert_int_equal(fw_items_set(&items, fw, &rq, &file, 1, &err),
			 -ENOENT);
	assert_non_null(strstr(err.text, "/nonexistent/x"));
}

#define HDR(field) (offsetof(struct boot_params, hdr.field))

static void a_bzimage_is_served_in_two_parts(void **state)
{
	struct image img = image_bzimage();
	unsigned setup_len = (img.data[HDR(setup_sects)] + 1) * 512u, i;
	uint8_t got[HDR(init_size)];

	give_kernel(img.data, img.len);
	assert_int_equal(source_from_data(&initrd[0], "a", "abcdef", 6), 0);
	assert_int_equal(source_from_data(&initrd[1], "b", "ghi", 3), 0);
	rq.initrds = 2;
	set();
	assert_int_equal(item(FW_CFG_SETUP_ADDR, 4), 0x10000);
	assert_int_equal(item(FW_CFG_SETUP_SIZE, 4), setup_len);
	assert_int_equal(item(FW_CFG_KERNEL_ADDR, 4), 0x100000);
	assert_int_equal(item(FW_CFG_KERNEL_SIZE, 4), img.len - setup_len);
	assert_int_equal(item(FW_CFG_KERNEL_DATA, 4),
			 get_le32(img.data + setup_len));
	choose(FW_CFG_SETUP_DATA);
	for (i = 0; i < sizeof(got); i++)
		got[i] = (uint8_t)next(1);
	assert_int_equal(get_le32(got + HDR(cmd_line_ptr)), 0x20000);
	assert_int_equal(got[HDR(type_of_loader)], 0xff);
	assert_true(got[HDR(loadflags)] & CAN_USE_HEAP);
	assert_int_equal(get_le16(got + HDR(heap_end_ptr)), 0xfe00);
	/* The initrds: 6 bytes, 2 of padding, 3. */
	assert_int_equal(get_le32(got + HDR(ramdisk_size)), 11);
	assert_int_equal(get_le32(got + HDR(ramdisk_image)),
			 item(FW_CFG_INITRD_ADDR, 4));
	assert_int_equal(item(FW_CFG_INITRD_ADDR, 4), MIB(64) - 4096);
	assert_int_equal(item(FW_CFG_INITRD_SIZE, 4), 11);
	choose(FW_CFG_INITRD_DATA);
	assert_int_equal(next(8), get_le64("abcdef\0\0"));
	assert_int_equal(next(4), 'g' | 'h' << 8 | 'i' << 16);
}

static void another_kernel_is_served_whole(void **state)
{
	give_kernel("just bytes", 10);
	set();
	assert_int_equal(item(FW_CFG_KERNEL_SIZE, 4), 10);
	assert_int_equal(item(FW_CFG_KERNEL_DATA, 4), get_le32("just"));
	assert_int_equal(item(FW_CFG_SETUP_SIZE, 4), 0);
}

static void a_truncated_bzimage_is_refused(void **state)
{
	struct image img = image_bzimage();

	give_kernel(img.data, 0x300);
	assert_int_equal(fw_items_set(&items, fw, &rq, NULL, 0, &err), -EINVAL);
	assert_non_null(strstr(err.text, "truncated"));
}

static void initrds_that_do_not_fit_are_refused(void **state)
{
	struct image img = image_bzimage();

	give_kernel(img.data, img.len);
	rq.platform = platform_pc(MIB(1), 1, TRAPMAP_TRANSPORT_MMIO);
	assert_int_equal(source_from_data(&initrd[0], "large", "x", 1), 0);
	rq.initrds = 1;
	assert_int_equal(fw_items_set(&items, fw, &rq, NULL, 0, &err), -E2BIG);
	assert_non_null(strstr(err.text, "large"));
}

static void a_kernel_that_leaves_no_room_for_an_initrd_is_refused(void **state)
{
	struct image img = image_bzimage();

	image_put(&img, 0x22c, 4, 0x1000); /* initrd_addr_max */
	give_kernel(img.data, img.len);
	assert_int_equal(source_from_data(&initrd[0], "initrd", "x", 1), 0);
	rq.initrds = 1;
	assert_int_equal(fw_items_set(&items, fw, &rq, NULL, 0, &err), -E2BIG);
	assert_non_null(strstr(err.text, "and 0x1001, above which the kernel"));
}

static void an_initrd_without_a_kernel_is_refused(void **state)
{
	rq.firmware = &firmware;
	assert_int_equal(source_from_data(&initrd[0], "initrd", "x", 1), 0);
	rq.initrds = 1;
	assert_int_equal(fw_items_set(&items, fw, &rq, NULL, 0, &err), -EINVAL);
	assert_string_equal(err.text,
			    "initrd: firmware finds an initrd only beside a kernel; name one with -k");
}

/* ---- the image itself ---------------------------------------------------- */

static uint8_t rom[0x30000];

static int load(size_t len, struct loaded *loaded)
{
	struct platform p = platform_pc(GIB(5), 1, TRAPMAP_TRANSPORT_MMIO);
	int r;

	assert_int_equal(source_from_data(&firmware, "rom", rom, len), 0);
	r = load_firmware_size(&firmware, &p.rom, &err);
	if (r < 0)
		return r;
	assert_int_equal(mem_init(&mem, &p, &err), 0);
	return load_firmware(&mem.gmem, &firmware, loaded, &err);
}

static void firmware_ends_at_4_gib_and_at_1_mib(void **state)
{
	struct loaded loaded;
	uint32_t word = 0;

	memset(rom, 0x11, sizeof(rom));
	put_le32(rom, 0xaabbccdd);
	put_le32(rom + sizeof(rom) - KIB(128), 0x22334455);
	put_le32(rom + sizeof(rom) - 4, 0x66778899);
	assert_int_equal(load(sizeof(rom), &loaded), 0);
	assert_int_equal(loaded.plan.protocol, BOOT_RESET);
	gmem_read(&mem.gmem, GIB(4) - 4, &word, 4);
	assert_int_equal(word, 0x66778899);
	gmem_read(&mem.gmem, GIB(4) - sizeof(rom), &word, 4);
	assert_int_equal(word, 0xaabbccdd);
	gmem_read(&mem.gmem, MIB(1) - 4, &word, 4);
	assert_int_equal(word, 0x66778899);
	gmem_read(&mem.gmem, MIB(1) - KIB(128), &word, 4);
	assert_int_equal(word, 0x22334455);
	/* Not more than that. */
	gmem_read(&mem.gmem, MIB(1) - KIB(128) - 4, &word, 4);
	assert_int_equal(word, 0);
	/* Memory above it is where it was. */
	assert_non_null(gmem_ptr(&mem.gmem, GIB(4), GIB(2)));
	/* No device writes to the ROM. */
	assert_int_equal(gmem_write(&mem.gmem, GIB(4) - 4, &word, 4), -EFAULT);
}

static void firmware_is_of_whole_pages_and_not_too_large(void **state)
{
	struct loaded loaded;

	assert_int_equal(load(4097, &loaded), -EINVAL);
	assert_non_null(strstr(err.text, "4097 bytes"));
	assert_non_null(strstr(err.text, "16 MiB"));
}

static void a_file_without_code_at_the_reset_vector_is_refused(void **state)
{
	struct loaded loaded;

	memset(rom, 0x11, sizeof(rom));
	memset(rom + 8192 - 16, 0xff, 16);
	assert_int_equal(load(8192, &loaded), -EINVAL);
	assert_non_null(strstr(err.text, "last 16 bytes"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_guest_finds_the_machine_and_the_command_line),
		T(the_memory_map_is_a_file),
		T(a_file_of_the_users_is_read_as_it_is_asked_for),
		T(a_file_that_is_not_there_is_named),
		T(a_bzimage_is_served_in_two_parts),
		T(another_kernel_is_served_whole),
		T(a_truncated_bzimage_is_refused),
		T(initrds_that_do_not_fit_are_refused),
		T(a_kernel_that_leaves_no_room_for_an_initrd_is_refused),
		T(an_initrd_without_a_kernel_is_refused),
		T(firmware_ends_at_4_gib_and_at_1_mib),
		T(firmware_is_of_whole_pages_and_not_too_large),
		T(a_file_without_code_at_the_reset_vector_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
