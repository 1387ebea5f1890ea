// SPDX-License-Identifier: MIT
/* The RTC's calendar against libc's, and its bytes against the datasheet. */
#include "test.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "rtc_calendar.h"

#define BCD_24 0x02
#define BIN_24 0x06
#define BCD_12 0x00
#define BIN_12 0x04

/* 0000-01-01 and 10000-01-01 in seconds since 1970. */
#define FIRST INT64_C(-62167219200)
#define END INT64_C(253402300800)

static struct rtc_time from_unix(int64_t sec)
{
	struct rtc_time t;

	assert_int_equal(rtc_time_from_unix(sec, &t), 0);
	return t;
}

static void every_day_of_ten_thousand_years_is_libcs(void **state)
{
	uint8_t ram[RTC_RAM_SIZE] = { 0 };
	int64_t sec;

	for (sec = FIRST; sec < END; sec += 86400) {
		struct rtc_time t = from_unix(sec), back;
		time_t libc_sec = sec;
		struct tm tm;
		int year;

		gmtime_r(&libc_sec, &tm);
		year = tm.tm_year + 1900;
		rtc_time_store(ram, BIN_24, &t);
		if (ram[RTC_CENTURY] != year / 100 ||
		    ram[RTC_YEAR] != year % 100 ||
		    ram[RTC_MONTH] != tm.tm_mon + 1 ||
		    ram[RTC_DATE] != tm.tm_mday ||
		    ram[RTC_DAY_OF_WEEK] != tm.tm_wday + 1)
			fail_msg("%d-%02d-%02d differs", year, tm.tm_mon + 1,
				 tm.tm_mday);
		rtc_time_load(ram, BIN_24, &back);
		if (back.second != t.second || back.weekday != t.weekday)
			fail_msg("%d-%02d-%02d does not load as stored", year,
				 tm.tm_mon + 1, tm.tm_mday);
	}
}

static void every_second_of_a_day_survives_every_mode(void **state)
{
	static const uint8_t modes[] = { BCD_24, BIN_24, BCD_12, BIN_12 };
	uint8_t ram[RTC_RAM_SIZE] = { 0 };
	unsigned mode;
	int64_t s;

	for (mode = 0; mode < 4; mode++) {
		for (s = 0; s < 86400; s++) {
			struct rtc_time t = from_unix(s), back;

			rtc_time_store(ram, modes[mode], &t);
			rtc_time_load(ram, modes[mode], &back);
			if (back.second != t.second)
				fail_msg("second %d in mode %d", (int)s,
					 modes[mode]);
		}
	}
}

static void years_before_0_and_from_10000_on_are_refused(void **state)
{
	struct rtc_time t = { 42, 3 };

	assert_int_equal(rtc_time_from_unix(FIRST - 1, &t), -ERANGE);
	assert_int_equal(rtc_time_from_unix(END, &t), -ERANGE);
	assert_int_equal(rtc_time_from_unix(INT64_MIN, &t), -ERANGE);
	assert_int_equal(rtc_time_from_unix(INT64_MAX, &t), -ERANGE);
	assert_int_equal(t.second, 42);
	assert_int_equal(t.weekday, 3);
	assert_int_equal(rtc_time_from_unix(FIRST, &t), 0);
	assert_int_equal(t.second, 0);
	assert_int_equal(rtc_time_from_unix(END - 1, &t), 0);
	assert_int_equal(t.second, RTC_CALENDAR_SECONDS - 1);
}

/* Datasheet, Table 3: the range of each byte in each mode. */
static void hours_are_written_as_the_datasheets_table_3(void **state)
{
	static const struct {
		int hour;
		uint8_t bcd_24, bin_24, bcd_12, bin_12;
	} rows[] = {
		{ 0, 0x00, 0x00, 0x12, 0x0c }, { 1, 0x01, 0x01, 0x01, 0x01 },
		{ 9, 0x09, 0x09, 0x09, 0x09 }, { 10, 0x10, 0x0a, 0x10, 0x0a },
		{ 11, 0x11, 0x0b, 0x11, 0x0b }, { 12, 0x12, 0x0c, 0x92, 0x8c },
		{ 13, 0x13, 0x0d, 0x81, 0x81 }, { 19, 0x19, 0x13, 0x87, 0x87 },
		{ 20, 0x20, 0x14, 0x88, 0x88 }, { 22, 0x22, 0x16, 0x90, 0x8a },
		{ 23, 0x23, 0x17, 0x91, 0x8b },
	};
	uint8_t ram[RTC_RAM_SIZE] = { 0 };
	unsigned i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rtc_time t = from_unix(rows[i].hour * 3600);

		rtc_time_store(ram, BCD_24, &t);
		assert_int_equal(ram[RTC_HOURS], rows[i].bcd_24);
		rtc_time_store(ram, BIN_24, &t);
		assert_int_equal(ram[RTC_HOURS], rows[i].bin_24);
		rtc_time_store(ram, BCD_12, &t);
		assert_int_equal(ram[RTC_HOURS], rows[i].bcd_12);
		rtc_time_store(ram, BIN_12, &t);
		assert_int_equal(ram[RTC_HOURS], rows[i].bin_12);
	}
}

