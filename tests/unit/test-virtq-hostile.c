// SPDX-License-Identifier: MIT
/*
 * Rings that no driver may make: each breaks the queue with a word about it, no
 * byte outside RAM is touched, and after a reset the queue works as before.
 */
#include "virtq_rig.h"

#include <pthread.h>
#include <sched.h>

#define N VDRV_NEXT
#define W VDRV_WRITE
#define I VDRV_INDIRECT
#define A 0x80 /* packed: available on the first lap */

/* Descriptors of a ring of four, then entries of the table at TABLE. */
struct ruin {
	const char *name;
	const char *want; /* a piece of what is said; NULL: it is accepted */
	struct {
		uint64_t addr;
		uint32_t len;
		uint16_t flags, next; /* packed: next is the id */
	} ring[4], table[4];
	unsigned flags; /* of the config below */
};
#define NO_FEATURE 1u
#define SMALL_ROOM 2u /* for three */

#define OK { BUFS, 8, 0, 0 }

static const struct ruin split[] = {
	{ "all is well", NULL, .ring = { { BUFS, 8, N, 1 }, { BUFS, 8, W, 0 } } },
	{ "past the end of RAM", "not RAM",
	  .ring = { { LOW_LEN - 7, 8, 0, 0 } } },
	{ "begins in no RAM", "not RAM", .ring = { { LOW_LEN, 1, W, 0 } } },
	{ "between two pieces", "not RAM",
	  .ring = { { LOW_LEN - 8, 0xfe000010, 0, 0 } } },
	{ "over the end of addresses", "not RAM",
	  .ring = { { UINT64_MAX - 3, 8, 0, 0 } } },
	{ "all of 32 bits", "not RAM", .ring = { { 0, UINT32_MAX, W, 0 } } },
	{ "the second is bad", "not RAM",
	  .ring = { { BUFS, 8, N, 1 }, { LOW_LEN + 1, 8, W, 0 } } },
	{ "readable after writable", "readable buffer after",
	  .ring = { { BUFS, 8, N | W, 1 }, { BUFS, 8, 0, 0 } } },
	{ "readable after writable, both empty", "readable buffer after",
	  .ring = { { BUFS, 0, N | W, 1 }, { BUFS, 0, 0, 0 } } },
	{ "next is out of range", "descriptor 4 of 4",
	  .ring = { { BUFS, 8, N, 4 } } },
	{ "next is far out of range", "descriptor 65535 of 4",
	  .ring = { { BUFS, 8, N, 65535 } } },
	{ "to itself", "loops", .ring = { { BUFS, 8, N, 0 } } },
	{ "to itself, empty", "loops", .ring = { { BUFS, 0, N, 0 } } },
	{ "to the one before", "loops",
	  .ring = { { BUFS, 8, N, 1 }, { BUFS, 8, N, 0 } } },
	{ "all four are no loop", NULL,
	  .ring = { { BUFS, 8, N, 3 },
		    { BUFS, 8, 0, 0 },
		    { BUFS, 8, N, 1 },
		    { BUFS, 8, N, 2 } } },
	{ "more than there is room for", "more than 3",
	  .ring = { { BUFS, 8, N, 1 }, { BUFS, 8, N, 2 }, { BUFS, 8, N, 3 }, OK },
	  .flags = SMALL_ROOM },
	{ "more, though one is empty", "more than 3",
	  .ring = { { BUFS, 8, N, 1 }, { BUFS, 0, N, 2 }, { BUFS, 8, N, 3 }, OK },
	  .flags = SMALL_ROOM },
	{ "a table without the feature", "without the feature",
	  .ring = { { TABLE, 16, I, 0 } }, .table = { OK }, .flags = NO_FEATURE },
	{ "a table and next", "with a next",
	  .ring = { { TABLE, 16, I | N, 1 }, OK }, .table = { OK } },
	{ "a table of no bytes", "table of 0 bytes",
	  .ring = { { TABLE, 0, I, 0 } } },
	{ "a table of a few bytes", "table of 15 bytes",
	  .ring = { { TABLE, 15, I, 0 } }, .table = { OK } },
	{ "a table and a few bytes", "table of 17 bytes",
	  .ring = { { TABLE, 17, I, 0 } }, .table = { OK } },
	{ "a table past the end of RAM", "16 bytes at 0x1ffff1",
	  .ring = { { LOW_LEN - 15, 16, I, 0 } } },
	{ "a table over the end of addresses", "not RAM",
	  .ring = { { UINT64_MAX - 15, 32, I, 0 } } },
	{ "a table of 32769", "more than 32768",
	  .ring = { { 0, 32769 * 16, I, 0 } } },
	{ "a table of 32768", NULL, .ring = { { BUFS, 32768 * 16, I, 0 } } },
	{ "a table in a table", "in an indirect table",
	  .ring = { { TABLE, 32, I, 0 } }, .table = { { TABLE, 16, I, 0 } } },
	{ "a table in a table, later", "in an indirect table",
	  .ring = { { TABLE, 32, I, 0 } },
	  .table = { { BUFS, 8, N, 1 }, { TABLE, 16, I, 0 } } },
	{ "out of the table", "descriptor 2 of 2",
	  .ring = { { TABLE, 32, I, 0 } },
	  .table = { { BUFS, 8, N, 1 }, { BUFS, 8, N, 2 }, OK } },
	{ "round in the table", "loops", .ring = { { TABLE, 32, I, 0 } },
	  .table = { { BUFS, 8, N, 1 }, { BUFS, 8, N, 0 } } },
	{ "the table has more than there is room for", "more than 3",
	  .ring = { { BUFS, 8, N, 1 }, { TABLE, 64, I, 0 } },
	  .table = { { BUFS, 8, N, 1 }, { BUFS, 8, N, 2 }, { BUFS, 8, 0, 0 } },
	  .flags = SMALL_ROOM },
	{ "the ring's are writable, the table's not", "readable buffer after",
	  .ring = { { BUFS, 8, N | W, 1 }, { TABLE, 16, I, 0 } },
	  .table = { OK } },
	{ "bad RAM in a table", "not RAM", .ring = { { TABLE, 16, I, 0 } },
	  .table = { { HIGH + HIGH_LEN, 8, 0, 0 } } },
	{ "unknown flags mean nothing", NULL,
	  .ring = { { BUFS, 8, 0xfff8, 0 } } },
};

