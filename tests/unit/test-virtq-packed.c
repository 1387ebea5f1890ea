// SPDX-License-Identifier: MIT
/* Packed virtqueues, against VIRTIO 1.2, 2.8. */
#include "virtq_rig.h"

#define SLOT(i) (rig.d.desc + 16 * (uint64_t)(i))
#define DRIVER_EVENT (rig.d.driver)
#define DRIVER_FLAGS (rig.d.driver + 2)
#define DEVICE_EVENT (rig.d.device)
#define DEVICE_FLAGS (rig.d.device + 2)

#define AVAIL 0x0080
#define USED 0x8000

/* A descriptor with those flags, whole, and its bits to match. */
static void poke_slot(unsigned slot, uint32_t len, uint16_t id, uint16_t flags)
{
	vdrv_poke_desc(&rig.ram, SLOT(slot), BUFS, len, id, flags);
}

/* 2.8.1, 2.8.3, 2.8.6 */
static void a_used_descriptor_is_id_length_and_equal_bits(void **state)
{
	static const struct vdrv_buf bufs[] = { { BUFS, 8, false },
						{ BUFS, 8, true } };
	unsigned lap;

	rig_start(3, VDRV_PACKED);
	for (lap = 0; lap < 6; lap++) {
		bool wrap = lap % 2 == 0;
		int id = vdrv_add(&rig.d, bufs, 2);
		gpa_t first = SLOT(0), last = SLOT(2);

		assert_int_equal(rig_pop(), 1);
		virtq_push(&rig.q, &rig.c, 0x01020304);
		assert_int_equal(vdrv_peek32(&rig.ram, first + 8), 0x01020304);
		assert_int_equal(vdrv_peek16(&rig.ram, first + 12), id);
		/* WRITE: something was written. */
		assert_int_equal(vdrv_peek16(&rig.ram, first + 14),
				 (wrap ? AVAIL | USED : 0) | 2);
		rig_take((uint32_t)id, 0x01020304);

		id = vdrv_add(&rig.d, bufs, 1);
		assert_int_equal(rig_pop(), 1);
		virtq_push(&rig.q, &rig.c, 0);
		assert_int_equal(vdrv_peek16(&rig.ram, last + 14),
				 wrap ? AVAIL | USED : 0);
		rig_take((uint32_t)id, 0);
	}
}

/* 2.8.1: the bits must differ, and AVAIL must be this lap's. */
static void only_the_right_bits_make_a_descriptor_available(void **state)
{
	rig_start(1, VDRV_PACKED);
	poke_slot(0, 8, 0, 0);
	assert_int_equal(rig_pop(), 0);
	poke_slot(0, 8, 0, AVAIL | USED);
	assert_int_equal(rig_pop(), 0);
	poke_slot(0, 8, 0, USED);
	assert_int_equal(rig_pop(), 0);
	poke_slot(0, 8, 77, AVAIL);
	assert_int_equal(rig_pop(), 1);
	/* Taken, not given back: the same bits are those of the last lap. */
	assert_int_equal(rig_pop(), 0);
	virtq_push(&rig.q, &rig.c, 0);
	assert_int_equal(vdrv_peek16(&rig.ram, SLOT(0) + 12), 77);
	assert_int_equal(rig_pop(), 0);
	poke_slot(0, 8, 0, AVAIL);
	assert_int_equal(rig_pop(), 0);
	poke_slot(0, 8, 0, USED);
	assert_int_equal(rig_pop(), 1);
}

/* 2.8.5: any size, chains over its end, and back in another order. */
static void chains_go_on_over_the_end_of_any_ring(void **state)
{
	struct vdrv_buf bufs[5];
	struct iovec iov[ROOM];
	struct virtq_chain other = { .iov = iov, .room = ROOM };
	uint32_t size, n, turn;
	int id[2];

	for (n = 0; n < 5; n++)
		bufs[n] = (struct vdrv_buf){ BUFS + 16 * n, 1 + n, n > 1 };
	for (size = 5; size < 12; size++) {
		rig_start(size, VDRV_PACKED);
		for (turn = 0; turn < 60; turn++) {
			n = 1 + turn % (size < 7 ? size - 2 : 4);
			id[0] = vdrv_add(&rig.d, bufs, n);
			id[1] = vdrv_add(&rig.d, bufs, 2);
			assert_true(id[0] >= 0 && id[1] >= 0);
			assert_int_equal(rig_pop(), 1);
			assert_int_equal(rig.c.out + rig.c.in, n);
			assert_int_equal(virtq_pop(&rig.q, &other), 1);
			assert_int_equal(other.out, 2);
			virtq_push(&rig.q, &other, 1);
			virtq_push(&rig.q, &rig.c, 2);
			rig_take((uint32_t)id[1], 1);
			rig_take((uint32_t)id[0], 2);
			assert_true(rig_takes_nothing());
		}
	}
}

