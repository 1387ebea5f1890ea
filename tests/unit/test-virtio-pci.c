// SPDX-License-Identifier: MIT
/*
 * VIRTIO 1.2, 4.1: how a driver finds a device, sets it up and talks to it.
 */
#include "virtio_pci_rig.h"

static int setup(void **state)
{
	build(true, sizeof(f.config));
	discover();
	return 0;
}

static int setup_without_configuration(void **state)
{
	build(true, 0);
	discover();
	return 0;
}

/* ---- finding it ----------------------------------------------------------- */

static void it_is_a_modern_device_of_its_type(void **state)
{
	assert_int_equal(conf(0, 4), 0x106a1af4);
	assert_in_range(conf(8, 1), 1, 0xff); /* revision */
	assert_int_equal(conf(8, 4) >> 8, 0x00ff00);
	assert_int_equal(conf(0x2c, 2), 0x1af4);
	assert_in_range(conf(0x2e, 2), 0x40, 0xffff);
	assert_int_equal(conf(0x3d, 1), 1);
}

static void every_structure_lies_in_the_bar(void **state)
{
	uint64_t len;
	unsigned i;

	set_conf(4, 2, 0);
	set_conf(0x10, 4, UINT32_MAX);
	assert_int_equal(conf(0x10, 4) & 0xf, 4);
	len = (uint32_t)(~(conf(0x10, 4) & ~0xfu) + 1);
	for (i = COMMON; i <= DEVICE; i++) {
		assert_in_range(f.cap[i].at, 0x40, 0xff);
		assert_in_range(f.cap[i].off + f.cap[i].len, 1, len);
	}
	assert_int_equal(f.cap[COMMON].off % 4, 0);
	assert_in_range(f.cap[COMMON].len, 56, 64);
	assert_int_equal(f.cap[ISR].len, 1);
	assert_int_equal(f.cap[DEVICE].off % 4, 0);
	assert_int_equal(f.cap[DEVICE].len, 10);
	assert_int_equal(f.cap[NOTIFY].off % 2, 0);
	/* 4.1.4.4.1: room for the last queue's register. */
	assert_int_equal(f.notify_step, 4);
	assert_in_range(f.cap[NOTIFY].len, 4 * 2 + 2, 0x1000);
	/* 4.1.4.9.1 */
	assert_in_range(f.cap[ACCESS].at, 0x40, 0xff);
	/* Queues and configuration have a vector each. */
	assert_int_equal(conf(f.msix_at + 2, 2), 3);
}

static void without_a_configuration_space_there_is_no_structure(void **state)
{
	assert_int_equal(f.cap[DEVICE].at, 0);
	assert_in_range(f.cap[NOTIFY].at, 0x40, 0xff);
}

/* ---- the common configuration --------------------------------------------- */

static void features_come_in_two_words(void **state)
{
	W32(DFSELECT, 0);
	assert_int_equal(R32(DF), 0x30000008);
	W32(DFSELECT, 1);
	assert_int_equal(R32(DF), 0x105);
	assert_int_equal(R32(DFSELECT), 1);
	W32(DFSELECT, 2);
	assert_int_equal(R32(DF), 0);
	W8(STATUS, 3);
	W32(GF, 0x20000008);
	W32(GFSELECT, 9);
	W32(GF, UINT32_MAX);
	assert_int_equal(R32(GF), 0);
	W32(GFSELECT, 1);
	W32(GF, 0x101);
	assert_int_equal(R32(GF), 0x101);
	assert_true(f.vd.features == UINT64_C(0x10120000008));
	W8(STATUS, 11);
	assert_int_equal(R8(STATUS), 11);
	W32(GF, 1);
	assert_true(f.vd.features == UINT64_C(0x10120000008));
}

static void features_that_are_not_offered_are_refused(void **state)
{
	W8(STATUS, 3);
	W32(GFSELECT, 1);
	W32(GF, 3);
	W8(STATUS, 11);
	assert_int_equal(R8(STATUS), 3);
}