static const struct ruin packed[] = {
	{ "all is well", NULL,
	  .ring = { { BUFS, 8, N | A, 1 }, { BUFS, 8, W | A, 0 } } },
	{ "past the end of RAM", "not RAM",
	  .ring = { { LOW_LEN - 7, 8, A, 0 } } },
	{ "between two pieces", "not RAM",
	  .ring = { { LOW_LEN - 8, 0xfe000010, A, 0 } } },
	{ "over the end of addresses", "not RAM",
	  .ring = { { UINT64_MAX - 3, 8, A, 0 } } },
	{ "readable after writable", "readable buffer after",
	  .ring = { { BUFS, 8, N | W | A, 0 }, { BUFS, 8, A, 0 } } },
	{ "readable after writable, both empty", "readable buffer after",
	  .ring = { { BUFS, 0, N | W | A, 0 }, { BUFS, 0, A, 0 } } },
	{ "goes on in what is not available", "slot 1, not available",
	  .ring = { { BUFS, 8, N | A, 0 }, { BUFS, 8, 0, 0 } } },
	{ "goes on in what is used", "slot 1, not available",
	  .ring = { { BUFS, 8, N | A, 0 }, { BUFS, 8, A | 0x8000, 0 } } },
	{ "all four, then the first again", "in slot 0, not available",
	  .ring = { { BUFS, 8, N | A, 0 },
		    { BUFS, 8, N | A, 0 },
		    { BUFS, 8, N | A, 0 },
		    { BUFS, 8, N | A, 0 } } },
	{ "all four", NULL,
	  .ring = { { BUFS, 8, N | A, 0 },
		    { BUFS, 8, N | A, 0 },
		    { BUFS, 8, N | A, 0 },
		    { BUFS, 8, A, 0 } } },
	{ "more than there is room for", "more than 3",
	  .ring = { { BUFS, 8, N | A, 0 },
		    { BUFS, 0, N | A, 0 },
		    { BUFS, 8, N | A, 0 },
		    { BUFS, 8, A, 0 } },
	  .flags = SMALL_ROOM },
	{ "a table without the feature", "without the feature",
	  .ring = { { TABLE, 16, I | A, 0 } }, .table = { OK },
	  .flags = NO_FEATURE },
	{ "a table and next", "with other descriptors",
	  .ring = { { TABLE, 16, I | N | A, 0 }, { BUFS, 8, A, 0 } },
	  .table = { OK } },
	{ "a table as the last", "with other descriptors",
	  .ring = { { BUFS, 8, N | A, 0 }, { TABLE, 16, I | A, 0 } },
	  .table = { OK } },
	{ "a table of no bytes", "table of 0 bytes",
	  .ring = { { TABLE, 0, I | A, 0 } } },
	{ "a table and a few bytes", "table of 17 bytes",
	  .ring = { { TABLE, 17, I | A, 0 } }, .table = { OK } },
	{ "a table past the end of RAM", "not RAM",
	  .ring = { { LOW_LEN - 15, 16, I | A, 0 } } },
	{ "a table of 32769", "more than 32768",
	  .ring = { { 0, 32769 * 16, I | A, 0 } } },
	{ "the table has more than there is room for", "more than 3",
	  .ring = { { TABLE, 64, I | A, 0 } }, .table = { OK, OK, OK, OK },
	  .flags = SMALL_ROOM },
	{ "readable after writable in a table", "readable buffer after",
	  .ring = { { TABLE, 32, I | A, 0 } },
	  .table = { { BUFS, 8, 0, W }, OK } },
	{ "bad RAM in a table", "not RAM", .ring = { { TABLE, 16, I | A, 0 } },
	  .table = { { HIGH + HIGH_LEN, 8, 0, W } } },
};

