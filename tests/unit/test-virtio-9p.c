// SPDX-License-Identifier: MIT
/*
 * The 9P transport, by what <linux/virtio_9p.h> and Linux's net/9p/trans_virtio.c
 * expect.
 */
#include "virtio_9p_rig.h"

/* ---- what it is --------------------------------------------------------- */

static void it_is_a_9p_device_with_a_tag(void **state)
{
	uint8_t space[16];

	assert_int_equal(f.vd->ops->id, 9);
	assert_int_equal(f.vd->queues, 1);
	assert_int_equal(f.vd->config_len, 9);
	assert_true((f.vd->offered & 0xffffff) == 1); /* MOUNT_TAG */
	virtio_config_read(f.vd, 0, space, sizeof(space));
	assert_memory_equal(space, "\7\0the tag\0\0\0", 12);
	virtio_config_read(f.vd, 4, space, 2);
	assert_memory_equal(space, "e ", 2);
	virtio_config_write(f.vd, 2, "x", 1);
	virtio_config_read(f.vd, 2, space, 1);
	assert_int_equal(space[0], 't');
}

static void a_tag_has_1_to_31_bytes(void **state)
{
	struct virtio_9p_config config = { .ram = &f.gm, .tag = "" };
	struct virtio_device *vd = NULL;

	assert_int_equal(virtio_9p_new(&config, &vd), -EINVAL);
	config.tag = "12345678901234567890123456789012";
	assert_int_equal(virtio_9p_new(&config, &vd), -EINVAL);
	assert_null(vd);
}

static void messages_are_answered_with_and_without_each_feature(void **state)
{
	static const unsigned flags[] = { 0, VDRV_EVENT_IDX, VDRV_PACKED,
					  VDRV_PACKED | VDRV_EVENT_IDX };
	uint32_t len;
	unsigned i, k;
	int id;

	for (i = 0; i < 2 * ARRAY_SIZE(flags); i++) {
		bring_up(8, flags[i / 2], i & 1);
		for (k = 0; k < 20; k++) {
			vdrv_interrupts(&f.drv, true);
			f.interrupts = 0;
			id = ask(k, AT_ONCE, k * 1000);
			notify();
			assert_int_equal(await(&len), id);
			assert_int_equal(len, 11);
			assert_answer(k, AT_ONCE, k * 1000);
			device_lock(&f.lock);
			assert_int_equal(f.interrupts, 1);
			device_unlock(&f.lock);
		}
	}
}

static void a_message_may_be_in_pieces(void **state)
{
	struct vdrv_buf bufs[] = {
		{ OUT_AT(1), 3, false },     { OUT_AT(1) + 3, 1, false },
		{ OUT_AT(1) + 4, 7, false }, { IN_AT(1), 4, true },
		{ IN_AT(1) + 4, 2, true },   { IN_AT(1) + 6, 5, true },
	};
	uint32_t len;
	unsigned i;

	bring_up(8, 0, 1);
	ask(1, AT_ONCE, 0x12345678);
	notify();
	await(&len);
	for (i = 0; i < 2; i++) {
		memset(f.ram + IN_AT(1), 0xee, 64);
		if (i)
			vdrv_add_indirect(&f.drv, bufs, 6, 0x80000);
		else
			vdrv_add(&f.drv, bufs, 6);
		notify();
		await(&len);
		assert_int_equal(len, 11);
		assert_answer(1, AT_ONCE, 0x12345678);
	}
}

/* ---- several ------------------------------------------------------------ */

static void one_that_waits_holds_up_no_other(void **state)
{
	uint32_t len;
	int id, other;

	bring_up(16, 0, 1);
	id = ask(1, GATED, 0);
	notify();
	await_waiting(1);
	other = ask(2, AT_ONCE, 7);
	notify();
	assert_int_equal(await(&len), other);
	open_gate(true);
	assert_int_equal(await(&len), id);
}

static void a_flush_comes_after_what_it_is_about(void **state)
{
	uint32_t id, len;
	int ids[4];
	unsigned i;

	bring_up(16, 0, 1);
	ids[0] = ask(1, GATED, 0);
	ids[1] = ask(2, FLUSH, 1);
	ids[2] = ask(3, FLUSH, 1);
	ids[3] = ask(4, FLUSH, 2); /* of a flush */
	notify();
	await_waiting(1);
	/* One about what is not there is answered at once, as is one about itself. */
	i = (unsigned)ask(5, FLUSH, 77);
	notify();
	assert_int_equal(await(&len), i);
	i = (unsigned)ask(6, FLUSH, 6);
	notify();
	assert_int_equal(await(&len), i);
	assert_false(take(&id, &len));
	open_gate(true);
	assert_int_equal(await(&len), ids[0]);
	for (i = 0; i < 3; i++)
		await(&len);
	assert_int_equal(f.order[2], 1);
	assert_int_equal(f.served, 6);
}

static void a_queue_of_any_size_goes_round(void **state)
{
	static const uint32_t sizes[] = { 1, 2, 128 };
	const struct vdrv_buf bufs[] = { { OUT_AT(0), 11, false },
					 { IN_AT(0), 64, true } };
	uint32_t len;
	unsigned i, k;

	assert_int_equal(f.vd->queue[0].size_max, 128);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		bring_up(sizes[i], i & 1 ? VDRV_PACKED : 0, 1);
		for (k = 0; k < 300; k++) {
			/* The message itself is there for the pieces. */
			f.ram[OUT_AT(0) + 4] = AT_ONCE;
			assert_true(vdrv_add_indirect(&f.drv, bufs, 2,
						      0x80000) >= 0);
			notify();
			await(&len);
			assert_int_equal(len, 11);
		}
	}
	/* All entries at a time. */
	bring_up(128, VDRV_EVENT_IDX, 1);
	for (k = 0; k < 64; k++)
		assert_true(ask(k, k & 1 ? GATED : AT_ONCE, k) >= 0);
	assert_int_equal(ask(k, AT_ONCE, k), -1);
	notify();
	open_gate(true);
	for (k = 0; k < 64; k++)
		await(&len);
	for (k = 0; k < 64; k++)
		assert_answer(k, k & 1 ? GATED : AT_ONCE, k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(it_is_a_9p_device_with_a_tag),
		T(a_tag_has_1_to_31_bytes),
		T(messages_are_answered_with_and_without_each_feature),
		T(a_message_may_be_in_pieces),
		T(one_that_waits_holds_up_no_other),
		T(a_flush_comes_after_what_it_is_about),
		T(a_queue_of_any_size_goes_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