static void only_queues_that_are_there_have_a_size(void **state)
{
	static const uint16_t max[] = { 8, 0, 16, 0 };
	uint16_t i;

	assert_int_equal(R16(NUM_QUEUES), 3);
	for (i = 0; i < 4; i++) {
		W16(Q_SELECT, i);
		assert_int_equal(R16(Q_SELECT), i);
		assert_int_equal(R16(Q_SIZE), max[i]);
		assert_int_equal(R16(Q_ENABLE), 0);
	}
	W16(Q_SELECT, 0xffff);
	assert_int_equal(R16(Q_SIZE), 0);
	assert_int_equal(R16(Q_VECTOR), 0xffff);
	W16(Q_SIZE, 8);
	W16(Q_VECTOR, 0);
	w64(Q_DESC, 4096);
	W16(Q_ENABLE, 1);
	assert_int_equal(R16(Q_VECTOR), 0xffff);
	assert_int_equal(R8(STATUS), 0);
}

static void a_queue_gets_what_was_written_for_it(void **state)
{
	negotiate();
	W16(Q_SELECT, 2);
	W16(Q_SIZE, 4);
	w64(Q_DESC, UINT64_C(0x123456789abcdef0));
	set_reg(COMMON, Q_DRIVER, 8, UINT64_C(0xfedcba9876543210));
	W32(Q_DEVICE + 4, 0x11112222);
	assert_int_equal(R16(Q_SIZE), 4);
	assert_true(f.vd.queue[2].desc == UINT64_C(0x123456789abcdef0));
	assert_true(f.vd.queue[2].driver == UINT64_C(0xfedcba9876543210));
	assert_true(f.vd.queue[2].device == UINT64_C(0x1111222200000000));
	assert_int_equal(R32(Q_DESC), 0x9abcdef0);
	assert_int_equal(R32(Q_DEVICE + 4), 0x11112222);
	assert_true(reg(COMMON, Q_DRIVER, 8) == UINT64_C(0xfedcba9876543210));
	W16(Q_SELECT, 0);
	assert_int_equal(R16(Q_SIZE), 8);
	assert_int_equal(R32(Q_DESC), 0);
}

static void an_enabled_queue_cannot_be_changed_or_disabled(void **state)
{
	bring_up(0, -1, -1);
	W16(Q_SIZE, 2);
	w64(Q_DESC, 0xdead0);
	W16(Q_ENABLE, 0);
	assert_int_equal(R16(Q_SIZE), 8);
	assert_int_equal(R32(Q_DESC), f.drv.desc);
	assert_int_equal(R16(Q_ENABLE), 1);
}

static void sizes_and_orders_that_cannot_be_need_a_reset(void **state)
{
	/* Larger than the queue; none; not a power of two (split). */
	static const uint16_t size[] = { 9, 0xffff, 0, 3 };
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(size); i++) {
		negotiate();
		W16(Q_SELECT, 0);
		W16(Q_SIZE, size[i]);
		assert_int_equal(R16(Q_SIZE), size[i]);
		w64(Q_DESC, 0x1000);
		w64(Q_DRIVER, 0x2000);
		w64(Q_DEVICE, 0x3000);
		W16(Q_ENABLE, 1);
		assert_int_equal(R16(Q_ENABLE), 0);
		assert_int_equal(R8(STATUS), 11 | 64);
	}
	/* Rings beyond the end of memory. */
	negotiate();
	w64(Q_DESC, UINT64_C(0xfffffffffffff000));
	W16(Q_ENABLE, 1);
	assert_int_equal(R8(STATUS), 11 | 64);
	/* Before there are features to go by. */
	W8(STATUS, 0);
	W8(STATUS, 3);
	W16(Q_ENABLE, 1);
	assert_int_equal(R8(STATUS), 3 | 64);
	assert_false(f.bell[0].bound);
	bring_up(0, -1, -1);
	request(0);
}

static void a_queue_may_be_of_one_and_of_all_it_has(void **state)
{
	static const uint16_t size[] = { 1, 16 };
	unsigned i, k;

	for (i = 0; i < ARRAY_SIZE(size); i++) {
		negotiate();
		if (f.drv.next)
			vdrv_done(&f.drv);
		vdrv_init(&f.drv, &f.gm, 0x1000, size[i], 0);
		W16(Q_SELECT, 2);
		W16(Q_SIZE, size[i]);
		w64(Q_DESC, f.drv.desc);
		w64(Q_DRIVER, f.drv.driver);
		w64(Q_DEVICE, f.drv.device);
		W16(Q_ENABLE, 1);
		W8(STATUS, 15);
		for (k = 0; k < size[i]; k++)
			add_request();
		kick(2);
		run_loop();
		for (k = 0; k < size[i]; k++)
			assert_true(answered());
		request(2);
	}
}

