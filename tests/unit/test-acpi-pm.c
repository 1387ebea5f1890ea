// SPDX-License-Identifier: MIT
/*
 * Register layout and rules from ACPI 6.4, section 4.8.3, with its bit numbers
 * written out anew.
 */
#include "test.h"

#include "acpi_pm.h"
#include "fake_end.h"
#include "fake_loop.h"

#define SEC INT64_C(1000000000)
/* 2^23 ticks of 3.579545 MHz last 2343484437.3 ns; this is the first whole ns. */
#define HALF_NS INT64_C(2343484438)

static struct device *pm;
static struct fake_loop fl;
static struct fake_line sci;
static struct fake_end end;

static int setup_at(int64_t now)
{
	struct acpi_pm_config config = {
		.loop = &fl.loop,
		.sci = { .set = fake_line_set, .opaque = &sci },
		.end = { .request = fake_end_request, .opaque = &end },
	};

	sci = (struct fake_line){ 0 };
	end = (struct fake_end){ 0 };
	fake_loop_init(&fl, now);
	return acpi_pm_new(&config, &pm);
}

static int setup(void **state)
{
	return setup_at(0);
}

static int teardown(void **state)
{
	pm = device_free(pm);
	return 0;
}

static uint16_t status(void)
{
	return (uint16_t)dev_read(pm, 0, 2);
}

static uint32_t timer(void)
{
	return (uint32_t)dev_read(pm, 8, 4);
}

static uint32_t timer_at(int64_t now)
{
	fl.now[LOOP_CLOCK_VM] = now;
	return timer();
}

static void the_timer_counts_3579545_ticks_a_second(void **state)
{
	assert_int_equal(timer_at(0), 0);
	assert_int_equal(timer_at(279), 0);
	assert_int_equal(timer_at(280), 1);
	assert_int_equal(timer_at(SEC), 3579545);
	assert_int_equal(timer_at(SEC - 1), 3579544);
	assert_int_equal(timer_at(4 * SEC), 4 * 3579545);
}

static void the_timer_has_24_bits(void **state)
{
	/* 2^24 ticks last 4686968874.5 ns. */
	assert_int_equal(timer_at(INT64_C(4686968874)), 0xffffff);
	assert_int_equal(timer_at(INT64_C(4686968875)), 0);
	assert_int_equal(timer_at(5 * SEC), 5 * 3579545 - (1 << 24));
}

static void the_timer_neither_drifts_nor_overflows_in_200_years(void **state)
{
	const int64_t years = INT64_C(200) * 365 * 86400;
	const uint64_t ticks = (uint64_t)years * 3579545;

	assert_int_equal(timer_at(years * SEC), ticks & 0xffffff);
	assert_int_equal(timer_at(years * SEC + SEC / 5),
			 (ticks + 715909) & 0xffffff);
	assert_int_equal(timer_at(years * SEC - 1), (ticks - 1) & 0xffffff);
}

static void the_timer_runs_on_the_vm_s_clock(void **state)
{
	fl.now[LOOP_CLOCK_HOST] = 77 * SEC;
	assert_int_equal(timer(), 0);
}

static void timer_status_is_set_by_each_change_of_bit_23(void **state)
{
	fake_loop_advance(&fl, HALF_NS - 1);
	assert_int_equal(timer(), 0x7fffff);
	assert_int_equal(status(), 0);
	fake_loop_advance(&fl, 1);
	assert_int_equal(timer(), 0x800000);
	assert_int_equal(status(), 0x0001);
	dev_write(pm, 0, 2, 0x0001);
	assert_int_equal(status(), 0);
	fake_loop_advance(&fl, HALF_NS);
	assert_int_equal(timer() & 0x800000, 0);
	assert_int_equal(status(), 0x0001);
	dev_write(pm, 0, 2, 0x0001);
	/* An even number of changes is a change too. */
	fake_loop_advance(&fl, 2 * HALF_NS);
	assert_int_equal(status(), 0x0001);
	assert_int_equal(sci.rises, 0);
	assert_int_equal(fl.timer_sets, 0);
}

