/* SPDX-License-Identifier: MIT */
/*
 * rtc_kept.h: what the battery of a PC's clock keeps while the machine is off: the
 * CMOS RAM, and how far the clock is from the right time.
 */
#ifndef TRAPMAP_RTC_KEPT_H
#define TRAPMAP_RTC_KEPT_H

#include <stdint.h>

#include "rtc_calendar.h"

/* No offset within the calendar is larger, either way. */
#define RTC_KEPT_OFFSET_MAX RTC_CALENDAR_SECONDS

struct rtc_kept {
	/*
	 * By its index. Time, calendar, register A and C are 0, for the offset
	 * says them or they begin anew; of B there are DSE, DM and 24/12, and of
	 * D the alarm's date.
	 */
	uint8_t ram[RTC_RAM_SIZE];
	/* What the clock shows minus UTC; ns is 0 to 999999999. */
	int64_t offset_sec;
	int32_t offset_ns;
};

/* Of a clock whose bytes have shown what they show for fraction ns, at utc ns. */
void rtc_kept_from(const uint8_t ram[RTC_RAM_SIZE], int64_t fraction,
		   int64_t utc, struct rtc_kept *ret_kept);

/* Puts its bytes, and not the time, into the RAM of a clock that begins. */
void rtc_kept_restore(const struct rtc_kept *kept, uint8_t ram[RTC_RAM_SIZE]);

#endif
