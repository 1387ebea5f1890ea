// SPDX-License-Identifier: MIT
/* VIRTIO 1.2, 5.5 "Traditional Memory Balloon Device". */
#include "virtio_balloon_rig.h"

#include <errno.h>

#define PFN(n) ((uint32_t)(PAGES / PAGE + (n)))

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

static void it_is_a_balloon_with_the_queues_and_features_asked_for(void **state)
{
	assert_int_equal(rig.vd->ops->id, 5);
	assert_int_equal(rig.vd->queues, 5);
	assert_int_equal(rig.vd->offered & 0xffffff, F_ALL | F(OOM));
	rig_done();
	rig_new(0, false, false);
	assert_int_equal(rig.vd->queues, 3);
	assert_int_equal(rig.vd->offered & 0xffffff,
			 F(TELL) | F(STATS) | F(POISON));
}

static void the_target_is_in_pages_and_only_read(void **state)
{
	rig_done();
	rig_new(MIB(64) + 4095, false, false);
	bring_up(8, F_ALL, 0);
	assert_int_equal(config(0), 16384);
	set_config(0, 5);
	assert_int_equal(config(0), 16384);
	virtio_balloon_set_target(rig.vd, UINT64_MAX);
	assert_int_equal(config(0), UINT32_MAX);
}

static void a_new_target_is_a_configuration_change(void **state)
{
	uint32_t generation;

	bring_up(8, F_ALL, 0);
	generation = rig.vd->config_generation;
	virtio_balloon_set_target(rig.vd, MIB(1));
	assert_int_equal(config(0), 256);
	assert_int_equal(rig.changes, 1);
	assert_true(rig.vd->config_generation != generation);
	virtio_balloon_set_target(rig.vd, MIB(1) + 1);
	assert_int_equal(rig.changes, 1);
}

static void actual_is_what_the_driver_says_and_0_after_a_reset(void **state)
{
	static const uint8_t byte = 1;

	virtio_set_status(rig.vd, 3);
	set_config(4, 7); /* too early */
	bring_up(8, F_ALL, 0);
	assert_int_equal(config(4), 0);
	set_config(4, 0x10);
	virtio_config_write(rig.vd, 5, &byte, 1);
	assert_int_equal(config(4), 0x110);
	assert_int_equal(stats(false).actual, 0x110 * PAGE);
	bring_up(8, F_ALL, 0);
	assert_int_equal(config(4), 0);
}

static void pages_go_back_and_runs_of_them_at_once(void **state)
{
	/* Out of order, one twice, one by itself. */
	static const uint32_t pfn[] = { PFN(7), PFN(2), PFN(1), PFN(3),
					PFN(2), PFN(0), PFN(9), PFN(8) };

	bring_up(8, F_ALL, 0);
	memset(rig.ram + PAGES, 0xaa, 11 * PAGE);
	give(0, pfn, ARRAY_SIZE(pfn));
	assert_back(0);
	assert_int_equal(rig.calls, 2);
	assert_call(0, PAGES, 4 * PAGE);
	assert_call(1, PAGES + 7 * PAGE, 3 * PAGE);
	assert_int_equal(rig.ram[PAGES + 3 * PAGE], 0);
	assert_int_equal(rig.ram[PAGES + 4 * PAGE], 0xaa);
	assert_int_equal(rig.ram[PAGES + 10 * PAGE], 0xaa);
	assert_int_equal(stats(false).inflated, 7 * PAGE);
	/* Again: no harm. */
	give(0, pfn, ARRAY_SIZE(pfn));
	assert_back(0);
	assert_int_equal(rig.vd->status, 15);
}

static void a_request_may_be_in_pieces(void **state)
{
	const struct vdrv_buf bufs[] = { { BUF, 3, false },
					 { BUF + 0x103, 5, false } };
	uint8_t pfn[8];

	bring_up(8, 0, 0);
	put_le32(pfn, PFN(0));
	put_le32(pfn + 4, PFN(5));
	memcpy(rig.ram + BUF, pfn, 3);
	memcpy(rig.ram + BUF + 0x103, pfn + 3, 5);
	assert_true(vdrv_add(&rig.drv[0], bufs, 2) >= 0);
	run(0);
	assert_back(0);
	assert_int_equal(rig.calls, 2);
	assert_call(1, PAGES + 5 * PAGE, PAGE);
}

static void pages_do_not_run_across_a_hole(void **state)
{
	static const uint32_t pfn[] = { 0xb00, 0xb01, 0xd00, 0xd01 };

	/* 0xb02 to 0xcff are no RAM, though the host's memory is in one piece. */
	rig.gm.region[0].len = 0xb02 * PAGE;
	assert_int_equal(gmem_add(&rig.gm, 0xd00 * PAGE, 2 * PAGE,
				  rig.ram + 0xb02 * PAGE),
			 0);
	bring_up(8, 0, 0);
	give(0, pfn, 4);
	assert_back(0);
	assert_int_equal(rig.calls, 1);
	assert_call(0, 0xb00 * PAGE, 4 * PAGE);
}

