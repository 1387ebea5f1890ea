// SPDX-License-Identifier: MIT
/* PCI Local Bus 3.0, 6.8.2 and 6.8.3: MSI-X, its table and its pending bits. */
#include "test.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "core/base.h"
#include "fake_msi.h"
#include "pci/msix.h"

#define VECTORS 34
#define ENABLE 0x8000
#define MASK_ALL 0x4000

static struct msix m;
static struct fake_msi fake;

static int setup(void **state)
{
	const struct msi msi = fake_msi(&fake);

	assert_int_equal(msix_init(&m, &msi, VECTORS), 0);
	return 0;
}

static int teardown(void **state)
{
	msix_done(&m);
	assert_int_equal(fake_msi_routed(&fake), 0);
	return 0;
}

static void write_entry(unsigned vector, uint64_t address, uint32_t data,
			bool masked)
{
	uint64_t at = 16 * (uint64_t)vector;

	msix_table_write(&m, at, 4, (uint32_t)address);
	msix_table_write(&m, at + 4, 4, address >> 32);
	msix_table_write(&m, at + 8, 4, data);
	msix_table_write(&m, at + 12, 4, masked);
}

static uint32_t word(uint64_t off)
{
	return (uint32_t)msix_table_read(&m, off, 4);
}

static uint64_t pending(void)
{
	return msix_pba_read(&m, 0, 8);
}

static void all_vectors_begin_masked(void **state)
{
	unsigned i;

	for (i = 0; i < VECTORS; i++)
		assert_int_equal(word(16 * i + 12), 1);
	msix_set_control(&m, ENABLE);
	assert_int_equal(fake.routes, 0);
	assert_true(pending() == 0);
}

static void the_table_reads_back(void **state)
{
	write_entry(3, UINT64_C(0x12345678fee01007), 0x9abcdef0, true);
	assert_int_equal(word(48), 0xfee01004); /* the low two bits are 0 */
	assert_int_equal(word(52), 0x12345678);
	assert_int_equal(word(56), 0x9abcdef0);
	assert_int_equal(word(60), 1);
	assert_int_equal(word(44), 1);
	assert_int_equal(word(64), 0);
	/* Eight bytes at once; reserved bits of the control are 0. */
	msix_table_write(&m, 8, 8, UINT64_C(0xfffffffe00000041));
	assert_true(msix_table_read(&m, 8, 8) == 0x41);
	msix_table_write(&m, 0, 8, UINT64_C(0xfee0c000));
	assert_true(msix_table_read(&m, 0, 8) == 0xfee0c000);
}

static void other_accesses_do_nothing(void **state)
{
	static const struct { uint64_t off; unsigned size; } bad[] = {
		{ 0, 1 }, { 0, 2 }, { 2, 4 }, { 4, 8 }, { 16 * VECTORS, 4 },
		{ 16 * VECTORS - 4, 8 }, { UINT64_MAX - 3, 4 },
	};
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		msix_table_write(&m, bad[i].off, bad[i].size, 0xfee00000);
		assert_true(msix_table_read(&m, bad[i].off, bad[i].size) == 0);
		assert_true(msix_pba_read(&m, bad[i].off, bad[i].size) == 0 ||
			    bad[i].off < 8);
	}
	for (i = 0; i < VECTORS; i++)
		assert_int_equal(word(16 * i), 0);
	assert_true(msix_pba_read(&m, 8, 8) == 0);
	assert_true(msix_pba_read(&m, 8, 4) == 0);
}

static void a_vector_that_is_let_through_sends_its_message(void **state)
{
	msix_set_control(&m, ENABLE);
	write_entry(33, 0xfee02000, 0x51, false);
	assert_int_equal(fake_msi_routed(&fake), 1);
	msix_raise(&m, 33);
	/* It is on its way: not pending. */
	assert_true(pending() == 0);
	assert_int_equal(fake_msi_deliver(&fake), 1);
	assert_true(fake.last.address == 0xfee02000);
	assert_int_equal(fake.last.data, 0x51);
	msix_raise(&m, VECTORS);
	msix_raise(&m, 0xffff);
	assert_int_equal(fake_msi_deliver(&fake), 0);
}

