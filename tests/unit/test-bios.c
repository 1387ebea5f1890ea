// SPDX-License-Identifier: MIT
/*
 * What a BIOS leaves in memory, and what the project's own services are told. Against
 * the IBM PS/2 and PC BIOS Interface Technical Reference, "BIOS Data Area", and the
 * real-mode interrupt table of SDM volume 3, 20.1.4.
 */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "boot/bios.h"
#include "core/base.h"
#include "core/gmem.h"
#include "layout.h"
#include "trapmap/guest_abi.h"

#define IMAGE 0xf8000

static uint8_t ram[MIB(1)];
static struct gmem gm;
static struct platform pc;
static struct boot_plan plan;

static int setup(void **state)
{
	memset(ram, 0, sizeof(ram));
	gm = (struct gmem){
		.region = { { .base = 0, .len = sizeof(ram), .host = ram } },
		.count = 1,
	};
	pc = platform_pc(MIB(64), 1, TRAPMAP_TRANSPORT_MMIO);
	pc.virtio = 4;
	plan = (struct boot_plan){
		.boot = TRAPMAP_BOOT_SECTOR,
		.protocol = BOOT_REAL,
		.entry = 0x7c00,
		.sp = 0x7c00,
	};
	return 0;
}

static uint16_t word(unsigned at)
{
	return get_le16(ram + at);
}

static struct trapmap_bios config(void)
{
	struct trapmap_bios bios;

	memcpy(&bios, ram + IMAGE, sizeof(bios));
	return bios;
}

static void write_bios(void)
{
	assert_int_equal(bios_write(&gm, &pc, &plan), 0);
}

/* ---- the data areas -------------------------------------------------------- */

static void the_data_area_has_what_a_pc_s_has(void **state)
{
	assert_int_equal(bios_write_data(&gm, &pc), 0);
	assert_int_equal(word(0x400), 0x3f8);	 /* COM1 */
	assert_int_equal(word(0x40e), 0x9fc0);	 /* EBDA */
	assert_int_equal(word(0x410) & 0x30, 0); /* no display */
	assert_int_equal(word(0x413), 639);	 /* KiB */
	assert_int_equal(word(0x41a), 0x1e);	 /* an empty keyboard buffer */
	assert_int_equal(word(0x41c), 0x1e);
	assert_int_equal(word(0x480), 0x1e);
	assert_int_equal(word(0x482), 0x3e);
	assert_int_equal(word(0x44a), 80); /* columns */
	assert_int_equal(ram[0x9fc00], 1); /* KiB of EBDA */
}

static void equipment_counts_the_serial_ports_of_the_data_area(void **state)
{
	unsigned i, n = 0;

	assert_int_equal(bios_write_data(&gm, &pc), 0);
	for (i = 0; i < 4; i++)
		n += word(0x400 + i * 2) != 0;
	assert_true(n >= 1);
	assert_int_equal(word(0x410) >> 9 & 7, n);
}

static void a_serial_port_in_memory_is_none_of_the_bios(void **state)
{
	pc.uart[0].space = TRAPMAP_SPACE_MMIO;
	assert_int_equal(bios_write_data(&gm, &pc), 0);
	assert_int_equal(word(0x400), 0);
	write_bios();
	assert_int_equal(config().com1, 0);
}

/* ---- the interrupt table ----------------------------------------------------- */

static void every_exception_and_service_has_a_vector_into_the_image(void **state)
{
	unsigned i;

	write_bios();
	for (i = 0; i < 0x1d; i++) {
		assert_int_equal(word(i * 4 + 2), 0xf000);
		assert_in_range(word(i * 4),
				0x8000 + sizeof(struct trapmap_bios), 0xffff);
	}
	/* The second PIC's. */
	for (i = 0x70; i < 0x78; i++)
		assert_int_equal(word(i * 4 + 2), 0xf000);
}

static void vectors_for_users_and_tables_that_are_not_there_are_zero(void **state)
{
	unsigned i;

	write_bios();
	for (i = 0x60; i < 0x68; i++)
		assert_int_equal(get_le32(ram + i * 4), 0);
	assert_int_equal(get_le32(ram + 0x1f * 4), 0); /* a font */
	assert_int_equal(get_le32(ram + 0x41 * 4), 0); /* the first disk's */
}

static void the_reset_vector_is_a_far_jump_into_the_image(void **state)
{
	write_bios();
	assert_int_equal(ram[0xffff0], 0xea); /* JMP ptr16:16 */
	assert_int_equal(word(0xffff3), 0xf000);
	assert_in_range(word(0xffff1), 0x8000, 0xfff0);
	assert_int_equal(ram[0xffffe], 0xfc); /* an AT */
}

static void the_image_stays_within_its_32_kib(void **state)
{
	unsigned i;

	write_bios();
	for (i = 0x500; i < IMAGE; i++)
		assert_int_equal(ram[i], 0);
}

/* ---- what the image is told ----------------------------------------------------- */

