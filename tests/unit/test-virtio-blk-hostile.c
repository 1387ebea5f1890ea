// SPDX-License-Identifier: MIT
/*
 * The block device under a driver that does what it must not, that resets in the
 * middle, and with queues of every size.
 */
#include <errno.h>

#include "virtio_blk_rig.h"

static void only_whole_sectors_that_are_there(void **state)
{
	static const struct {
		uint64_t sector;
		uint32_t len;
		uint8_t status;
	} cases[] = {
		{ 127, 512, OK },	   { 127, 1024, IOERR },
		{ 128, 512, IOERR },	   { 128, 0, OK },
		{ 129, 0, IOERR },	   { UINT64_MAX, 512, IOERR },
		{ UINT64_MAX, 0, IOERR },  { UINT64_MAX / 512, 512, IOERR },
		{ (UINT64_MAX >> 9) + 1, 512, IOERR },
		{ 0, 1, IOERR },	   { 0, 511, IOERR },
		{ 0, 513, IOERR },	   { 0, 0x20000, IOERR },
	};
	struct rig rig;
	unsigned i;

	rig_init(&rig);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(do_request(&rig, IN, cases[i].sector,
					    cases[i].len),
				 cases[i].status);
		assert_int_equal(do_request(&rig, OUT, cases[i].sector,
					    cases[i].len),
				 cases[i].status);
	}
	assert_int_equal(rig.fb.submitted, 2);
	assert_int_equal(rig.failures, 0);
	rig_done(&rig);
}

static void only_whole_blocks_where_they_are_larger(void **state)
{
	struct rig rig;

	rig_prepare(&rig);
	rig.fb.block.info.block_size = 4096;
	rig_device(&rig, 1, 0, NULL);
	rig_start(&rig, 16, F_ALL, 0);
	assert_int_equal(do_request(&rig, IN, 8, 4096), OK);
	assert_int_equal(do_request(&rig, IN, 1, 4096), IOERR);
	assert_int_equal(do_request(&rig, OUT, 8, 512), IOERR);
	rig_done(&rig);
}

static void unknown_types_are_unsupported(void **state)
{
	static const uint32_t types[] = { 2,  3,  5,  9,	  10,
					  12, 14, 15, 0x80000000, UINT32_MAX };
	struct rig rig;
	unsigned i;

	rig_init(&rig);
	for (i = 0; i < ARRAY_SIZE(types); i++)
		assert_int_equal(do_request(&rig, types[i], 0, 512), UNSUPP);
	assert_int_equal(rig.fb.submitted, 0);
	rig_done(&rig);
}

/* 2.1.2; and a reset makes all well again. */
static void without_header_or_status_the_device_needs_a_reset(void **state)
{
	struct vdrv_buf bufs[2][2] = {
		{ { HEADER_AT(0), 16, false }, { DATA_AT(0), 512, false } },
		{ { HEADER_AT(0), 15, false }, { STATUS_AT(0), 1, true } },
	};
	uint32_t id, len;
	struct rig rig;
	unsigned i;

	rig_init(&rig);
	for (i = 0; i < 2; i++) {
		put_header(&rig, 0, OUT, 0);
		add(&rig, 0, 1, IN, 0, 512);
		vdrv_add(&rig.drv[0], bufs[i], 2);
		add(&rig, 0, 2, IN, 0, 512);
		notify(&rig, 0);
		assert_true(rig.vd->status & 64);
		assert_int_equal(rig.config_changes, i + 1);
		assert_string_equal(rig.vd->why,
				    i ? "queue 0: a request without a header" :
					"queue 0: a request without a status "
					"byte");
		/* Nothing comes back, what was begun no more than the rest. */
		assert_int_equal(rig.fb.count, 1);
		fake_block_run(&rig.fb);
		notify(&rig, 0);
		assert_false(vdrv_take(&rig.drv[0], &id, &len));
		rig_reset(&rig);
		rig_start(&rig, 16, F_ALL, 0);
		assert_int_equal(do_request(&rig, IN, 3, 512), OK);
	}
	rig_done(&rig);
}