static void what_comes_while_masked_is_pending(void **state)
{
	msix_set_control(&m, ENABLE);
	write_entry(1, 0xfee00000, 1, true);
	write_entry(32, 0xfee00000, 2, true);
	msix_raise(&m, 1);
	msix_raise(&m, 1);
	msix_raise(&m, 32);
	assert_true(pending() == (BIT64(32) | BIT64(1)));
	assert_true(pending() == (BIT64(32) | BIT64(1))); /* it stays */
	assert_int_equal(msix_pba_read(&m, 0, 4), 2);
	assert_int_equal(msix_pba_read(&m, 4, 4), 1);
	assert_int_equal(fake_msi_deliver(&fake), 0);

	msix_table_write(&m, 16 + 12, 4, 0);
	assert_int_equal(fake_msi_deliver(&fake), 1); /* once for both */
	assert_int_equal(fake.last.data, 1);
	assert_true(pending() == BIT64(32));
	msix_table_write(&m, 16 + 12, 4, 1);
	assert_int_equal(fake_msi_routed(&fake), 0);
	msix_raise(&m, 1);
	assert_int_equal(fake_msi_deliver(&fake), 0);
}

static void the_function_can_be_masked_as_a_whole(void **state)
{
	write_entry(0, 0xfee00000, 1, false);
	write_entry(1, 0xfee00000, 2, false);
	assert_int_equal(fake.routes, 0); /* it is not on */
	msix_set_control(&m, ENABLE | MASK_ALL);
	assert_int_equal(fake.routes, 0);
	msix_raise(&m, 0);
	assert_true(pending() == 1);
	msix_set_control(&m, ENABLE);
	assert_int_equal(fake_msi_routed(&fake), 2);
	assert_int_equal(fake_msi_deliver(&fake), 1);
	msix_set_control(&m, ENABLE | MASK_ALL);
	assert_int_equal(fake_msi_routed(&fake), 0);
	msix_set_control(&m, 0);
	assert_int_equal(fake_msi_routed(&fake), 0);
}

static void a_new_message_replaces_the_old_one(void **state)
{
	msix_set_control(&m, ENABLE);
	write_entry(2, 0xfee00000, 0x31, false);
	assert_int_equal(fake.routes, 1);
	/* To another processor, as an operating system does it. */
	msix_table_write(&m, 32 + 12, 4, 1);
	write_entry(2, 0xfee01000, 0x32, false);
	msix_raise(&m, 2);
	assert_int_equal(fake_msi_deliver(&fake), 1);
	assert_true(fake.last.address == 0xfee01000);
	assert_int_equal(fake.last.data, 0x32);
	/* Without masking it, which is allowed to be anything but lost. */
	msix_table_write(&m, 32 + 8, 4, 0x33);
	msix_raise(&m, 2);
	assert_int_equal(fake_msi_deliver(&fake), 1);
	assert_int_equal(fake.last.data, 0x33);
	/* The same again costs nothing. */
	assert_int_equal(fake.routes, 3);
	msix_table_write(&m, 32 + 8, 4, 0x33);
	msix_table_write(&m, 32 + 12, 4, 0);
	assert_int_equal(fake.routes, 3);
}

static void what_cannot_be_routed_is_pending(void **state)
{
	fake.fails = -ENOSPC;
	msix_set_control(&m, ENABLE);
	write_entry(0, 0xfee00000, 1, false);
	msix_raise(&m, 0);
	assert_true(pending() == 1);
	fake.fails = 0;
	write_entry(0, 0xfee00000, 1, false);
	assert_int_equal(fake_msi_deliver(&fake), 1);
	/* A later refusal takes it off again. */
	fake.fails = -EINVAL;
	msix_table_write(&m, 8, 4, 2);
	assert_int_equal(fake_msi_routed(&fake), 0);
	msix_raise(&m, 0);
	assert_true(pending() == 1);
}

static void a_reset_masks_all_and_forgets(void **state)
{
	msix_set_control(&m, ENABLE);
	write_entry(0, 0xfee00000, 1, false);
	write_entry(1, 0xfee00000, 1, true);
	msix_raise(&m, 1);
	msix_reset(&m);
	assert_int_equal(fake_msi_routed(&fake), 0);
	assert_true(pending() == 0);
	assert_int_equal(word(0), 0);
	assert_int_equal(word(12), 1);
	msix_set_control(&m, ENABLE);
	assert_int_equal(fake_msi_routed(&fake), 0);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(all_vectors_begin_masked),
		T(the_table_reads_back),
		T(other_accesses_do_nothing),
		T(a_vector_that_is_let_through_sends_its_message),
		T(what_comes_while_masked_is_pending),
		T(the_function_can_be_masked_as_a_whole),
		T(a_new_message_replaces_the_old_one),
		T(what_cannot_be_routed_is_pending),
		T(a_reset_masks_all_and_forgets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