static void taking_pages_back_is_acknowledged_and_no_more(void **state)
{
	static const uint32_t pfn[] = { PFN(0), PFN(1) };

	bring_up(8, F_ALL, 0);
	memset(rig.ram + PAGES, 0xaa, 2 * PAGE);
	give(1, pfn, 2);
	assert_back(1);
	assert_int_equal(rig.calls, 0);
	assert_int_equal(rig.ram[PAGES], 0xaa);
}

static void every_kind_and_size_of_queue_will_do(void **state)
{
	static const unsigned flags[] = { 0, VDRV_EVENT_IDX, VDRV_PACKED,
					  VDRV_PACKED | VDRV_EVENT_IDX };
	uint32_t pfn, size;
	unsigned i, k;

	for (i = 0; i < 2 * ARRAY_SIZE(flags); i++) {
		size = i & 1 ? rig.vd->queue[0].size_max : 1;
		bring_up(size, F_ALL, flags[i / 2]);
		rig.interrupts = rig.calls = 0;
		for (k = 0; k < 10; k++) {
			vdrv_interrupts(&rig.drv[0], true);
			pfn = PFN(k);
			give(0, &pfn, 1);
			assert_back(0);
			assert_call(k, PAGES + k * PAGE, PAGE);
		}
		assert_int_equal(rig.interrupts, 10);
	}
}

static void free_pages_that_are_reported_go_back(void **state)
{
	const struct vdrv_buf bufs[] = {
		{ PAGES, MIB(1), true },
		{ PAGES + MIB(1), MIB(1), true }, /* right behind it */
		{ PAGES + MIB(4), MIB(2), true },
	};

	bring_up(64, F_ALL & ~F(POISON), 0);
	memset(rig.ram + PAGES, 0xaa, MIB(8));
	assert_true(vdrv_add(&rig.drv[4], bufs, 3) >= 0);
	run(4);
	assert_back(4);
	assert_int_equal(rig.calls, 2);
	assert_call(0, PAGES, MIB(2));
	assert_call(1, PAGES + MIB(4), MIB(2));
	assert_int_equal(rig.ram[PAGES + MIB(2)], 0xaa);
	assert_int_equal(stats(false).reported, MIB(4));
	assert_int_equal(stats(false).inflated, 0);
}

/* By 5.5.2, and without gaps, as Linux numbers them. */
static void the_queue_of_reports_is_found_where_the_driver_has_it(void **state)
{
	static const struct {
		uint64_t features;
		unsigned queue;
	} cases[] = {
		{ F(STATS) | F(REPORTING), 4 },
		{ F(STATS) | F(REPORTING), 3 },
		{ F(REPORTING), 4 },
		{ F(REPORTING), 2 },
	};
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		bring_up(64, cases[i].features, 0);
		rig.calls = 0;
		add(cases[i].queue, PAGES, MIB(2), true);
		run(cases[i].queue);
		assert_back(cases[i].queue);
		assert_int_equal(rig.calls, 1);
		assert_call(0, PAGES, MIB(2));
	}
}

static void a_queue_without_its_feature_needs_a_reset(void **state)
{
	unsigned i;

	for (i = 2; i < 5; i++) {
		bring_up(8, F(TELL), 0);
		add(i, PAGES, MIB(2), true);
		run(i);
		assert_int_equal(rig.vd->status, 15 | 64);
		assert_int_equal(rig.calls, 0);
	}
}

/* 5.5.6.6: a page that is reported holds poison_val for ever. */
static void a_poisoned_page_stays_as_it_is(void **state)
{
	static const struct {
		uint64_t features;
		uint32_t poison;
		unsigned calls;
	} cases[] = {
		{ F(REPORTING) | F(POISON), 0xaaaaaaaa, 0 },
		{ F(REPORTING) | F(POISON), 0, 1 },
		{ F(REPORTING), 0xaaaaaaaa, 1 }, /* no such field then */
	};
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		negotiate(cases[i].features, 0);
		set_config(12, cases[i].poison);
		start_queues(8, 0);
		/* Not any more (5.5.6.6.1). */
		set_config(12, 1);
		assert_int_equal(config(12), i == 0 ? 0xaaaaaaaa : 0);
		rig.calls = 0;
		memset(rig.ram + PAGES, 0xaa, PAGE);
		add(4, PAGES, PAGE, true);
		run(4);
		assert_back(4);
		assert_int_equal(rig.calls, cases[i].calls);
		assert_int_equal(rig.ram[PAGES], cases[i].calls ? 0 : 0xaa);
	}
}

