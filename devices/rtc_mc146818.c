// SPDX-License-Identifier: MIT
/*
 * The PC's real-time clock: Motorola MC146818A datasheet, on a 32.768 kHz
 * crystal; Dallas/Maxim DS12887 and DS12C887 datasheets where a PC's clock
 * differs: 114 bytes of RAM instead of 50, one of them the century. Register D has
 * the alarm's date (rtc_calendar.h).
 *
 * Nothing here runs by itself. The divider chain is a function of the loop's
 * clock (rtc_divider.h has its timing). Each access first brings the RAM and
 * register C's flags up to date (rtc_sync), then sets the line and, only while
 * an enabled interrupt is still to come, a timer (rtc_settle).
 *
 * The bytes read as before until an update ends. The chain's phase is such that
 * updates end where the clock that the device was created with begins a second:
 * a guest that waits for UF, or for UIP to fall, knows the time to the ns.
 *
 * What the datasheet leaves open:
 * - Release of SET does not touch the divider: the loaded time gets its next
 *   second within a second. To choose the fraction, a guest holds the divider
 *   in reset (DV = 11x): the first update begins 500 ms after its release.
 * - SET is to abort an update under way. If SET falls again before that update
 *   would have ended, it takes place after all.
 * - An impossible date reads back as written until the next update, which takes
 *   it for the nearest possible one (rtc_calendar.h). So the bytes of a date
 *   can be written in any order, with SET or without.
 * - DV = 010 is the crystal's. With any other value the chain stands, and
 *   begins at zero when 010 is written (DS12887: oscillator off, or reset).
 * - The clock that it runs on can step. A step forward is like time that went
 *   by at once: each flag rises once. A step back takes the time back with it
 *   and sets no flag; while SET is 1 or the chain stands, it does nothing.
 * - Bit 7 of the index register is the board's NMI mask: ignored. The index
 *   register cannot be read: 0xff, as an undriven bus gives.
 *
 * Not modelled: daylight saving (DSE is stored), the square wave (SQWE is
 * stored; a PC does not connect the pin), a battery that runs out (VRT is
 * always 1), the other two crystals, and the NMI mask.
 */
#include "rtc_mc146818.h"

#include <errno.h>
#include <stdlib.h>

#include "core/base.h"
#include "core/device.h"
#include "rtc_calendar.h"
#include "rtc_divider.h"

#define A_UIP 0x80
#define A_DV 0x70
#define A_DV_32KHZ 0x20
#define A_RS 0x0f
#define B_SET 0x80
#define B_PIE 0x40
#define B_AIE 0x20
#define B_UIE 0x10
#define B_SQWE 0x08
#define C_IRQF 0x80
#define C_PF 0x40 /* the flags stand where their enables are in B */
#define C_AF 0x20
#define C_UF 0x10
#define D_VRT 0x80

/* As a PC's firmware leaves it: 32.768 kHz, 1024 Hz; BCD, 24 hours. */
#define A_INITIAL 0x26
#define B_INITIAL RTC_B_24_12

struct rtc_state {
	uint8_t index;
	uint8_t ram[RTC_RAM_SIZE]; /* A without UIP, C without IRQF */
	/* From the clock's whole seconds to the chain's. */
	int64_t phase_ns;
	/* The chain's time up to which `ram` is right. */
	struct divider_time synced;
};

struct rtc_timer {
	struct loop_timer *timer;
	enum loop_clock clock;
	/* What it is armed for, by the RTC's clock; LOOP_NEVER: it is not. */
	int64_t due;
};

struct rtc {
	struct device dev;
	struct loop *loop;
	enum loop_clock clock;
	struct irq_line irq;
	void (*changed)(void *opaque, const struct rtc_kept *kept);
	void *opaque;
	/*
	 * For PIE and UIE, on the VM's clock: a second at most from now, and
	 * no step of the host's clock may make the guest wait longer.
	 */
	struct rtc_timer tick;
	/*
	 * For AIE, on the RTC's clock: up to a day from now, and a step is to
	 * move it.
	 */
	struct rtc_timer alarm;
	struct rtc_state state;
};

