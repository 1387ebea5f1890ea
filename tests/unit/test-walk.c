// SPDX-License-Identifier: MIT
/* Page tables as SDM volume 3, chapter 4 has them, written by hand. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "postmortem/walk.h"

#define PG BIT64(31)
#define PSE BIT64(4)
#define PAE BIT64(5)
#define LA57 BIT64(12)
#define LMA BIT64(10)
#define NXE BIT64(11)
#define NX BIT64(63)

#define P 1u
#define RW 2u
#define US 4u
#define PS 0x80u

static uint8_t ram[0x40000];
static struct gmem gm;

static int setup(void **state)
{
	memset(ram, 0, sizeof(ram));
	gm = (struct gmem){ 0 };
	return gmem_add(&gm, 0, sizeof(ram), ram);
}

static void put32(gpa_t gpa, uint32_t entry)
{
	assert_int_equal(gmem_write(&gm, gpa, &entry, 4), 0);
}

static void put64(gpa_t gpa, uint64_t entry)
{
	assert_int_equal(gmem_write(&gm, gpa, &entry, 8), 0);
}

static const struct walk_mode none = { .cr0 = 1 };
static const struct walk_mode mode_32 = { .cr0 = PG | 1, .cr3 = 0x1000 };
static const struct walk_mode mode_pse = { .cr0 = PG | 1,
					   .cr3 = 0x1000,
					   .cr4 = PSE };
static const struct walk_mode mode_pae = { .cr0 = PG | 1,
					   .cr3 = 0x1020,
					   .cr4 = PAE };
static const struct walk_mode mode_4 = {
	.cr0 = PG | 1, .cr3 = 0x1000, .cr4 = PAE, .efer = LMA | NXE
};
static const struct walk_mode mode_5 = {
	.cr0 = PG | 1, .cr3 = 0x1000, .cr4 = PAE | LA57, .efer = LMA | NXE
};

static struct walk walk(const struct walk_mode *mode, uint64_t linear)
{
	struct walk w;

	walk_linear(&gm, mode, linear, &w);
	return w;
}

/* 0x8080604000 and up: index 1, 2, 3 and 4 of the four levels. */
#define LINEAR_4 (BIT64(39) | UINT64_C(2) << 30 | UINT64_C(3) << 21 | 4 << 12)

static void four_levels(void)
{
	put64(0x1008, 0x2000 | P | RW | US);
	put64(0x2010, 0x3000 | P | RW | US);
	put64(0x3018, 0x4000 | P | RW | US);
	put64(0x4020, 0x5000 | P | RW | US);
}

static void without_paging_an_address_is_its_own(void **state)
{
	struct walk w = walk(&none, 0x12345);

	assert_int_equal(w.end, WALK_NO_PAGING);
	assert_int_equal(w.gpa, 0x12345);
	assert_int_equal(w.levels, 0);
	/* A segment's base and an offset wrap at 4 GiB. */
	assert_int_equal(walk(&none, 0x100000010).gpa, 0x10);
}

static void two_levels_of_four_bytes(void **state)
{
	struct walk w;

	put32(0x1000 + 0x301 * 4, 0x2000 | P | RW | US);
	put32(0x2000 + 0x2a * 4, 0x7000 | P | US);
	w = walk(&mode_32, 0xc042a123);
	assert_int_equal(w.end, WALK_MAPPED);
	assert_int_equal(w.gpa, 0x7123);
	assert_int_equal(w.page_size, KIB(4));
	assert_int_equal(w.levels, 2);
	assert_string_equal(w.level[0].name, "PDE");
	assert_int_equal(w.level[0].gpa, 0x1000 + 0x301 * 4);
	assert_string_equal(w.level[1].name, "PTE");
	assert_int_equal(w.level[1].entry, 0x7000 | P | US);
	assert_false(w.writable);
	assert_true(w.user);
	assert_true(w.executable);

	w = walk(&mode_32, 0xc042b123);
	assert_int_equal(w.end, WALK_NOT_PRESENT);
	assert_int_equal(w.levels, 2);
}

