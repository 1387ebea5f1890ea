// SPDX-License-Identifier: MIT
/* The block device over a host that has no room: what is kept, tried again, dropped. */
#include <errno.h>

#include "virtio_blk_rig.h"

static void rig_init_keeping(struct rig *rig, uint16_t size)
{
	rig_prepare(rig);
	rig->keep = true;
	rig_device(rig, 1, size, NULL);
	rig_start(rig, size ? size : 16, F_ALL, 0);
}

static void a_write_without_room_waits_and_is_done_again(void **state)
{
	struct rig rig;
	int id;

	rig_init_keeping(&rig, 0);
	memset(at(&rig, DATA_AT(0)), 0x5a, 1024);
	id = add(&rig, 0, 0, OUT, 3, 1024);
	notify(&rig, 0);
	/* As if half of it had been written. */
	rig.fb.pending[0]->iov->iov_len -= 512;
	fake_block_finish(&rig.fb, 0, -ENOSPC);
	fake_block_ready(&rig.fb);
	assert_int_equal(status_of(&rig, 0), UNTOUCHED);
	assert_int_equal(rig.fulls, 1);
	assert_int_equal(rig.failures, 1);
	assert_int_equal(rig.failure, ENOSPC);
	assert_int_equal(rig.interrupts, 0);

	virtio_blk_resume(rig.vd);
	assert_int_equal(rig.fb.count, 1);
	fake_block_run(&rig.fb);
	take(&rig, 0, id);
	assert_int_equal(status_of(&rig, 0), OK);
	assert_memory_equal(rig.disk + 3 * 512, at(&rig, DATA_AT(0)), 1024);
	assert_int_equal(rig.interrupts, 1);
	rig_done(&rig);
}

static void what_waits_is_tried_in_the_order_in_which_it_failed(void **state)
{
	struct rig rig;
	unsigned i;

	rig_init_keeping(&rig, 0);
	for (i = 0; i < 4; i++) {
		memset(at(&rig, DATA_AT(i)), (int)(0x60 + i), 512);
		add(&rig, 0, i, OUT, 9, 512); /* all to the same sector */
	}
	add(&rig, 0, 4, FLUSH, 0, 0);
	notify(&rig, 0);
	for (i = 0; i < 5; i++)
		fake_block_finish(&rig.fb, 0, i == 4 ? -EDQUOT : -ENOSPC);
	fake_block_ready(&rig.fb);
	/* Said once, not for each. */
	assert_int_equal(rig.fulls, 1);
	assert_int_equal(rig.failures, 5);
	/* Still no room: once more. */
	virtio_blk_resume(rig.vd);
	assert_int_equal(rig.fb.count, 5);
	fake_block_finish(&rig.fb, 0, -ENOSPC);
	fake_block_ready(&rig.fb);
	assert_int_equal(rig.fulls, 2);
	fake_block_run(&rig.fb);
	assert_int_equal(rig.disk[9 * 512], 0x63);
	assert_int_equal(status_of(&rig, 0), UNTOUCHED);
	virtio_blk_resume(rig.vd);
	fake_block_run(&rig.fb);
	for (i = 0; i < 5; i++)
		assert_int_equal(status_of(&rig, i), OK);
	/* Nothing is left. */
	virtio_blk_resume(rig.vd);
	assert_int_equal(rig.fb.count, 0);
	rig_done(&rig);
}

static void other_errors_and_reads_are_told_to_the_guest(void **state)
{
	struct rig rig;

	rig_init_keeping(&rig, 0);
	add(&rig, 0, 0, OUT, 0, 512);
	add(&rig, 0, 1, IN, 0, 512);
	notify(&rig, 0);
	fake_block_finish(&rig.fb, 0, -EIO);
	fake_block_finish(&rig.fb, 0, -ENOSPC);
	fake_block_ready(&rig.fb);
	assert_int_equal(status_of(&rig, 0), IOERR);
	assert_int_equal(status_of(&rig, 1), IOERR);
	assert_int_equal(rig.fulls, 0);
	rig_done(&rig);

	/* And all of them, unless that was asked for. */
	rig_prepare(&rig);
	rig_device(&rig, 1, 0, NULL);
	rig_start(&rig, 16, F_ALL, 0);
	add(&rig, 0, 0, OUT, 0, 512);
	notify(&rig, 0);
	fake_block_finish(&rig.fb, 0, -ENOSPC);
	fake_block_ready(&rig.fb);
	assert_int_equal(status_of(&rig, 0), IOERR);
	rig_done(&rig);
}

static void a_reset_drops_what_waits(void **state)
{
	struct rig rig;
	unsigned i;
	int id;

	rig_init_keeping(&rig, 4);
	for (i = 0; i < 3; i++) {
		id = add(&rig, 0, 0, ZEROES, 0, 16);
		if (id < 0)
			break;
		put_le64(at(&rig, DATA_AT(0)), 4);
		put_le32((uint8_t *)at(&rig, DATA_AT(0)) + 8, 1);
		put_le32((uint8_t *)at(&rig, DATA_AT(0)) + 12, 0);
		notify(&rig, 0);
		assert_int_equal(rig.fb.count, 1);
		fake_block_finish(&rig.fb, 0, -ENOSPC);
		fake_block_ready(&rig.fb);
		rig_reset(&rig);
		/* Nobody waits for it any more. */
		virtio_blk_resume(rig.vd);
		assert_int_equal(rig.fb.count, 0);
		rig_start(&rig, 4, F_ALL, 0);
		assert_int_equal(rig.disk[4 * 512], 5);
	}
	assert_int_equal(rig.fulls, 3);
	rig_done(&rig);
}

/* All requests that there are wait: the queue goes on when they do. */
static void a_queue_that_all_waits_goes_on_afterwards(void **state)
{
	struct rig rig;
	unsigned i;
	int id[2];

	rig_init_keeping(&rig, 2);
	for (i = 0; i < 2; i++) {
		struct vdrv_buf bufs[] = { { HEADER_AT(i), 16, false },
					   { DATA_AT(i), 512, false },
					   { STATUS_AT(i), 1, true } };

		put_header(&rig, i, OUT, i);
		id[i] = vdrv_add_indirect(&rig.drv[0], bufs, 3, TABLE_AT(i));
		notify(&rig, 0);
		fake_block_finish(&rig.fb, 0, -ENOSPC);
		fake_block_ready(&rig.fb);
	}
	assert_int_equal(rig.fulls, 1);
	virtio_blk_resume(rig.vd);
	fake_block_run(&rig.fb);
	take(&rig, 0, id[0]);
	take(&rig, 0, id[1]);
	assert_int_equal(do_request(&rig, FLUSH, 0, 0), OK);
	rig_done(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_write_without_room_waits_and_is_done_again),
		cmocka_unit_test(
			what_waits_is_tried_in_the_order_in_which_it_failed),
		cmocka_unit_test(other_errors_and_reads_are_told_to_the_guest),
		cmocka_unit_test(a_reset_drops_what_waits),
		cmocka_unit_test(a_queue_that_all_waits_goes_on_afterwards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