static struct rtc *to_rtc(struct device *dev)
{
	return container_of(dev, struct rtc, dev);
}

/* Whether the chain counts. */
static bool is_running(const struct rtc_state *s)
{
	return (s->ram[RTC_A] & A_DV) == A_DV_32KHZ;
}

/* Whether updates take place. */
static bool is_updating(const struct rtc_state *s)
{
	return is_running(s) && !(s->ram[RTC_B] & B_SET);
}

/* Periodic interrupts a second (datasheet, Table 5), 0 for none. */
static int64_t periodic_hz(const struct rtc_state *s)
{
	unsigned rs = s->ram[RTC_A] & A_RS;

	if (rs == 0)
		return 0;
	/* The taps before these are not there with a 32.768 kHz crystal. */
	if (rs <= 2)
		return 256 >> (rs - 1);
	return 32768 >> (rs - 1);
}

/* n updates at once; negative if the clock stepped back. */
static void update(struct rtc_state *s, int64_t n)
{
	uint8_t b = s->ram[RTC_B];
	struct rtc_time time;
	int64_t alarm_in;

	rtc_time_load(s->ram, b, &time);
	alarm_in = rtc_alarm_in(s->ram, b, &time);
	if (n > 0)
		s->ram[RTC_C] |= C_UF;
	if (alarm_in != 0 && n >= alarm_in)
		s->ram[RTC_C] |= C_AF;
	rtc_time_add(&time, n);
	rtc_time_store(s->ram, b, &time);
}

/* Lets happen what the chip did since the last call. Returns the clock. */
static int64_t rtc_sync(struct rtc *rtc)
{
	struct rtc_state *s = &rtc->state;
	int64_t now = loop_now(rtc->loop, rtc->clock);
	struct divider_time t = divider_at(now, s->phase_ns);
	int64_t updates = divider_updates(t) - divider_updates(s->synced);
	int64_t hz = periodic_hz(s);

	if (is_running(s) && hz != 0 &&
	    divider_ticks(t, hz) > divider_ticks(s->synced, hz))
		s->ram[RTC_C] |= C_PF;
	if (is_updating(s) && updates != 0)
		update(s, updates);
	s->synced = t;
	return now;
}

/* Arms t to fire `in` ns from now; LOOP_NEVER disarms it. */
static void timer_arm(struct rtc *rtc, struct rtc_timer *t, int64_t now,
		      int64_t in)
{
	int64_t due, deadline;

	if (in == LOOP_NEVER || __builtin_add_overflow(now, in, &due))
		due = LOOP_NEVER;
	if (due == t->due)
		return;
	t->due = due;
	if (t->clock == rtc->clock || due == LOOP_NEVER)
		deadline = due;
	else if (__builtin_add_overflow(loop_now(rtc->loop, t->clock), in,
					&deadline))
		deadline = LOOP_NEVER;
	loop_timer_set(rtc->loop, t->timer, deadline);
}

/*
 * Sets the line and the timers to what the state asks for. A flag that is
 * already up needs no timer, so a guest that does not acknowledge costs
 * nothing either.
 */
static void rtc_settle(struct rtc *rtc, int64_t now)
{
	const struct rtc_state *s = &rtc->state;
	uint8_t b = s->ram[RTC_B];
	uint8_t awaited = b & ~s->ram[RTC_C] & (B_PIE | B_AIE | B_UIE);
	int64_t tick = LOOP_NEVER, alarm = LOOP_NEVER;
	int64_t hz = periodic_hz(s);

	if ((awaited & B_PIE) && is_running(s) && hz != 0)
		tick = divider_to_tick(s->synced, hz);
	if ((awaited & B_UIE) && is_updating(s)) {
		int64_t in = divider_to_update(s->synced);

		tick = in < tick ? in : tick;
	}
	if ((awaited & B_AIE) && is_updating(s)) {
		struct rtc_time time;
		int64_t in;

		rtc_time_load(s->ram, b, &time);
		in = rtc_alarm_in(s->ram, b, &time);
		if (in != 0)
			alarm = divider_to_update(s->synced) +
				(in - 1) * NSEC_PER_SEC;
	}
	irq_set(&rtc->irq, b & s->ram[RTC_C] & (B_PIE | B_AIE | B_UIE));
	timer_arm(rtc, &rtc->tick, now, tick);
	timer_arm(rtc, &rtc->alarm, now, alarm);
}

