/* SPDX-License-Identifier: MIT */
/*
 * rtc_rig.h: an RTC at ports 0x70 and 0x71 with its clocks in the test's hand.
 * Dates go in and out as text; libc's calendar is the judge of ours.
 */
#ifndef TRAPMAP_TEST_RTC_RIG_H
#define TRAPMAP_TEST_RTC_RIG_H

#include "test.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/base.h"
#include "core/bus.h"
#include "fake_loop.h"
#include "rtc_mc146818.h"

/* Registers B and C. */
#define PIE 0x40
#define AIE 0x20
#define UIE 0x10
#define IRQF 0x80
#define PF 0x40
#define AF 0x20
#define UF 0x10

/* Any time that is not a whole second. */
#define RIG_NOW INT64_C(1234567890123456789)

struct rtc_rig {
	struct fake_loop fl;
	struct fake_line line;
	struct bus bus;
	struct device *dev;
};

/* "1999-12-31 23:59:59" as seconds since 1970, by libc. */
static inline int64_t seconds_of(const char *date)
{
	struct tm tm = { 0 };

	assert_int_equal(sscanf(date, "%d-%d-%d %d:%d:%d", &tm.tm_year,
				&tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
				&tm.tm_min, &tm.tm_sec),
			 6);
	tm.tm_year -= 1900;
	tm.tm_mon--;
	return timegm(&tm);
}

/* At `date`, and since 0 ns. */
static inline void rig_init(struct rtc_rig *rig, enum loop_clock clock,
			    const char *date)
{
	struct rtc_config config = {
		.loop = &rig->fl.loop,
		.clock = clock,
		.offset_sec = seconds_of(date) - RIG_NOW / NSEC_PER_SEC - 1,
		.offset_ns = (int32_t)(NSEC_PER_SEC - RIG_NOW % NSEC_PER_SEC),
		.irq = { .set = fake_line_set, .opaque = &rig->line },
	};

	memset(rig, 0, sizeof(*rig));
	fake_loop_init(&rig->fl, RIG_NOW);
	bus_init(&rig->bus, 0xffff);
	assert_int_equal(rtc_new(&config, &rig->dev), 0);
	assert_int_equal(bus_add(&rig->bus, 0x70, 2, rig->dev, 0), 0);
}

static inline void rig_done(struct rtc_rig *rig)
{
	bus_done(&rig->bus);
	rig->dev = device_free(rig->dev);
}

static inline void advance(struct rtc_rig *rig, int64_t ns)
{
	fake_loop_advance(&rig->fl, ns);
}

static inline uint8_t get(struct rtc_rig *rig, uint8_t reg)
{
	uint64_t val;

	assert_true(bus_write(&rig->bus, 0x70, 1, reg));
	assert_true(bus_read(&rig->bus, 0x71, 1, &val));
	return (uint8_t)val;
}

static inline void put(struct rtc_rig *rig, uint8_t reg, uint8_t val)
{
	assert_true(bus_write(&rig->bus, 0x70, 1, reg));
	assert_true(bus_write(&rig->bus, 0x71, 1, val));
}

/* A number as register B's DM has it written. */
static inline uint8_t in_mode(unsigned v, uint8_t reg_b)
{
	return (uint8_t)(reg_b & 0x04 ? v : v / 10 << 4 | v % 10);
}

/* Of a clock in BCD and 24 hours. */
static inline void assert_shows(struct rtc_rig *rig, const char *date)
{
	char text[32];

	snprintf(text, sizeof(text), "%02x%02x-%02x-%02x %02x:%02x:%02x",
		 get(rig, 0x32), get(rig, 0x09), get(rig, 0x08),
		 get(rig, 0x07), get(rig, 0x04), get(rig, 0x02),
		 get(rig, 0x00));
	assert_string_equal(text, date);
}

/* Writes what assert_shows() would read, with nothing around it. */
static inline void load_date(struct rtc_rig *rig, const char *date)
{
	unsigned v[7];
	static const uint8_t reg[] = { 0x32, 9, 8, 7, 4, 2, 0 };
	unsigned i;

	assert_int_equal(sscanf(date, "%2x%2x-%2x-%2x %2x:%2x:%2x", &v[0],
				&v[1], &v[2], &v[3], &v[4], &v[5], &v[6]),
			 7);
	for (i = 0; i < ARRAY_SIZE(reg); i++)
		put(rig, reg[i], (uint8_t)v[i]);
}

static struct rtc_rig rig;

/* For cmocka: one rig, on the host's clock, at a quiet time. */
static inline int rig_setup(void **state)
{
	rig_init(&rig, LOOP_CLOCK_HOST, "2024-05-15 10:20:30");
	return 0;
}

static inline int rig_teardown(void **state)
{
	rig_done(&rig);
	return 0;
}

static inline void rig_restart(const char *date)
{
	rig_done(&rig);
	rig_init(&rig, LOOP_CLOCK_HOST, date);
}

static inline void alarm_at(uint8_t hour, uint8_t minute, uint8_t second)
{
	put(&rig, 0x05, hour);
	put(&rig, 0x03, minute);
	put(&rig, 0x01, second);
}

/* Lets time go by as a guest whose handler reads register C at once. */
static inline unsigned interrupts_in(int64_t ns)
{
	unsigned before = rig.line.rises;
	int64_t end = rig.fl.now[LOOP_CLOCK_HOST] + ns;

	while (rig.fl.now[LOOP_CLOCK_HOST] < end) {
		int64_t left = end - rig.fl.now[LOOP_CLOCK_HOST];
		int64_t in = left;
		unsigned i;

		for (i = 0; i < FAKE_LOOP_MAX; i++) {
			struct loop_timer *t = &rig.fl.timer[i];
			int64_t due = t->deadline - rig.fl.now[t->clock];

			if (t->used && t->deadline != LOOP_NEVER && due < in)
				in = due;
		}
		advance(&rig, in);
		if (rig.line.level)
			assert_true(get(&rig, 0x0c) & IRQF);
		assert_int_equal(rig.line.level, 0);
	}
	return rig.line.rises - before;
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

#endif
