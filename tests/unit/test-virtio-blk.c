// SPDX-License-Identifier: MIT
/* The block device, VIRTIO 1.2, 5.2: what a driver gets from it. */
#include <errno.h>

#include "virtio_blk_rig.h"

static uint64_t config(struct rig *rig, unsigned off, unsigned len)
{
	uint8_t buf[8] = { 0 };

	virtio_config_read(rig->vd, off, buf, len);
	return get_le64(buf);
}

static void the_configuration_space_says_what_the_image_is(void **state)
{
	struct rig rig;

	rig_prepare(&rig);
	rig.fb.block.info.size = UINT64_C(5) << 40;
	rig_device(&rig, 3, 0, NULL);
	assert_int_equal(rig.vd->ops->id, 2);
	assert_int_equal(config(&rig, 0, 8), (UINT64_C(5) << 40) / 512);
	assert_int_equal(config(&rig, 8, 4), 0); /* size_max */
	assert_true(config(&rig, 12, 4) >= 126); /* seg_max */
	assert_int_equal(config(&rig, 20, 4), 512); /* blk_size */
	assert_int_equal(config(&rig, 24, 1), 3); /* 2^3 to a physical one */
	assert_int_equal(config(&rig, 25, 1), 0);
	assert_int_equal(config(&rig, 33, 1), 0); /* unused0 */
	assert_int_equal(config(&rig, 34, 2), 3); /* num_queues */
	assert_true(config(&rig, 36, 4) > 0); /* max_discard_sectors */
	assert_int_equal(config(&rig, 40, 4), 1);
	assert_int_equal(config(&rig, 44, 4), 8); /* alignment */
	assert_true(config(&rig, 48, 4) > 0); /* max_write_zeroes_sectors */
	assert_int_equal(config(&rig, 52, 4), 1);
	assert_int_equal(config(&rig, 56, 1), 1); /* may_unmap */
	assert_int_equal(config(&rig, 57, 3), 0); /* unused1 */
	rig_done(&rig);
}

static void what_is_offered_is_what_the_image_can_do(void **state)
{
	struct rig rig;

	rig_prepare(&rig);
	rig_device(&rig, 1, 0, NULL);
	/* SEG_MAX, BLK_SIZE, FLUSH, TOPOLOGY, DISCARD, WRITE_ZEROES */
	assert_int_equal(rig.vd->offered & 0xffffff,
			 F(2) | F(6) | F(9) | F(10) | F(13) | F(14));
	rig_done(&rig);

	rig_prepare(&rig);
	rig.fb.block.info.read_only = true;
	rig.fb.block.info.discard = rig.fb.block.info.write_zeroes = false;
	rig_device(&rig, 2, 0, NULL);
	/* RO and MQ instead */
	assert_int_equal(rig.vd->offered & 0xffffff,
			 F(2) | F(5) | F(6) | F(9) | F(10) | F(12));
	rig_done(&rig);
}

static void sectors_are_read_and_written(void **state)
{
	static const unsigned flags[] = { 0, VDRV_PACKED, VDRV_EVENT_IDX,
					  VDRV_PACKED | VDRV_EVENT_IDX };
	struct rig rig;
	unsigned i;
	int id;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		rig_prepare(&rig);
		rig_device(&rig, 1, 0, NULL);
		rig_start(&rig, 16, F_ALL, flags[i]);
		id = add(&rig, 0, 0, IN, 7, 1024);
		notify(&rig, 0);
		assert_int_equal(rig.fb.kicks, 1);
		assert_int_equal(status_of(&rig, 0), UNTOUCHED);
		fake_block_run(&rig.fb);
		assert_int_equal(take(&rig, 0, id), 1025);
		assert_int_equal(status_of(&rig, 0), OK);
		assert_memory_equal(at(&rig, DATA_AT(0)), rig.disk + 7 * 512,
				    1024);
		assert_int_equal(rig.interrupts, 1);

		memset(at(&rig, DATA_AT(1)), 0x77, 512);
		id = add(&rig, 0, 1, OUT, 127, 512);
		notify(&rig, 0);
		assert_false(rig.fb.pending[0]->durable);
		fake_block_run(&rig.fb);
		assert_int_equal(take(&rig, 0, id), 1);
		assert_int_equal(status_of(&rig, 1), OK);
		assert_memory_equal(rig.disk + 127 * 512, at(&rig, DATA_AT(1)),
				    512);
		assert_int_equal(rig.disk[127 * 512 - 1], 127);
		rig_done(&rig);
	}
}

