// SPDX-License-Identifier: MIT
#include "rtc_kept.h"

#include <stdbool.h>

#include "core/base.h"

/* What the bytes mean; the time's, too, go by it. */
#define B_KEPT (RTC_B_DM | RTC_B_24_12 | RTC_B_DSE)

/* Whether the offset, or a start anew, says what this byte is. */
static bool is_volatile(unsigned index)
{
	switch (index) {
	case RTC_SECONDS:
	case RTC_MINUTES:
	case RTC_HOURS:
	case RTC_DAY_OF_WEEK:
	case RTC_DATE:
	case RTC_MONTH:
	case RTC_YEAR:
	case RTC_CENTURY:
	case RTC_A:
	case RTC_C: return true;
	default: return false;
	}
}

void rtc_kept_from(const uint8_t ram[RTC_RAM_SIZE], int64_t fraction,
		   int64_t utc, struct rtc_kept *ret_kept)
{
	int64_t ns = fraction - utc % NSEC_PER_SEC, sec;
	struct rtc_time time;
	unsigned i;

	for (i = 0; i < RTC_RAM_SIZE; i++)
		ret_kept->ram[i] = is_volatile(i) ? 0 : ram[i];
	ret_kept->ram[RTC_B] &= B_KEPT;
	ret_kept->ram[RTC_D] &= RTC_DATE_ALARM_BITS;

	rtc_time_load(ram, ram[RTC_B], &time);
	sec = rtc_time_to_unix(&time) - utc / NSEC_PER_SEC + ns / NSEC_PER_SEC;
	ns %= NSEC_PER_SEC;
	if (ns < 0) {
		ns += NSEC_PER_SEC;
		sec--;
	}
	ret_kept->offset_sec = sec;
	ret_kept->offset_ns = (int32_t)ns;
}

void rtc_kept_restore(const struct rtc_kept *kept, uint8_t ram[RTC_RAM_SIZE])
{
	uint8_t reg_d = ram[RTC_D];
	unsigned i;

	for (i = 0; i < RTC_RAM_SIZE; i++)
		if (!is_volatile(i))
			ram[i] = kept->ram[i];
	ram[RTC_B] &= B_KEPT;
	ram[RTC_D] = reg_d | (kept->ram[RTC_D] & RTC_DATE_ALARM_BITS);
}
