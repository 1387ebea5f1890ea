// SPDX-License-Identifier: MIT
/*
 * The RTC's alarm against the MC146818A datasheet; its date against the 82801 I/O
 * Controller Hub's (RTC_REGD) and ACPI 6.4, 4.8.2.4.
 */
#include "rtc_rig.h"

#define SEC NSEC_PER_SEC

static void a_daily_alarm_takes_one_timer_a_day(void **state)
{
	alarm_at(0x10, 0x20, 0x29); /* a second ago */
	put(&rig, 0x0b, 0x02 | AIE);
	assert_int_equal(fake_loop_armed(&rig.fl), 1);
	assert_int_equal(rig.fl.timer_sets, 1);
	/* Reading the time on the way sets it no other. */
	advance(&rig, 3600 * SEC);
	assert_shows(&rig, "2024-05-15 11:20:30");
	advance(&rig, 82799 * SEC - 1);
	assert_int_equal(rig.line.level, 0);
	assert_int_equal(rig.fl.timer_sets, 1);
	advance(&rig, 1);
	assert_int_equal(rig.line.level, 1);
	assert_shows(&rig, "2024-05-16 10:20:29");
	assert_int_equal(get(&rig, 0x0c) & (IRQF | AF), IRQF | AF);
	assert_int_equal(rig.fl.timer_sets, 2);
	assert_int_equal(interrupts_in(10 * 86400 * SEC), 10);
	assert_int_equal(rig.fl.timer_sets, 12);
}

/* An alarm for this very second was due when it began. */
static void an_alarm_for_now_is_for_tomorrow(void **state)
{
	alarm_at(0x10, 0x20, 0x30);
	put(&rig, 0x0b, 0x02 | AIE);
	advance(&rig, 86400 * SEC - 1);
	assert_int_equal(get(&rig, 0x0c) & AF, 0);
	advance(&rig, 1);
	assert_int_equal(rig.line.level, 1);
}

static void each_kind_of_wildcard_comes_as_often_as_it_should(void **state)
{
	static const struct {
		uint8_t hour, minute, second;
		int first, per_day; /* seconds from 10:20:30 */
	} rows[] = {
		{ 0x11, 0x22, 0x33, 3723, 1 },
		{ 0x11, 0x22, 0xff, 3690, 60 },
		{ 0x11, 0xc0, 0x33, 2403, 60 },
		{ 0x11, 0xdf, 0xe7, 2370, 3600 },
		{ 0xff, 0x22, 0x33, 123, 24 },
		{ 0xc3, 0x22, 0xff, 90, 1440 },
		{ 0xff, 0xff, 0x33, 3, 1440 },
		{ 0xff, 0xc0, 0xff, 1, 86400 },
		{ 0x00, 0x00, 0x00, 49170, 1 }, /* midnight */
		{ 0x09, 0xff, 0x00, 81570, 60 }, /* tomorrow */
		{ 0xff, 0x20, 0xff, 1, 1440 }, /* this minute */
	};
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		rig_restart("2024-05-15 10:20:30");
		alarm_at(rows[i].hour, rows[i].minute, rows[i].second);
		put(&rig, 0x0b, 0x02 | AIE);
		advance(&rig, rows[i].first * SEC - 1);
		assert_int_equal(rig.line.level, 0);
		advance(&rig, 1);
		assert_int_equal(rig.line.level, 1);
		get(&rig, 0x0c);
		assert_int_equal(interrupts_in(86400 * SEC), rows[i].per_day);
	}
}