static void requests_come_back_as_the_image_finishes_them(void **state)
{
	struct rig rig;
	int id[4];
	unsigned i;

	rig_init(&rig);
	for (i = 0; i < 4; i++)
		id[i] = add(&rig, 0, i, IN, i, 512);
	notify(&rig, 0);
	assert_int_equal(rig.fb.count, 4);
	fake_block_finish(&rig.fb, 2, 0);
	fake_block_ready(&rig.fb);
	assert_int_equal(take(&rig, 0, id[2]), 513);
	assert_int_equal(status_of(&rig, 1), UNTOUCHED);
	fake_block_finish(&rig.fb, 2, 0); /* the fourth */
	fake_block_finish(&rig.fb, 0, 0);
	fake_block_ready(&rig.fb);
	take(&rig, 0, id[3]);
	take(&rig, 0, id[0]);
	/* One for both. */
	assert_int_equal(rig.interrupts, 2);
	fake_block_run(&rig.fb);
	take(&rig, 0, id[1]);
	for (i = 0; i < 4; i++)
		assert_int_equal(*(uint8_t *)at(&rig, DATA_AT(i)), i + 1);
	rig_done(&rig);
}

/* 2.7.4: a device makes no assumptions about the cutting. */
static void buffers_may_be_cut_anywhere(void **state)
{
	struct rig rig;
	struct vdrv_buf in[] = {
		{ HEADER_AT(0), 5, false },
		{ HEADER_AT(0) + 5, 0, false },
		{ HEADER_AT(0) + 5, 11, false },
		{ DATA_AT(0), 1, true },
		{ DATA_AT(1), 510, true },
		{ DATA_AT(2), 2, true }, /* a byte of data and the status */
	};
	struct vdrv_buf out[] = {
		{ DATA_AT(3), 16 + 100, false }, /* header and data */
		{ DATA_AT(4), 412, false },
		{ STATUS_AT(0), 1, true },
	};
	int id;

	rig_init(&rig);
	put_header(&rig, 0, IN, 2);
	id = vdrv_add_indirect(&rig.drv[0], in, 6, TABLE_AT(0));
	notify(&rig, 0);
	fake_block_run(&rig.fb);
	assert_int_equal(take(&rig, 0, id), 513);
	assert_int_equal(*(uint8_t *)at(&rig, DATA_AT(0)), 3);
	assert_int_equal(*(uint8_t *)at(&rig, DATA_AT(0) + 1), 0);
	assert_int_equal(*(uint8_t *)at(&rig, DATA_AT(1) + 509), 3);
	assert_int_equal(*(uint8_t *)at(&rig, DATA_AT(2)), 3);
	assert_int_equal(*(uint8_t *)at(&rig, DATA_AT(2) + 1), OK);

	put_header(&rig, 0, OUT, 5);
	memcpy(at(&rig, DATA_AT(3)), at(&rig, HEADER_AT(0)), 16);
	memset(at(&rig, DATA_AT(3) + 16), 0xa1, 100);
	memset(at(&rig, DATA_AT(4)), 0xa2, 412);
	id = vdrv_add(&rig.drv[0], out, 3);
	notify(&rig, 0);
	fake_block_run(&rig.fb);
	assert_int_equal(take(&rig, 0, id), 1);
	assert_int_equal(status_of(&rig, 0), OK);
	assert_int_equal(rig.disk[5 * 512], 0xa1);
	assert_int_equal(rig.disk[5 * 512 + 99], 0xa1);
	assert_int_equal(rig.disk[5 * 512 + 100], 0xa2);
	assert_int_equal(rig.disk[5 * 512 + 511], 0xa2);
	rig_done(&rig);
}

static void the_id_is_padded_and_may_fill_all_of_its_twenty_bytes(void **state)
{
	static const char want[2][21] = { "short", "exactly-twenty-bytes" };
	static const char *const serial[] = { "short",
					      "exactly-twenty-bytes-and-more" };
	struct rig rig;
	unsigned i;
	int id;

	for (i = 0; i < 2; i++) {
		rig_prepare(&rig);
		rig_device(&rig, 1, 0, serial[i]);
		rig_start(&rig, 16, F_ALL, 0);
		memset(at(&rig, DATA_AT(0)), 0xcc, 64);
		id = add(&rig, 0, 0, GET_ID, 0, 20);
		notify(&rig, 0);
		assert_int_equal(take(&rig, 0, id), 21);
		assert_int_equal(status_of(&rig, 0), OK);
		assert_memory_equal(at(&rig, DATA_AT(0)), want[i], 20);
		assert_int_equal(*(uint8_t *)at(&rig, DATA_AT(0) + 20), 0xcc);
		/* No room, little room, and more than there is to say. */
		assert_int_equal(do_request(&rig, GET_ID, 0, 0), OK);
		assert_int_equal(do_request(&rig, GET_ID, 0, 3), OK);
		id = add(&rig, 0, 0, GET_ID, 0, 40);
		notify(&rig, 0);
		assert_int_equal(take(&rig, 0, id), 20);
		rig_done(&rig);
	}
}