static void a_reset_forgets_everything(void **state)
{
	bring_up(2, 1, 0);
	W8(STATUS, 0);
	assert_int_equal(R8(STATUS), 0);
	assert_int_equal(f.stops, 1);
	assert_int_equal(R16(Q_SELECT), 0);
	W16(Q_SELECT, 2);
	assert_int_equal(R16(Q_ENABLE), 0);
	assert_int_equal(R16(Q_SIZE), 16);
	assert_int_equal(R16(Q_VECTOR), 0xffff);
	assert_int_equal(R16(CONFIG_VECTOR), 0xffff);
	assert_int_equal(R32(Q_DESC), 0);
	assert_false(f.bell[2].bound);
}

static void the_configuration_space_takes_any_width(void **state)
{
	memcpy(f.config, "0123456789", 10);
	assert_int_equal(reg(DEVICE, 0, 1), '0');
	assert_int_equal(reg(DEVICE, 1, 2), '1' | '2' << 8);
	assert_true(reg(DEVICE, 2, 8) == get_le64("23456789"));
	assert_int_equal(reg(DEVICE, 8, 4), '8' | '9' << 8);
	set_reg(DEVICE, 9, 1, 'x');
	set_reg(DEVICE, 9, 2, 'y'); /* half of it is beyond */
	set_reg(DEVICE, 0, 8, get_le64("abcdefgh"));
	assert_memory_equal(f.config, "abcdefgh8x", 10);
}

/* ---- notifications --------------------------------------------------------- */

static void a_notification_is_worked_on_by_the_loop(void **state)
{
	bring_up(2, -1, -1);
	add_request();
	kick(2);
	assert_false(answered());
	assert_int_equal(run_loop(), 1);
	assert_true(answered());
	assert_int_equal(run_loop(), 0);
	/* A queue that there is not, bytes, and between two registers. */
	set_reg(NOTIFY, 12, 2, 3);
	set_reg(NOTIFY, 8, 1, 2);
	set_reg(NOTIFY, 9, 2, 2);
	assert_int_equal(run_loop(), 0);
}

static void the_doorbell_does_the_same_without_the_register(void **state)
{
	uint64_t one = 1;

	bring_up(2, -1, -1);
	assert_true(f.bell[2].bound && !f.bell[0].bound);
	assert_true(f.bell[2].addr == f.bar + f.cap[NOTIFY].off + 8);
	assert_int_equal(f.bell[2].size, 2);
	add_request();
	assert_int_equal(write(f.bell[2].fd, &one, sizeof(one)), sizeof(one));
	assert_int_equal(run_loop(), 1);
	assert_true(answered());
}

static void a_bar_that_moves_takes_its_doorbells_with_it(void **state)
{
	bring_up(0, -1, -1);
	move_bar(0xd0000000);
	assert_true(f.bell[0].addr == 0xd0000000 + f.cap[NOTIFY].off);
	assert_int_equal(R8(STATUS), 15);
	request(0);
	move_bar(UINT64_C(0x4000000000));
	assert_true(f.bell[0].addr ==
		    UINT64_C(0x4000000000) + f.cap[NOTIFY].off);
	request(0);
	assert_int_equal(mem(WINDOW + STATUS, 1), 0xff);
	/* While nothing is decoded there is no doorbell either. */
	set_conf(4, 2, 4);
	assert_false(f.bell[0].bound);
	assert_int_equal(R8(STATUS), 0xff);
	set_conf(4, 2, 6);
	assert_true(f.bell[0].bound);
	request(0);
}

static void a_doorbell_that_cannot_be_had_costs_nothing(void **state)
{
	f.bell_fails = -ENOSPC;
	bring_up(0, -1, -1);
	request(0);
	assert_false(f.bell[0].bound);
	f.bell_fails = 0;
	move_bar(0xd0000000);
	assert_true(f.bell[0].bound);
	request(0);
}

