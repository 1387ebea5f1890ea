// SPDX-License-Identifier: MIT
/* Split virtqueues, against VIRTIO 1.2, 2.7. */
#include "virtq_rig.h"

#define AVAIL_FLAGS (rig.d.driver)
#define USED_EVENT (rig.d.driver + 4 + 2 * (uint64_t)rig.d.size)
#define USED_FLAGS (rig.d.device)
#define USED_IDX (rig.d.device + 2)
#define AVAIL_EVENT (rig.d.device + 4 + 8 * (uint64_t)rig.d.size)

static void a_used_entry_is_head_and_length_then_the_index(void **state)
{
	static const struct vdrv_buf bufs[] = { { BUFS, 8, true },
						{ BUFS, 8, true } };
	gpa_t ring;

	rig_start(4, 0);
	ring = rig.d.device + 4;
	assert_int_equal(rig_add(8, true), 0);
	assert_int_equal(vdrv_add(&rig.d, bufs, 2), 1);
	assert_int_equal(rig_pop(), 1);
	assert_int_equal(rig_pop(), 1);
	assert_int_equal(vdrv_peek16(&rig.ram, USED_IDX), 0);
	virtq_push(&rig.q, &rig.c, 0x01020304);
	assert_int_equal(vdrv_peek16(&rig.ram, USED_IDX), 1);
	assert_int_equal(vdrv_peek32(&rig.ram, ring), 1);
	assert_int_equal(vdrv_peek32(&rig.ram, ring + 4), 0x01020304);
	assert_int_equal(vdrv_peek32(&rig.ram, ring + 8), 0);
}

/* The device writes its own part and nothing else. */
static void the_drivers_parts_stay_as_they_are(void **state)
{
	static uint8_t before[0x1000];
	unsigned i;

	for (i = 0; i < 2; i++) {
		rig_start(4, i ? VDRV_EVENT_IDX : 0);
		rig_add(8, true);
		memcpy(before, rig.low, sizeof(before));
		virtq_set_notify(&rig.q, false);
		assert_int_equal(rig_pop(), 1);
		virtq_push(&rig.q, &rig.c, 8);
		virtq_wants_interrupt(&rig.q);
		virtq_set_notify(&rig.q, true);
		assert_memory_equal(before, rig.low, rig.d.device);
		assert_memory_equal(before + rig.d.end, rig.low + rig.d.end,
				    sizeof(before) - rig.d.end);
	}
}

static void direct_buffers_come_before_those_of_a_table(void **state)
{
	static const struct vdrv_buf bufs[] = {
		{ BUFS, 1, false }, { BUFS, 2, false }, { BUFS, 3, false },
		{ BUFS, 4, true },  { BUFS, 5, true },
	};
	unsigned direct, i;

	/* 2.7.5.3.2: zero or more of them. */
	for (direct = 0; direct < 4; direct++) {
		rig_start(4, 0);
		assert_int_equal(vdrv_add_mixed(&rig.d, bufs, 5, direct, TABLE),
				 0);
		assert_int_equal(rig_pop(), 1);
		assert_int_equal(rig.c.out, 3);
		assert_int_equal(rig.c.in, 2);
		for (i = 0; i < 5; i++)
			assert_int_equal(rig.iov[i].iov_len, i + 1);
	}
}

/* 2.7.5.3.2: the device must ignore it. */
static void write_means_nothing_on_a_table(void **state)
{
	rig_start(4, 0);
	vdrv_poke_desc(&rig.ram, TABLE, BUFS, 8, 0, 0);
	vdrv_poke_desc(&rig.ram, 0, TABLE, 16, VDRV_INDIRECT | VDRV_WRITE, 0);
	vdrv_poke_head(&rig.d, 0);
	assert_int_equal(rig_pop(), 1);
	assert_int_equal(rig.c.out, 1);
	assert_int_equal(rig.c.in, 0);
}

/* A chain goes where its links say, in the ring and in a table. */
static void links_go_back_and_forth(void **state)
{
	unsigned table;

	for (table = 0; table < 2; table++) {
		gpa_t at = table ? TABLE : 0;

		rig_start(8, 0);
		vdrv_poke_desc(&rig.ram, at, BUFS, 1, VDRV_NEXT, 7);
		vdrv_poke_desc(&rig.ram, at + 16 * 7, BUFS, 2, VDRV_NEXT, 2);
		vdrv_poke_desc(&rig.ram, at + 16 * 2, BUFS, 3, 0, 5);
		if (table)
			vdrv_poke_desc(&rig.ram, 0, at, 128, VDRV_INDIRECT, 0);
		vdrv_poke_head(&rig.d, 0);
		assert_int_equal(rig_pop(), 1);
		assert_int_equal(rig.c.out, 3);
		assert_int_equal(rig.iov[1].iov_len, 2);
		assert_int_equal(rig.iov[2].iov_len, 3);
	}
}

/* 2.7.7.2, without event index: used_event means nothing. */
static void no_interrupt_is_heeded(void **state)
{
	rig_start(4, 0);
	vdrv_poke16(&rig.ram, USED_EVENT, 1000);
	rig_round();
	assert_true(virtq_wants_interrupt(&rig.q));
	vdrv_interrupts(&rig.d, false);
	rig_round();
	assert_false(virtq_wants_interrupt(&rig.q));
	vdrv_interrupts(&rig.d, true);
	assert_false(virtq_wants_interrupt(&rig.q));
	rig_round();
	assert_true(virtq_wants_interrupt(&rig.q));
}