static void a_flush_is_a_flush_and_without_one_writes_are_durable(void **state)
{
	struct rig rig;
	int id;

	rig_init(&rig);
	id = add(&rig, 0, 0, FLUSH, 0, 0);
	notify(&rig, 0);
	assert_int_equal(rig.fb.count, 1);
	assert_int_equal(rig.fb.pending[0]->op, BLOCK_FLUSH);
	fake_block_run(&rig.fb);
	assert_int_equal(take(&rig, 0, id), 1);
	assert_int_equal(status_of(&rig, 0), OK);

	/* 5.2.6.2: then a write is stable when it is completed. */
	rig_reset(&rig);
	rig_start(&rig, 16, ~F(9), 0);
	add(&rig, 0, 0, OUT, 0, 512);
	notify(&rig, 0);
	assert_true(rig.fb.pending[0]->durable);
	fake_block_run(&rig.fb);
	take(&rig, 0, id);
	assert_int_equal(do_request(&rig, FLUSH, 0, 0), UNSUPP);
	rig_done(&rig);
}

static void range_request(struct rig *rig, uint32_t type, uint64_t sector,
			  uint32_t sectors, uint32_t flags, uint8_t want)
{
	uint8_t *p = at(rig, DATA_AT(0));
	unsigned before = rig->fb.submitted;

	put_le64(p, sector);
	put_le32(p + 8, sectors);
	put_le32(p + 12, flags);
	assert_int_equal(do_request(rig, type, 0, 16), want);
	assert_int_equal(rig->fb.submitted - before, want == OK && sectors);
}

static void ranges_are_discarded_and_zeroed(void **state)
{
	struct rig rig;

	rig_init(&rig);
	range_request(&rig, DISCARD, 2, 3, 0, OK);
	assert_int_equal(rig.disk[2 * 512 - 1], 2);
	assert_int_equal(rig.disk[2 * 512], 0xd1);
	assert_int_equal(rig.disk[5 * 512 - 1], 0xd1);
	assert_int_equal(rig.disk[5 * 512], 6);
	range_request(&rig, ZEROES, 126, 2, 0, OK);
	assert_int_equal(rig.disk[126 * 512], 0);
	assert_int_equal(rig.disk[DISK_LEN - 1], 0);
	range_request(&rig, ZEROES, 0, 1, 1, OK); /* unmap */
	assert_int_equal(rig.disk[0], 0);
	range_request(&rig, ZEROES, 128, 0, 0, OK); /* nothing, at the end */

	/* 5.2.6.2: unmap is for write zeroes, and no other flag is known. */
	range_request(&rig, DISCARD, 0, 1, 1, UNSUPP);
	range_request(&rig, DISCARD, 0, 1, 2, UNSUPP);
	range_request(&rig, ZEROES, 0, 1, 0x80000000, UNSUPP);
	range_request(&rig, ZEROES, 127, 2, 0, IOERR);
	range_request(&rig, ZEROES, 129, 0, 0, IOERR);
	range_request(&rig, DISCARD, UINT64_MAX, 1, 0, IOERR);
	range_request(&rig, DISCARD, 0, UINT32_MAX, 0, IOERR);
	/* Not one range. */
	assert_int_equal(do_request(&rig, DISCARD, 0, 0), IOERR);
	assert_int_equal(do_request(&rig, DISCARD, 0, 15), IOERR);
	assert_int_equal(do_request(&rig, ZEROES, 0, 32), IOERR);

	rig_reset(&rig);
	rig_start(&rig, 16, ~(F(13) | F(14)), 0);
	range_request(&rig, DISCARD, 0, 1, 0, UNSUPP);
	range_request(&rig, ZEROES, 0, 1, 0, UNSUPP);
	rig_done(&rig);
}