/* 2.8.7: in a table every other flag is reserved, and so are ids. */
static void a_table_is_as_long_as_its_bytes(void **state)
{
	unsigned i;

	rig_start(4, VDRV_PACKED);
	for (i = 0; i < 4; i++)
		vdrv_poke_desc(&rig.ram, TABLE + 16 * i, BUFS, 1 + i, 0xffff,
			       (uint16_t)((i < 2 ? 0 : 2) | 0x85 | 0x8000));
	vdrv_poke_desc(&rig.ram, SLOT(0), TABLE, 64, 9,
		       VDRV_INDIRECT | VDRV_WRITE | AVAIL);
	assert_int_equal(rig_pop(), 1);
	assert_int_equal(rig.c.out, 2);
	assert_int_equal(rig.c.in, 2);
	assert_int_equal(rig.iov[3].iov_len, 4);
	virtq_push(&rig.q, &rig.c, 7);
	assert_int_equal(vdrv_peek16(&rig.ram, SLOT(0) + 12), 9);
	/* One slot, not four. */
	assert_int_equal(vdrv_peek16(&rig.ram, SLOT(1) + 14), 0);
	poke_slot(1, 8, 3, AVAIL);
	assert_int_equal(rig_pop(), 1);
}

/* 2.8.9: the first last, else a driver could see half of a request. */
static void the_first_of_several_is_marked_last(void **state)
{
	unsigned i;

	rig_start(4, VDRV_PACKED);
	for (i = 0; i < 3; i++) {
		rig_add(8, true);
		assert_int_equal(rig_pop(), 1);
		virtq_hold(&rig.q, &rig.c, 8);
	}
	assert_int_equal(vdrv_peek16(&rig.ram, SLOT(0) + 14), AVAIL | 2);
	assert_int_equal(vdrv_peek16(&rig.ram, SLOT(1) + 14), AVAIL | USED | 2);
	assert_int_equal(vdrv_peek16(&rig.ram, SLOT(2) + 14), AVAIL | USED | 2);
	virtq_publish(&rig.q);
	assert_int_equal(vdrv_peek16(&rig.ram, SLOT(0) + 14), AVAIL | USED | 2);
}

/* 2.8.10 */
static void interrupts_are_enabled_or_disabled(void **state)
{
	unsigned event_idx;

	for (event_idx = 0; event_idx < 2; event_idx++) {
		rig_start(4, VDRV_PACKED | (event_idx ? VDRV_EVENT_IDX : 0));
		rig_round();
		assert_true(virtq_wants_interrupt(&rig.q));
		vdrv_interrupts(&rig.d, false);
		rig_round();
		assert_false(virtq_wants_interrupt(&rig.q));
		vdrv_interrupts(&rig.d, true);
		rig_round();
		assert_true(virtq_wants_interrupt(&rig.q));
		/* Reserved bits are not looked at, and 3 is reserved. */
		vdrv_poke16(&rig.ram, DRIVER_FLAGS, 0xfffd);
		rig_round();
		assert_false(virtq_wants_interrupt(&rig.q));
		vdrv_poke16(&rig.ram, DRIVER_FLAGS, 3);
		rig_round();
		assert_true(virtq_wants_interrupt(&rig.q));
	}
}

/*
 * 2.8.10: for one descriptor, on one lap. Every slot and lap, for every number of
 * entries between two questions, in rings from one slot up.
 */