static void four_mib_pages_need_cr4_pse(void **state)
{
	struct walk w;

	put32(0x1004, 0x00c00000 | PS | P | RW);
	w = walk(&mode_pse, 0x512345);
	assert_int_equal(w.end, WALK_MAPPED);
	assert_int_equal(w.gpa, 0xd12345);
	assert_int_equal(w.page_size, MIB(4));
	/* Without it bit 7 says nothing, and this is a table beyond RAM. */
	w = walk(&mode_32, 0x512345);
	assert_int_equal(w.end, WALK_NOT_RAM);
	assert_int_equal(w.levels, 2);
	assert_int_equal(w.level[1].entry, 0);
}

static void a_four_mib_page_may_lie_above_4_gib(void **state)
{
	struct walk_mode small = mode_pse;

	put32(0x1004, 0x00c00000 | 5 << 13 | PS | P); /* address bits 39:32 */
	assert_int_equal(walk(&mode_pse, 0x512345).gpa, 0x500d12345);
	put32(0x1004, 0x00c00000 | BIT(21) | PS | P);
	assert_int_equal(walk(&mode_pse, 0x512345).end, WALK_RESERVED);
	/* With 36 bits of physical address 20:17 are reserved too. */
	small.phys_bits = 36;
	put32(0x1004, 0x00c00000 | BIT(16) | PS | P);
	assert_int_equal(walk(&small, 0x512345).end, WALK_MAPPED);
	put32(0x1004, 0x00c00000 | BIT(17) | PS | P);
	assert_int_equal(walk(&small, 0x512345).end, WALK_RESERVED);
}

static void pae_has_three_levels_of_eight_bytes(void **state)
{
	struct walk w;

	put64(0x1020 + 3 * 8, 0x2000 | P);
	put64(0x2000 + 1 * 8, 0x3000 | P | RW | US);
	put64(0x3000 + 2 * 8, 0x123456000 | P | RW);
	put64(0x2000 + 2 * 8, 0x600000 | PS | P | US);
	w = walk(&mode_pae, 0xc0202abc);
	assert_int_equal(w.end, WALK_MAPPED);
	assert_int_equal(w.gpa, 0x123456abc);
	assert_int_equal(w.levels, 3);
	assert_string_equal(w.level[0].name, "PDPTE");
	assert_int_equal(w.level[0].gpa, 0x1038);
	/* A PDPTE has no RW and no US to take them away. */
	assert_true(w.writable);
	assert_false(w.user);

	w = walk(&mode_pae, 0xc0512345);
	assert_int_equal(w.gpa, 0x712345);
	assert_int_equal(w.page_size, MIB(2));
	assert_int_equal(walk(&mode_pae, 0x1000).end, WALK_NOT_PRESENT);
	assert_int_equal(walk(&mode_pae, 0x1000).levels, 1);
}

static void pae_reserves_what_long_mode_ignores(void **state)
{
	put64(0x1020, 0x2000 | P | RW); /* bit 1 of a PDPTE */
	assert_int_equal(walk(&mode_pae, 0).end, WALK_RESERVED);
	put64(0x1020, 0x2000 | P);
	put64(0x2000, 0x3000 | P | BIT64(52));
	assert_int_equal(walk(&mode_pae, 0).end, WALK_RESERVED);
	put64(0x1008, 0x2000 | P);
	put64(0x2010, 0x3000 | P | BIT64(52));
	put64(0x3018, 0x4000 | P);
	put64(0x4020, 0x5000 | P);
	assert_int_equal(walk(&mode_4, LINEAR_4).end, WALK_MAPPED);
}

