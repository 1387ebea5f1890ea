// SPDX-License-Identifier: MIT
/* A balloon whose driver breaks the rules of VIRTIO 1.2, 5.5, or asks for much. */
#include "virtio_balloon_rig.h"

static int setup(void **state)
{
	rig_new(0, true, true);
	return 0;
}

static int teardown(void **state)
{
	rig_done();
	return 0;
}

static void a_page_that_is_not_there_needs_a_reset(void **state)
{
	static const uint32_t pfn[] = { RAM / PAGE, 0xffffffff, 0x100000 };
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(pfn); i++) {
		bring_up(8, F_ALL, 0);
		give(0, &pfn[i], 1);
		assert_int_equal(rig.vd->status, 15 | 64);
	}
	assert_int_equal(rig.notices, ARRAY_SIZE(pfn));
	assert_int_equal(rig.calls, 0);
	/* And it can go on. */
	bring_up(8, F_ALL, 0);
	give(0, &(uint32_t){ 0x500 }, 1);
	assert_back(0);
	assert_int_equal(rig.calls, 1);
}

static void a_request_of_odd_length_needs_a_reset(void **state)
{
	bring_up(8, F_ALL, 0);
	add(0, BUF, 7, false);
	run(0);
	assert_int_equal(rig.vd->status, 15 | 64);
	assert_int_equal(rig.calls, 0);
}

static void requests_without_pages_come_back(void **state)
{
	unsigned i;

	for (i = 0; i < 5; i += i == 1 ? 3 : 1) {
		bring_up(8, F_ALL, 0);
		add(i, BUF, 0, false);
		add(i, BUF, 64, i < 2); /* the wrong direction */
		run(i);
		assert_back(i);
		assert_back(i);
		assert_int_equal(rig.vd->status, 15);
	}
	assert_int_equal(rig.calls, 0);
}

static void buffers_that_are_not_memory_need_a_reset(void **state)
{
	unsigned i;

	for (i = 0; i < 5; i++) {
		bring_up(8, F_ALL, i & 1 ? VDRV_PACKED : 0);
		add(i, RAM - 8, 64, i == 4);
		run(i);
		assert_int_equal(rig.vd->status, 15 | 64);
		bring_up(8, F_ALL, 0);
		add(i, 0xfffffffffffff000, 0xffffffff, i == 4);
		run(i);
		assert_int_equal(rig.vd->status, 15 | 64);
	}
	assert_int_equal(rig.calls, 0);
}

/* 64 descriptors, all the same MiB: millions of pages of one request. */
static void a_huge_request_is_not_all_looked_at(void **state)
{
	struct vdrv_buf bufs[64];
	unsigned i;

	for (i = 0; i < 64; i++)
		bufs[i] = (struct vdrv_buf){ PAGES, MIB(1), false };
	for (i = 0; i < MIB(1) / 4; i++) /* no two in a row */
		put_le32(rig.ram + PAGES + 4 * (size_t)i, 2 * i % 0x1000);
	bring_up(64, F_ALL, 0);
	assert_true(vdrv_add(&rig.drv[0], bufs, 64) >= 0);
	notify(0);
	assert_back(0);
	assert_in_range(rig.calls, 1, 4096);
}

static void a_full_queue_is_worked_off_in_rounds(void **state)
{
	uint16_t max = rig.vd->queue[0].size_max;
	unsigned i, rounds = 0;

	for (i = 0; i < 1024; i++)
		put_le32(rig.ram + BUF + 4 * (size_t)i, PAGES / PAGE + 2 * i);
	bring_up(max, F_ALL, VDRV_EVENT_IDX);
	for (i = 0; i < max; i++)
		add(0, BUF, 4096, false);
	do {
		unsigned before = rig.calls;

		rig.agains = 0;
		notify(0);
		assert_in_range(rig.calls - before, 0, 8192);
		rounds++;
	} while (rig.agains);
	assert_in_range(rounds, max / 8, max);
	for (i = 0; i < max; i++)
		assert_back(0);
	assert_int_equal(rig.calls, max * 1024);
}

