// SPDX-License-Identifier: MIT
/* What holds for split and packed queues alike; each test runs on both. */
#include "virtq_rig.h"

static const unsigned formats[] = { 0, VDRV_EVENT_IDX, VDRV_PACKED,
				    VDRV_PACKED | VDRV_EVENT_IDX };

#define FOR_EACH_FORMAT(f, size) \
	for (f = 0;              \
	     f < ARRAY_SIZE(formats) && (rig_start(size, formats[f]), 1); f++)

static void a_chain_is_memory_to_read_then_memory_to_write(void **state)
{
	static const struct vdrv_buf bufs[] = {
		{ BUFS + 1, 3, false },
		{ HIGH + HIGH_LEN - 5, 5, false },
		{ BUFS + 0x1000, 4096, true },
		{ LOW_LEN - 1, 1, true },
	};
	unsigned f;
	int id;

	FOR_EACH_FORMAT(f, 8)
	{
		assert_int_equal(rig_pop(), 0);
		id = vdrv_add(&rig.d, bufs, 4);
		assert_int_equal(rig_pop(), 1);
		assert_int_equal(rig.c.out, 2);
		assert_int_equal(rig.c.in, 2);
		assert_int_equal(rig.c.out_len, 8);
		assert_int_equal(rig.c.in_len, 4097);
		assert_ptr_equal(rig.iov[0].iov_base, rig.low + BUFS + 1);
		assert_int_equal(rig.iov[0].iov_len, 3);
		assert_ptr_equal(rig.iov[1].iov_base, rig.high + HIGH_LEN - 5);
		assert_ptr_equal(rig.iov[2].iov_base, rig.low + BUFS + 0x1000);
		assert_ptr_equal(rig.iov[3].iov_base, rig.low + LOW_LEN - 1);
		assert_int_equal(rig.iov[3].iov_len, 1);
		assert_int_equal(rig_pop(), 0);
		assert_true(rig_takes_nothing());
		virtq_push(&rig.q, &rig.c, 4097);
		rig_take((uint32_t)id, 4097);
		assert_true(rig_takes_nothing());
	}
}

static void chains_come_back_in_any_order(void **state)
{
	static const unsigned order[] = { 2, 0, 4, 1, 3 };
	struct iovec iov[5][ROOM];
	struct virtq_chain c[5];
	struct vdrv_buf bufs[3];
	unsigned f, i, k, turn;
	int id[5];

	FOR_EACH_FORMAT(f, 16)
	{
		/* 10 descriptors a turn: every turn begins elsewhere. */
		for (turn = 0; turn < 20; turn++) {
			for (i = 0; i < 5; i++) {
				for (k = 0; k < 3; k++)
					bufs[k] = (struct vdrv_buf){
						BUFS + 256 * i, 10 + i, true
					};
				id[i] = vdrv_add(&rig.d, bufs, 1 + i % 3);
				assert_true(id[i] >= 0);
			}
			for (i = 0; i < 5; i++) {
				c[i].iov = iov[i];
				c[i].room = ROOM;
				assert_int_equal(virtq_pop(&rig.q, &c[i]), 1);
				assert_int_equal(c[i].in, 1 + i % 3);
				assert_int_equal(iov[i][0].iov_len, 10 + i);
			}
			for (i = 0; i < 5; i++)
				virtq_push(&rig.q, &c[order[i]], order[i]);
			for (i = 0; i < 5; i++)
				rig_take((uint32_t)id[order[i]], order[i]);
			assert_true(rig_takes_nothing());
		}
		assert_int_equal(rig.q.in_flight, 0);
	}
}

static void queues_from_the_smallest_to_the_largest_fill_and_drain(void **state)
{
	static const uint32_t sizes[] = { 1, 2, 64, 32768 };
	struct virtq_chain *c = calloc(32768, sizeof(*c));
	struct iovec *iov = calloc(32768, sizeof(*iov));
	unsigned f, s, turn;
	uint32_t i;

	for (f = 0; f < ARRAY_SIZE(formats); f++)
		for (s = 0; s < ARRAY_SIZE(sizes); s++) {
			rig_start(sizes[s], formats[f]);
			for (turn = 0; turn < 3; turn++) {
				for (i = 0; i < sizes[s]; i++)
					assert_true(rig_add(i + 1, true) >= 0);
				assert_int_equal(rig_add(1, true), -1);
				for (i = 0; i < sizes[s]; i++) {
					c[i].iov = &iov[i];
					c[i].room = 1;
					assert_int_equal(
						virtq_pop(&rig.q, &c[i]), 1);
					assert_int_equal(c[i].in_len, i + 1);
				}
				assert_int_equal(rig_pop(), 0);
				/* The last one first. */
				while (i-- > 0)
					virtq_push(&rig.q, &c[i], i);
				for (i = sizes[s]; i-- > 0;)
					rig_take(c[i].id, i);
				assert_true(rig_takes_nothing());
			}
		}
	free(c);
	free(iov);
}

