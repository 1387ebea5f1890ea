// SPDX-License-Identifier: MIT
/*
 * The calendar of an MC146818 with a century byte: Motorola MC146818A
 * datasheet, "Time, calendar, and alarm locations".
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

void rtc_time_store(uint8_t ram[RTC_RAM_SIZE], uint8_t reg_b,
		    const struct rtc_time *time)
{
	int days = (int)(time->second / DAY);
	int tod = (int)(time->second % DAY);
	/* At most one year too far: a mean year is 365.2425 days. */
	int year = clamp((int)((days + INT64_C(1)) * 400 / 146097), 0,
			 YEARS - 1);
	int month = 1;

	if (days_before_year(year) > days)
		year--;
	days -= days_before_year(year);
	while (days >= days_in_month(year, month))
		days -= days_in_month(year, month++);

	ram[RTC_SECONDS] = to_byte(tod % 60, reg_b);
	ram[RTC_MINUTES] = to_byte(tod / 60 % 60, reg_b);
	ram[RTC_HOURS] = hour_to_byte(tod / 3600, reg_b);
	ram[RTC_DAY_OF_WEEK] = to_byte(time->weekday, reg_b);
	ram[RTC_DATE] = to_byte(days + 1, reg_b);
	ram[RTC_MONTH] = to_byte(month, reg_b);
	ram[RTC_YEAR] = to_byte(year % 100, reg_b);
	ram[RTC_CENTURY] = to_byte(year / 100, reg_b);
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

static bool matches(int want, int v)
{
	return want == ALARM_ANY || want == v;
}

int64_t rtc_alarm_in(const uint8_t ram[RTC_RAM_SIZE], uint8_t reg_b,
		     const struct rtc_time *time)
{
	int hour = alarm_hour(ram[RTC_HOURS_ALARM], reg_b);
	int minute = alarm_value(ram[RTC_MINUTES_ALARM], reg_b, 59);
	int second = alarm_value(ram[RTC_SECONDS_ALARM], reg_b, 59);
	int first = (int)(time->second % DAY) + 1;
	int t = first; /* goes on past midnight, to the same time tomorrow */

	if (hour == ALARM_NEVER || minute == ALARM_NEVER ||
	    second == ALARM_NEVER)
		return 0;
	/* Whole hours and minutes are skipped, so this takes few turns. */
	while (t < first + DAY) {
		if (!matches(hour, t / 3600 % 24))
			t = (t / 3600 + 1) * 3600;
		else if (!matches(minute, t / 60 % 60))
			t = (t / 60 + 1) * 60;
		else if (!matches(second, t % 60))
			t++;
		else
			return t - first + 1;
	}
	return 0;
}