static void what_is_no_whole_page_of_a_report_stays(void **state)
{
	const struct vdrv_buf bufs[] = {
		{ PAGES + 1, 2 * PAGE - 2, true }, /* none whole */
		{ PAGES + 2 * PAGE + 1, 2 * PAGE, true }, /* one */
		{ PAGES + 8 * PAGE, 100, true }, /* none */
		{ PAGES + 9 * PAGE, 0, true },
		{ PAGES + 3 * PAGE, PAGE, true }, /* again */
	};

	bring_up(8, F_ALL & ~F(POISON), 0);
	memset(rig.ram + PAGES, 0xaa, 10 * PAGE);
	assert_true(vdrv_add(&rig.drv[4], bufs, ARRAY_SIZE(bufs)) >= 0);
	run(4);
	assert_back(4);
	assert_int_equal(rig.calls, 2);
	assert_call(0, PAGES + 3 * PAGE, PAGE);
	assert_call(1, PAGES + 3 * PAGE, PAGE);
	assert_int_equal(rig.ram[PAGES + 3 * PAGE - 1], 0xaa);
	assert_int_equal(rig.ram[PAGES + 4 * PAGE], 0xaa);
}

/* Its rings go with the rest: what is left of them is zeroes. */
static void a_driver_may_report_all_of_its_memory(void **state)
{
	const struct vdrv_buf all = { 0, RAM, true };
	unsigned i;

	for (i = 0; i < 4; i++) {
		bring_up(64, F_ALL, i);
		assert_true(vdrv_add(&rig.drv[4], &all, 1) >= 0);
		notify(4);
		notify(4);
		assert_true(rig.given >= RAM);
		rig.agains = 0;
	}
}

static void statistics_may_be_cut_anywhere_and_be_too_many(void **state)
{
	const struct vdrv_buf long_one[] = { { PAGES, MIB(1), false } };
	unsigned len;

	for (len = 0; len < 25; len++) {
		bring_up(8, F_ALL, 0);
		put_le16(rig.ram + BUF, 4);
		put_le64(rig.ram + BUF + 2, 9);
		add(2, BUF, len, false);
		run(2);
		assert_true(stats(false).free == (len < 10 ? UINT64_MAX : 9));
	}
	/* A second one where there may be only one: the first comes back. */
	add(2, BUF, 10, false);
	run(2);
	assert_back(2);
	assert_true(vdrv_add(&rig.drv[2], long_one, 1) >= 0);
	run(2);
	assert_back(2);
	assert_int_equal(rig.vd->status, 15);
}

static void a_chain_of_too_many_buffers_needs_a_reset(void **state)
{
	struct vdrv_buf bufs[200];
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(bufs); i++)
		bufs[i] = (struct vdrv_buf){ PAGES + i * PAGE, PAGE, true };
	bring_up(8, F_ALL & ~F(POISON), 0);
	assert_true(vdrv_add_indirect(&rig.drv[4], bufs, 32, BUF) >= 0);
	run(4);
	assert_back(4);
	assert_call(0, PAGES, 32 * PAGE);
	assert_true(vdrv_add_indirect(&rig.drv[4], bufs, 200, BUF) >= 0);
	run(4);
	assert_int_equal(rig.vd->status, 15 | 64);
}

static void the_configuration_space_has_ends(void **state)
{
	uint8_t buf[8];

	bring_up(8, F_ALL, 0);
	memset(buf, 0xff, 8);
	virtio_config_write(rig.vd, 12, buf, 8);
	virtio_config_write(rig.vd, 4, buf, 8);
	assert_int_equal(config(4), UINT32_MAX);
	assert_int_equal(config(8), 0);
	assert_int_equal(config(12), 0);
	assert_true(stats(false).actual == (uint64_t)UINT32_MAX * PAGE);
	virtio_config_read(rig.vd, 14, buf, 8);
	assert_int_equal(get_le64(buf), 0);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_page_that_is_not_there_needs_a_reset),
		T(a_request_of_odd_length_needs_a_reset),
		T(requests_without_pages_come_back),
		T(buffers_that_are_not_memory_need_a_reset),
		T(a_huge_request_is_not_all_looked_at),
		T(a_full_queue_is_worked_off_in_rounds),
		T(what_is_no_whole_page_of_a_report_stays),
		T(a_driver_may_report_all_of_its_memory),
		T(statistics_may_be_cut_anywhere_and_be_too_many),
		T(a_chain_of_too_many_buffers_needs_a_reset),
		T(the_configuration_space_has_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