/*
 * 2.7.7.2: an interrupt when an entry is written while idx is used_event. Around
 * 0 and around the wrap, for every number of entries between two questions.
 */
static void an_interrupt_is_due_when_used_event_is_passed(void **state)
{
	uint16_t idx = 0, start;
	int off, batch, i;
	unsigned place;
	bool want;

	rig_start(8, VDRV_EVENT_IDX);
	/* 2.7.7.2's example: used_event 0, and the first buffer. */
	rig_round();
	idx++;
	assert_true(virtq_wants_interrupt(&rig.q));

	for (place = 0; place < 2; place++) {
		for (; place == 1 && idx < 65500; idx++)
			rig_round();
		virtq_wants_interrupt(&rig.q);
		for (off = -3; off <= 6; off++)
			for (batch = 1; batch <= 5; batch++) {
				start = idx;
				want = false;
				vdrv_poke16(&rig.ram, USED_EVENT,
					    (uint16_t)(start + off));
				for (i = 0; i < batch; i++, idx++) {
					want |= idx == (uint16_t)(start + off);
					rig_round();
				}
				if (virtq_wants_interrupt(&rig.q) != want)
					fail_msg("from %u, event %+d, batch %d",
						 start, off, batch);
			}
	}
	assert_true(idx < 65500); /* it has wrapped */
	/* 2.7.7.2: the flag means nothing now. */
	vdrv_poke16(&rig.ram, AVAIL_FLAGS, 1);
	vdrv_poke16(&rig.ram, USED_EVENT, idx);
	rig_round();
	assert_true(virtq_wants_interrupt(&rig.q));
}

static void a_whole_turn_without_a_question_is_due(void **state)
{
	unsigned i;

	rig_start(8, VDRV_EVENT_IDX);
	vdrv_poke16(&rig.ram, USED_EVENT, 65535);
	for (i = 0; i < 65535; i++)
		rig_round();
	assert_false(virtq_wants_interrupt(&rig.q));
	rig_round();
	assert_true(virtq_wants_interrupt(&rig.q));
	for (i = 0; i < 65537; i++)
		rig_round();
	assert_true(virtq_wants_interrupt(&rig.q));
}

/* 2.7.10.2 */
static void no_notify_is_a_flag_without_event_index(void **state)
{
	rig_start(4, 0);
	assert_false(virtq_set_notify(&rig.q, false));
	assert_int_equal(vdrv_peek16(&rig.ram, USED_FLAGS), 1);
	rig_add(8, true);
	assert_false(vdrv_should_notify(&rig.d));
	assert_false(virtq_set_notify(&rig.q, false));
	assert_true(virtq_set_notify(&rig.q, true));
	assert_int_equal(vdrv_peek16(&rig.ram, USED_FLAGS), 0);
	assert_int_equal(rig_pop(), 1);
	assert_false(virtq_set_notify(&rig.q, true));
	rig_add(8, true);
	assert_true(vdrv_should_notify(&rig.d));
	assert_int_equal(vdrv_peek16(&rig.ram, AVAIL_EVENT), 0);
}

static void avail_event_is_the_next_one_with_event_index(void **state)
{
	unsigned i;

	rig_start(4, VDRV_EVENT_IDX);
	for (i = 0; i < 66000; i++) {
		rig_add(8, true);
		/* Once: for the first after the device has gone to sleep. */
		assert_true(vdrv_should_notify(&rig.d));
		virtq_set_notify(&rig.q, false);
		rig_add(8, true);
		assert_false(vdrv_should_notify(&rig.d));
		while (rig_pop() == 1) {
			virtq_push(&rig.q, &rig.c, 0);
			rig_take(rig.c.id, 0);
		}
		assert_false(virtq_set_notify(&rig.q, true));
		assert_int_equal(vdrv_peek16(&rig.ram, AVAIL_EVENT),
				 (2 * i + 2) & 0xffff);
		/* 2.7.10.2: always 0 */
		assert_int_equal(vdrv_peek16(&rig.ram, USED_FLAGS), 0);
	}
	rig_add(8, true);
	assert_true(virtq_set_notify(&rig.q, true));
	assert_int_equal(vdrv_peek16(&rig.ram, AVAIL_EVENT), rig.d.avail - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(a_used_entry_is_head_and_length_then_the_index),
		RIG_TEST(the_drivers_parts_stay_as_they_are),
		RIG_TEST(direct_buffers_come_before_those_of_a_table),
		RIG_TEST(write_means_nothing_on_a_table),
		RIG_TEST(links_go_back_and_forth),
		RIG_TEST(no_interrupt_is_heeded),
		RIG_TEST(an_interrupt_is_due_when_used_event_is_passed),
		RIG_TEST(a_whole_turn_without_a_question_is_due),
		RIG_TEST(no_notify_is_a_flag_without_event_index),
		RIG_TEST(avail_event_is_the_next_one_with_event_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