static void alarms_know_pm_and_binary(void **state)
{
	static const struct {
		uint8_t reg_b, hour, minute;
		const char *at;
	} rows[] = {
		{ 0x02, 0x17, 0x45, "17:45" }, { 0x06, 17, 45, "17:45" },
		{ 0x00, 0x85, 0x45, "17:45" }, { 0x04, 0x85, 45, "17:45" },
		{ 0x00, 0x05, 0x45, "05:45" }, { 0x04, 0x8c, 30, "12:30" },
		{ 0x00, 0x92, 0x30, "12:30" }, { 0x00, 0x12, 0x30, "00:30" },
		{ 0x04, 0x0c, 30, "00:30" },   { 0x04, 0x8b, 59, "23:59" },
	};
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		char date[32];

		rig_restart("2024-05-15 00:00:00");
		/* In the mode's own bytes: midnight is 12 AM. */
		put(&rig, 0x0b, 0x80 | rows[i].reg_b);
		put(&rig, 0x04,
		    rows[i].reg_b & 0x02 ? 0 : in_mode(12, rows[i].reg_b));
		alarm_at(rows[i].hour, rows[i].minute, 0);
		put(&rig, 0x0b, rows[i].reg_b | AIE);
		snprintf(date, sizeof(date), "1970-01-01 %s:00", rows[i].at);
		advance(&rig, seconds_of(date) * SEC - 1);
		assert_int_equal(rig.line.level, 0);
		advance(&rig, 1);
		assert_int_equal(rig.line.level, 1);
	}
}

static void an_alarm_that_no_time_matches_never_comes(void **state)
{
	static const uint8_t never[][3] = {
		{ 0x24, 0xff, 0xff }, { 0xff, 0x60, 0xff },
		{ 0xff, 0xff, 0x60 }, { 0xff, 0xff, 0x1f },
		{ 0x80, 0xff, 0xff }, { 0xbf, 0xff, 0xff },
	};
	unsigned i;

	put(&rig, 0x0b, 0x02 | AIE);
	for (i = 0; i < ARRAY_SIZE(never); i++) {
		alarm_at(never[i][0], never[i][1], never[i][2]);
		get(&rig, 0x0c);
		assert_int_equal(fake_loop_armed(&rig.fl), 0);
		assert_int_equal(interrupts_in(2 * 86400 * SEC), 0);
		assert_int_equal(get(&rig, 0x0c) & AF, 0);
	}
}

static void af_tells_of_an_alarm_in_the_time_gone_by(void **state)
{
	alarm_at(0x10, 0x20, 0x40);
	advance(&rig, 10 * SEC - 1);
	assert_int_equal(get(&rig, 0x0c) & AF, 0);
	advance(&rig, 1);
	assert_int_equal(get(&rig, 0x0c) & AF, AF);
	advance(&rig, 86400 * SEC - 1);
	assert_int_equal(get(&rig, 0x0c) & AF, 0);
	advance(&rig, 3600 * SEC);
	assert_int_equal(get(&rig, 0x0c) & AF, AF);
	assert_int_equal(rig.fl.timer_sets, 0);
}

static void a_newly_set_time_moves_the_alarm(void **state)
{
	alarm_at(0x07, 0x00, 0x00);
	put(&rig, 0x0b, 0x02 | AIE);
	put(&rig, 0x0b, 0x82 | AIE);
	load_date(&rig, "2001-09-09 06:59:58");
	put(&rig, 0x0b, 0x02 | AIE);
	advance(&rig, 2 * SEC - 1);
	assert_int_equal(rig.line.level, 0);
	advance(&rig, 1);
	assert_int_equal(rig.line.level, 1);
}

static void a_step_forward_of_the_host_is_one_interrupt(void **state)
{
	alarm_at(0x11, 0x00, 0x00);
	put(&rig, 0x0b, 0x02 | AIE);
	rig.fl.now[LOOP_CLOCK_HOST] += 3600 * SEC;
	advance(&rig, 1);
	assert_int_equal(rig.line.level, 1);
	assert_int_equal(get(&rig, 0x0c), IRQF | PF | AF | UF);
	assert_int_equal(get(&rig, 0x0c), 0);
	/* An alarm ahead of a step back comes again, at its time. */
	rig.fl.now[LOOP_CLOCK_HOST] -= 3600 * SEC;
	assert_shows(&rig, "2024-05-15 10:20:30");
	assert_int_equal(get(&rig, 0x0c), 0);
	assert_int_equal(interrupts_in(2370 * SEC - 2), 0);
	assert_int_equal(interrupts_in(1), 1);
}