static void an_interrupt_is_due_when_its_slot_is_passed(void **state)
{
	uint32_t size, n, i, event, slot = 0;
	bool wrap = true, want;

	for (size = 1; size <= 5; size++) {
		rig_start(size, VDRV_PACKED | VDRV_EVENT_IDX);
		vdrv_poke16(&rig.ram, DRIVER_FLAGS, 2);
		slot = 0;
		wrap = true;
		for (n = 1; n <= 2 * size + 2; n++)
			for (event = 0; event < 2 * size * 7; event++) {
				uint16_t at = (uint16_t)(event % size |
							 (event / size & 1)
								 << 15);

				vdrv_poke16(&rig.ram, DRIVER_EVENT, at);
				want = false;
				for (i = 0; i < n; i++) {
					want |= at ==
						(slot | (unsigned)wrap << 15);
					rig_round();
					if (++slot == size) {
						slot = 0;
						wrap = !wrap;
					}
				}
				if (virtq_wants_interrupt(&rig.q) != want)
					fail_msg("size %u, batch %u, event %x",
						 size, n, at);
			}
		/* A slot that there is not is never used. */
		vdrv_poke16(&rig.ram, DRIVER_EVENT, (uint16_t)size);
		rig_round();
		assert_false(virtq_wants_interrupt(&rig.q));
	}
}

/* A slot that a chain covers is passed with the chain. */
static void slots_within_a_chain_count(void **state)
{
	static const struct vdrv_buf bufs[] = { { BUFS, 1, true },
						{ BUFS, 1, true },
						{ BUFS, 1, true } };
	unsigned event;

	for (event = 0; event < 5; event++) {
		rig_start(8, VDRV_PACKED | VDRV_EVENT_IDX);
		assert_false(vdrv_interrupt_after(&rig.d, event));
		assert_int_equal(vdrv_add(&rig.d, bufs, 3), 0);
		assert_int_equal(rig_pop(), 1);
		virtq_push(&rig.q, &rig.c, 0);
		assert_int_equal(virtq_wants_interrupt(&rig.q), event < 3);
	}
}

/* 2.8.10: DESC is valid only with the feature. */
static void without_event_index_a_slot_means_always(void **state)
{
	rig_start(4, VDRV_PACKED);
	vdrv_poke16(&rig.ram, DRIVER_EVENT, 3);
	vdrv_poke16(&rig.ram, DRIVER_FLAGS, 2);
	rig_round();
	assert_true(virtq_wants_interrupt(&rig.q));
}

static void notifications_are_enabled_or_disabled(void **state)
{
	rig_start(4, VDRV_PACKED);
	assert_false(virtq_set_notify(&rig.q, false));
	assert_int_equal(vdrv_peek16(&rig.ram, DEVICE_FLAGS), 1);
	rig_add(8, true);
	assert_false(vdrv_should_notify(&rig.d));
	assert_true(virtq_set_notify(&rig.q, true));
	assert_int_equal(vdrv_peek16(&rig.ram, DEVICE_FLAGS), 0);
	assert_int_equal(rig_pop(), 1);
	assert_false(virtq_set_notify(&rig.q, true));
	rig_add(8, true);
	assert_true(vdrv_should_notify(&rig.d));
}

static void notifications_are_for_the_next_slot_with_event_index(void **state)
{
	unsigned i;

	rig_start(5, VDRV_PACKED | VDRV_EVENT_IDX);
	for (i = 0; i < 50; i++) {
		assert_false(virtq_set_notify(&rig.q, true));
		assert_int_equal(vdrv_peek16(&rig.ram, DEVICE_FLAGS), 2);
		assert_int_equal(vdrv_peek16(&rig.ram, DEVICE_EVENT),
				 2 * i % 5 | (2 * i / 5 % 2 ? 0 : 0x8000));
		rig_add(8, true);
		assert_true(vdrv_should_notify(&rig.d));
		rig_add(8, true);
		assert_false(vdrv_should_notify(&rig.d));
		virtq_set_notify(&rig.q, false);
		assert_int_equal(vdrv_peek16(&rig.ram, DEVICE_FLAGS), 1);
		while (rig_pop() == 1) {
			virtq_push(&rig.q, &rig.c, 0);
			rig_take(rig.c.id, 0);
		}
	}
	rig_add(8, true);
	assert_true(virtq_set_notify(&rig.q, true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(a_used_descriptor_is_id_length_and_equal_bits),
		RIG_TEST(only_the_right_bits_make_a_descriptor_available),
		RIG_TEST(chains_go_on_over_the_end_of_any_ring),
		RIG_TEST(a_table_is_as_long_as_its_bytes),
		RIG_TEST(the_first_of_several_is_marked_last),
		RIG_TEST(interrupts_are_enabled_or_disabled),
		RIG_TEST(an_interrupt_is_due_when_its_slot_is_passed),
		RIG_TEST(slots_within_a_chain_count),
		RIG_TEST(without_event_index_a_slot_means_always),
		RIG_TEST(notifications_are_enabled_or_disabled),
		RIG_TEST(notifications_are_for_the_next_slot_with_event_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
