/* SPDX-License-Identifier: MIT */
/*
 * rtc_calendar.h: what the time, calendar and alarm bytes of an MC146818 mean.
 * Pure arithmetic on the chip's RAM; no clock, no device.
 */
#ifndef TRAPMAP_RTC_CALENDAR_H
#define TRAPMAP_RTC_CALENDAR_H

#include <stdint.h>

/* Addresses in the chip's RAM (datasheet, "Address map"). */
enum {
	RTC_SECONDS = 0x00,
	RTC_SECONDS_ALARM = 0x01,
	RTC_MINUTES = 0x02,
	RTC_MINUTES_ALARM = 0x03,
	RTC_HOURS = 0x04,
	RTC_HOURS_ALARM = 0x05,
	RTC_DAY_OF_WEEK = 0x06, /* 1 is Sunday */
	RTC_DATE = 0x07,
	RTC_MONTH = 0x08,
	RTC_YEAR = 0x09,
	RTC_A = 0x0a,
	RTC_B = 0x0b,
	RTC_C = 0x0c,
	RTC_D = 0x0d,
	/* In a PC's chipset, not the chip: the ACPI FADT's DAY_ALRM names it. */
	RTC_DATE_ALARM = RTC_D, /* its low six bits */
	/* A PC's habit as well: the FADT's CENTURY. */
	RTC_CENTURY = 0x32,
	RTC_RAM_SIZE = 0x80,
};

#define RTC_DATE_ALARM_BITS 0x3f
#define RTC_B_DSE 0x01 /* daylight saving; in register B, as the next two */

/* The two bits of register B that say how the bytes are written. */
#define RTC_B_DM 0x04 /* 1: binary, 0: BCD */
#define RTC_B_24_12 0x02 /* 1: 24 hours; 0: 1 to 12, with bit 7 for PM */

/* The proleptic Gregorian years 0000 to 9999, after which it starts anew. */
#define RTC_CALENDAR_DAYS INT64_C(3652425)
#define RTC_CALENDAR_SECONDS (RTC_CALENDAR_DAYS * 86400)

struct rtc_time {
	int64_t second; /* since 0000-01-01 00:00:00; < RTC_CALENDAR_SECONDS */
	int weekday; /* 1 to 7; a counter of its own, right or wrong */
};

/*
 * sec counts from 1970-01-01 00:00:00. Returns 0, or -ERANGE: outside the
 * years 0000 to 9999.
 */
int rtc_time_from_unix(int64_t sec, struct rtc_time *ret_time);

/* The same for any sec up to 2^62 either way: the calendar begins again at its end. */
void rtc_time_wrap_unix(int64_t sec, struct rtc_time *ret_time);

int64_t rtc_time_to_unix(const struct rtc_time *time);

/*
 * Reads the bytes as register B says. What no clock can show counts as the
 * nearest that it can: month 13 as 12, date 0 as 1, 31 April as 30 April.
 */
void rtc_time_load(const uint8_t ram[RTC_RAM_SIZE], uint8_t reg_b,
		   struct rtc_time *ret_time);

/* The contrary; touches the eight bytes of time and calendar only. */
void rtc_time_store(uint8_t ram[RTC_RAM_SIZE], uint8_t reg_b,
		    const struct rtc_time *time);

/* n may be negative, and of any size up to 2^62 either way. */
void rtc_time_add(struct rtc_time *time, int64_t n);

/*
 * In how many seconds after `time` the alarm bytes match next, or 0 for never, which
 * is so if one of the three of the time can neither match nor is a "don't care" (0xc0
 * to 0xff). Without a date it is a day at most, and with one 61: what is no date from
 * 1 to 31 there is none (ACPI, 4.8.2.4).
 */
int64_t rtc_alarm_in(const uint8_t ram[RTC_RAM_SIZE], uint8_t reg_b,
		     const struct rtc_time *time);

#endif
