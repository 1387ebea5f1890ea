// SPDX-License-Identifier: MIT
/*
 * The RTC's periodic and update-ended interrupts, its flags and its line
 * against the MC146818A datasheet, and what they cost the host: timers.
 */
#include "rtc_rig.h"

#define SEC NSEC_PER_SEC

/* Datasheet, Table 5, for a 32.768 kHz crystal. */
static const int table_5[16] = {
	0,   256, 128, 8192, 4096, 2048, 1024, 512,
	256, 128, 64,  32,   16,   8,	 4,    2,
};

static void every_periodic_rate_is_exact_over_time(void **state)
{
	unsigned rs;

	for (rs = 0; rs < 16; rs++) {
		put(&rig, 0x0a, (uint8_t)(0x20 | rs));
		put(&rig, 0x0b, 0x02 | PIE);
		get(&rig, 0x0c);
		assert_int_equal(interrupts_in(SEC), table_5[rs]);
		assert_int_equal(interrupts_in(7 * SEC), 7 * table_5[rs]);
	}
}

static void every_tick_is_right_to_the_nanosecond(void **state)
{
	unsigned rs;

	for (rs = 1; rs < 16; rs++) {
		int64_t hz = table_5[rs], k, start;

		put(&rig, 0x0b, 0x02 | PIE);
		put(&rig, 0x0a, 0x70);
		get(&rig, 0x0c);
		put(&rig, 0x0a, (uint8_t)(0x20 | rs));
		start = rig.fl.now[LOOP_CLOCK_HOST];
		for (k = 0; k < 40; k++) {
			/* (k + 1/2) / hz after the start, rounded up */
			int64_t at = start +
				     ((2 * k + 1) * SEC + 2 * hz - 1) /
					     (2 * hz);

			advance(&rig, at - 1 - rig.fl.now[LOOP_CLOCK_HOST]);
			assert_int_equal(rig.line.level, 0);
			advance(&rig, 1);
			assert_int_equal(rig.line.level, 1);
			assert_true(get(&rig, 0x0c) & PF);
		}
	}
}

/* The figure of update-ended and periodic interrupts: tPI / 2 apart. */
static void the_update_begins_half_a_period_after_pf(void **state)
{
	unsigned rs;

	for (rs = 1; rs < 16; rs++) {
		int64_t update_begins = SEC - 1984000;
		int64_t half = SEC / table_5[rs] / 2;

		rig_restart("2024-05-15 10:20:30");
		put(&rig, 0x0a, (uint8_t)(0x20 | rs));
		advance(&rig, update_begins - half - 1);
		get(&rig, 0x0c);
		put(&rig, 0x0b, 0x02 | PIE);
		assert_int_equal(rig.line.level, 0);
		advance(&rig, 1);
		assert_int_equal(rig.line.level, 1);
		get(&rig, 0x0c);
		advance(&rig, half);
		assert_int_equal(rig.line.level, 0);
	}
}

static void pf_rises_with_pie_off_and_costs_no_timer(void **state)
{
	unsigned rs;

	for (rs = 0; rs < 16; rs++) {
		put(&rig, 0x0a, (uint8_t)(0x20 | rs));
		get(&rig, 0x0c);
		assert_int_equal(get(&rig, 0x0c) & PF, 0);
		advance(&rig, SEC / 2);
		assert_int_equal(get(&rig, 0x0c) & (PF | IRQF), rs ? PF : 0);
	}
	assert_int_equal(rig.fl.timer_sets, 0);
}

static void missed_ticks_coalesce_and_cost_nothing(void **state)
{
	unsigned sets;

	put(&rig, 0x0a, 0x23);
	put(&rig, 0x0b, 0x02 | PIE);
	advance(&rig, SEC / 100);
	assert_int_equal(rig.line.level, 1);
	sets = rig.fl.timer_sets;
	advance(&rig, 3600 * SEC);
	assert_int_equal(rig.line.rises, 1);
	assert_int_equal(rig.fl.timer_sets, sets);
	assert_int_equal(fake_loop_armed(&rig.fl), 0);
	assert_int_equal(get(&rig, 0x0c) & (IRQF | PF), IRQF | PF);
	assert_int_equal(get(&rig, 0x0c), 0);
	assert_int_equal(rig.line.level, 0);
	/* And goes on in step: the next tick, not one period from now. */
	assert_int_equal(interrupts_in(SEC), 8192);
}

