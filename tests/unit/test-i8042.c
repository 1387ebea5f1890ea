// SPDX-License-Identifier: MIT
/*
 * The numbers here are those of IBM's PS/2 Technical Reference, written out
 * anew, so that a slip in the device's own names shows.
 */
#include "test.h"

#include "fake_end.h"
#include "i8042.h"

static struct device *kbc;
static struct fake_line irq1, irq12;
static struct fake_end end;

static int setup(void **state)
{
	const struct i8042_config config = {
		.irq_kbd = { .set = fake_line_set, .opaque = &irq1 },
		.irq_aux = { .set = fake_line_set, .opaque = &irq12 },
		.end = { .request = fake_end_request, .opaque = &end },
	};

	irq1 = irq12 = (struct fake_line){ 0 };
	end = (struct fake_end){ 0 };
	return i8042_new(&config, &kbc);
}

static int teardown(void **state)
{
	kbc = device_free(kbc);
	return 0;
}

static uint8_t status(void)
{
	return (uint8_t)dev_read(kbc, 4, 1);
}

static uint8_t data(void)
{
	return (uint8_t)dev_read(kbc, 0, 1);
}

static void command(uint8_t cmd)
{
	dev_write(kbc, 4, 1, cmd);
}

static void send(uint8_t val)
{
	dev_write(kbc, 0, 1, val);
}

/* The reply to a command, which must fill the output buffer for one read. */
static uint8_t ask(uint8_t cmd)
{
	uint8_t val;

	command(cmd);
	assert_int_equal(status() & 0x61, 0x01);
	val = data();
	assert_int_equal(status() & 0x01, 0);
	return val;
}

static void it_starts_idle_unlocked_and_with_the_system_flag(void **state)
{
	assert_int_equal(status(), 0x14);
	assert_int_equal(irq1.rises + irq12.rises, 0);
	assert_int_equal(end.count, 0);
}

static void the_tests_of_controller_and_lines_pass(void **state)
{
	assert_int_equal(ask(0xaa), 0x55);
	assert_int_equal(ask(0xab), 0x00);
	assert_int_equal(ask(0xa9), 0x00);
	assert_int_equal(ask(0xa4), 0xf1);
}

static void self_test_sets_the_system_flag(void **state)
{
	command(0x60);
	send(0x00);
	assert_int_equal(status() & 0x04, 0);
	assert_int_equal(ask(0xaa), 0x55);
	assert_int_equal(status() & 0x04, 0x04);
	assert_int_equal(ask(0x20) & 0x04, 0x04);
}

static void status_tells_a_command_from_data(void **state)
{
	command(0x60);
	assert_int_equal(status() & 0x08, 0x08);
	send(0x45);
	assert_int_equal(status() & 0x08, 0);
}

static void the_command_byte_reads_back(void **state)
{
	command(0x60);
	send(0x47);
	assert_int_equal(ask(0x20), 0x47);
	assert_int_equal(status() & 0x04, 0x04);
	command(0x60);
	send(0x30);
	assert_int_equal(ask(0x20), 0x30);
	assert_int_equal(status() & 0x04, 0);
}

static void internal_ram_has_32_bytes(void **state)
{
	unsigned i;

	for (i = 1; i < 32; i++) {
		command((uint8_t)(0x60 + i));
		send((uint8_t)(0xc0 + i));
	}
	for (i = 1; i < 32; i++)
		assert_int_equal(ask((uint8_t)(0x20 + i)), 0xc0 + i);
}

static void devices_are_disabled_and_enabled_in_the_command_byte(void **state)
{
	command(0x60);
	send(0x00);
	command(0xad);
	assert_int_equal(ask(0x20), 0x10);
	command(0xa7);
	assert_int_equal(ask(0x20), 0x30);
	command(0xae);
	assert_int_equal(ask(0x20), 0x20);
	command(0xa8);
	assert_int_equal(ask(0x20), 0x00);
}

static void irq_1_follows_the_output_buffer_when_enabled(void **state)
{
	command(0xd2);
	send(0x1c);
	assert_int_equal(irq1.level, 0);
	command(0x60);
	send(0x01); /* enabling it with the buffer full raises it */
	assert_int_equal(irq1.level, 1);
	assert_int_equal(data(), 0x1c);
	assert_int_equal(irq1.level, 0);

	command(0xd2);
	send(0x9c);
	assert_int_equal(irq1.level, 1);
	command(0x60);
	send(0x00);
	assert_int_equal(irq1.level, 0);
	assert_int_equal(irq12.rises, 0);
}

static void irq_12_is_for_the_aux_device_s_bytes(void **state)
{
	command(0x60);
	send(0x03);
	command(0xd3);
	send(0x5a);
	assert_int_equal(status() & 0x21, 0x21);
	assert_int_equal(irq12.level, 1);
	assert_int_equal(irq1.rises, 0);
	assert_int_equal(data(), 0x5a);
	assert_int_equal(irq12.level, 0);

	command(0xd2);
	send(0x5b);
	assert_int_equal(status() & 0x21, 0x01);
	assert_int_equal(irq1.level, 1);
	assert_int_equal(irq12.level, 0);
	assert_int_equal(data(), 0x5b);
}

