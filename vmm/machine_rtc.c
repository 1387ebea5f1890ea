// SPDX-License-Identifier: MIT
/* machine_rtc.c: the board's clock: what it shows at first, who hears of it. */
#include "machine.h"

#include <errno.h>
#include <time.h>

#include "acpi_pm.h"
#include "backend/nvram_file.h"
#include "core/base.h"
#include "core/device.h"
#include "rtc_mc146818.h"

/* Seconds that the host's local time is ahead of UTC now. */
static int64_t local_offset(void)
{
	time_t now = time(NULL);
	struct tm tm;

	return localtime_r(&now, &tm) ? tm.tm_gmtoff : 0;
}

/*
 * What must be added to the clock's reading for the RTC to show what was asked
 * for, or what it showed last. With the host's clock and the host's time that is
 * exactly nothing.
 */
static void rtc_time(const struct machine_config *config, struct loop *loop,
		     struct rtc_config *rtc)
{
	int64_t host = loop_now(loop, LOOP_CLOCK_HOST);
	int64_t reading = host, ns;

	rtc->clock = LOOP_CLOCK_HOST;
	if (config->rtc_clock == TRAPMAP_RTC_CLOCK_VM) {
		rtc->clock = LOOP_CLOCK_VM;
		reading = loop_now(loop, LOOP_CLOCK_VM);
	}
	ns = host - reading;
	rtc->offset_sec = 0;
	if (rtc->kept && !config->nvram_set_clock) {
		rtc->offset_sec = rtc->kept->offset_sec;
		rtc->offset_sec += ns / NSEC_PER_SEC;
		ns = ns % NSEC_PER_SEC + rtc->kept->offset_ns;
	} else if (config->rtc_base == TRAPMAP_RTC_BASE_LOCALTIME) {
		rtc->offset_sec = local_offset();
	} else if (config->rtc_base == TRAPMAP_RTC_BASE_EPOCH) {
		/* In seconds apart: a date may be too far off for ns. */
		rtc->offset_sec = config->rtc_epoch;
		ns = -reading;
	}
	rtc->offset_sec += ns / NSEC_PER_SEC;
	rtc->offset_ns = (int32_t)(ns % NSEC_PER_SEC);
	if (rtc->offset_ns < 0) {
		rtc->offset_ns += NSEC_PER_SEC;
		rtc->offset_sec--;
	}
}

/* IRQ 8, and the event that ACPI has of it (4.8.2.4). */
static void rtc_irq(void *opaque, bool level)
{
	struct machine *m = opaque;

	irq_set(&m->rtc_line, level);
	if (level)
		acpi_pm_rtc_event(m->pm);
}

static void rtc_changed(void *opaque, const struct rtc_kept *kept)
{
	struct machine *m = opaque;

	nvram_file_put(m->nvram, kept);
}

/* What would do, and this host or process cannot have. */
static bool host_lacks(int r)
{
	return r == -ENOMEM || r == -EMFILE || r == -ENFILE || r == -EAGAIN ||
	       r == -EFBIG || r == -ENOSPC || r == -EDQUOT || r == -EIO;
}

/* Opens config->nvram. */
static int open_nvram(struct machine *m, const struct machine_config *config,
		      struct error *err)
{
	struct notice notice = { 0 };
	char why[NVRAM_WHY_LEN];
	int r;

	if (m->host.notices)
		notice = notice_from(&m->nvram_notice, m->host.notices,
				     config->nvram);
	r = nvram_file_open(config->nvram, &notice, &m->nvram, why);
	if (r < 0)
		return error_set(err, host_lacks(r) ? ERROR_HOST : ERROR_INPUT,
				 r, "NVRAM '%s' %s", config->nvram, why);
	return 0;
}

int machine_add_rtc(struct machine *m, const struct machine_config *config,
		    struct loop *loop, const int *vm_fd, struct error *err)
{
	const struct platform_place *place = &config->platform.rtc;
	struct rtc_config rtc = {
		.loop = loop,
		.irq = { .set = rtc_irq, .opaque = m },
	};
	int r;

	if (!place->there)
		return config->nvram ? error_set(err, ERROR_INPUT, -ENODEV,
						 "NVRAM '%s': this machine has "
						 "no clock",
						 config->nvram)
				     : 0;
	m->rtc_line = irqchip_line(&m->irq_rtc, vm_fd, place->irq);
	if (config->nvram) {
		r = open_nvram(m, config, err);
		if (r < 0)
			return r;
		rtc.kept = nvram_file_kept(m->nvram);
		rtc.changed = rtc_changed;
		rtc.opaque = m;
	}
	rtc_time(config, loop, &rtc);
	r = rtc_new(&rtc, &m->rtc);
	if (r == 0)
		r = machine_keep(m, m->rtc);
	if (r == 0)
		r = bus_add(place->space == TRAPMAP_SPACE_PIO ? &m->pio
							      : &m->mmio,
			    place->base, 2, m->rtc, 0);
	return r < 0 ? error_host(err, r, "cannot build the machine") : 0;
}

void machine_keep_rtc(struct machine *m)
{
	struct rtc_kept kept;

	if (!m->nvram)
		return;
	rtc_keep(m->rtc, &kept);
	nvram_file_put(m->nvram, &kept);
	nvram_file_flush(m->nvram);
}
