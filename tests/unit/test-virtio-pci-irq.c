// SPDX-License-Identifier: MIT
/*
 * VIRTIO 1.2, 4.1.4.5, 4.1.5.1.2 to 4.1.5.4: interrupts of a virtio-pci device by pin
 * and by message, queues that are lent, resets in the middle.
 */
#include "virtio_pci_rig.h"

#include <poll.h>

#define ENABLE 0x8000
#define MASK_ALL 0x4000

static int setup(void **state)
{
	build(true, sizeof(f.config));
	discover();
	return 0;
}

static int setup_without_msi(void **state)
{
	build(false, sizeof(f.config));
	discover();
	return 0;
}

static void change_config(void)
{
	device_lock(f.dev);
	virtio_config_changed(&f.vd);
	device_unlock(f.dev);
}

static bool pin(void)
{
	bool level = f.pin[INPUT].level;

	/* The status bit says the same. */
	assert_int_equal(level, conf(6, 2) >> 3 & 1);
	return level;
}

static uint8_t isr(void)
{
	return (uint8_t)reg(ISR, 0, 1);
}

static bool readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void add_event(int fd)
{
	uint64_t one = 1;

	assert_int_equal(write(fd, &one, sizeof(one)), sizeof(one));
}

/* ---- the pin --------------------------------------------------------------- */

static void reading_the_isr_lowers_the_pin(void **state)
{
	bring_up(0, -1, -1);
	assert_int_equal(isr(), 0);
	request(0);
	request(0);
	assert_true(pin());
	assert_int_equal(f.pin[INPUT].rises, 1);
	assert_int_equal(isr(), 1);
	assert_false(pin());
	change_config();
	assert_true(pin());
	request(0);
	assert_int_equal(isr(), 3);
	assert_int_equal(isr(), 0);
	assert_int_equal(f.msi.routes, 0);
}

static void the_pin_can_be_silenced(void **state)
{
	bring_up(0, -1, -1);
	set_conf(4, 2, 0x406);
	request(0);
	assert_int_equal(f.pin[INPUT].level, 0);
	assert_int_equal(conf(6, 2) & 8, 8);
	set_conf(4, 2, 6);
	assert_true(pin());
}

static void without_messages_there_is_the_pin(void **state)
{
	assert_int_equal(f.msix_at, 0);
	bring_up(0, 0, 1);
	assert_int_equal(R16(Q_VECTOR), 0xffff);
	assert_int_equal(R16(CONFIG_VECTOR), 0xffff);
	request(0);
	assert_int_equal(isr(), 1);
}

static void a_reset_lowers_the_pin(void **state)
{
	bring_up(0, -1, -1);
	request(0);
	W8(STATUS, 0);
	assert_false(pin());
	assert_int_equal(isr(), 0);
}

/* ---- messages -------------------------------------------------------------- */

static void vectors_that_are_not_there_are_refused(void **state)
{
	W16(Q_SELECT, 2);
	W16(Q_VECTOR, 3);
	assert_int_equal(R16(Q_VECTOR), 3);
	W16(Q_VECTOR, 4);
	assert_int_equal(R16(Q_VECTOR), 0xffff);
	W16(CONFIG_VECTOR, 2);
	assert_int_equal(R16(CONFIG_VECTOR), 2);
	W16(CONFIG_VECTOR, 0xfffe);
	assert_int_equal(R16(CONFIG_VECTOR), 0xffff);
	W16(Q_SELECT, 0);
	assert_int_equal(R16(Q_VECTOR), 0xffff);
}

static void each_has_its_message(void **state)
{
	msix_control(ENABLE);
	msix_entry(0, 0x40, false);
	msix_entry(2, 0x42, false);
	bring_up(2, 2, 0);
	request(2);
	assert_int_equal(fake_msi_deliver(&f.msi), 1);
	assert_int_equal(f.msi.last.data, 0x42);
	change_config();
	assert_int_equal(fake_msi_deliver(&f.msi), 1);
	assert_int_equal(f.msi.last.data, 0x40);
	assert_int_equal(f.pin[INPUT].rises, 0);
	/* 4.1.4.5.1: the queue's bit is not for messages, the other is. */
	assert_int_equal(isr(), 2);
}

static void without_a_vector_there_is_silence(void **state)
{
	msix_control(ENABLE);
	msix_entry(0, 0x40, false);
	bring_up(0, -1, -1);
	request(0);
	change_config();
	assert_int_equal(fake_msi_deliver(&f.msi), 0);
	assert_int_equal(f.pin[INPUT].rises, 0);
}

static void a_masked_vector_is_pending(void **state)
{
	msix_control(ENABLE);
	msix_entry(1, 0x41, true);
	bring_up(0, 1, -1);
	request(0);
	assert_int_equal(fake_msi_deliver(&f.msi), 0);
	assert_true(msix_pending() == 2);
	msix_entry(1, 0x51, false);
	assert_int_equal(fake_msi_deliver(&f.msi), 1);
	assert_int_equal(f.msi.last.data, 0x51);
	assert_true(msix_pending() == 0);
	msix_control(ENABLE | MASK_ALL);
	request(0);
	assert_true(msix_pending() == 2);
	msix_control(ENABLE);
	assert_int_equal(fake_msi_deliver(&f.msi), 1);
}

static void turning_messages_off_brings_the_pin_back(void **state)
{
	msix_control(ENABLE);
	msix_entry(1, 0x41, false);
	bring_up(0, 1, 1);
	change_config();
	assert_int_equal(fake_msi_deliver(&f.msi), 1);
	assert_false(pin());
	msix_control(0);
	assert_true(pin()); /* nobody has read the bit yet */
	msix_control(ENABLE);
	assert_false(pin());
	msix_control(0);
	assert_int_equal(isr(), 2);
	request(0);
	assert_true(pin());
}