static void four_levels_in_long_mode(void **state)
{
	struct walk w;

	four_levels();
	w = walk(&mode_4, LINEAR_4 + 0x678);
	assert_int_equal(w.end, WALK_MAPPED);
	assert_int_equal(w.gpa, 0x5678);
	assert_int_equal(w.levels, 4);
	assert_string_equal(w.level[0].name, "PML4E");
	assert_string_equal(w.level[1].name, "PDPTE");
	assert_string_equal(w.level[2].name, "PDE");
	assert_string_equal(w.level[3].name, "PTE");
	assert_int_equal(w.level[3].gpa, 0x4020);
	assert_true(w.writable && w.user && w.executable);
	assert_int_equal(walk(&mode_4, LINEAR_4 + 0x1000).end, WALK_NOT_PRESENT);
	assert_int_equal(walk(&mode_4, LINEAR_4 + 0x1000).level[3].gpa, 0x4028);
}

static void rights_are_those_of_all_levels(void **state)
{
	four_levels();
	put64(0x2010, 0x3000 | P | US);
	assert_false(walk(&mode_4, LINEAR_4).writable);
	put64(0x2010, 0x3000 | P | RW);
	assert_false(walk(&mode_4, LINEAR_4).user);
	put64(0x2010, 0x3000 | P | RW | US | NX);
	assert_false(walk(&mode_4, LINEAR_4).executable);
	assert_true(walk(&mode_4, LINEAR_4).user);
}

static void nx_is_reserved_without_efer_nxe(void **state)
{
	struct walk_mode mode = mode_4;
	struct walk w;

	four_levels();
	put64(0x3018, 0x4000 | P | NX);
	mode.efer = LMA;
	w = walk(&mode, LINEAR_4);
	assert_int_equal(w.end, WALK_RESERVED);
	assert_int_equal(w.levels, 3);
	assert_int_equal(w.level[2].entry, 0x4000 | P | NX);
}

static void large_pages_in_long_mode(void **state)
{
	struct walk w;

	four_levels();
	put64(0x3018, 0x12600000 | PS | P | RW);
	w = walk(&mode_4, LINEAR_4 + 0x678);
	assert_int_equal(w.gpa, 0x12604678);
	assert_int_equal(w.page_size, MIB(2));
	assert_int_equal(w.levels, 3);
	put64(0x3018, 0x12600000 | BIT(13) | PS | P);
	assert_int_equal(walk(&mode_4, LINEAR_4).end, WALK_RESERVED);
	/* Bit 12 is PAT, not an address. */
	put64(0x3018, 0x12600000 | BIT(12) | PS | P);
	assert_int_equal(walk(&mode_4, LINEAR_4).gpa, 0x12604000);

	put64(0x2010, GIB(7) | PS | P | RW);
	w = walk(&mode_4, LINEAR_4 + 0x678);
	assert_int_equal(w.gpa, GIB(7) + 0x604678);
	assert_int_equal(w.page_size, GIB(1));
	put64(0x2010, GIB(7) | BIT(29) | PS | P);
	assert_int_equal(walk(&mode_4, LINEAR_4).end, WALK_RESERVED);
	/* There are no pages of 512 GiB. */
	put64(0x1008, 0x2000 | PS | P);
	assert_int_equal(walk(&mode_4, LINEAR_4).end, WALK_RESERVED);
}

static void physical_addresses_end_at_maxphyaddr(void **state)
{
	struct walk_mode mode = mode_4;

	four_levels();
	put64(0x4020, BIT64(40) | 0x5000 | P);
	assert_int_equal(walk(&mode, LINEAR_4).gpa, BIT64(40) | 0x5000);
	mode.phys_bits = 40;
	assert_int_equal(walk(&mode, LINEAR_4).end, WALK_RESERVED);
}