static void a_byte_to_a_missing_keyboard_times_out(void **state)
{
	command(0xad);
	send(0xff);
	assert_int_equal(status() & 0x61, 0x41);
	assert_int_equal(data(), 0xfe);
	/* The controller lets go of the clock line to send. */
	assert_int_equal(ask(0x20) & 0x10, 0);
	assert_int_equal(status() & 0x40, 0);
}

static void a_byte_to_a_missing_mouse_times_out(void **state)
{
	command(0xa7);
	command(0xd4);
	send(0xf4);
	assert_int_equal(status() & 0x61, 0x61);
	assert_int_equal(data(), 0xfe);
	assert_int_equal(ask(0x20) & 0x20, 0);
}

static void a_command_cancels_one_that_waits_for_data(void **state)
{
	command(0x60);
	send(0x04);
	command(0x60);
	assert_int_equal(ask(0xaa), 0x55);
	send(0x77); /* to the keyboard, then */
	assert_int_equal(data(), 0xfe);
	assert_int_equal(ask(0x20), 0x04);
}

static void the_input_port_says_unlocked(void **state)
{
	assert_int_equal(ask(0xc0) & 0xa3, 0xa3);
}

static void the_output_port_keeps_a20(void **state)
{
	assert_int_equal(ask(0xd0) & 0x03, 0x03);
	command(0xdd);
	assert_int_equal(ask(0xd0) & 0x03, 0x01);
	command(0xdf);
	assert_int_equal(ask(0xd0) & 0x03, 0x03);
	command(0xd1);
	send(0xcd);
	assert_int_equal(ask(0xd0), 0xcd);
	command(0xd1);
	send(0xcf);
	assert_int_equal(ask(0xd0), 0xcf);
	assert_int_equal(end.count, 0);
}

static void the_output_port_shows_the_buffer_s_interrupts(void **state)
{
	command(0xd2);
	send(0x00);
	assert_int_equal(ask(0xd0) & 0x30, 0x10);
	command(0xd3);
	send(0x00);
	assert_int_equal(ask(0xd0) & 0x30, 0x20);
	assert_int_equal(ask(0xd0) & 0x30, 0x00);
}

static void clearing_bit_0_of_the_output_port_resets(void **state)
{
	command(0xd1);
	send(0xfe);
	assert_int_equal(end.count, 1);
	assert_int_equal(end.kind, END_RESET);
	assert_string_equal(end.who, "i8042 output port");
}

static void pulsing_line_0_resets(void **state)
{
	command(0xfe);
	assert_int_equal(end.count, 1);
	assert_int_equal(end.kind, END_RESET);
	assert_string_equal(end.who, "i8042 command 0xfe");
	command(0xf0);
	assert_int_equal(end.count, 2);
	command(0xff);
	command(0xfd);
	command(0xf1);
	assert_int_equal(end.count, 2);
	assert_int_equal(status() & 0x01, 0);
}

static void unknown_commands_do_nothing(void **state)
{
	command(0x00);
	command(0xac);
	command(0xe0);
	assert_int_equal(status(), 0x1c);
	assert_int_equal(end.count, 0);
}

static void reset_drops_the_lines_and_forgets(void **state)
{
	command(0x60);
	send(0x03);
	command(0xdd);
	command(0xd2);
	send(0x11);
	assert_int_equal(irq1.level, 1);
	command(0xd1);
	device_reset(kbc);
	assert_int_equal(irq1.level, 0);
	assert_int_equal(status(), 0x14);
	send(0x00); /* no longer an output port's value */
	assert_int_equal(end.count, 0);
	assert_int_equal(ask(0xd0) & 0x02, 0x02);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(it_starts_idle_unlocked_and_with_the_system_flag),
		T(the_tests_of_controller_and_lines_pass),
		T(self_test_sets_the_system_flag),
		T(status_tells_a_command_from_data),
		T(the_command_byte_reads_back),
		T(internal_ram_has_32_bytes),
		T(devices_are_disabled_and_enabled_in_the_command_byte),
		T(irq_1_follows_the_output_buffer_when_enabled),
		T(irq_12_is_for_the_aux_device_s_bytes),
		T(a_byte_to_a_missing_keyboard_times_out),
		T(a_byte_to_a_missing_mouse_times_out),
		T(a_command_cancels_one_that_waits_for_data),
		T(the_input_port_says_unlocked),
		T(the_output_port_keeps_a20),
		T(the_output_port_shows_the_buffer_s_interrupts),
		T(clearing_bit_0_of_the_output_port_resets),
		T(pulsing_line_0_resets),
		T(unknown_commands_do_nothing),
		T(reset_drops_the_lines_and_forgets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