static void timer_fired(struct rtc *rtc, struct rtc_timer *t)
{
	device_lock(&rtc->dev);
	t->due = LOOP_NEVER;
	rtc_settle(rtc, rtc_sync(rtc));
	device_unlock(&rtc->dev);
}

static void tick_fired(void *opaque)
{
	struct rtc *rtc = opaque;

	timer_fired(rtc, &rtc->tick);
}

static void alarm_fired(void *opaque)
{
	struct rtc *rtc = opaque;

	timer_fired(rtc, &rtc->alarm);
}

static uint8_t read_a(const struct rtc_state *s)
{
	bool uip = is_updating(s) && divider_uip(s->synced);

	return s->ram[RTC_A] | (uip ? A_UIP : 0);
}

static uint8_t read_c(struct rtc_state *s)
{
	uint8_t flags = s->ram[RTC_C];

	s->ram[RTC_C] = 0;
	return flags | (flags & s->ram[RTC_B] ? C_IRQF : 0);
}

static void write_a(struct rtc_state *s, int64_t now, uint8_t val)
{
	bool was_running = is_running(s);

	s->ram[RTC_A] = val & ~A_UIP;
	if (was_running || !is_running(s))
		return;
	/* The chain starts at zero now. */
	s->phase_ns = (NSEC_PER_SEC - divider_at(now, 0).ns) % NSEC_PER_SEC;
	s->synced = divider_at(now, s->phase_ns);
}

static void write_b(struct rtc_state *s, uint8_t val)
{
	/* SET that goes high clears UIE (datasheet, register B). */
	if ((val & B_SET) && !(s->ram[RTC_B] & B_SET))
		val &= ~B_UIE;
	s->ram[RTC_B] = val;
}

static void write_d(struct rtc_state *s, uint8_t val)
{
	s->ram[RTC_D] = D_VRT | (val & RTC_DATE_ALARM_BITS);
}

/* After rtc_sync(), which returned now. */
static void keep(struct rtc *rtc, int64_t now, struct rtc_kept *ret_kept)
{
	const struct rtc_state *s = &rtc->state;
	int64_t fraction = 0;

	if (rtc->clock != LOOP_CLOCK_HOST)
		now = loop_now(rtc->loop, LOOP_CLOCK_HOST);
	/* A clock that stands has come to no part of its second. */
	if (is_updating(s))
		fraction = NSEC_PER_SEC - divider_to_update(s->synced);
	rtc_kept_from(s->ram, fraction, now, ret_kept);
}

static uint64_t rtc_read(struct device *dev, uint64_t off, unsigned size)
{
	struct rtc *rtc = to_rtc(dev);
	struct rtc_state *s = &rtc->state;
	int64_t now;
	uint8_t val;

	if (off == 0)
		return 0xff;
	now = rtc_sync(rtc);
	switch (s->index) {
	case RTC_A: val = read_a(s); break;
	case RTC_C: val = read_c(s); break;
	default: val = s->ram[s->index]; break;
	}
	rtc_settle(rtc, now);
	return val;
}

static void rtc_write(struct device *dev, uint64_t off, unsigned size,
		      uint64_t val)
{
	struct rtc *rtc = to_rtc(dev);
	struct rtc_state *s = &rtc->state;
	int64_t now;

	if (off == 0) {
		s->index = val & 0x7f;
		return;
	}
	now = rtc_sync(rtc);
	switch (s->index) {
	case RTC_A: write_a(s, now, (uint8_t)val); break;
	case RTC_B: write_b(s, (uint8_t)val); break;
	case RTC_C: break; /* read-only */
	case RTC_D: write_d(s, (uint8_t)val); break;
	/* Its bit 7 is read-only. */
	case RTC_SECONDS: s->ram[RTC_SECONDS] = val & 0x7f; break;
	default: s->ram[s->index] = (uint8_t)val; break;
	}
	rtc_settle(rtc, now);
	/* While SET is 1 the clock is being set: its date may be half of one. */
	if (rtc->changed && s->index != RTC_C && !(s->ram[RTC_B] & B_SET)) {
		struct rtc_kept kept;

		keep(rtc, now, &kept);
		rtc->changed(rtc->opaque, &kept);
	}
}