static void a_reset_waits_for_the_image_and_forgets_the_rest(void **state)
{
	uint8_t *data;
	struct rig rig;
	uint32_t id, len;
	unsigned i;

	rig_init(&rig);
	for (i = 0; i < 3; i++)
		add(&rig, 0, i, IN, i, 512);
	notify(&rig, 0);
	fake_block_finish(&rig.fb, 1, 0); /* done, but we do not know yet */
	rig_reset(&rig);
	assert_int_equal(rig.fb.drains, 1);
	assert_int_equal(rig.fb.count, 0);
	assert_int_equal(rig.fb.finished_count, 0);
	/* The memory is the driver's again: nothing is written there. */
	data = at(&rig, DATA_AT(0));
	memset(data, 0x11, 0x3000);
	for (i = 0; i < 3; i++)
		assert_int_equal(status_of(&rig, i), UNTOUCHED);
	fake_block_ready(&rig.fb); /* it was on its way */
	assert_false(vdrv_take(&rig.drv[0], &id, &len));
	for (i = 0; i < 0x3000; i++)
		assert_int_equal(data[i], 0x11);

	/* As often as one likes: no request is lost on the way. */
	for (i = 0; i < 300; i++) {
		rig_start(&rig, 16, F_ALL, i & 1 ? VDRV_PACKED : 0);
		add(&rig, 0, 0, IN, 0, 512);
		add(&rig, 0, 1, OUT, 0, 512);
		notify(&rig, 0);
		assert_int_equal(rig.fb.count, 2);
		rig_reset(&rig);
	}
	rig_start(&rig, 16, F_ALL, 0);
	assert_int_equal(do_request(&rig, IN, 1, 512), OK);
	rig_done(&rig);
}

static void a_queue_of_one_entry_goes_round(void **state)
{
	static const unsigned flags[] = { 0, VDRV_PACKED };
	struct vdrv_buf bufs[] = {
		{ HEADER_AT(0), 16, false },
		{ DATA_AT(0), 512, true },
		{ STATUS_AT(0), 1, true },
	};
	struct rig rig;
	unsigned i, n;
	int id;

	for (i = 0; i < 2; i++) {
		rig_prepare(&rig);
		rig_device(&rig, 1, 1, NULL);
		rig_start(&rig, 1, F_ALL, flags[i]);
		for (n = 0; n < 5; n++) {
			put_header(&rig, 0, IN, n);
			id = vdrv_add_indirect(&rig.drv[0], bufs, 3,
					       TABLE_AT(0));
			assert_true(id >= 0);
			/* All its requests are away, yet it must be told. */
			assert_true(vdrv_should_notify(&rig.drv[0]));
			notify(&rig, 0);
			fake_block_run(&rig.fb);
			assert_int_equal(take(&rig, 0, id), 513);
			assert_int_equal(status_of(&rig, 0), OK);
			assert_int_equal(*(uint8_t *)at(&rig, DATA_AT(0)),
					 n + 1);
		}
		rig_done(&rig);
	}
}

static void a_large_queue_can_be_full(void **state)
{
	enum { N = 1024 };
	struct vdrv_buf bufs[] = { { DATA_AT(0), 16, false },
				   { STATUS_AT(0), 1, true } };
	uint32_t id, len;
	struct rig rig;
	unsigned i, n = 0;

	rig_prepare(&rig);
	rig_device(&rig, 1, N, NULL);
	rig_start(&rig, N, F_ALL, 0);
	put_le32(at(&rig, DATA_AT(0)), FLUSH);
	for (i = 0; i < N / 2; i++) {
		bufs[1].addr = STATUS_AT(i);
		assert_true(vdrv_add(&rig.drv[0], bufs, 2) >= 0);
	}
	assert_int_equal(vdrv_add(&rig.drv[0], bufs, 2), -1);
	notify(&rig, 0);
	assert_int_equal(rig.fb.count, N / 2);
	fake_block_run(&rig.fb);
	while (vdrv_take(&rig.drv[0], &id, &len))
		n++;
	assert_int_equal(n, N / 2);
	rig_done(&rig);
}

/*
 * The same entry again and again: more requests at a time than the queue has
 * entries, were the device not to count.
 */
