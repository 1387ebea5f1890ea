// SPDX-License-Identifier: MIT
/*
 * ACPI's fixed hardware: the PM1 event and control registers, the PM timer and
 * the reset register.
 *
 * Source: ACPI Specification 6.4, sections 4.8.3.1 (PM1 event grouping),
 * 4.8.3.2 (PM1 control), 4.8.3.3 (PM timer), 4.8.3.6 (reset register),
 * 4.8.2.2.1 (power button), 4.8.2.4 (RTC alarm), 16.1 (sleeping states).
 *
 * There is no system management mode, so the machine is always in ACPI mode:
 * SCI_EN reads as 1 and no write changes it.
 *
 * Not modelled: S1 to S4, and with them WAK_STS (a write of SLP_EN with
 * another SLP_TYP has no effect); the sleep button, whose status bit stays 0; the
 * global lock's hand-over to firmware (GBL_STS, GBL_RLS) and bus-master activity
 * (BM_STS), for there is neither; the power button's four-second override.
 */
#include "acpi_pm.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/base.h"
#include "core/device.h"
#include "core/loop.h"

/* PM1 status and, at the same places, PM1 enable. */
#define TMR_STS BIT(0)
#define GBL_STS BIT(5)
#define PWRBTN_STS BIT(8)
#define SLPBTN_STS BIT(9)
#define RTC_STS BIT(10)
#define PM1_EVENTS (TMR_STS | GBL_STS | PWRBTN_STS | SLPBTN_STS | RTC_STS)
#define TMR_EN TMR_STS

/* PM1 control. */
#define SCI_EN BIT(0)
#define BM_RLD BIT(1)
#define SLP_TYP_SHIFT 10
#define SLP_TYP (7u << SLP_TYP_SHIFT)
#define SLP_EN BIT(13) /* write-only */
#define PM1_CNT_KEPT (BM_RLD | SLP_TYP)

/* TMR_STS is set when the counter's top bit changes. */
#define TMR_TOP (ACPI_PM_TIMER_BITS - 1)

struct acpi_pm_state {
	uint16_t status;
	uint16_t enable;
	uint16_t control; /* PM1_CNT_KEPT */
	uint64_t half; /* ticks >> TMR_TOP, as far as TMR_STS knows */
};

struct acpi_pm {
	struct device dev;
	struct loop *loop;
	struct loop_timer *timer;
	int64_t deadline; /* what the timer is set to */
	struct irq_line sci;
	struct end_sink end;
	struct acpi_pm_state s;
};

static struct acpi_pm *to_pm(struct device *dev)
{
	return container_of(dev, struct acpi_pm, dev);
}

/*
 * Ticks since the VM started. Whole seconds and the rest apart: so nothing
 * overflows before the clock itself does, 292 years on, and nothing drifts.
 */
static uint64_t ticks_at(int64_t now)
{
	uint64_t ns = now > 0 ? (uint64_t)now : 0;

	return ns / NSEC_PER_SEC * ACPI_PM_TIMER_HZ +
	       ns % NSEC_PER_SEC * ACPI_PM_TIMER_HZ / NSEC_PER_SEC;
}

/* The first ns at which ticks_at() is `ticks`. */
static int64_t time_of(uint64_t ticks)
{
	uint64_t sec = ticks / ACPI_PM_TIMER_HZ;
	uint64_t rest = ticks % ACPI_PM_TIMER_HZ * NSEC_PER_SEC;

	if (sec >= INT64_MAX / NSEC_PER_SEC)
		return LOOP_NEVER;
	rest = (rest + ACPI_PM_TIMER_HZ - 1) / ACPI_PM_TIMER_HZ;
	return (int64_t)(sec * NSEC_PER_SEC + rest);
}

static uint64_t ticks_now(struct acpi_pm *pm)
{
	return ticks_at(loop_now(pm->loop, LOOP_CLOCK_VM));
}

/* Brings TMR_STS up to date. */
static void catch_up(struct acpi_pm *pm, uint64_t ticks)
{
	uint64_t half = ticks >> TMR_TOP;

	if (half != pm->s.half)
		pm->s.status |= TMR_STS;
	pm->s.half = half;
}

/* While TMR_STS is set the next carry changes nothing, so it is not awaited. */
static void update_timer(struct acpi_pm *pm)
{
	const struct acpi_pm_state *s = &pm->s;
	int64_t deadline = LOOP_NEVER;

	if (s->enable & TMR_EN && !(s->status & TMR_STS))
		deadline = time_of((s->half + 1) << TMR_TOP);
	if (deadline == pm->deadline)
		return;
	pm->deadline = deadline;
	loop_timer_set(pm->loop, pm->timer, deadline);
}

static void update_irq(struct acpi_pm *pm)
{
	update_timer(pm);
	irq_set(&pm->sci, pm->s.status & pm->s.enable & PM1_EVENTS);
}

