// SPDX-License-Identifier: MIT
/* The 9P transport under a driver that resets in the middle, or does what it must not. */
#include "virtio_9p_rig.h"

/* ---- resets ------------------------------------------------------------- */

static void *open_later(void *opaque)
{
	unsigned i;

	for (i = 0; i < 20; i++)
		pause_a_little();
	open_gate(true);
	return NULL;
}

static void a_reset_waits_for_those_being_served(void **state)
{
	pthread_t thread;
	uint32_t id, len;
	unsigned i, round;

	for (round = 0; round < 3; round++) {
		bring_up(64, round & 1 ? VDRV_PACKED : 0, 1);
		open_gate(false);
		f.served = 0;
		f.resets = 0;
		for (i = 0; i < 20; i++)
			ask(i, GATED, i);
		ask(20, FLUSH, 3);
		notify();
		await_waiting(4); /* as many as there are threads */
		assert_int_equal(pthread_create(&thread, NULL, open_later, NULL),
				 0);
		set_status(0);
		/* Those that had not begun never do. */
		assert_int_equal(f.served, 4);
		assert_int_equal(f.waiting, 0);
		assert_int_equal(f.resets, 1);
		memset(f.ram + IN_AT(0), 0x5a, 0x400 * 21);
		pthread_join(thread, NULL);
		for (i = 0; i < 0x400 * 21; i++)
			assert_int_equal(f.ram[IN_AT(0) + i], 0x5a);
		assert_false(take(&id, &len));
	}
	bring_up(8, 0, 1);
	i = (unsigned)ask(1, AT_ONCE, 1);
	notify();
	assert_int_equal(await(&len), i);
}

/* ---- what no driver does ------------------------------------------------- */

static void what_is_no_request_needs_a_reset(void **state)
{
	static const struct vdrv_buf cases[][2] = {
		{ { OUT_AT(0), 6, false }, { IN_AT(0), 64, true } },
		{ { OUT_AT(0), 11, false }, { IN_AT(0), 10, true } },
		{ { OUT_AT(0), 11, false }, { IN_AT(0), 0, true } },
		{ { OUT_AT(0), 0, false }, { IN_AT(0), 64, true } },
		{ { OUT_AT(0), 11, false }, { OUT_AT(1), 11, false } },
		{ { IN_AT(0), 64, true }, { IN_AT(1), 64, true } },
		{ { RAM - 8, 11, false }, { IN_AT(0), 64, true } },
		{ { OUT_AT(0), 11, false }, { RAM - 8, 64, true } },
		{ { OUT_AT(0), 11, false }, { UINT64_MAX - 7, 64, true } },
	};
	uint32_t len;
	unsigned i;
	int id;

	for (i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
		bring_up(8, i & 1 ? VDRV_PACKED : 0, 1);
		f.changes = 0;
		vdrv_add(&f.drv, cases[i / 2], 2);
		notify();
		assert_int_equal(f.vd->status, 15 | 64);
		assert_int_equal(f.changes, 1);
		assert_true(f.vd->why[0] != '\0');
		ask(1, AT_ONCE, 1);
		notify();
		assert_int_equal(f.served, i);
		/* And after it all is well. */
		bring_up(8, 0, 1);
		id = ask(2, AT_ONCE, 2);
		notify();
		assert_int_equal(await(&len), id);
	}
}

static void one_buffer_for_both_is_the_drivers_own_affair(void **state)
{
	const struct vdrv_buf bufs[] = { { OUT_AT(0), 11, false },
					 { OUT_AT(0) + 3, 64, true } };
	uint32_t len;

	bring_up(8, 0, 1);
	ask(0, AT_ONCE, 5);
	notify();
	await(&len);
	vdrv_add(&f.drv, bufs, 2);
	notify();
	await(&len);
	assert_int_equal(len, 11);
	assert_int_equal(f.vd->status, 15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_reset_waits_for_those_being_served),
		T(what_is_no_request_needs_a_reset),
		T(one_buffer_for_both_is_the_drivers_own_affair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
