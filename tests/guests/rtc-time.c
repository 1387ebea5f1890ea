// SPDX-License-Identifier: MIT
/*
 * rtc-time.c: the clock starts at the time it was given, can be set, carries
 * over a century, knows leap years, and shows 12 hours and binary.
 *
 * case rtc-time
 *	options: --rtc base=2024-02-28T23:59:30,clock=vm
 *	status: 0
 *	match: ^starts at 2024-02-28 23:59:3[0-9] weekday 4$
 *	match: ^carries to 2000-01-01 00:00:0[0-9] weekday 7$
 *	match: ^leaps to 2024-02-29 00:00:0[0-9] weekday 5$
 */
#include "guest.h"

#define RTC_SECONDS 0x00
#define RTC_HOURS 0x04
#define RTC_A 0x0a
#define RTC_B 0x0b
#define RTC_D 0x0d
#define A_DIVIDER_32K 0x26
#define B_SET 0x80
#define B_BINARY 0x04
#define B_24H 0x02
#define D_VRT 0x80

static void show(const char *what)
{
	struct rtc_time t = rtc_get();

	print("%s %04u-%02u-%02u %02u:%02u:%02u weekday %u\n", what, t.year,
	      t.month, t.day, t.hour, t.minute, t.second, t.weekday);
}

/* Until the seconds change; 0.5 s after the divider was started anew. */
static void wait_for_update(void)
{
	uint8_t second = rtc_read(RTC_SECONDS);

	while (rtc_read(RTC_SECONDS) == second)
		cpu_relax();
}

int guest_main(void)
{
	const struct rtc_time century = { 1999, 12, 31, 23, 59, 59, 6 };
	const struct rtc_time leap = { 2024, 2, 28, 23, 59, 59, 4 };
	struct rtc_time t;
	uint8_t b;

	CHECK_EQ(rtc_read(RTC_D), D_VRT);
	show("starts at");
	rtc_write(RTC_A, A_DIVIDER_32K);
	rtc_set(&century);
	wait_for_update();
	show("carries to");
	rtc_set(&leap);
	wait_for_update();
	show("leaps to");

	/* With SET the registers are the guest's own: they do not move. */
	b = rtc_read(RTC_B);
	rtc_write(RTC_B, B_SET | B_BINARY);
	rtc_write(RTC_HOURS, 0x80 | 11);
	CHECK_EQ(rtc_read(RTC_HOURS), 0x80 | 11);
	rtc_write(RTC_B, B_BINARY);
	t = rtc_get();
	CHECK_EQ(t.hour, 23);
	rtc_write(RTC_B, b);
	return 0;
}
