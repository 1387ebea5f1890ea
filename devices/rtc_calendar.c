// SPDX-License-Identifier: MIT
/*
 * The calendar of an MC146818 with a century byte: Motorola MC146818A
 * datasheet, "Time, calendar, and alarm locations". And with the alarm's date in
 * register D, as Intel's chipsets have it (82801 I/O Controller Hub datasheet,
 * RTC_REGD).
 *
 * Not modelled: daylight saving (see rtc_mc146818.c). The chip itself takes
 * every fourth year for a leap year; here the century byte counts too, so that
 * 2000 is one and 2100 is not, as its DS12C887 successors have it.
 */
#include "rtc_calendar.h"

#include <errno.h>
#include <stdbool.h>

#define DAY 86400
#define YEARS 10000

/* From 0000-01-01 to 1970-01-01. */
#define UNIX_EPOCH_DAY INT64_C(719528)

static int clamp(int v, int min, int max)
{
	return v < min ? min : v > max ? max : v;
}

/* A BCD digit above nine counts as what it is: 0x1f is 25. */
static int from_byte(uint8_t byte, uint8_t reg_b)
{
	return reg_b & RTC_B_DM ? byte : (byte >> 4) * 10 + (byte & 0x0f);
}

static uint8_t to_byte(int v, uint8_t reg_b)
{
	return (uint8_t)(reg_b & RTC_B_DM ? v : v / 10 << 4 | v % 10);
}

static int hour_from_byte(uint8_t byte, uint8_t reg_b)
{
	int hour;

	if (reg_b & RTC_B_24_12)
		return clamp(from_byte(byte, reg_b), 0, 23);
	hour = clamp(from_byte(byte & 0x7f, reg_b), 1, 12);
	return hour % 12 + (byte & 0x80 ? 12 : 0);
}

static uint8_t hour_to_byte(int hour, uint8_t reg_b)
{
	if (reg_b & RTC_B_24_12)
		return to_byte(hour, reg_b);
	/* Midnight is 12 AM and noon 12 PM. */
	return to_byte((hour + 11) % 12 + 1, reg_b) | (hour < 12 ? 0 : 0x80);
}

static bool is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_in_month(int year, int month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30,
					31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && is_leap(year));
}

