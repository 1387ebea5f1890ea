/* SPDX-License-Identifier: MIT */
/* rtc_mc146818.h: the PC's real-time clock and its NVRAM. */
#ifndef TRAPMAP_RTC_MC146818_H
#define TRAPMAP_RTC_MC146818_H

#include <stdint.h>

#include "core/irq.h"
#include "core/loop.h"
#include "rtc_kept.h"

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
	/*
	 * What was kept while it was off; NULL: nothing. Of it the bytes are
	 * taken, and the offset is for the caller to put into the two above. The
	 * clock begins anew where the calendar ends.
	 */
	const struct rtc_kept *kept;
	/*
	 * The guest has changed what rtc_keep() returns, and has not stopped the
	 * clock to set it; NULL: nobody asks. On the thread that made the access,
	 * with the device's lock held.
	 */
	void (*changed)(void *opaque, const struct rtc_kept *kept);
	void *opaque;
};

/*
 * Offset 0 is the index register (port 0x70), 1 the data register (0x71).
 * Returns 0; -EINVAL: offset_ns; -ERANGE: without `kept`, the time to show lies
 * outside the years 0000 to 9999; -ENOMEM, or what the loop returns. Released by
 * device_free().
 */
int rtc_new(const struct rtc_config *config, struct device **ret_dev);

/* What a battery would keep, as it is now. Any thread, dev's lock not held. */
void rtc_keep(struct device *dev, struct rtc_kept *ret_kept);

#endif