static void a_device_can_ask_to_be_called_again(void **state)
{
	bring_up(0, -1, -1);
	f.agains = 2;
	kick(0);
	assert_int_equal(run_loop(), 1);
	assert_int_equal(run_loop(), 1);
	assert_int_equal(run_loop(), 1);
	assert_int_equal(run_loop(), 0);
}

/* ---- the other way in ------------------------------------------------------ */

static uint32_t window_get(uint32_t off, uint32_t len)
{
	set_conf(f.cap[ACCESS].at + 4, 1, 0);
	set_conf(f.cap[ACCESS].at + 8, 4, off);
	set_conf(f.cap[ACCESS].at + 12, 4, len);
	return conf(f.cap[ACCESS].at + 16, len <= 4 ? len : 4);
}

static void window_put(uint32_t off, uint32_t len, uint32_t val)
{
	set_conf(f.cap[ACCESS].at + 4, 1, 0);
	set_conf(f.cap[ACCESS].at + 8, 4, off);
	set_conf(f.cap[ACCESS].at + 12, 4, len);
	set_conf(f.cap[ACCESS].at + 16, len, val);
}

static void registers_can_be_reached_through_configuration(void **state)
{
	set_conf(4, 2, 0); /* 4.1.4.9: for whoever cannot reach the BAR */
	memcpy(f.config, "0123456789", 10);
	window_put(f.cap[COMMON].off + STATUS, 1, 3);
	assert_int_equal(f.vd.status, 3);
	assert_int_equal(window_get(f.cap[COMMON].off + STATUS, 1), 3);
	window_put(f.cap[COMMON].off + Q_SELECT, 2, 2);
	assert_int_equal(window_get(f.cap[COMMON].off + Q_SIZE, 2), 16);
	assert_int_equal(window_get(f.cap[DEVICE].off + 4, 4),
			 get_le32("4567"));
	window_put(f.cap[DEVICE].off + 2, 2, 'x' | 'y' << 8);
	assert_memory_equal(f.config, "01xy456789", 10);
}

static void other_lengths_and_places_reach_nothing(void **state)
{
	static const uint32_t len[] = { 0, 3, 5, 8, 0xffffffff };
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(len); i++) {
		window_get(f.cap[COMMON].off, len[i]);
		set_conf(f.cap[ACCESS].at + 16, 4, UINT32_MAX);
	}
	window_put(f.cap[COMMON].off + STATUS - 1, 4, UINT32_MAX);
	window_put(UINT32_MAX - 3, 4, UINT32_MAX);
	window_put(UINT32_MAX, 1, 0xff);
	window_put(0x80000000, 4, UINT32_MAX);
	assert_int_equal(R8(STATUS), 0);
	assert_int_equal(R16(Q_SELECT), 0);
	assert_int_equal(R32(DFSELECT), 0);
	/* Another BAR, which there is not. */
	set_conf(f.cap[ACCESS].at + 8, 4, f.cap[COMMON].off);
	set_conf(f.cap[ACCESS].at + 12, 4, 4);
	set_conf(f.cap[ACCESS].at + 4, 1, 2);
	set_conf(f.cap[ACCESS].at + 16, 4, 1);
	assert_int_equal(R32(DFSELECT), 0);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(it_is_a_modern_device_of_its_type),
		T(every_structure_lies_in_the_bar),
		cmocka_unit_test_setup_teardown(
			without_a_configuration_space_there_is_no_structure,
			setup_without_configuration, teardown),
		T(features_come_in_two_words),
		T(features_that_are_not_offered_are_refused),
		T(only_queues_that_are_there_have_a_size),
		T(a_queue_gets_what_was_written_for_it),
		T(an_enabled_queue_cannot_be_changed_or_disabled),
		T(sizes_and_orders_that_cannot_be_need_a_reset),
		T(a_queue_may_be_of_one_and_of_all_it_has),
		T(a_reset_forgets_everything),
		T(the_configuration_space_takes_any_width),
		T(a_notification_is_worked_on_by_the_loop),
		T(the_doorbell_does_the_same_without_the_register),
		T(a_bar_that_moves_takes_its_doorbells_with_it),
		T(a_doorbell_that_cannot_be_had_costs_nothing),
		T(a_device_can_ask_to_be_called_again),
		T(registers_can_be_reached_through_configuration),
		T(other_lengths_and_places_reach_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