/* From 0000-01-01 to the first day of `year`. */
static int days_before_year(int year)
{
	/* Leap years before it; year 0 is one, hence the rounding up. */
	return 365 * year + (year + 3) / 4 - (year + 99) / 100 +
	       (year + 399) / 400;
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

int rtc_time_from_unix(int64_t sec, struct rtc_time *ret_time)
{
	if (sec < -UNIX_EPOCH_DAY * DAY ||
	    sec >= RTC_CALENDAR_SECONDS - UNIX_EPOCH_DAY * DAY)
		return -ERANGE;
	ret_time->second = sec + UNIX_EPOCH_DAY * DAY;
	/* 0000-01-01 was a Saturday. */
	ret_time->weekday = (int)((ret_time->second / DAY + 6) % 7) + 1;
	return 0;
}

void rtc_time_wrap_unix(int64_t sec, struct rtc_time *ret_time)
{
	/* 1970-01-01 was a Thursday. */
	*ret_time = (struct rtc_time){ UNIX_EPOCH_DAY * DAY, 5 };
	rtc_time_add(ret_time, sec);
}

int64_t rtc_time_to_unix(const struct rtc_time *time)
{
	return time->second - UNIX_EPOCH_DAY * DAY;
}

void rtc_time_load(const uint8_t ram[RTC_RAM_SIZE], uint8_t reg_b,
		   struct rtc_time *ret_time)
{
	int year = clamp(from_byte(ram[RTC_CENTURY], reg_b), 0, 99) * 100 +
		   clamp(from_byte(ram[RTC_YEAR], reg_b), 0, 99);
	int month = clamp(from_byte(ram[RTC_MONTH], reg_b), 1, 12);
	int date = clamp(from_byte(ram[RTC_DATE], reg_b), 1,
			 days_in_month(year, month));
	int days = days_before_year(year) + date - 1;
	int m;

	for (m = 1; m < month; m++)
		days += days_in_month(year, m);
	ret_time->second =
		(int64_t)days * DAY +
		hour_from_byte(ram[RTC_HOURS], reg_b) * 3600 +
		clamp(from_byte(ram[RTC_MINUTES], reg_b), 0, 59) * 60 +
		clamp(from_byte(ram[RTC_SECONDS], reg_b), 0, 59);
	ret_time->weekday = clamp(from_byte(ram[RTC_DAY_OF_WEEK], reg_b), 1, 7);
}

struct date {
	int year;
	int month; /* 1 to 12 */
	int day; /* 1 to 31 */
};

/* days since 0000-01-01. */
static struct date date_of(int days)
{
	/* At most one year too far: a mean year is 365.2425 days. */
	int year = clamp((int)((days + INT64_C(1)) * 400 / 146097), 0,
			 YEARS - 1);
	int month = 1;

	if (days_before_year(year) > days)
		year--;
	days -= days_before_year(year);
	while (days >= days_in_month(year, month))
		days -= days_in_month(year, month++);
	return (struct date){ year, month, days + 1 };
}

static void to_tomorrow(struct date *date)
{
	if (date->day++ < days_in_month(date->year, date->month))
		return;
	date->day = 1;
	if (date->month++ < 12)
		return;
	date->month = 1;
	date->year = (date->year + 1) % YEARS;
}

void rtc_time_store(uint8_t ram[RTC_RAM_SIZE], uint8_t reg_b,
		    const struct rtc_time *time)
{
	struct date date = date_of((int)(time->second / DAY));
	int tod = (int)(time->second % DAY);

	ram[RTC_SECONDS] = to_byte(tod % 60, reg_b);
	ram[RTC_MINUTES] = to_byte(tod / 60 % 60, reg_b);
	ram[RTC_HOURS] = hour_to_byte(tod / 3600, reg_b);
	ram[RTC_DAY_OF_WEEK] = to_byte(time->weekday, reg_b);
	ram[RTC_DATE] = to_byte(date.day, reg_b);
	ram[RTC_MONTH] = to_byte(date.month, reg_b);
	ram[RTC_YEAR] = to_byte(date.year % 100, reg_b);
	ram[RTC_CENTURY] = to_byte(date.year / 100, reg_b);
}

void rtc_time_add(struct rtc_time *time, int64_t n)
{
	int64_t sum = time->second + n;
	int64_t days = floor_div(sum, DAY) - time->second / DAY;

	time->second = sum - floor_div(sum, RTC_CALENDAR_SECONDS) *
				     RTC_CALENDAR_SECONDS;
	time->weekday = (int)((time->weekday - 1 + days % 7 + 7) % 7) + 1;
}

/* Values of an alarm byte beside 0 to 59. */
enum { ALARM_ANY = -1, ALARM_NEVER = -2 };

/*
 * The chip compares bytes, so one that its counters never show never matches,
 * however near it is.
 */
static int alarm_value(uint8_t byte, uint8_t reg_b, int max)
{
	int v = clamp(from_byte(byte, reg_b), 0, max);

	if ((byte & 0xc0) == 0xc0)
		return ALARM_ANY;
	return to_byte(v, reg_b) == byte ? v : ALARM_NEVER;
}

static int alarm_hour(uint8_t byte, uint8_t reg_b)
{
	int v = hour_from_byte(byte, reg_b);

	if ((byte & 0xc0) == 0xc0)
		return ALARM_ANY;
	return hour_to_byte(v, reg_b) == byte ? v : ALARM_NEVER;
}

static int alarm_date(uint8_t reg_d, uint8_t reg_b)
{
	uint8_t byte = reg_d & RTC_DATE_ALARM_BITS;
	int v = clamp(from_byte(byte, reg_b), 1, 31);

	return to_byte(v, reg_b) == byte ? v : ALARM_ANY;
}

static bool matches(int want, int v)
{
	return want == ALARM_ANY || want == v;
}

struct alarm {
	int date, hour, minute, second;
};

/* The first of its seconds of a day from t on, or -1. */
static int second_of_day(const struct alarm *at, int t)
{
	/* Whole hours and minutes are skipped, so this takes few turns. */
	while (t < DAY) {
		if (!matches(at->hour, t / 3600))
			t = (t / 3600 + 1) * 3600;
		else if (!matches(at->minute, t / 60 % 60))
			t = (t / 60 + 1) * 60;
		else if (!matches(at->second, t % 60))
			t++;
		else
			return t;
	}
	return -1;
}

/* A 31st is followed by one of the next month but one, such as March by May. */
#define ALARM_DAYS_MAX 61

int64_t rtc_alarm_in(const uint8_t ram[RTC_RAM_SIZE], uint8_t reg_b,
		     const struct rtc_time *time)
{
	const struct alarm at = {
		.date = alarm_date(ram[RTC_DATE_ALARM], reg_b),
		.hour = alarm_hour(ram[RTC_HOURS_ALARM], reg_b),
		.minute = alarm_value(ram[RTC_MINUTES_ALARM], reg_b, 59),
		.second = alarm_value(ram[RTC_SECONDS_ALARM], reg_b, 59),
	};
	int now = (int)(time->second % DAY), from = now + 1, days, t;
	struct date date = date_of((int)(time->second / DAY));

	if (at.hour == ALARM_NEVER || at.minute == ALARM_NEVER ||
	    at.second == ALARM_NEVER)
		return 0;
	for (days = 0; days <= ALARM_DAYS_MAX; days++) {
		t = matches(at.date, date.day) ? second_of_day(&at, from) : -1;
		if (t >= 0)
			return (int64_t)days * DAY + t - now;
		to_tomorrow(&date);
		from = 0;
	}
	return 0;
}
