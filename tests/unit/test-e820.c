// SPDX-License-Identifier: MIT
/* The memory map, against layout.h and what INT 15h AX=E820h promises. */
#include "test.h"

#include <string.h>

#include "core/base.h"
#include "layout.h"
#include "x86/e820.h"

static struct e820_range map[E820_MAX];
static unsigned count;

static void build_with(uint64_t mem, enum trapmap_transport transport)
{
	const struct platform platform = platform_pc(mem, 1, transport);
	unsigned i;

	memset(map, 0xff, sizeof(map));
	count = e820_build(&platform, map);
	assert_in_range(count, 1, E820_MAX);
	for (i = 0; i < count; i++) {
		assert_true(map[i].len > 0);
		assert_true(map[i].base + map[i].len > map[i].base);
		if (i > 0)
			assert_true(map[i].base >=
				    map[i - 1].base + map[i - 1].len);
	}
}

static void build(uint64_t mem)
{
	build_with(mem, TRAPMAP_TRANSPORT_MMIO);
}

/* The type of the range that holds addr; 0: none. */
static unsigned type_at(uint64_t addr)
{
	unsigned i;

	for (i = 0; i < count; i++)
		if (addr >= map[i].base && addr - map[i].base < map[i].len)
			return map[i].type;
	return 0;
}

static uint64_t ram(void)
{
	uint64_t sum = 0;
	unsigned i;

	for (i = 0; i < count; i++)
		if (map[i].type == E820_RAM)
			sum += map[i].len;
	return sum;
}

static void low_memory_is_as_on_a_pc(void **state)
{
	build(MIB(64));
	assert_int_equal(type_at(0), E820_RAM);
	assert_int_equal(type_at(0x9fbff), E820_RAM);
	assert_int_equal(type_at(0x9fc00), E820_RESERVED);
	assert_int_equal(type_at(0x9ffff), E820_RESERVED);
	assert_int_equal(type_at(0xa0000), 0);
	assert_int_equal(type_at(0xbffff), 0);
	assert_int_equal(type_at(0xc0000), E820_RESERVED);
	assert_int_equal(type_at(LAYOUT_ACPI), E820_RESERVED);
	assert_int_equal(type_at(LAYOUT_MPTABLE), E820_RESERVED);
	assert_int_equal(type_at(0xfffff), E820_RESERVED);
}

static void high_memory_ends_where_it_was_said(void **state)
{
	build(MIB(64));
	assert_int_equal(type_at(0x100000), E820_RAM);
	assert_int_equal(type_at(MIB(64) - 1), E820_RAM);
	assert_int_equal(type_at(MIB(64)), 0);
	assert_int_equal(ram(), 0x9fc00 + MIB(63));
}

static void one_mib_has_no_high_memory(void **state)
{
	build(MIB(1));
	assert_int_equal(type_at(0x100000), 0);
	assert_int_equal(ram(), 0x9fc00);
	build(MIB(1) + 4096);
	assert_int_equal(ram(), 0x9fc00 + 4096);
}

static void memory_up_to_the_hole_is_in_one_piece(void **state)
{
	build(LAYOUT_HOLE);
	assert_int_equal(type_at(LAYOUT_HOLE - 1), E820_RAM);
	assert_int_equal(type_at(LAYOUT_HOLE), 0);
	assert_int_equal(type_at(GIB(4)), 0);
}

static void what_does_not_fit_is_above_4_gib(void **state)
{
	build(LAYOUT_HOLE + 4096);
	assert_int_equal(type_at(LAYOUT_HOLE - 1), E820_RAM);
	assert_int_equal(type_at(LAYOUT_HOLE), 0);
	assert_int_equal(type_at(GIB(4)), E820_RAM);
	assert_int_equal(type_at(GIB(4) + 4095), E820_RAM);
	assert_int_equal(type_at(GIB(4) + 4096), 0);
	build(GIB(1024));
	assert_true(ram() == GIB(1024) - MIB(1) + 0x9fc00);
	assert_int_equal(type_at(GIB(1025) - 1), E820_RAM);
}

static void firmware_is_reserved_up_to_4_gib(void **state)
{
	struct platform p = platform_pc(GIB(8), 1, PLATFORM_TRANSPORT);

	p.rom = KIB(256);
	count = e820_build(&p, map);
	assert_int_equal(type_at(GIB(4) - 1), E820_RESERVED);
	assert_int_equal(type_at(GIB(4) - KIB(256)), E820_RESERVED);
	assert_int_equal(type_at(GIB(4) - KIB(256) - 1), 0);
	assert_int_equal(type_at(GIB(4)), E820_RAM);
}

static void kvm_s_own_pages_are_reserved(void **state)
{
	build(GIB(8));
	assert_int_equal(type_at(LAYOUT_IDENTITY_MAP), E820_RESERVED);
	assert_int_equal(type_at(LAYOUT_TSS), E820_RESERVED);
	assert_int_equal(type_at(LAYOUT_TSS + 3 * 4096 - 1), E820_RESERVED);
	assert_int_equal(type_at(GIB(4) - 1), 0);
	assert_int_equal(type_at(LAYOUT_IOAPIC), 0);
	assert_int_equal(type_at(LAYOUT_LAPIC), 0);
}

/* Linux believes MCFG only where the map says that nobody else is there. */
static void the_configuration_space_of_pci_is_reserved(void **state)
{
	build(GIB(8));
	assert_int_equal(type_at(LAYOUT_ECAM), 0);
	build_with(GIB(8), TRAPMAP_TRANSPORT_PCI);
	assert_int_equal(type_at(LAYOUT_ECAM), E820_RESERVED);
	assert_int_equal(type_at(LAYOUT_ECAM + MIB(1) - 1), E820_RESERVED);
	assert_int_equal(type_at(LAYOUT_ECAM + MIB(1)), 0);
	assert_int_equal(type_at(LAYOUT_PCI_WINDOW), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(low_memory_is_as_on_a_pc),
		cmocka_unit_test(high_memory_ends_where_it_was_said),
		cmocka_unit_test(one_mib_has_no_high_memory),
		cmocka_unit_test(memory_up_to_the_hole_is_in_one_piece),
		cmocka_unit_test(what_does_not_fit_is_above_4_gib),
		cmocka_unit_test(kvm_s_own_pages_are_reserved),
		cmocka_unit_test(firmware_is_reserved_up_to_4_gib),
		cmocka_unit_test(the_configuration_space_of_pci_is_reserved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