static void a_broken_ring_is_told_and_can_be_mended(void **state)
{
	msix_control(ENABLE);
	msix_entry(0, 0x40, false);
	msix_entry(1, 0x41, false);
	bring_up(0, 1, 0);
	vdrv_poke_head(&f.drv, 100);
	kick(0);
	run_loop();
	assert_int_equal(R8(STATUS), 15 | 64);
	assert_int_equal(fake_msi_deliver(&f.msi), 1);
	assert_int_equal(f.msi.last.data, 0x40);
	bring_up(0, 1, 0);
	request(0);
	assert_int_equal(fake_msi_deliver(&f.msi), 1);
	assert_int_equal(f.msi.last.data, 0x41);
}

/* ---- resets ---------------------------------------------------------------- */

static void a_reset_in_the_middle_of_a_request(void **state)
{
	msix_control(ENABLE);
	msix_entry(1, 0x41, false);
	bring_up(0, 1, -1);
	add_request();
	kick(0);
	W8(STATUS, 0);
	run_loop();
	assert_false(answered());
	assert_int_equal(fake_msi_deliver(&f.msi), 0);
	assert_int_equal(f.stops, 1);
	bring_up(0, 1, -1);
	request(0);
	assert_int_equal(fake_msi_deliver(&f.msi), 1);
}

static void a_board_reset_brings_everything_back(void **state)
{
	msix_control(ENABLE);
	msix_entry(1, 0x41, false);
	bring_up(0, 1, -1);
	move_bar(0xd0000000);
	msix_entry(1, 0x42, true);
	request(0);
	device_reset(f.dev);
	assert_false(f.bell[0].bound);
	assert_int_equal(fake_msi_routed(&f.msi), 0);
	assert_int_equal(conf(4, 2), 0);
	assert_int_equal(conf(0x10, 4), WINDOW | 4);
	assert_int_equal(conf(f.msix_at + 2, 2), 3);
	assert_int_equal(mem(0xd0000000 + STATUS, 1), 0xff);
	discover();
	assert_int_equal(f.bar, WINDOW);
	assert_int_equal(R8(STATUS), 0);
	assert_true(msix_pending() == 0);
	bring_up(0, 1, -1);
	request(0);
	assert_true(pin());
}

/* ---- queues that are lent -------------------------------------------------- */

static void lend(unsigned queue, int *ret_kick, int *ret_call)
{
	device_lock(f.dev);
	assert_int_equal(virtio_lend(&f.vd, queue, ret_kick, ret_call), 0);
	device_unlock(f.dev);
}

static void take_back(unsigned queue)
{
	device_lock(f.dev);
	virtio_take_back(&f.vd, queue);
	device_unlock(f.dev);
}

static void a_borrower_interrupts_by_the_vector_itself(void **state)
{
	int kick_fd, call_fd;

	msix_control(ENABLE);
	msix_entry(1, 0x41, false);
	bring_up(0, 1, -1);
	lend(0, &kick_fd, &call_fd);
	kick(0);
	/* By its register or by the doorbell: it is the same descriptor. */
	assert_int_equal(kick_fd, f.bell[0].fd);
	assert_int_equal(run_loop(), 0);
	assert_true(readable(kick_fd));
	add_event(call_fd);
	assert_int_equal(fake_msi_deliver(&f.msi), 1);
	assert_int_equal(f.msi.last.data, 0x41);
	msix_entry(1, 0x41, true);
	add_event(call_fd);
	assert_true(msix_pending() == 2);

	/* What the borrower has left is looked at. */
	add_request();
	take_back(0);
	assert_int_equal(run_loop(), 1);
	assert_true(answered());
	take_back(0);
	assert_int_equal(run_loop(), 0);
}

static void a_borrower_raises_the_pin(void **state)
{
	int kick_fd, call_fd;

	bring_up(0, -1, -1);
	lend(0, &kick_fd, &call_fd);
	assert_int_not_equal(kick_fd, call_fd);
	add_event(call_fd);
	assert_false(pin());
	assert_int_equal(run_loop(), 1);
	assert_true(pin());
	assert_int_equal(isr(), 1);
	/* Its last word comes after it was sent home. */
	add_event(call_fd);
	take_back(0);
	run_loop();
	assert_int_equal(isr(), 1);
}

static void a_reset_takes_everything_back(void **state)
{
	int kick_fd, call_fd;

	bring_up(0, -1, -1);
	lend(0, &kick_fd, &call_fd);
	add_event(call_fd);
	W8(STATUS, 0);
	run_loop();
	assert_false(pin());
	bring_up(0, -1, -1);
	request(0);
	assert_true(pin());
	lend(0, &kick_fd, &call_fd);
	add_event(call_fd);
	run_loop();
	assert_int_equal(isr(), 1);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(reading_the_isr_lowers_the_pin),
		T(the_pin_can_be_silenced),
		cmocka_unit_test_setup_teardown(
			without_messages_there_is_the_pin, setup_without_msi,
			teardown),
		T(a_reset_lowers_the_pin),
		T(vectors_that_are_not_there_are_refused),
		T(each_has_its_message),
		T(without_a_vector_there_is_silence),
		T(a_masked_vector_is_pending),
		T(turning_messages_off_brings_the_pin_back),
		T(a_broken_ring_is_told_and_can_be_mended),
		T(a_reset_in_the_middle_of_a_request),
		T(a_board_reset_brings_everything_back),
		T(a_borrower_interrupts_by_the_vector_itself),
		T(a_borrower_raises_the_pin),
		T(a_reset_takes_everything_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
