// SPDX-License-Identifier: MIT
/*
 * What holds for a virtio device of any type, on either transport: each feature with
 * and without, rings of one entry and of as many as there can be, requests that make
 * no sense, a reset at any time, a configuration space with ends. What a device does
 * besides is in its own tests.
 */
#include "each_driver.h"

#include <stdio.h>

static const struct device_type *type_of(void **state)
{
	return ((const struct subject *)*state)->type;
}

static void for_each_ring(const struct device_type *type,
			  void (*check)(const struct device_type *type,
					uint32_t size, uint64_t features))
{
	static const uint32_t sizes[] = { 1, 2, 0x8000 };
	unsigned i;

	for (i = 0; i < 2 * ARRAY_SIZE(sizes); i++)
		check(type, sizes[i / 2],
		      type->with | BIT64(28) | BIT64(29) | BIT64(32) |
			      (i % 2 ? BIT64(34) : 0));
}

/* ---- features --------------------------------------------------------------- */

static void check_agreed(const struct device_type *type, uint64_t features)
{
	unsigned i;

	bring_up(type, 8, features);
	for (i = 0; i < w.queues; i++)
		kick(&w.t, i);
	settle(type);
	assert_int_equal(status(&w.t), 15);
	assert_serves(type, 0);
	assert_receives(type, features);
}

static void each_feature_may_be_taken_or_left(void **state)
{
	const struct device_type *type = type_of(state);
	uint64_t all = offered(&w.t);
	unsigned i;

	assert_true(all & BIT64(32));
	assert_false(negotiate(&w.t, all & ~BIT64(32)));
	check_agreed(type, all);
	check_agreed(type, BIT64(32));
	for (i = 0; i < 64; i++) {
		if (!(all & BIT64(i))) {
			assert_false(negotiate(&w.t, BIT64(32) | BIT64(i)));
			continue;
		}
		check_agreed(type, BIT64(32) | BIT64(i));
		if (i != 32)
			check_agreed(type, all & ~BIT64(i));
	}
	/* A reset takes back what was agreed: this driver takes nothing. */
	assert_true(negotiate(&w.t, all));
	set_status(&w.t, 0);
	set_status(&w.t, 1);
	set_status(&w.t, 1 | 2);
	set_status(&w.t, 1 | 2 | 8);
	assert_int_equal(status(&w.t), 1 | 2);
}

/* ---- rings ------------------------------------------------------------------ */

static void check_ring(const struct device_type *type, uint32_t size,
		       uint64_t features)
{
	struct vdrv_buf bufs[3];
	unsigned i, n;

	bring_up(type, size, features);
	size = w.drv[type->queue].size;
	/* More than once around, where that is not far. */
	for (i = 0; i < 5; i++)
		assert_serves(type, i);
	assert_receives(type, features);
	/* And all of it at once. */
	for (i = 0; i < size; i++) {
		n = type->request(i, bufs);
		assert_true(vdrv_add_indirect(&w.drv[type->queue], bufs, n,
					      TABLE(i)) >= 0);
	}
	tell(type->queue);
	settle(type);
	for (i = 0; i < size; i++)
		assert_true(used(type->queue));
	assert_int_equal(status(&w.t), 15);
	/* And it wants to hear of the next one. */
	n = type->request(i, bufs);
	add(type->queue, bufs, n, i);
	assert_true(vdrv_should_notify(&w.drv[type->queue]));
	kick(&w.t, type->queue);
	settle(type);
	assert_true(used(type->queue));
}

static void rings_of_one_entry_and_of_all_go_round(void **state)
{
	const struct device_type *type = type_of(state);
	for_each_ring(type, check_ring);
}

/* One of more than the device has, or none, is the driver's mistake. */
static void a_ring_of_any_other_size_needs_a_reset(void **state)
{
	const struct device_type *type = type_of(state);
	unsigned i;

	for (i = 0; i < w.queues; i++) {
		assert_true(negotiate(&w.t, BIT64(32)));
		select_queue(&w.t, i);
		set_mem(&w.t, w.t.pci ? w.t.common + 0x18 : AT + 0x38,
			w.t.pci ? 2 : 4,
			i % 2 ? 0 : 2 * queue_max(&w.t, i));
		set_mem(&w.t, w.t.pci ? w.t.common + 0x1c : AT + 0x44,
			w.t.pci ? 2 : 4, 1);
		assert_int_equal(status(&w.t), 11 | 64);
		assert_works_after_reset(type);
	}
}

/* ---- requests that make no sense -------------------------------------------- */

#define MANY 1100