static void indexes_run_on_past_65535(void **state)
{
	unsigned f, i;

	FOR_EACH_FORMAT(f, 4)
	{
		for (i = 0; i < 70000; i++)
			rig_round();
		assert_int_equal(rig_pop(), 0);
		assert_int_equal(rig.q.in_flight, 0);
	}
}

static void an_indirect_table_lies_anywhere(void **state)
{
	static const struct vdrv_buf bufs[] = {
		{ BUFS, 16, false },
		{ HIGH + 7, 9, false },
		{ BUFS + 512, 32, true },
		{ BUFS + 1024, 1, true },
	};
	/* Aligned or not, in either piece of RAM, up to its very end. */
	static const gpa_t tables[] = { TABLE, TABLE + 3, HIGH + 0x1000,
					HIGH + HIGH_LEN - 64, LOW_LEN - 64 };
	unsigned f, t;
	int id;

	/* In a ring of one entry: a table is how it takes longer chains. */
	FOR_EACH_FORMAT(f, 1)
	for (t = 0; t < ARRAY_SIZE(tables); t++) {
		id = vdrv_add_indirect(&rig.d, bufs, 4, tables[t]);
		assert_int_equal(id, 0);
		assert_int_equal(rig_pop(), 1);
		assert_int_equal(rig.c.out, 2);
		assert_int_equal(rig.c.in, 2);
		assert_ptr_equal(rig.iov[1].iov_base, rig.high + 7);
		assert_int_equal(rig.c.in_len, 33);
		virtq_push(&rig.q, &rig.c, 33);
		rig_take(0, 33);
	}
}

static void empty_buffers_are_left_out(void **state)
{
	static const struct vdrv_buf bufs[] = {
		{ 0xffffffff00000000, 0, false },
		{ BUFS, 5, false },
		{ 0x90000000, 0, true },
		{ BUFS, 6, true },
	};
	unsigned f;

	FOR_EACH_FORMAT(f, 4)
	{
		assert_true(vdrv_add(&rig.d, bufs, 4) >= 0);
		assert_int_equal(rig_pop(), 1);
		assert_int_equal(rig.c.out, 1);
		assert_int_equal(rig.c.in, 1);
		assert_int_equal(rig.iov[0].iov_len, 5);
		assert_int_equal(rig.iov[1].iov_len, 6);
		virtq_push(&rig.q, &rig.c, 0);
		rig_take(rig.c.id, 0);
		assert_true(vdrv_add(&rig.d, bufs, 1) >= 0);
		assert_int_equal(rig_pop(), 1);
		assert_int_equal(rig.c.out + rig.c.in, 0);
		assert_int_equal(rig.c.out_len, 0);
	}
}

static void held_chains_are_seen_together(void **state)
{
	uint32_t id, len;
	unsigned f, turn, i;

	FOR_EACH_FORMAT(f, 4)
	for (turn = 0; turn < 9; turn++) {
		for (i = 0; i < 3; i++) {
			assert_true(rig_add(8, true) >= 0);
			assert_int_equal(rig_pop(), 1);
			virtq_hold(&rig.q, &rig.c, i);
			assert_true(rig_takes_nothing());
		}
		virtq_publish(&rig.q);
		for (i = 0; i < 3; i++) {
			assert_true(vdrv_take(&rig.d, &id, &len));
			assert_int_equal(len, i);
		}
		assert_true(rig_takes_nothing());
	}
}

static void what_is_held_is_published_with_the_question(void **state)
{
	unsigned f;

	FOR_EACH_FORMAT(f, 4)
	{
		assert_int_equal(rig_add(8, true), 0);
		assert_int_equal(rig_pop(), 1);
		virtq_hold(&rig.q, &rig.c, 7);
		assert_true(virtq_wants_interrupt(&rig.q));
		rig_take(0, 7);
		/* Nothing since: nothing to interrupt for. */
		assert_false(virtq_wants_interrupt(&rig.q));
	}
}

