// SPDX-License-Identifier: MIT
/*
 * What is handed over by each protocol, from the files to the memory: boot.rst
 * for Linux, Xen's start_info.h for PVH.
 */
#include "test.h"

#include <errno.h>
#include <stdio.h>

#include "a_pc.h"
#include "core/base.h"
#include "images.h"
#include "layout.h"
#include "load.h"
#include "mem.h"

static struct image img;
static struct source kernel, initrd[2];
static struct load_request rq;
static struct loaded loaded;
static struct mem mem;
static struct error err;

static int setup(void **state)
{
	kernel = (struct source){ .fd = -1 };
	rq = (struct load_request){
		.kernel = &kernel,
		.initrd = initrd,
		.cmdline = "quiet",
		.platform = a_pc(MIB(64), 1, TRAPMAP_TRANSPORT_MMIO, 0),
	};
	assert_int_equal(mem_init(&mem, &rq.platform, &err), 0);
	return 0;
}

static int teardown(void **state)
{
	while (rq.initrds)
		source_done(&initrd[--rq.initrds]);
	source_done(&kernel);
	mem_done(&mem);
	return 0;
}

static void add_initrd(const char *name, const char *text)
{
	assert_int_equal(source_from_data(&initrd[rq.initrds++], name, text,
					  strlen(text)),
			 0);
}

static int load(void)
{
	assert_int_equal(source_from_data(&kernel, "the kernel", img.data,
					  img.len),
			 0);
	return load_guest(&mem.gmem, &rq, &loaded, &err);
}

static void assert_loads(void)
{
	if (load() < 0)
		fail_msg("%s", err.text);
}

static const uint8_t *at(uint64_t gpa, uint64_t len)
{
	const uint8_t *p = gmem_ptr(&mem.gmem, gpa, len);

	assert_non_null(p);
	return p;
}

static uint64_t get64(uint64_t gpa)
{
	return get_le64(at(gpa, 8));
}

/* An ELF with a PVH note, and one that says that it is Linux if asked for. */
static void make_pvh(bool is_linux)
{
	img = image_elf();
	image_put(&img, IMAGE_PHDR(2) + 32, 8, is_linux ? 0x2c : 0x14);
	image_put(&img, 0x380, 8, UINT64_C(4) << 32 | 4);
	image_put(&img, 0x388, 8, UINT64_C(0x006e6558) << 32 | 18);
	image_put(&img, 0x390, 4, 0x1000020);
	image_put(&img, 0x394, 8, 6); /* a name of six bytes, nothing else */
	image_put(&img, 0x39c, 4, 0x100);
	memcpy(img.data + 0x3a0, "Linux", 6);
}

/* ---- PVH ---------------------------------------------------------------- */

static void a_kernel_with_a_note_gets_start_info(void **state)
{
	const uint8_t *info;
	uint64_t modules;

	make_pvh(false);
	add_initrd("first.img", "12345");
	add_initrd("second.img", "abc");
	assert_loads();
	assert_int_equal(loaded.plan.boot, TRAPMAP_BOOT_PVH);
	assert_int_equal(loaded.plan.entry, 0x1000020);
	info = at(LAYOUT_PVH, 56);
	assert_int_equal(get_le32(info), 0x336ec578);
	assert_string_equal((const char *)at(get_le64(info + 24), 8), "quiet");
	assert_memory_equal(at(get_le64(info + 32), 8), "RSD PTR ", 8);
	/* Each file is a module, behind the kernel, with its name. */
	assert_int_equal(get_le32(info + 12), 2);
	modules = get_le64(info + 16);
	assert_memory_equal(at(get64(modules), 5), "12345", 5);
	assert_int_equal(get64(modules + 8), 5);
	assert_string_equal((const char *)at(get64(modules + 16), 16),
			    "first.img");
	assert_memory_equal(at(get64(modules + 32), 3), "abc", 3);
	assert_true(get64(modules) >= 0x1600000); /* where .bss ends */
}

static void linux_gets_its_initrd_as_one_module(void **state)
{
	uint64_t modules;

	make_pvh(true);
	rq.boot = TRAPMAP_BOOT_PVH;
	add_initrd("first.img", "12345");
	add_initrd("second.img", "abc");
	assert_loads();
	assert_int_equal(get_le32(at(LAYOUT_PVH + 12, 4)), 1);
	modules = get64(LAYOUT_PVH + 16);
	assert_int_equal(get64(modules), loaded.initrd);
	assert_int_equal(get64(modules + 8), 11);
	assert_memory_equal(at(get64(modules), 11), "12345\0\0\0abc", 11);
}