static const struct shape {
	unsigned n;
	bool bad; /* wherever it is looked at */
	struct vdrv_buf bufs[3];
} shapes[] = {
	/* Nothing at all, or nothing but no bytes; those may lie anywhere. */
	{ 0, false, { { 0 } } },
	{ 2, false, { { BUF, 0, false }, { BUF, 0, true } } },
	{ 1, false, { { UINT64_MAX, 0, true } } },
	{ 1, false, { { BUF, 0, false } } },
	/* Of one kind only. */
	{ 1, false, { { BUF, 0x1000, false } } },
	{ 1, false, { { BUF, 0x1000, true } } },
	{ 1, false, { { BUF, 1, false } } },
	{ 1, false, { { BUF, 1, true } } },
	/* One in the other, and in the rings. */
	{ 2, false, { { BUF, 0x200, false }, { BUF + 0x10, 0x200, true } } },
	{ 3,
	  false,
	  { { BUF, 0x40, false }, { BUF, 0x2000, true }, { BUF, 0x40, true } } },
	{ 2, false, { { 0x1000, 0x40, false }, { BUF, 0x40, true } } },
	/* Odd ones. */
	{ 2, false, { { BUF + 1, 33, false }, { BUF + 0x801, 77, true } } },
	/* To the last byte of memory, and one further. */
	{ 2, false, { { RAM - 0x80, 0x40, false }, { RAM - 0x40, 0x40, true } } },
	{ 1, true, { { RAM - 0x40, 0x41, false } } },
	{ 1, true, { { RAM - 0x40, 0x41, true } } },
	{ 1, true, { { RAM, 1, true } } },
	{ 1, true, { { UINT64_MAX, 1, false } } },
	{ 1, true, { { UINT64_MAX - 0xfff, 0x1001, true } } },
	{ 1, true, { { BUF, UINT32_MAX, true } } },
	{ 2, true, { { BUF, 0x40, true }, { BUF, 0x40, false } } },
};

/* More buffers than any device has room for, in a table; of no or of one byte. */
static void check_long_chains(const struct device_type *type, uint32_t size,
			      uint64_t features)
{
	static struct vdrv_buf bufs[MANY];
	unsigned i, k;

	for (i = 0; i < 2 * w.queues; i++) {
		bring_up(type, size, features);
		for (k = 0; k < MANY; k++)
			bufs[k] = (struct vdrv_buf){ BUF + k, i % 2, true };
		assert_true(vdrv_add_indirect(&w.drv[i / 2], bufs, MANY,
					      TABLE(0)) >= 0);
		kick(&w.t, i / 2);
		settle(type);
		if (type->takes >> i / 2 & 1)
			assert_int_equal(status(&w.t), 15 | 64);
		assert_works_after_reset(type);
	}
}

static void check_shapes(const struct device_type *type, uint32_t size,
			 uint64_t features)
{
	unsigned i, queue;

	for (i = 0; i < w.queues * ARRAY_SIZE(shapes); i++) {
		const struct shape *s = &shapes[i / w.queues];

		queue = i % w.queues;
		bring_up(type, size, features);
		/* What would be a page or a length is one, or none. */
		memset(w.ram + BUF, size == 2 ? 0xff : 0, 0x3000);
		memset(w.ram + RAM - 0x80, size == 2 ? 0xff : 0, 0x80);
		if (s->n > 0)
			add(queue, s->bufs, s->n, 0);
		kick(&w.t, queue);
		settle(type);
		assert_int_equal(status(&w.t) & ~64, 15);
		if (s->n == 0 || (s->bad && (type->takes >> queue & 1)))
			assert_int_equal(status(&w.t), 15 | (s->bad ? 64 : 0));
		assert_works_after_reset(type);
	}
}

static void requests_without_sense_can_be_reset_away(void **state)
{
	const struct device_type *type = type_of(state);
	for_each_ring(type, check_shapes);
	for_each_ring(type, check_long_chains);
}

/* ---- resets ----------------------------------------------------------------- */

enum moment {
	BEFORE_IT_IS_LOOKED_AT,
	AFTER_A_ROUND,
	WHILE_THE_HOST_IS_AT_WORK,
	MOMENTS
};

/* Resets now, after which nothing happens any more to what was asked. */
static void assert_reset_forgets(const struct device_type *type)
{
	uint64_t interrupts;
	uint8_t *before;
	unsigned i;

	set_status(&w.t, 0);
	assert_int_equal(status(&w.t), 0);
	w.slow = false;
	for (i = 0; i < w.queues; i++)
		vdrv_reset(&w.drv[i]);
	before = malloc(RAM);
	assert_non_null(before);
	memcpy(before, w.ram, RAM);
	(void)!read(w.t.irq_fd, &interrupts, sizeof(interrupts));
	settle(type);
	assert_true(read(w.t.irq_fd, &interrupts, sizeof(interrupts)) < 0);
	assert_memory_equal(before, w.ram, RAM);
	free(before);
}