static void a_date_lets_it_come_once_a_month(void **state)
{
	static const struct {
		const char *from, *date;
		uint8_t reg_d;
	} rows[] = {
		{ "2024-05-15 10:20:30", "2024-05-15 12:00:00", 0x15 },
		{ "2024-05-15 12:00:00", "2024-06-15 12:00:00", 0x15 },
		{ "2024-05-15 13:00:00", "2024-06-15 12:00:00", 0x15 },
		{ "2024-05-15 10:20:30", "2024-06-01 12:00:00", 0x01 },
		{ "2023-01-30 13:00:00", "2023-03-30 12:00:00", 0x30 },
		{ "2024-02-01 00:00:00", "2024-02-29 12:00:00", 0x29 },
		{ "2024-03-31 12:00:00", "2024-05-31 12:00:00", 0x31 },
		{ "2024-12-31 12:00:00", "2025-01-31 12:00:00", 0x31 },
		{ "9999-12-31 13:00:00", "10000-01-02 12:00:00", 0x02 },
	};
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		int64_t in = seconds_of(rows[i].date) - seconds_of(rows[i].from);

		rig_restart(rows[i].from);
		alarm_at(0x12, 0, 0);
		put(&rig, 0x0d, rows[i].reg_d);
		put(&rig, 0x0b, 0x02 | AIE);
		advance(&rig, in * SEC - 1);
		assert_int_equal(rig.line.level, 0);
		advance(&rig, 1);
		assert_int_equal(rig.line.level, 1);
	}
}

static void a_date_in_binary_is_one_too(void **state)
{
	rig_restart("2024-05-15 10:20:30");
	put(&rig, 0x0b, 0x86);
	load_date(&rig, "140c-08-0f 0a:14:1e"); /* 2012-08-15, hexadecimal */
	alarm_at(12, 0, 0);
	put(&rig, 0x0d, 31);
	put(&rig, 0x0b, 0x06 | AIE);
	assert_int_equal(interrupts_in(16 * 86400 * SEC), 0);
	assert_int_equal(interrupts_in(86400 * SEC), 1);
}

/* A "don't care" is what is no date: then it is a 24-hour alarm. */
static void what_is_no_date_does_not_count(void **state)
{
	static const uint8_t none[] = { 0x00, 0x0a, 0x1f, 0x32, 0x3f };
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(none); i++) {
		rig_restart("2024-05-15 10:20:30");
		alarm_at(0x12, 0, 0);
		put(&rig, 0x0d, none[i]);
		assert_int_equal(get(&rig, 0x0d), 0x80 | none[i]);
		put(&rig, 0x0b, 0x02 | AIE);
		assert_int_equal(interrupts_in(3 * 86400 * SEC), 3);
	}
}

/* Bit 7 is VRT and bit 6 reserved; no reset touches the rest. */
static void register_d_has_six_bits_of_a_guest(void **state)
{
	assert_int_equal(get(&rig, 0x0d), 0x80);
	put(&rig, 0x0d, 0xff);
	assert_int_equal(get(&rig, 0x0d), 0xbf);
	put(&rig, 0x0d, 0x15);
	device_reset(rig.dev);
	assert_int_equal(get(&rig, 0x0d), 0x95);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_daily_alarm_takes_one_timer_a_day),
		T(an_alarm_for_now_is_for_tomorrow),
		T(each_kind_of_wildcard_comes_as_often_as_it_should),
		T(alarms_know_pm_and_binary),
		T(an_alarm_that_no_time_matches_never_comes),
		T(af_tells_of_an_alarm_in_the_time_gone_by),
		T(a_newly_set_time_moves_the_alarm),
		T(a_step_forward_of_the_host_is_one_interrupt),
		T(a_date_lets_it_come_once_a_month),
		T(a_date_in_binary_is_one_too),
		T(what_is_no_date_does_not_count),
		T(register_d_has_six_bits_of_a_guest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