static void a_chain_of_before_a_reset_vanishes(void **state)
{
	struct virtq_chain old;
	unsigned f;

	FOR_EACH_FORMAT(f, 4)
	{
		assert_int_equal(rig_add(8, true), 0);
		assert_int_equal(rig_pop(), 1);
		old = rig.c;
		virtq_stop(&rig.q);
		assert_int_equal(rig_pop(), 0);
		virtq_push(&rig.q, &old, 8);
		assert_false(virtq_wants_interrupt(&rig.q));
		assert_false(virtq_set_notify(&rig.q, true));

		rig_restart();
		assert_int_equal(rig_add(8, true), 0);
		assert_int_equal(rig_pop(), 1);
		virtq_push(&rig.q, &old, 8);
		assert_true(rig_takes_nothing());
		assert_int_equal(rig.q.in_flight, 1);
		virtq_push(&rig.q, &rig.c, 3);
		rig_take(0, 3);
		/* Given back twice: once too often. */
		virtq_push(&rig.q, &rig.c, 3);
		assert_true(rig_takes_nothing());
	}
}

static void a_queue_of_bad_shape_or_place_is_refused(void **state)
{
	static const struct {
		unsigned flags;
		uint32_t size;
		gpa_t desc, driver, device;
		const char *want; /* NULL: it is fine */
	} cases[] = {
		{ 0, 0, 0, 0x1000, 0x2000, "size" },
		{ 0, 3, 0, 0x1000, 0x2000, "power of two" },
		{ 0, 65536, 0, 0x100000, 0x140000, "size" },
		{ VDRV_PACKED, 0, 0, 0x1000, 0x2000, "size" },
		{ VDRV_PACKED, 32769, 0, 0x100000, 0x140000, "size" },
		{ VDRV_PACKED, 3, 0, 0x1000, 0x2000, NULL },
		{ 0, 4, 8, 0x1000, 0x2000, "descriptor area" },
		{ 0, 4, 0, 0x1001, 0x2000, "driver area" },
		{ 0, 4, 0, 0x1002, 0x2000, NULL },
		{ 0, 4, 0, 0x1000, 0x2002, "device area" },
		{ VDRV_PACKED, 4, 0, 0x1002, 0x2000, "driver area" },
		{ VDRV_PACKED, 4, 0, 0x1000, 0x2002, "device area" },
		/* To the last byte of RAM, and past it. */
		{ 0, 4, HIGH + HIGH_LEN - 64, LOW_LEN - 14, 0x2000, NULL },
		{ 0, 4, 0, 0x1000, LOW_LEN - 40, NULL },
		{ 0, 4, HIGH + HIGH_LEN - 48, 0x1000, 0x2000, "descriptor" },
		{ 0, 4, 0, LOW_LEN - 12, 0x2000, "driver area" },
		{ 0, 4, 0, 0x1000, LOW_LEN - 36, "device area" },
		{ VDRV_PACKED, 4, 0, LOW_LEN - 4, HIGH + HIGH_LEN - 4, NULL },
		{ VDRV_PACKED, 4, 0, LOW_LEN, 0, "driver area" },
		{ 0, 4, 0xfffffffffffffff0, 0x1000, 0x2000, "descriptor" },
		{ 0, 4, 0, 0xfffffffffffffffe, 0x2000, "driver area" },
		{ 0, 4, 0, 0x1000, 0xfffffffffffffffc, "device area" },
	};
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct virtq_config config = {
			.ram = &rig.ram,
			.packed = cases[i].flags & VDRV_PACKED,
			.size = cases[i].size,
			.desc = cases[i].desc,
			.driver = cases[i].driver,
			.device = cases[i].device,
		};
		int r = virtq_start(&rig.q, &config);

		if (r != (cases[i].want ? -EINVAL : 0) ||
		    (r < 0 && !strstr(rig.q.why, cases[i].want)))
			fail_msg("case %u: %d, %s", i, r, rig.q.why);
		assert_int_equal(rig_pop(), 0);
	}
}