static void the_guest_starts_in_the_image_and_goes_on_where_it_was_to(void **state)
{
	struct trapmap_bios bios;

	write_bios();
	bios = config();
	assert_int_equal(bios.magic, TRAPMAP_BIOS_MAGIC);
	assert_int_equal(plan.cs, 0xf000);
	assert_int_equal(plan.entry, bios.entry);
	assert_in_range(bios.entry, 0x8000, 0xffff);
	assert_int_equal(bios.start.cs, 0);
	assert_int_equal(bios.start.ip, 0x7c00);
	assert_int_equal(bios.start.sp, 0x7c00);
}

static void a_boot_sector_has_interrupts_on_and_its_disk_in_dl(void **state)
{
	write_bios();
	assert_int_equal(config().start.flags, 0x202);
	assert_int_equal(config().start.dx, 0);
	setup(state);
	pc.disks = BIT(2);
	write_bios();
	assert_int_equal(config().start.dx, 0x80);
}

static void other_real_mode_code_has_interrupts_off(void **state)
{
	plan.boot = TRAPMAP_BOOT_FLAT;
	plan.cs = 0x1000;
	pc.disks = BIT(2);
	write_bios();
	assert_int_equal(config().start.flags, 2);
	assert_int_equal(config().start.dx, 0);
	assert_int_equal(config().start.ds, 0x1000);
}

static void a_linux_setup_has_its_stack_s_segment_everywhere(void **state)
{
	plan.boot = TRAPMAP_BOOT_LINUX16;
	plan.protocol = BOOT_LINUX16;
	plan.cs = 0x1020;
	plan.ss = 0x1000;
	write_bios();
	assert_int_equal(config().start.cs, 0x1020);
	assert_int_equal(config().start.ds, 0x1000);
	assert_int_equal(config().start.flags, 2);
}

static void disks_come_in_the_order_of_their_transports(void **state)
{
	pc.virtio = 8;
	pc.disks = BIT(1) | BIT(3) | BIT(4) | BIT(5) | BIT(7);
	write_bios();
	assert_int_equal(config().disk[0], 0xd0001000);
	assert_int_equal(config().disk[1], 0xd0003000);
	assert_int_equal(config().disk[2], 0xd0004000);
	assert_int_equal(config().disk[3], 0xd0005000);
	assert_int_equal(bios_write_data(&gm, &pc), 0);
	assert_int_equal(ram[0x475], 4);
}

static void a_disk_that_the_image_cannot_reach_is_not_named(void **state)
{
	pc.disks = BIT(0) | BIT(1);
	pc.slot[0].base = UINT64_C(0x100000000);
	write_bios();
	assert_int_equal(config().disk[0], 0xd0001000);
	assert_int_equal(config().disk[1], 0);
	setup(state);
	pc = platform_pc(MIB(64), 1, TRAPMAP_TRANSPORT_PCI);
	pc.virtio = 2;
	pc.disks = BIT(1);
	write_bios();
	assert_int_equal(config().disk[0], 0);
}

static void the_memory_map_is_the_machine_s(void **state)
{
	struct trapmap_bios bios;

	write_bios();
	bios = config();
	assert_int_equal(bios.ranges, 5);
	assert_int_equal(bios.range[0].base, 0);
	assert_int_equal(bios.range[0].len, 0x9fc00);
	assert_int_equal(bios.range[0].type, 1);
	assert_int_equal(bios.range[3].base, MIB(1));
	assert_int_equal(bios.range[3].len, MIB(63));
	assert_int_equal(bios.range[3].type, 1);
}

/* ---- too little memory ------------------------------------------------------------ */

static void without_memory_for_it_nothing_is_written(void **state)
{
	const struct boot_plan before = plan;

	gm.region[0].len = IMAGE + 0x7fff;
	assert_int_equal(bios_write(&gm, &pc, &plan), -EFAULT);
	assert_memory_equal(&plan, &before, sizeof(plan));
	assert_int_equal(get_le32(ram), 0);
	gm.region[0].len = 0x9fc00;
	assert_int_equal(bios_write_data(&gm, &pc), -EFAULT);
	assert_int_equal(word(0x400), 0);
}

#define T(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_data_area_has_what_a_pc_s_has),
		T(equipment_counts_the_serial_ports_of_the_data_area),
		T(a_serial_port_in_memory_is_none_of_the_bios),
		T(every_exception_and_service_has_a_vector_into_the_image),
		T(vectors_for_users_and_tables_that_are_not_there_are_zero),
		T(the_reset_vector_is_a_far_jump_into_the_image),
		T(the_image_stays_within_its_32_kib),
		T(the_guest_starts_in_the_image_and_goes_on_where_it_was_to),
		T(a_boot_sector_has_interrupts_on_and_its_disk_in_dl),
		T(other_real_mode_code_has_interrupts_off),
		T(a_linux_setup_has_its_stack_s_segment_everywhere),
		T(disks_come_in_the_order_of_their_transports),
		T(a_disk_that_the_image_cannot_reach_is_not_named),
		T(the_memory_map_is_the_machine_s),
		T(without_memory_for_it_nothing_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