static void linux_with_a_note_starts_by_its_own_protocol(void **state)
{
	make_pvh(true);
	assert_loads();
	assert_int_equal(loaded.plan.boot, TRAPMAP_BOOT_LINUX64);
	assert_int_equal(loaded.plan.entry, 0x1000000);
	assert_int_equal(get_le32(at(LAYOUT_BOOT_PARAMS + 0x228, 4)),
			 LAYOUT_CMDLINE);
}

static void devices_on_the_command_line_are_for_linux_alone(void **state)
{
	rq.platform = a_pc(MIB(64), 1, TRAPMAP_TRANSPORT_MMIO_CMDLINE, 1);
	make_pvh(true);
	rq.boot = TRAPMAP_BOOT_PVH;
	assert_loads();
	assert_string_equal((const char *)at(LAYOUT_CMDLINE, 64),
			    "quiet virtio_mmio.device=4K@0xd0000000:5");
	source_done(&kernel);
	make_pvh(false);
	assert_loads();
	assert_string_equal((const char *)at(LAYOUT_CMDLINE, 64), "quiet");
}

/* ---- bzImage ------------------------------------------------------------ */

static void the_32_bit_entry_gets_boot_params(void **state)
{
	img = image_bzimage();
	rq.boot = TRAPMAP_BOOT_LINUX32;
	add_initrd("initrd", "12345");
	assert_loads();
	assert_int_equal(loaded.plan.entry, 0x1000000);
	assert_int_equal(get_le32(at(LAYOUT_BOOT_PARAMS + 0x218, 4)),
			 loaded.initrd);
	assert_int_equal(get_le32(at(LAYOUT_BOOT_PARAMS + 0x21c, 4)), 5);
	assert_string_equal((const char *)at(LAYOUT_CMDLINE, 8), "quiet");
	/* A GDT that has what the selectors say. */
	assert_int_equal(get64(LAYOUT_BOOT_GDT + 0x10) >> 52 & 0xe, 0xc);
}

static void setup_code_lies_in_low_memory_with_its_header(void **state)
{
	const uint8_t *setup_code;

	img = image_bzimage();
	memset(img.data + 0x300, 0x90, 0x100);
	rq.boot = TRAPMAP_BOOT_LINUX16;
	add_initrd("initrd", "12345");
	assert_loads();
	setup_code = at(LAYOUT_SETUP, 0x400);
	assert_memory_equal(setup_code + 0x300, img.data + 0x300, 0x100);
	assert_int_equal(get_le32(setup_code + 0x228), LAYOUT_CMDLINE);
	assert_int_equal(get_le32(setup_code + 0x218), loaded.initrd);
	assert_int_equal(get_le32(setup_code + 0x214), 0x1000000);
	assert_memory_equal(at(0x1000000, 0x400), img.data + 0x400, 0x400);
	assert_string_equal((const char *)at(LAYOUT_CMDLINE, 8), "quiet");
	/* INT 15h has somewhere to go. */
	assert_int_not_equal(get_le32(at(0x15 * 4, 4)), 0);
}

static void a_protocol_that_is_not_offered_loads_nothing(void **state)
{
	img = image_bzimage();
	rq.boot = TRAPMAP_BOOT_PVH;
	assert_int_equal(load(), -EINVAL);
	assert_int_equal(err.status, ERROR_INPUT);
	assert_string_equal(err.text,
			    "the kernel: a bzImage of boot protocol 2.15, which offers linux64, linux32, linux16 and unpack; pvh was asked for: that takes the vmlinux from which it was made");
	assert_int_equal(get64(0x1000000), 0);
	assert_int_equal(get64(LAYOUT_ACPI), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_kernel_with_a_note_gets_start_info),
		T(linux_gets_its_initrd_as_one_module),
		T(linux_with_a_note_starts_by_its_own_protocol),
		T(devices_on_the_command_line_are_for_linux_alone),
		T(the_32_bit_entry_gets_boot_params),
		T(setup_code_lies_in_low_memory_with_its_header),
		T(a_protocol_that_is_not_offered_loads_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