static void statistics_outlive_a_reset(void **state)
{
	struct virtq_stats s;
	unsigned i;

	rig_start(4, 0);
	for (i = 0; i < 3; i++) {
		virtq_notified(&rig.q);
		rig_round();
	}
	assert_true(virtq_wants_interrupt(&rig.q));
	rig_restart();
	vdrv_interrupts(&rig.d, false);
	assert_int_equal(rig_add(100, false), 0);
	assert_int_equal(rig_pop(), 1);
	virtq_push(&rig.q, &rig.c, 0);
	assert_false(virtq_wants_interrupt(&rig.q));
	virtq_stats_read(&rig.q, &s);
	assert_int_equal(s.chains, 4);
	assert_int_equal(s.bytes, 3 * 16 + 100);
	assert_int_equal(s.notifications, 3);
	assert_int_equal(s.interrupts, 1);
	assert_int_equal(s.interrupts_saved, 1);
}

static void copies_do_not_mind_where_a_chain_is_cut(void **state)
{
	static const struct vdrv_buf bufs[] = {
		{ BUFS, 1, false },	  { BUFS + 100, 6, false },
		{ BUFS + 200, 3, false }, { BUFS + 300, 2, true },
		{ BUFS + 400, 5, true },
	};
	char buf[16];

	rig_start(8, 0);
	memcpy(rig.low + BUFS, "a", 1);
	memcpy(rig.low + BUFS + 100, "bcdefg", 6);
	memcpy(rig.low + BUFS + 200, "hij", 3);
	memset(rig.low + BUFS + 300, '.', 200);
	vdrv_add(&rig.d, bufs, 5);
	assert_int_equal(rig_pop(), 1);
	assert_int_equal(virtq_copy_out(&rig.c, 0, buf, 16), 10);
	assert_memory_equal(buf, "abcdefghij", 10);
	assert_int_equal(virtq_copy_out(&rig.c, 5, buf, 3), 3);
	assert_memory_equal(buf, "fgh", 3);
	assert_int_equal(virtq_copy_out(&rig.c, 9, buf, 3), 1);
	assert_int_equal(virtq_copy_out(&rig.c, 10, buf, 3), 0);
	assert_int_equal(virtq_copy_out(&rig.c, UINT64_MAX, buf, 3), 0);
	assert_int_equal(virtq_copy_in(&rig.c, 1, "xyz", 3), 3);
	assert_memory_equal(rig.low + BUFS + 300, ".x.", 3);
	assert_memory_equal(rig.low + BUFS + 400, "yz.", 3);
	assert_int_equal(virtq_copy_in(&rig.c, 6, "123", 3), 1);
	assert_memory_equal(rig.low + BUFS + 403, ".1.", 3);
	assert_int_equal(virtq_copy_in(&rig.c, 7, "123", 3), 0);
}

static void trimming_leaves_the_bytes_in_between(void **state)
{
	static char mem[32];
	struct iovec iov[3], *left;
	unsigned off, len, count, i, at;

	/* Spans of 4, 1 and 5 bytes; every piece of them. */
	for (off = 0; off < 12; off++)
		for (len = 0; len < 12; len++) {
			iov[0] = (struct iovec){ mem, 4 };
			iov[1] = (struct iovec){ mem + 4, 1 };
			iov[2] = (struct iovec){ mem + 5, 5 };
			count = 3;
			left = virtq_trim(iov, &count, off, len);
			for (i = 0, at = off; i < count; i++) {
				assert_ptr_equal(left[i].iov_base, mem + at);
				assert_true(left[i].iov_len > 0);
				at += (unsigned)left[i].iov_len;
			}
			if (off > 10)
				assert_int_equal(at, off);
			else
				assert_int_equal(at, off + len < 10 ? off + len
								    : 10);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(a_chain_is_memory_to_read_then_memory_to_write),
		RIG_TEST(chains_come_back_in_any_order),
		RIG_TEST(queues_from_the_smallest_to_the_largest_fill_and_drain),
		RIG_TEST(indexes_run_on_past_65535),
		RIG_TEST(an_indirect_table_lies_anywhere),
		RIG_TEST(empty_buffers_are_left_out),
		RIG_TEST(held_chains_are_seen_together),
		RIG_TEST(what_is_held_is_published_with_the_question),
		RIG_TEST(a_chain_of_before_a_reset_vanishes),
		RIG_TEST(a_queue_of_bad_shape_or_place_is_refused),
		RIG_TEST(statistics_outlive_a_reset),
		RIG_TEST(copies_do_not_mind_where_a_chain_is_cut),
		RIG_TEST(trimming_leaves_the_bytes_in_between),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
