/* SPDX-License-Identifier: MIT */
/* rtc_mc146818.h: the PC's real-time clock and its NVRAM. */
#ifndef TRAPMAP_RTC_MC146818_H
#define TRAPMAP_RTC_MC146818_H

#include <stdint.h>

#include "core/irq.h"
#include "core/loop.h"

struct device;

struct rtc_config {
	struct loop *loop; /* outlives the device */
	/*
	 * The clock that it runs on. At creation it shows, as seconds since
	 * 1970-01-01 00:00:00, clock's reading + offset_sec + offset_ns.
	 */
	enum loop_clock clock;
	int64_t offset_sec;
	int32_t offset_ns; /* 0 to 999999999 */
	struct irq_line irq;
};

/*
 * Offset 0 is the index register (port 0x70), 1 the data register (0x71).
 * Returns 0; -EINVAL: offset_ns; -ERANGE: the time to show lies outside the
 * years 0000 to 9999; -ENOMEM, or what the loop returns. Released by
 * device_free().
 */
int rtc_new(const struct rtc_config *config, struct device **ret_dev);

#endif
