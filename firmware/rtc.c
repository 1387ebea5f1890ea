// SPDX-License-Identifier: MIT
/*
 * rtc.c: the real-time clock behind ports 0x70 and 0x71. Source: Motorola's
 * MC146818A data sheet; the century byte at 0x32 is the PC's custom.
 */
#include "guest.h"

#define RTC_INDEX 0x70
#define RTC_DATA 0x71

#define RTC_SECONDS 0x00
#define RTC_MINUTES 0x02
#define RTC_HOURS 0x04
#define RTC_WEEKDAY 0x06
#define RTC_DAY 0x07
#define RTC_MONTH 0x08
#define RTC_YEAR 0x09
#define RTC_A 0x0a
#define RTC_B 0x0b
#define RTC_CENTURY 0x32

#define A_UIP 0x80
#define B_SET 0x80
#define B_BINARY 0x04
#define B_24H 0x02
#define HOUR_PM 0x80

uint8_t rtc_read(uint8_t index)
{
	outb(RTC_INDEX, index);
	return inb(RTC_DATA);
}

void rtc_write(uint8_t index, uint8_t val)
{
	outb(RTC_INDEX, index);
	outb(RTC_DATA, val);
}

static unsigned decode(uint8_t val, uint8_t b)
{
	return b & B_BINARY ? val : (val >> 4) * 10u + (val & 15);
}

static uint8_t encode(unsigned val, uint8_t b)
{
	return (uint8_t)(b & B_BINARY ? val : (val / 10) << 4 | val % 10);
}

static unsigned decode_hour(uint8_t val, uint8_t b)
{
	if (b & B_24H)
		return decode(val, b);
	return decode(val & ~HOUR_PM, b) % 12 + (val & HOUR_PM ? 12 : 0);
}

static uint8_t encode_hour(unsigned hour, uint8_t b)
{
	if (b & B_24H)
		return encode(hour, b);
	return encode(hour % 12 ? hour % 12 : 12, b) |
	       (hour >= 12 ? HOUR_PM : 0);
}

struct rtc_time rtc_get(void)
{
	uint8_t b = rtc_read(RTC_B);
	struct rtc_time t;

	/* UIP clear promises 244 us in which nothing changes. */
	while (rtc_read(RTC_A) & A_UIP)
		cpu_relax();
	t.second = decode(rtc_read(RTC_SECONDS), b);
	t.minute = decode(rtc_read(RTC_MINUTES), b);
	t.hour = decode_hour(rtc_read(RTC_HOURS), b);
	t.weekday = decode(rtc_read(RTC_WEEKDAY), b);
	t.day = decode(rtc_read(RTC_DAY), b);
	t.month = decode(rtc_read(RTC_MONTH), b);
	t.year = decode(rtc_read(RTC_YEAR), b) +
		 100 * decode(rtc_read(RTC_CENTURY), b);
	return t;
}

void rtc_set(const struct rtc_time *t)
{
	uint8_t b = rtc_read(RTC_B);

	rtc_write(RTC_B, b | B_SET);
	rtc_write(RTC_SECONDS, encode(t->second, b));
	rtc_write(RTC_MINUTES, encode(t->minute, b));
	rtc_write(RTC_HOURS, encode_hour(t->hour, b));
	rtc_write(RTC_WEEKDAY, encode(t->weekday, b));
	rtc_write(RTC_DAY, encode(t->day, b));
	rtc_write(RTC_MONTH, encode(t->month, b));
	rtc_write(RTC_YEAR, encode(t->year % 100, b));
	rtc_write(RTC_CENTURY, encode(t->year / 100, b));
	rtc_write(RTC_B, b);
}