static void timer_interrupts_come_on_time_when_enabled(void **state)
{
	unsigned i;

	dev_write(pm, 2, 2, 0x0001);
	assert_int_equal(fake_loop_armed(&fl), 1);
	for (i = 1; i <= 1000; i++) {
		/* 2^23 * i ticks, rounded up to a whole ns. */
		int64_t due = (int64_t)(((__int128)i << 23) * SEC / 3579545) +
			      1;

		fake_loop_advance(&fl, due - 1 - fl.now[LOOP_CLOCK_VM]);
		assert_int_equal(sci.level, 0);
		fake_loop_advance(&fl, 1);
		assert_int_equal(sci.level, 1);
		assert_int_equal(fake_loop_armed(&fl), 0);
		dev_write(pm, 0, 2, 0x0001);
		assert_int_equal(sci.level, 0);
	}
	assert_int_equal(sci.rises, 1000);
	assert_int_equal(fl.timer_sets, 1001);
	dev_write(pm, 2, 2, 0);
	assert_int_equal(fake_loop_armed(&fl), 0);
}

static void enabling_a_pending_event_raises_the_sci(void **state)
{
	fake_loop_advance(&fl, HALF_NS);
	dev_write(pm, 2, 2, 0x0001);
	assert_int_equal(sci.level, 1);
	dev_write(pm, 2, 2, 0x0000);
	assert_int_equal(sci.level, 0);
	assert_int_equal(status(), 0x0001);
}

static void the_power_button_sets_its_status_and_the_sci(void **state)
{
	acpi_pm_power_button(pm);
	assert_int_equal(status(), 0x0100);
	assert_int_equal(sci.level, 0);
	dev_write(pm, 0, 2, 0x0100);
	dev_write(pm, 2, 2, 0x0100);
	assert_int_equal(sci.level, 0);
	acpi_pm_power_button(pm);
	assert_int_equal(sci.level, 1);
	assert_int_equal(end.count, 0);
	dev_write(pm, 0, 2, 0x0100);
	assert_int_equal(sci.level, 0);
}

/* 4.8.2.4: set when the RTC raises its interrupt; wakes nobody, but an SCI it is. */
static void the_rtcs_interrupt_sets_its_status_and_the_sci(void **state)
{
	acpi_pm_rtc_event(pm);
	assert_int_equal(status(), 0x0400);
	assert_int_equal(sci.level, 0);
	dev_write(pm, 2, 2, 0x0400);
	assert_int_equal(sci.level, 1);
	dev_write(pm, 0, 2, 0x0400);
	assert_int_equal(status(), 0);
	assert_int_equal(sci.level, 0);
	assert_int_equal(end.count, 0);
}

static void status_is_cleared_by_ones_and_kept_by_zeros(void **state)
{
	fake_loop_advance(&fl, HALF_NS);
	acpi_pm_power_button(pm);
	dev_write(pm, 0, 2, 0x0000);
	assert_int_equal(status(), 0x0101);
	dev_write(pm, 0, 2, 0x0100);
	assert_int_equal(status(), 0x0001);
	dev_write(pm, 0, 2, 0xffff);
	assert_int_equal(status(), 0);
}

static void enable_has_the_fixed_events_and_reads_back(void **state)
{
	dev_write(pm, 2, 2, 0xffff);
	assert_int_equal(dev_read(pm, 2, 2), 0x0721);
	dev_write(pm, 2, 2, 0x0100);
	assert_int_equal(dev_read(pm, 2, 2), 0x0100);
}

static void acpi_mode_is_always_on(void **state)
{
	assert_int_equal(dev_read(pm, 4, 2), 0x0001);
	dev_write(pm, 4, 2, 0x0000);
	assert_int_equal(dev_read(pm, 4, 2), 0x0001);
}

static void control_keeps_sleep_type_and_not_what_is_write_only(void **state)
{
	dev_write(pm, 4, 2, 0xffff);
	assert_int_equal(dev_read(pm, 4, 2), 0x1c03);
	assert_int_equal(end.count, 0);
}

static void sleep_enable_with_the_type_of_s5_powers_off(void **state)
{
	dev_write(pm, 4, 2, ACPI_PM_S5 << 10);
	assert_int_equal(end.count, 0);
	dev_write(pm, 4, 2, ACPI_PM_S5 << 10 | 1 << 13);
	assert_int_equal(end.count, 1);
	assert_int_equal(end.kind, END_POWEROFF);
	assert_string_equal(end.who, "ACPI S5");
	dev_write(pm, 4, 2, 0x2000); /* as test programs for QEMU do */
	assert_int_equal(end.count, 2);
}

static void another_sleep_type_is_ignored(void **state)
{
	unsigned type;

	for (type = 0; type < 8; type++)
		if (type != ACPI_PM_S5)
			dev_write(pm, 4, 2, type << 10 | 1 << 13);
	assert_int_equal(end.count, 0);
	assert_int_equal(status(), 0);
}