static void check_reset(const struct device_type *type, uint32_t size,
			uint64_t features, enum moment moment)
{
	const struct vdrv_buf rx = { BUF, 0x1000, !type->rx_readable };
	struct vdrv_buf bufs[3];
	unsigned i, n;

	bring_up(type, size, features);
	w.slow = moment == WHILE_THE_HOST_IS_AT_WORK;
	type->host();
	if (type->rx >= 0) {
		add((unsigned)type->rx, &rx, 1, 0);
		kick(&w.t, (unsigned)type->rx);
	}
	/* A full queue is more than a round's work. */
	for (i = 0; i < w.drv[type->queue].size; i++) {
		n = type->request(i, bufs);
		if (vdrv_add_indirect(&w.drv[type->queue], bufs, n, TABLE(i)) <
		    0)
			break;
	}
	kick(&w.t, type->queue);
	if (moment != BEFORE_IT_IS_LOOKED_AT)
		(void)run_once(&w.t);
	/*
	 * 9p has threads: see its own tests for one that surely waits. Of rng and
	 * pmem none ever does: what a reset can cut short is the round.
	 */
	if (w.slow && type->waits && type->make != make_9p)
		assert_false(used(type->queue));
	assert_reset_forgets(type);
	assert_works_after_reset(type);
}

static void check_reset_of_ring(const struct device_type *type, uint32_t size,
				uint64_t features)
{
	unsigned moment;

	for (moment = 0; moment < MOMENTS; moment++)
		check_reset(type, size, features, moment);
}

static void a_reset_in_the_middle_of_requests_forgets_them(void **state)
{
	const struct device_type *type = type_of(state);
	for_each_ring(type, check_reset_of_ring);
}

/* ---- the configuration space ------------------------------------------------ */

static void read_config(const struct device_type *type)
{
	uint64_t len = w.vd->config_len, off, val;
	unsigned size, i;

	for (size = 1; size <= 8; size *= 2) {
		for (off = 0; off < len + 16; off++) {
			val = mem(&w.t, w.t.config + off, size);
			for (i = 0; i < size; i++)
				assert_int_equal(
					val >> 8 * i & 0xff,
					off + i < len ?
						mem(&w.t, w.t.config + off + i,
						    1) :
						0);
		}
	}
}

static void write_config(const struct device_type *type)
{
	static const uint64_t values[] = { UINT64_MAX, 0x0123456789abcdef, 0 };
	unsigned size, i;
	uint64_t off;

	for (i = 0; i < ARRAY_SIZE(values); i++)
		for (size = 1; size <= 8; size *= 2)
			for (off = 0; off < w.vd->config_len + 16; off++)
				set_mem(&w.t, w.t.config + off, size,
					values[i] & size_mask(size));
}

static void the_configuration_space_has_ends(void **state)
{
	const struct device_type *type = type_of(state);
	if (!w.t.config) {
		assert_int_equal(w.vd->config_len, 0);
		return;
	}
	read_config(type);
	write_config(type);
	read_config(type);
	assert_true(negotiate(&w.t, offered(&w.t)));
	write_config(type);
	read_config(type);
	bring_up(type, 8, BIT64(32) | type->with);
	write_config(type);
	read_config(type);
	settle(type);
	assert_serves(type, 0);
	assert_works_after_reset(type);
}

#define TEST(fn) { .name = #fn, .test_func = fn }

int main(void)
{
	static const struct CMUnitTest checks[] = {
		TEST(each_feature_may_be_taken_or_left),
		TEST(rings_of_one_entry_and_of_all_go_round),
		TEST(a_ring_of_any_other_size_needs_a_reset),
		TEST(requests_without_sense_can_be_reset_away),
		TEST(a_reset_in_the_middle_of_requests_forgets_them),
		TEST(the_configuration_space_has_ends),
	};
	enum { SUBJECTS = 2 * ARRAY_SIZE(types) };
	static struct subject subject[SUBJECTS];
	static char name[ARRAY_SIZE(checks) * SUBJECTS][96];
	static struct CMUnitTest tests[ARRAY_SIZE(name)];
	unsigned i, k;

	for (i = 0; i < SUBJECTS; i++)
		subject[i] = (struct subject){ &types[i / 2], i % 2 };
	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		k = i % SUBJECTS;
		snprintf(name[i], sizeof(name[i]), "%s: %s by %s",
			 checks[i / SUBJECTS].name, subject[k].type->name,
			 subject[k].pci ? "pci" : "mmio");
		tests[i] = (struct CMUnitTest){
			.name = name[i],
			.test_func = checks[i / SUBJECTS].test_func,
			.setup_func = setup,
			.teardown_func = teardown,
			.initial_state = &subject[k],
		};
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