static void ruin(const struct ruin *r, bool is_packed)
{
	struct virtq_config config;
	struct virtq_chain before;
	unsigned i;
	int got;

	rig_start(4, is_packed ? VDRV_PACKED : 0);
	config = vdrv_config(&rig.d);
	config.indirect = !(r->flags & NO_FEATURE);
	rig.c.room = r->flags & SMALL_ROOM ? 3 : ROOM;
	memset(rig.iov, 0, sizeof(rig.iov));
	memset(rig.low + TABLE, 0, 0x1000);
	virtq_stop(&rig.q);
	assert_int_equal(virtq_start(&rig.q, &config), 0);
	for (i = 0; i < 4; i++) {
		/* In a packed ring the last two fields are the other way. */
		vdrv_poke_desc(&rig.ram, rig.d.desc + 16 * i, r->ring[i].addr,
			       r->ring[i].len,
			       is_packed ? r->ring[i].next : r->ring[i].flags,
			       is_packed ? r->ring[i].flags : r->ring[i].next);
		vdrv_poke_desc(&rig.ram, TABLE + 16 * i, r->table[i].addr,
			       r->table[i].len, r->table[i].flags,
			       r->table[i].next);
	}
	if (!is_packed)
		vdrv_poke_head(&rig.d, 0);

	before = rig.c;
	got = rig_pop();
	if (got != (r->want ? -EPROTO : 1) ||
	    (r->want && !strstr(rig.q.why, r->want)))
		fail_msg("%s: %d, %s", r->name, got, rig.q.why);
	for (i = rig.c.room; i < ROOM; i++)
		assert_null(rig.iov[i].iov_base);
	if (!r->want)
		return;
	assert_memory_equal(&before, &rig.c, sizeof(before));
	/* Broken it stays, in silence, though the ring is mended. */
	vdrv_reset(&rig.d);
	assert_int_equal(rig_pop(), -EPROTO);
	assert_true(rig.q.broken);
	assert_false(virtq_wants_interrupt(&rig.q));
	assert_false(virtq_set_notify(&rig.q, true));
	rig.c.room = ROOM;
	rig_restart();
	for (i = 0; i < 10; i++)
		rig_round();
}

static void a_ruined_split_ring_breaks_the_queue(void **state)
{
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(split); i++)
		ruin(&split[i], false);
}

static void a_ruined_packed_ring_breaks_the_queue(void **state)
{
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(packed); i++)
		ruin(&packed[i], true);
}

static void a_head_out_of_range_breaks_the_queue(void **state)
{
	static const uint16_t heads[] = { 4, 5, 0x7fff, 0xffff };
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(heads); i++) {
		rig_start(4, 0);
		vdrv_poke_head(&rig.d, heads[i]);
		assert_int_equal(rig_pop(), -EPROTO);
		assert_non_null(strstr(rig.q.why, "of 4"));
	}
}

static void more_chains_than_entries_break_the_queue(void **state)
{
	unsigned taken, ahead;

	/* Whatever is with the device counts. */
	for (taken = 0; taken <= 4; taken++)
		for (ahead = 1; ahead < 8; ahead++) {
			unsigned i;

			rig_start(4, 0);
			for (i = 0; i < taken; i++) {
				assert_int_equal(rig_add(8, false), (int)i);
				assert_int_equal(rig_pop(), 1);
			}
			vdrv_poke16(&rig.ram, rig.d.driver + 2,
				    (uint16_t)(taken + ahead));
			if (taken + ahead <= 4) {
				assert_int_equal(rig_pop(), 1);
				continue;
			}
			assert_int_equal(rig_pop(), -EPROTO);
			assert_non_null(strstr(rig.q.why, "available index"));
		}
	/* Backwards is nearly a whole turn forwards. */
	rig_start(4, 0);
	rig_round();
	rig_round();
	vdrv_poke16(&rig.ram, rig.d.driver + 2, 1);
	assert_true(virtq_set_notify(&rig.q, true));
	assert_int_equal(rig_pop(), -EPROTO);
}