static void five_levels_with_la57(void **state)
{
	uint64_t linear = LINEAR_4 | UINT64_C(6) << 48;
	struct walk w;

	put64(0x1000 + 6 * 8, 0x6000 | P | RW | US);
	put64(0x6008, 0x2000 | P | RW | US);
	put64(0x2010, 0x3000 | P | RW | US);
	put64(0x3018, 0x4000 | P | RW | US);
	put64(0x4020, 0x5000 | P | RW | US);
	w = walk(&mode_5, linear);
	assert_int_equal(w.end, WALK_MAPPED);
	assert_int_equal(w.gpa, 0x5000);
	assert_int_equal(w.levels, 5);
	assert_string_equal(w.level[0].name, "PML5E");
	/* The same address has too many bits for four levels. */
	assert_int_equal(walk(&mode_4, linear).end, WALK_NOT_CANONICAL);
	assert_int_equal(walk(&mode_4, linear).levels, 0);
}

static void canonical_addresses_repeat_their_top_bit(void **state)
{
	assert_int_equal(walk(&mode_4, 0x0000800000000000).end,
			 WALK_NOT_CANONICAL);
	assert_int_equal(walk(&mode_4, 0xffff7fffffffffff).end,
			 WALK_NOT_CANONICAL);
	assert_int_equal(walk(&mode_4, 0xffff800000000000).end,
			 WALK_NOT_PRESENT);
	assert_int_equal(walk(&mode_5, 0x0100000000000000).end,
			 WALK_NOT_CANONICAL);
	assert_int_equal(walk(&mode_5, 0xff00000000000000).end,
			 WALK_NOT_PRESENT);
}

static void low_bits_of_cr3_are_no_address(void **state)
{
	struct walk_mode mode = mode_4;

	four_levels();
	mode.cr3 |= BIT64(62) | 0xabc; /* LAM, and a PCID */
	assert_int_equal(walk(&mode, LINEAR_4).gpa, 0x5000);
}

static void a_table_outside_ram_ends_the_walk(void **state)
{
	struct walk_mode mode = mode_4;
	struct walk w;

	mode.cr3 = 0xfee00000;
	w = walk(&mode, 0x1000);
	assert_int_equal(w.end, WALK_NOT_RAM);
	assert_int_equal(w.levels, 1);
	assert_int_equal(w.level[0].gpa, 0xfee00000);
	assert_false(w.writable);
}

static void reading_crosses_pages(void **state)
{
	char text[16] = "";

	four_levels();
	put64(0x4028, 0x9000 | P);
	memcpy(ram + 0x5ffb, "guest", 5);
	memcpy(ram + 0x9000, " memory", 7);
	assert_int_equal(walk_read(&gm, &mode_4, LINEAR_4 + 0xffb, text, 12),
			 12);
	assert_string_equal(text, "guest memory");
}

static void reading_ends_where_nothing_is_mapped(void **state)
{
	uint8_t buf[64];

	four_levels();
	assert_int_equal(walk_read(&gm, &mode_4, LINEAR_4 + 0xff0, buf, 64), 16);
	assert_int_equal(walk_read(&gm, &mode_4, 0, buf, 64), 0);
	/* RAM that ends within a page. */
	gm.region[0].len = 0x5ff8;
	assert_int_equal(walk_read(&gm, &mode_4, LINEAR_4 + 0xff0, buf, 64), 8);
	assert_int_equal(walk_read(&gm, &none, 0x5ff0, buf, 64), 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup(f, setup)
		TEST(without_paging_an_address_is_its_own),
		TEST(two_levels_of_four_bytes),
		TEST(four_mib_pages_need_cr4_pse),
		TEST(a_four_mib_page_may_lie_above_4_gib),
		TEST(pae_has_three_levels_of_eight_bytes),
		TEST(pae_reserves_what_long_mode_ignores),
		TEST(four_levels_in_long_mode),
		TEST(rights_are_those_of_all_levels),
		TEST(nx_is_reserved_without_efer_nxe),
		TEST(large_pages_in_long_mode),
		TEST(physical_addresses_end_at_maxphyaddr),
		TEST(five_levels_with_la57),
		TEST(canonical_addresses_repeat_their_top_bit),
		TEST(low_bits_of_cr3_are_no_address),
		TEST(a_table_outside_ram_ends_the_walk),
		TEST(reading_crosses_pages),
		TEST(reading_ends_where_nothing_is_mapped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