static void the_update_ended_interrupt_comes_as_uip_falls(void **state)
{
	unsigned i;

	put(&rig, 0x0b, 0x02 | UIE);
	for (i = 0; i < 5; i++) {
		advance(&rig, SEC - 1);
		assert_int_equal(rig.line.level, 0);
		assert_int_equal(get(&rig, 0x0a) & 0x80, 0x80);
		advance(&rig, 1);
		assert_int_equal(rig.line.level, 1);
		assert_int_equal(get(&rig, 0x0a) & 0x80, 0);
		assert_int_equal(get(&rig, 0x00), 0x31 + i);
		assert_int_equal(get(&rig, 0x0c) & (IRQF | UF), IRQF | UF);
	}
	assert_int_equal(interrupts_in(100 * SEC), 100);
}

static void with_no_interrupt_enabled_it_costs_the_host_nothing(void **state)
{
	unsigned i;

	alarm_at(0xff, 0xff, 0xff);
	put(&rig, 0x0a, 0x23);
	for (i = 0; i < 24; i++) {
		advance(&rig, 3600 * SEC);
		assert_int_equal(fake_loop_armed(&rig.fl), 0);
		assert_int_equal(get(&rig, 0x0c), PF | AF | UF);
		assert_int_equal(get(&rig, 0x0c), 0);
	}
	assert_shows(&rig, "2024-05-16 10:20:30");
	assert_int_equal(rig.fl.timer_sets, 0);
	assert_int_equal(rig.line.rises, 0);
}

static void disabling_the_last_interrupt_disarms(void **state)
{
	static const uint8_t enables[] = { PIE, AIE, UIE, PIE | AIE | UIE };
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(enables); i++) {
		get(&rig, 0x0c);
		put(&rig, 0x0b, 0x02 | enables[i]);
		assert_true(fake_loop_armed(&rig.fl) > 0);
		put(&rig, 0x0b, 0x02);
		assert_int_equal(fake_loop_armed(&rig.fl), 0);
	}
}

/* IRQF = PF.PIE + AF.AIE + UF.UIE, whichever side comes last. */
static void the_line_is_irqf(void **state)
{
	static const uint8_t bits[] = { PF, AF, UF };
	unsigned i;

	alarm_at(0xc0, 0xc0, 0xc0);
	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		advance(&rig, 2 * SEC);
		assert_int_equal(rig.line.level, 0);
		put(&rig, 0x0b, 0x02 | bits[i]);
		assert_int_equal(rig.line.level, 1);
		put(&rig, 0x0b, 0x02);
		assert_int_equal(rig.line.level, 0);
		put(&rig, 0x0b, 0x02 | bits[i]);
		assert_int_equal(get(&rig, 0x0c), IRQF | PF | AF | UF);
		assert_int_equal(rig.line.level, 0);
		put(&rig, 0x0b, 0x02);
		assert_int_equal(get(&rig, 0x0c), 0);
	}
	assert_int_equal(rig.line.rises, 6);
}

static void reading_other_registers_acknowledges_nothing(void **state)
{
	unsigned i;

	put(&rig, 0x0b, 0x02 | UIE);
	advance(&rig, SEC);
	for (i = 0; i < 0x80; i++)
		if (i != 0x0c)
			get(&rig, (uint8_t)i);
	put(&rig, 0x0c, 0);
	assert_int_equal(rig.line.level, 1);
	assert_int_equal(get(&rig, 0x0c) & (IRQF | UF), IRQF | UF);
	assert_int_equal(rig.line.level, 0);
}

/* Datasheet, register B, UIE: cleared as SET goes high. */
static void set_going_high_clears_uie(void **state)
{
	put(&rig, 0x0b, 0x02 | PIE | AIE | UIE);
	put(&rig, 0x0b, 0x82 | PIE | AIE | UIE);
	assert_int_equal(get(&rig, 0x0b), 0x82 | PIE | AIE);
	put(&rig, 0x0b, 0x82 | UIE);
	assert_int_equal(get(&rig, 0x0b), 0x82 | UIE);
}

static void under_set_periodic_goes_on_and_the_others_wait(void **state)
{
	alarm_at(0xff, 0xff, 0xff);
	put(&rig, 0x0b, 0x82);
	put(&rig, 0x0b, 0x82 | AIE | UIE);
	assert_int_equal(fake_loop_armed(&rig.fl), 0);
	assert_int_equal(interrupts_in(3 * SEC), 0);
	assert_int_equal(get(&rig, 0x0c), PF);
	put(&rig, 0x0b, 0x82 | PIE | AIE | UIE);
	assert_int_equal(interrupts_in(3 * SEC), 3 * 1024);
	put(&rig, 0x0b, 0x02 | AIE | UIE);
	assert_int_equal(interrupts_in(3 * SEC), 3);
}