static void a_read_only_disk_is_not_written(void **state)
{
	struct rig rig;

	rig_prepare(&rig);
	rig.fb.block.info.read_only = true;
	rig.fb.block.info.discard = rig.fb.block.info.write_zeroes = false;
	rig_device(&rig, 1, 0, NULL);
	rig_start(&rig, 16, F_ALL, 0);
	/* 5.2.6.2 */
	assert_int_equal(do_request(&rig, OUT, 0, 512), IOERR);
	assert_int_equal(do_request(&rig, IN, 0, 512), OK);
	assert_int_equal(do_request(&rig, FLUSH, 0, 0), OK);
	/* A driver that does not take the feature has no more rights. */
	rig_reset(&rig);
	rig_start(&rig, 16, ~F(5), 0);
	assert_int_equal(do_request(&rig, OUT, 0, 512), IOERR);
	range_request(&rig, DISCARD, 0, 1, 0, UNSUPP);
	assert_int_equal(rig.failures, 0);
	rig_done(&rig);
}

static void a_host_error_is_an_io_error_and_an_event(void **state)
{
	struct rig rig;
	int id;

	rig_init(&rig);
	id = add(&rig, 0, 0, IN, 0, 512);
	notify(&rig, 0);
	fake_block_finish(&rig.fb, 0, -ENOSPC);
	fake_block_ready(&rig.fb);
	/* Nothing of the data counts as written. */
	assert_int_equal(take(&rig, 0, id), 0);
	assert_int_equal(status_of(&rig, 0), IOERR);
	assert_int_equal(rig.failures, 1);
	assert_int_equal(rig.failure, ENOSPC);

	id = add(&rig, 0, 0, FLUSH, 0, 0);
	notify(&rig, 0);
	fake_block_finish(&rig.fb, 0, -EOPNOTSUPP);
	fake_block_ready(&rig.fb);
	assert_int_equal(take(&rig, 0, id), 1);
	assert_int_equal(status_of(&rig, 0), UNSUPP);
	assert_int_equal(rig.failures, 1);
	assert_int_equal(do_request(&rig, IN, 0, 512), OK);
	rig_done(&rig);
}

static void each_queue_gets_its_own_back(void **state)
{
	struct rig rig;
	int a, b;

	rig_prepare(&rig);
	rig_device(&rig, 3, 8, NULL);
	rig_start(&rig, 8, F_ALL, 0);
	a = add(&rig, 0, 0, IN, 0, 512);
	b = add(&rig, 2, 1, IN, 1, 512);
	notify(&rig, 2);
	assert_int_equal(rig.fb.count, 1);
	notify(&rig, 0);
	assert_int_equal(rig.fb.count, 2);
	fake_block_run(&rig.fb);
	take(&rig, 0, a);
	take(&rig, 2, b);
	assert_int_equal(rig.interrupts, 2);
	assert_int_equal(*(uint8_t *)at(&rig, DATA_AT(1)), 2);
	rig_done(&rig);
}

static void what_is_no_configuration_is_refused(void **state)
{
	struct virtio_device *vd = NULL;
	struct virtio_blk_config c;
	struct rig rig;

	rig_prepare(&rig);
	c = (struct virtio_blk_config){ .ram = &rig.ram,
					.blk = &rig.fb.block,
					.queues = VIRTIO_BLK_QUEUES_MAX + 1 };
	assert_int_equal(virtio_blk_new(&c, &vd), -EINVAL);
	c.queues = 1;
	c.queue_size = 100;
	assert_int_equal(virtio_blk_new(&c, &vd), -EINVAL);
	assert_null(vd);
	assert_int_equal(rig.fb.freed, 0);
	free(rig.mem);
	free(rig.disk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_configuration_space_says_what_the_image_is),
		cmocka_unit_test(what_is_offered_is_what_the_image_can_do),
		cmocka_unit_test(sectors_are_read_and_written),
		cmocka_unit_test(requests_come_back_as_the_image_finishes_them),
		cmocka_unit_test(buffers_may_be_cut_anywhere),
		cmocka_unit_test(
			the_id_is_padded_and_may_fill_all_of_its_twenty_bytes),
		cmocka_unit_test(
			a_flush_is_a_flush_and_without_one_writes_are_durable),
		cmocka_unit_test(ranges_are_discarded_and_zeroed),
		cmocka_unit_test(a_read_only_disk_is_not_written),
		cmocka_unit_test(a_host_error_is_an_io_error_and_an_event),
		cmocka_unit_test(each_queue_gets_its_own_back),
		cmocka_unit_test(what_is_no_configuration_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