/* ---- statistics --------------------------------------------------------- */

static void put_stat(gpa_t at, uint16_t tag, uint64_t val)
{
	put_le16(rig.ram + at, tag);
	put_le64(rig.ram + at + 2, val);
}

static void the_guest_tells_at_the_start_and_when_it_is_asked(void **state)
{
	struct virtio_balloon_stats s;

	bring_up(8, F_ALL, 0);
	put_stat(BUF, 4, 1111); /* free */
	put_stat(BUF + 10, 77, 1); /* of a time to come */
	put_stat(BUF + 20, 0, 2222); /* swapped in */
	add(2, BUF, 30, false);
	run(2);
	assert_int_equal(rig.interrupts, 0);
	s = stats(true);
	assert_int_equal(s.free, 1111);
	assert_int_equal(s.swap_in, 2222);
	assert_true(s.swap_out == UINT64_MAX && s.total == UINT64_MAX);
	assert_true(s.available == UINT64_MAX && s.caches == UINT64_MAX);
	assert_true(s.major_faults == UINT64_MAX);
	/* The buffer is back: that was the question. */
	assert_int_equal(rig.interrupts, 1);
	assert_back(2);
	assert_int_equal(stats(true).free, 1111);
	assert_int_equal(rig.interrupts, 1);
	put_stat(BUF, 5, 3333); /* total */
	put_stat(BUF + 10, 7, 4444); /* caches */
	add(2, BUF, 20, false);
	run(2);
	s = stats(false);
	assert_int_equal(s.total, 3333);
	assert_int_equal(s.caches, 4444);
	assert_true(s.free == UINT64_MAX);
	assert_int_equal(rig.interrupts, 1);
}

static void each_figure_has_its_tag(void **state)
{
	static const uint16_t tags[] = { 0, 1, 2, 3, 4, 5, 6, 7 };
	struct virtio_balloon_stats s;
	unsigned i;

	bring_up(8, F_ALL, VDRV_PACKED);
	for (i = 0; i < 8; i++)
		put_stat(BUF + 10 * i, tags[i], 100 + i);
	add(2, BUF, 80, false);
	run(2);
	s = stats(false);
	assert_int_equal(s.swap_in, 100);
	assert_int_equal(s.swap_out, 101);
	assert_int_equal(s.major_faults, 102);
	assert_int_equal(s.minor_faults, 103);
	assert_int_equal(s.free, 104);
	assert_int_equal(s.total, 105);
	assert_int_equal(s.available, 106);
	assert_int_equal(s.caches, 107);
}

static void a_reset_takes_the_question_and_the_answers_away(void **state)
{
	bring_up(8, F_ALL, 0);
	put_stat(BUF, 4, 1111);
	add(2, BUF, 10, false);
	run(2);
	assert_int_equal(stats(false).free, 1111);
	bring_up(8, F_ALL, 0);
	assert_true(stats(true).free == UINT64_MAX);
	assert_int_equal(rig.interrupts, 0);
	/* A buffer of before is not given to the driver of now. */
	assert_int_equal(vdrv_peek16(&rig.gm, rig.drv[2].device + 2), 0);
}

static void a_host_that_takes_nothing_is_told_of_once(void **state)
{
	static const uint32_t pfn[] = { PFN(0), PFN(2) };

	bring_up(8, F_ALL, 0);
	rig.refuses = -EINVAL;
	give(0, pfn, 2);
	assert_back(0);
	assert_int_equal(rig.notices, 1);
	assert_int_equal(stats(false).inflated, 0);
	assert_int_equal(rig.vd->status, 15);
	rig.refuses = 0;
	give(0, pfn, 2);
	assert_int_equal(stats(false).inflated, 2 * PAGE);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(it_is_a_balloon_with_the_queues_and_features_asked_for),
		T(the_target_is_in_pages_and_only_read),
		T(a_new_target_is_a_configuration_change),
		T(actual_is_what_the_driver_says_and_0_after_a_reset),
		T(pages_go_back_and_runs_of_them_at_once),
		T(a_request_may_be_in_pieces),
		T(pages_do_not_run_across_a_hole),
		T(taking_pages_back_is_acknowledged_and_no_more),
		T(every_kind_and_size_of_queue_will_do),
		T(free_pages_that_are_reported_go_back),
		T(the_queue_of_reports_is_found_where_the_driver_has_it),
		T(a_queue_without_its_feature_needs_a_reset),
		T(a_poisoned_page_stays_as_it_is),
		T(the_guest_tells_at_the_start_and_when_it_is_asked),
		T(each_figure_has_its_tag),
		T(a_reset_takes_the_question_and_the_answers_away),
		T(a_host_that_takes_nothing_is_told_of_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