void rtc_keep(struct device *dev, struct rtc_kept *ret_kept)
{
	struct rtc *rtc = to_rtc(dev);
	int64_t now;

	device_lock(dev);
	now = rtc_sync(rtc);
	keep(rtc, now, ret_kept);
	rtc_settle(rtc, now);
	device_unlock(dev);
}

/* The RESET# pin: time, calendar, RAM, index and register A stay. */
static void rtc_reset(struct device *dev)
{
	struct rtc *rtc = to_rtc(dev);
	int64_t now = rtc_sync(rtc);

	rtc->state.ram[RTC_B] &= ~(B_PIE | B_AIE | B_UIE | B_SQWE);
	rtc->state.ram[RTC_C] = 0;
	rtc_settle(rtc, now);
}

static void rtc_free(struct device *dev)
{
	struct rtc *rtc = to_rtc(dev);

	loop_timer_free(rtc->loop, rtc->tick.timer);
	loop_timer_free(rtc->loop, rtc->alarm.timer);
	device_done(dev);
	free(rtc);
}

static const struct device_ops rtc_ops = {
	.name = "rtc",
	.sizes = 1,
	.read = rtc_read,
	.write = rtc_write,
	.reset = rtc_reset,
	.free = rtc_free,
};

/* The state that a PC's firmware hands over, at the time that config says. */
static int state_init(struct rtc_state *s, const struct rtc_config *config)
{
	int64_t now = loop_now(config->loop, config->clock);
	struct rtc_time time;
	struct divider_time t;
	int64_t sec;
	int r = 0;

	/* First the clock itself, which has its updates on whole seconds. */
	s->phase_ns = config->offset_ns;
	t = divider_at(now, s->phase_ns);
	if (__builtin_add_overflow(t.sec, config->offset_sec, &sec))
		return -ERANGE;
	if (config->kept)
		rtc_time_wrap_unix(sec, &time);
	else
		r = rtc_time_from_unix(sec, &time);
	if (r < 0)
		return r;
	s->ram[RTC_A] = A_INITIAL;
	s->ram[RTC_B] = B_INITIAL;
	s->ram[RTC_D] = D_VRT;
	if (config->kept)
		rtc_kept_restore(config->kept, s->ram);
	rtc_time_store(s->ram, s->ram[RTC_B], &time);

	s->phase_ns = (s->phase_ns + DIVIDER_UPDATE_ENDS) % NSEC_PER_SEC;
	s->synced = divider_at(now, s->phase_ns);
	return 0;
}

int rtc_new(const struct rtc_config *config, struct device **ret_dev)
{
	struct rtc *rtc;
	int r;

	if (config->offset_ns < 0 || config->offset_ns >= NSEC_PER_SEC)
		return -EINVAL;
	rtc = calloc(1, sizeof(*rtc));
	if (!rtc)
		return -ENOMEM;
	device_init(&rtc->dev, &rtc_ops);
	rtc->loop = config->loop;
	rtc->clock = config->clock;
	rtc->irq = config->irq;
	rtc->changed = config->changed;
	rtc->opaque = config->opaque;
	rtc->tick = (struct rtc_timer){ NULL, LOOP_CLOCK_VM, LOOP_NEVER };
	rtc->alarm = (struct rtc_timer){ NULL, config->clock, LOOP_NEVER };
	r = state_init(&rtc->state, config);
	if (r == 0)
		r = loop_timer_new(rtc->loop, rtc->tick.clock, tick_fired, rtc,
				   &rtc->tick.timer);
	if (r == 0)
		r = loop_timer_new(rtc->loop, rtc->alarm.clock, alarm_fired,
				   rtc, &rtc->alarm.timer);
	if (r < 0) {
		rtc_free(&rtc->dev);
		return r;
	}
	*ret_dev = &rtc->dev;
	return 0;
}