static void adding_is_seconds_since_1970_added(void **state)
{
	static const int64_t steps[] = {
		1,  -1,		59,	   86399,     -86400, 31622400,
		-1, 1000000007, -999999937,
	};
	int64_t sec = 951782399; /* 2000-02-28 23:59:59 */
	struct rtc_time t = from_unix(sec);
	unsigned i;

	for (i = 0; i < 9 * 7; i++) {
		struct rtc_time want;

		sec += steps[i % 9];
		want = from_unix(sec);
		rtc_time_add(&t, steps[i % 9]);
		assert_int_equal(t.second, want.second);
		assert_int_equal(t.weekday, want.weekday);
	}
}

static void the_calendar_goes_round_both_ways(void **state)
{
	struct rtc_time t = from_unix(END - 1);

	assert_int_equal(t.weekday, 6); /* 9999-12-31 is a Friday */
	rtc_time_add(&t, 1);
	assert_int_equal(t.second, 0);
	assert_int_equal(t.weekday, 7);
	rtc_time_add(&t, -1);
	assert_int_equal(t.second, RTC_CALENDAR_SECONDS - 1);
	assert_int_equal(t.weekday, 6);
	rtc_time_add(&t, INT64_C(1) << 62);
	assert_in_range(t.second, 0, RTC_CALENDAR_SECONDS - 1);
	assert_in_range(t.weekday, 1, 7);
	rtc_time_add(&t, -(INT64_C(1) << 62));
	assert_int_equal(t.second, RTC_CALENDAR_SECONDS - 1);
	assert_int_equal(t.weekday, 6);
}

static void any_bytes_load_as_a_time_that_can_be(void **state)
{
	static const uint8_t modes[] = { BCD_24, BIN_24, BCD_12, BIN_12 };
	uint8_t ram[RTC_RAM_SIZE];
	struct rtc_time t;
	unsigned v, mode;

	for (v = 0; v < 256; v++) {
		memset(ram, (int)v, sizeof(ram));
		for (mode = 0; mode < 4; mode++) {
			rtc_time_load(ram, modes[mode], &t);
			assert_in_range(t.second, 0, RTC_CALENDAR_SECONDS - 1);
			assert_in_range(t.weekday, 1, 7);
		}
	}
}

/* Seconds until hh:mm:ss alarm bytes match, by trying each second. */
static int64_t alarm_by_hand(const uint8_t *ram, uint8_t b, int64_t from)
{
	uint8_t show[RTC_RAM_SIZE] = { 0 };
	int64_t in;

	for (in = 1; in <= 86400; in++) {
		struct rtc_time t = from_unix(from + in);
		unsigned i, same = 0;

		rtc_time_store(show, b, &t);
		for (i = 0; i <= 4; i += 2)
			same += (ram[i + 1] & 0xc0) == 0xc0 ||
				ram[i + 1] == show[i];
		if (same == 3)
			return in;
	}
	return 0;
}

static void the_next_alarm_is_the_first_second_whose_bytes_match(void **state)
{
	static const uint8_t modes[] = { BCD_24, BIN_24, BCD_12, BIN_12 };
	/* Wildcards, ranges' ends, and bytes that no counter shows. */
	static const uint8_t bytes[] = { 0x00, 0x01, 0x0c, 0x12, 0x30, 0x3b,
					 0x59, 0x81, 0x92, 0x1f, 0xbf, 0xc0,
					 0xff };
	static const int64_t from[] = { 0, 43199, 45296, 86399 };
	uint8_t ram[RTC_RAM_SIZE] = { 0 };
	unsigned rnd = 1, i;

	for (i = 0; i < 600; i++) {
		uint8_t b = modes[i % 4];
		int64_t at = from[i / 4 % 4];
		struct rtc_time t = from_unix(at);
		unsigned j;

		for (j = 1; j <= 5; j += 2) {
			rnd = rnd * 1664525 + 1013904223;
			ram[j] = bytes[(rnd >> 16) % sizeof(bytes)];
		}
		assert_int_equal(rtc_alarm_in(ram, b, &t),
				 alarm_by_hand(ram, b, at));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_day_of_ten_thousand_years_is_libcs),
		cmocka_unit_test(every_second_of_a_day_survives_every_mode),
		cmocka_unit_test(years_before_0_and_from_10000_on_are_refused),
		cmocka_unit_test(hours_are_written_as_the_datasheets_table_3),
		cmocka_unit_test(adding_is_seconds_since_1970_added),
		cmocka_unit_test(the_calendar_goes_round_both_ways),
		cmocka_unit_test(any_bytes_load_as_a_time_that_can_be),
		cmocka_unit_test(
			the_next_alarm_is_the_first_second_whose_bytes_match),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