static void byte_lanes_work_in_every_register(void **state)
{
	fake_loop_advance(&fl, HALF_NS);
	acpi_pm_power_button(pm);
	dev_write(pm, 3, 1, 0x01);
	assert_int_equal(dev_read(pm, 2, 2), 0x0100);
	assert_int_equal(dev_read(pm, 0, 4), 0x01000101);
	assert_int_equal(dev_read(pm, 1, 1), 0x01);
	assert_int_equal(dev_read(pm, 3, 1), 0x01);
	dev_write(pm, 1, 1, 0xff);
	assert_int_equal(status(), 0x0001);
	dev_write(pm, 0, 4, 0x00210001);
	assert_int_equal(dev_read(pm, 0, 4), 0x00210000);

	dev_write(pm, 4, 1, 0xff);
	assert_int_equal(dev_read(pm, 4, 2), 0x0003);
	dev_write(pm, 5, 1, 0x20);
	assert_int_equal(end.count, 1);

	timer_at(INT64_C(1001) * SEC / 1000);
	assert_int_equal(timer(), 3583124);
	assert_int_equal(dev_read(pm, 8, 1), 3583124 & 0xff);
	assert_int_equal(dev_read(pm, 9, 1), 3583124 >> 8 & 0xff);
	assert_int_equal(dev_read(pm, 10, 2), 3583124 >> 16);
}

static void gaps_read_all_ones_and_the_timer_is_read_only(void **state)
{
	assert_int_equal(dev_read(pm, 6, 2), 0xffff);
	assert_int_equal(dev_read(pm, 13, 1), 0xff);
	assert_int_equal(dev_read(pm, 14, 2), 0xffff);
	assert_int_equal(dev_read(pm, 4, 4), 0xffff0001);
	dev_write(pm, 6, 2, 0);
	dev_write(pm, 8, 4, 0x123456);
	assert_int_equal(timer(), 0);
	assert_int_equal(end.count, 0);
}

static void the_reset_value_in_the_reset_register_resets(void **state)
{
	dev_write(pm, 12, 1, 0x02);
	dev_write(pm, 12, 1, 0x00);
	dev_write(pm, 13, 1, 0x06);
	dev_write(pm, 8, 4, 0x06060606);
	assert_int_equal(end.count, 0);
	dev_write(pm, 12, 1, 0x06);
	assert_int_equal(end.count, 1);
	assert_int_equal(end.kind, END_RESET);
	assert_string_equal(end.who, "ACPI reset register");
	dev_write(pm, 12, 4, 0xffffff06);
	assert_int_equal(end.count, 2);
}

static void reset_clears_events_and_leaves_the_counter(void **state)
{
	fake_loop_advance(&fl, HALF_NS + SEC);
	dev_write(pm, 2, 2, 0x0101);
	acpi_pm_power_button(pm);
	assert_int_equal(sci.level, 1);
	device_reset(pm);
	assert_int_equal(sci.level, 0);
	assert_int_equal(dev_read(pm, 0, 4), 0);
	assert_int_equal(fake_loop_armed(&fl), 0);
	assert_in_range(timer(), 0x800001, 0xffffff);
}

static void a_device_made_late_has_no_stale_event(void **state)
{
	device_free(pm);
	assert_int_equal(setup_at(100 * SEC), 0);
	assert_int_equal(status(), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_timer_counts_3579545_ticks_a_second),
		T(the_timer_has_24_bits),
		T(the_timer_neither_drifts_nor_overflows_in_200_years),
		T(the_timer_runs_on_the_vm_s_clock),
		T(timer_status_is_set_by_each_change_of_bit_23),
		T(timer_interrupts_come_on_time_when_enabled),
		T(enabling_a_pending_event_raises_the_sci),
		T(the_power_button_sets_its_status_and_the_sci),
		T(the_rtcs_interrupt_sets_its_status_and_the_sci),
		T(status_is_cleared_by_ones_and_kept_by_zeros),
		T(enable_has_the_fixed_events_and_reads_back),
		T(acpi_mode_is_always_on),
		T(control_keeps_sleep_type_and_not_what_is_write_only),
		T(sleep_enable_with_the_type_of_s5_powers_off),
		T(another_sleep_type_is_ignored),
		T(byte_lanes_work_in_every_register),
		T(gaps_read_all_ones_and_the_timer_is_read_only),
		T(the_reset_value_in_the_reset_register_resets),
		T(reset_clears_events_and_leaves_the_counter),
		T(a_device_made_late_has_no_stale_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