static void timer_fire(void *opaque)
{
	struct acpi_pm *pm = opaque;

	device_lock(&pm->dev);
	pm->deadline = LOOP_NEVER;
	catch_up(pm, ticks_now(pm));
	update_irq(pm);
	device_unlock(&pm->dev);
}

/*
 * The block as two little-endian words of eight bytes, so that an access of any
 * size picks its byte lanes: PM1 and a gap of two in the first, the timer, the
 * reset register and a gap of three in the second.
 */
static uint64_t acpi_pm_read(struct device *dev, uint64_t off, unsigned size)
{
	struct acpi_pm *pm = to_pm(dev);
	uint64_t ticks = ticks_now(pm);
	uint64_t lo, hi, val;

	if (off >= ACPI_PM_LEN)
		return UINT64_MAX;

	catch_up(pm, ticks);
	update_irq(pm);

	lo = pm->s.status | (uint64_t)pm->s.enable << 16 |
	     (uint64_t)(pm->s.control | SCI_EN) << 32 | UINT64_C(0xffff) << 48;
	hi = (ticks & (BIT64(ACPI_PM_TIMER_BITS) - 1)) |
	     UINT64_C(0xffffff) << 40;

	if (off >= 8)
		val = hi >> (off - 8) * 8;
	else
		val = off == 0 ? lo : lo >> off * 8 | hi << (8 - off) * 8;
	return val & size_mask(size);
}

static void write_control(struct acpi_pm *pm, uint16_t val, uint16_t mask)
{
	struct acpi_pm_state *s = &pm->s;

	mask &= PM1_CNT_KEPT | SLP_EN;
	s->control = (s->control & (uint16_t)~mask) | (val & mask);
	s->control &= PM1_CNT_KEPT;
	if (val & mask & SLP_EN && s->control >> SLP_TYP_SHIFT == ACPI_PM_S5)
		end_request(&pm->end, END_POWEROFF, 0, "ACPI S5");
}

static void write_pm1(struct acpi_pm *pm, uint64_t val, uint64_t mask)
{
	struct acpi_pm_state *s = &pm->s;
	uint16_t enable_mask = (uint16_t)(mask >> 16) & PM1_EVENTS;

	s->status &= (uint16_t)~(val & mask);
	s->enable = (s->enable & (uint16_t)~enable_mask) |
		    ((uint16_t)(val >> 16) & enable_mask);
	write_control(pm, (uint16_t)(val >> 32), (uint16_t)(mask >> 32));
}

static void acpi_pm_write(struct device *dev, uint64_t off, unsigned size,
			  uint64_t val)
{
	struct acpi_pm *pm = to_pm(dev);

	catch_up(pm, ticks_now(pm));
	if (off < 8)
		write_pm1(pm, val << off * 8, size_mask(size) << off * 8);
	if (off <= ACPI_PM_RESET && ACPI_PM_RESET < off + size &&
	    (uint8_t)(val >> (ACPI_PM_RESET - off) * 8) == ACPI_PM_RESET_VALUE)
		end_request(&pm->end, END_RESET, 0, "ACPI reset register");
	update_irq(pm);
}

static void event(struct device *dev, uint16_t status)
{
	struct acpi_pm *pm = to_pm(dev);

	device_lock(dev);
	pm->s.status |= status;
	update_irq(pm);
	device_unlock(dev);
}

void acpi_pm_power_button(struct device *dev)
{
	event(dev, PWRBTN_STS);
}

void acpi_pm_rtc_event(struct device *dev)
{
	event(dev, RTC_STS);
}

/* The counter has no reset: it runs from the VM's start. */
static void acpi_pm_reset(struct device *dev)
{
	struct acpi_pm *pm = to_pm(dev);

	pm->s = (struct acpi_pm_state){
		.half = ticks_now(pm) >> TMR_TOP,
	};
	update_irq(pm);
}

static void acpi_pm_free(struct device *dev)
{
	struct acpi_pm *pm = to_pm(dev);

	loop_timer_free(pm->loop, pm->timer);
	device_done(dev);
	free(pm);
}

static const struct device_ops acpi_pm_ops = {
	.name = "acpi-pm",
	.sizes = 1 | 2 | 4,
	.read = acpi_pm_read,
	.write = acpi_pm_write,
	.reset = acpi_pm_reset,
	.free = acpi_pm_free,
};

int acpi_pm_new(const struct acpi_pm_config *config, struct device **ret_dev)
{
	struct acpi_pm *pm = calloc(1, sizeof(*pm));
	int err;

	if (!pm)
		return -ENOMEM;
	device_init(&pm->dev, &acpi_pm_ops);
	pm->loop = config->loop;
	pm->sci = config->sci;
	pm->end = config->end;
	pm->deadline = LOOP_NEVER;
	err = loop_timer_new(pm->loop, LOOP_CLOCK_VM, timer_fire, pm,
			     &pm->timer);
	if (err < 0) {
		acpi_pm_free(&pm->dev);
		return err;
	}
	acpi_pm_reset(&pm->dev);
	*ret_dev = &pm->dev;
	return 0;
}