static void a_held_divider_interrupts_nobody(void **state)
{
	put(&rig, 0x0b, 0x02 | PIE | AIE | UIE);
	get(&rig, 0x0c);
	put(&rig, 0x0a, 0x7f);
	assert_int_equal(fake_loop_armed(&rig.fl), 0);
	assert_int_equal(interrupts_in(3 * SEC), 0);
	assert_int_equal(get(&rig, 0x0c), 0);
	/* Released, its 2 Hz tap rises for the first time in a quarter. */
	put(&rig, 0x0a, 0x2f);
	advance(&rig, SEC / 4 - 1);
	assert_int_equal(rig.line.level, 0);
	advance(&rig, 1);
	assert_int_equal(get(&rig, 0x0c), IRQF | PF);
	advance(&rig, SEC / 4 + 1984000);
	assert_int_equal(get(&rig, 0x0c), IRQF | UF);
}

static void a_step_back_of_the_host_delays_no_tick(void **state)
{
	put(&rig, 0x0a, 0x2f);
	put(&rig, 0x0b, 0x02 | PIE | UIE);
	assert_int_equal(interrupts_in(SEC), 3);
	rig.fl.now[LOOP_CLOCK_HOST] -= 3600 * SEC;
	assert_int_equal(rig.line.level, 0);
	/* One of each may be lost in the step, no more. */
	assert_in_range(interrupts_in(10 * SEC), 28, 30);
	assert_shows(&rig, "2024-05-15 09:20:41");
	assert_int_equal(get(&rig, 0x0c), 0);
}

/* So the VM's timer fires before the host's clock is there. */
static void a_host_clock_that_runs_slow_loses_no_interrupt(void **state)
{
	put(&rig, 0x0b, 0x02 | UIE);
	rig.fl.now[LOOP_CLOCK_HOST] -= SEC / 1000;
	advance(&rig, SEC);
	assert_int_equal(rig.line.level, 0);
	advance(&rig, SEC / 1000 - 1);
	assert_int_equal(rig.line.level, 0);
	advance(&rig, 1);
	assert_int_equal(rig.line.level, 1);
}

static void a_paused_vm_gets_no_interrupts_on_its_own_clock(void **state)
{
	struct rtc_rig vm;

	rig_init(&vm, LOOP_CLOCK_VM, "2024-05-15 10:20:30");
	put(&vm, 0x0b, 0x02 | UIE);
	vm.fl.now[LOOP_CLOCK_HOST] += 3600 * SEC;
	advance(&vm, SEC - 1);
	assert_int_equal(vm.line.rises, 0);
	advance(&vm, 1);
	assert_int_equal(vm.line.rises, 1);
	rig_done(&vm);
}

/* Datasheet, RESET: PIE, AIE, UIE, SQWE, PF, AF, UF and IRQF go. */
static void reset_takes_enables_flags_and_line(void **state)
{
	put(&rig, 0x0b, 0x02 | PIE | AIE | UIE);
	advance(&rig, SEC);
	assert_int_equal(rig.line.level, 1);
	device_reset(rig.dev);
	assert_int_equal(rig.line.level, 0);
	assert_int_equal(fake_loop_armed(&rig.fl), 0);
	assert_int_equal(get(&rig, 0x0c), 0);
	assert_int_equal(get(&rig, 0x0b), 0x02);
	assert_int_equal(interrupts_in(5 * SEC), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_periodic_rate_is_exact_over_time),
		T(every_tick_is_right_to_the_nanosecond),
		T(the_update_begins_half_a_period_after_pf),
		T(pf_rises_with_pie_off_and_costs_no_timer),
		T(missed_ticks_coalesce_and_cost_nothing),
		T(the_update_ended_interrupt_comes_as_uip_falls),
		T(with_no_interrupt_enabled_it_costs_the_host_nothing),
		T(disabling_the_last_interrupt_disarms),
		T(the_line_is_irqf),
		T(reading_other_registers_acknowledges_nothing),
		T(set_going_high_clears_uie),
		T(under_set_periodic_goes_on_and_the_others_wait),
		T(a_held_divider_interrupts_nobody),
		T(a_step_back_of_the_host_delays_no_tick),
		T(a_host_clock_that_runs_slow_loses_no_interrupt),
		T(a_paused_vm_gets_no_interrupts_on_its_own_clock),
		T(reset_takes_enables_flags_and_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