static void a_full_packed_ring_takes_no_more(void **state)
{
	static const struct vdrv_buf bufs[] = { { BUFS, 8, false },
						{ BUFS, 8, false },
						{ BUFS, 8, false } };

	rig_start(4, VDRV_PACKED);
	assert_int_equal(vdrv_add(&rig.d, bufs, 3), 0);
	assert_int_equal(rig_pop(), 1);
	/* Over the end into what the device has not given back. */
	vdrv_poke_desc(&rig.ram, 3 * 16, BUFS, 8, 0, N | A);
	vdrv_poke_desc(&rig.ram, 0, BUFS, 8, 0, 0x8000);
	assert_int_equal(rig_pop(), -EPROTO);
	assert_non_null(strstr(rig.q.why, "in use"));
}

static void a_chain_has_at_most_4_gib(void **state)
{
	unsigned f, i;

	/* The same 2 MiB over and over; 2048 of them are 4 GiB. */
	rig.c.iov = calloc(2049, sizeof(*rig.c.iov));
	rig.c.room = 2049;
	for (f = 0; f < 2; f++) {
		rig_start(4, f ? VDRV_PACKED : 0);
		for (i = 0; i < 2049; i++)
			vdrv_poke_desc(&rig.ram, 0x10000 + 16 * i, 0, LOW_LEN,
				       f ? 0 : N, f ? 0 : (uint16_t)(i + 1));
		/* An end, and nothing after it. */
		vdrv_poke_desc(&rig.ram, 0x10000 + 16 * 2048, 0, 0, 0, 0);
		vdrv_poke_desc(&rig.ram, 0, 0x10000, 16 * 2049, f ? 0 : I,
			       f ? I | A : 0);
		if (!f)
			vdrv_poke_head(&rig.d, 0);
		assert_int_equal(rig_pop(), 1);
		assert_int_equal(rig.c.out_len, GIB(4));
		assert_int_equal(rig.c.out, 2048);

		rig_restart();
		vdrv_poke_desc(&rig.ram, 0x10000 + 16 * 2048, 0, 1, 0, 0);
		vdrv_poke_desc(&rig.ram, 0, 0x10000, 16 * 2049, f ? 0 : I,
			       f ? I | A : 0);
		if (!f)
			vdrv_poke_head(&rig.d, 0);
		assert_int_equal(rig_pop(), -EPROTO);
		assert_non_null(strstr(rig.q.why, "2^32"));
	}
	free(rig.c.iov);
}

/* Rings and buffers on top of each other are the guest's own affair. */
static void rings_may_lie_on_top_of_each_other(void **state)
{
	struct virtq_config config = { .ram = &rig.ram, .size = 4 };
	unsigned i;

	for (i = 0; i < 2; i++) {
		config.packed = i;
		assert_int_equal(virtq_start(&rig.q, &config), 0);
		memset(rig.low, i ? 0x80 : 0, 0x100);
		rig.low[2] = 1;
		if (rig_pop() == 1)
			virtq_push(&rig.q, &rig.c, 1);
		virtq_set_notify(&rig.q, true);
		virtq_wants_interrupt(&rig.q);
	}
}

static volatile bool enough;

/* Changes a descriptor between one that is fine and one that is not. */
static void *flip(void *opaque)
{
	uint32_t *len = opaque;

	while (!enough) {
		__atomic_store_n(len, 8, __ATOMIC_RELAXED);
		__atomic_store_n(len, 0x7fffffff, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void a_descriptor_that_changes_is_read_once(void **state)
{
	unsigned f, i, good = 0, bad = 0;
	pthread_t thread;
	int r;

	for (f = 0; f < 2; f++) {
		rig_start(1, f ? VDRV_PACKED : 0);
		enough = false;
		vdrv_poke_desc(&rig.ram, 0, BUFS, 8, 0, 0);
		assert_int_equal(
			pthread_create(&thread, NULL, flip, rig.low + 8), 0);
		for (i = 0; i < 20000; i++) {
			struct virtq_config config = vdrv_config(&rig.d);

			assert_int_equal(virtq_start(&rig.q, &config), 0);
			if (f)
				vdrv_poke16(&rig.ram, 14, A);
			else
				vdrv_poke16(&rig.ram, rig.d.driver + 2, 1);
			r = rig_pop();
			good += r == 1;
			bad += r == -EPROTO;
			if (r == 1)
				assert_int_equal(rig.c.out_len, 8);
			if (i % 64 == 0)
				sched_yield();
		}
		enough = true;
		pthread_join(thread, NULL);
	}
	assert_int_equal(good + bad, 40000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(a_ruined_split_ring_breaks_the_queue),
		RIG_TEST(a_ruined_packed_ring_breaks_the_queue),
		RIG_TEST(a_head_out_of_range_breaks_the_queue),
		RIG_TEST(more_chains_than_entries_break_the_queue),
		RIG_TEST(a_full_packed_ring_takes_no_more),
		RIG_TEST(a_chain_has_at_most_4_gib),
		RIG_TEST(rings_may_lie_on_top_of_each_other),
		RIG_TEST(a_descriptor_that_changes_is_read_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