static void no_more_is_in_flight_than_the_queue_has_entries(void **state)
{
	unsigned i, round;
	struct rig rig;

	rig_prepare(&rig);
	rig_device(&rig, 1, 4, NULL);
	rig_start(&rig, 4, F_ALL, 0);
	add(&rig, 0, 0, IN, 0, 512);
	for (round = 0; round < 2; round++) {
		for (i = 0; i < 3; i++)
			vdrv_poke_head(&rig.drv[0], 0);
		notify(&rig, 0);
		notify(&rig, 0);
	}
	assert_int_equal(rig.fb.most, 4);
	/* It catches up as they come back, with no more notifications. */
	fake_block_run(&rig.fb);
	assert_int_equal(rig.fb.submitted, 7);
	assert_int_equal(rig.fb.most, 4);
	rig_done(&rig);
}

/* What is answered at once must not keep the I/O thread for ever. */
static void one_round_takes_no_more_than_a_queue_full(void **state)
{
	unsigned i;
	struct rig rig;

	rig_prepare(&rig);
	rig_device(&rig, 1, 4, NULL);
	rig_start(&rig, 4, F_ALL, 0);
	add(&rig, 0, 0, GET_ID, 0, 20);
	for (i = 0; i < 3; i++)
		vdrv_poke_head(&rig.drv[0], 0);
	notify(&rig, 0);
	assert_int_equal(rig.agains, 1);
	notify(&rig, 0);
	assert_int_equal(rig.agains, 1);
	rig_done(&rig);
}

static void buffers_may_overlap_each_other(void **state)
{
	struct vdrv_buf bufs[] = {
		{ HEADER_AT(0), 16, false },
		{ HEADER_AT(0), 512, true }, /* over the header */
		{ HEADER_AT(0) + 511, 1, true },
	};
	struct rig rig;
	int id;

	rig_init(&rig);
	put_header(&rig, 0, IN, 9);
	id = vdrv_add(&rig.drv[0], bufs, 3);
	notify(&rig, 0);
	fake_block_run(&rig.fb);
	assert_int_equal(take(&rig, 0, id), 513);
	assert_int_equal(*(uint8_t *)at(&rig, HEADER_AT(0)), 10);
	assert_int_equal(*(uint8_t *)at(&rig, HEADER_AT(0) + 511), OK);
	rig_done(&rig);
}

/* Not all of them know it, so the device holds out. */
static void more_buffers_than_seg_max_break_the_queue(void **state)
{
	struct rig rig;
	unsigned i;

	rig_prepare(&rig);
	rig_device(&rig, 1, 512, NULL);
	rig_start(&rig, 512, F_ALL, 0);
	put_header(&rig, 0, IN, 0);
	/* A chain of 300, by hand. */
	for (i = 0; i < 300; i++)
		vdrv_poke_desc(&rig.ram, rig.drv[0].desc + 16 * i,
			       i ? DATA_AT(0) : HEADER_AT(0), i ? 512 : 16,
			       (uint16_t)((i ? 2 : 0) | (i < 299 ? 1 : 0)),
			       (uint16_t)(i + 1));
	vdrv_poke_head(&rig.drv[0], 0);
	notify(&rig, 0);
	assert_true(rig.vd->status & 64);
	assert_int_equal(rig.fb.submitted, 0);
	rig_reset(&rig);
	rig_start(&rig, 512, F_ALL, 0);
	assert_int_equal(do_request(&rig, IN, 0, 512), OK);
	rig_done(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_whole_sectors_that_are_there),
		cmocka_unit_test(only_whole_blocks_where_they_are_larger),
		cmocka_unit_test(unknown_types_are_unsupported),
		cmocka_unit_test(
			without_header_or_status_the_device_needs_a_reset),
		cmocka_unit_test(
			a_reset_waits_for_the_image_and_forgets_the_rest),
		cmocka_unit_test(a_queue_of_one_entry_goes_round),
		cmocka_unit_test(a_large_queue_can_be_full),
		cmocka_unit_test(
			no_more_is_in_flight_than_the_queue_has_entries),
		cmocka_unit_test(one_round_takes_no_more_than_a_queue_full),
		cmocka_unit_test(buffers_may_overlap_each_other),
		cmocka_unit_test(more_buffers_than_seg_max_break_the_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
