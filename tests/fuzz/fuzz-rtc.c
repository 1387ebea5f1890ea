// SPDX-License-Identifier: MIT
/*
 * A guest that does anything to the RTC, on clocks that do anything. The input
 * is a program of two bytes an instruction.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/device.h"
#include "fake_loop.h"
#include "rtc_mc146818.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A run is cut here; one step is about a second at most. */
#define MAX_STEPS 1000

static bool line_level;

static void line_set(void *opaque, bool level)
{
	line_level = level;
}

static uint8_t access(struct device *dev, unsigned off, bool write, uint8_t val)
{
	device_lock(dev);
	if (write)
		dev->ops->write(dev, off, 1, val);
	else
		val = (uint8_t)dev->ops->read(dev, off, 1);
	device_unlock(dev);
	return val;
}

static uint8_t get(struct device *dev, uint8_t reg)
{
	access(dev, 0, true, reg);
	return access(dev, 1, false, 0);
}

static void expect(bool truth)
{
	if (!truth)
		abort();
}

/* What holds after any access. */
static void check(struct fake_loop *fl, struct device *dev)
{
	uint8_t b = get(dev, 0x0b);
	bool level = line_level;
	uint8_t a = get(dev, 0x0a);
	uint8_t c;

	expect((get(dev, 0x0d) & 0xc0) == 0x80);
	expect(!((b & 0x80) && (a & 0x80))); /* SET inhibits UIP */
	expect(fake_loop_armed(fl) <= 2);
	if (!(b & 0x70))
		expect(fake_loop_armed(fl) == 0);

	c = get(dev, 0x0c);
	expect((c & 0x0f) == 0);
	expect(!(c & 0x80) == !(c & b & 0x70));
	expect(!(c & 0x80) == !level);
	expect(!line_level);
}

/* Lets ns go by, unless a clock would run out of bits. */
static void pass(struct fake_loop *fl, int64_t ns)
{
	int64_t room = INT64_MAX - ns;

	if (fl->now[LOOP_CLOCK_VM] > room || fl->now[LOOP_CLOCK_HOST] > room)
		return;
	fake_loop_advance(fl, ns);
}

static void step(struct fake_loop *fl, struct device *dev, uint8_t op,
		 uint8_t arg)
{
	static const int64_t clocks[] = {
		0, 1, -1, INT64_MAX, INT64_MIN, INT64_MAX - 1,
		INT64_C(253402300799) * 10000000, 1000000000,
	};

	switch (op & 7) {
	case 0: access(dev, 0, true, arg); break;
	case 1:
	case 2: access(dev, 1, true, arg); break;
	case 3: get(dev, arg); break;
	case 4: pass(fl, (INT64_C(1) << (arg % 31)) - (arg >> 7)); break;
	case 5: /* the host's clock steps, by up to 2^62 ns either way */
		fl->now[LOOP_CLOCK_HOST] = (int64_t)(
			(uint64_t)fl->now[LOOP_CLOCK_HOST] +
			((uint64_t)1 << (arg % 63)) * (arg & 0x80 ? -1 : 1));
		break;
	case 6: fl->now[LOOP_CLOCK_HOST] = clocks[arg & 7]; break;
	case 7:
		if (arg & 1)
			device_reset(dev);
		else
			check(fl, dev);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct rtc_config config = { .irq = { .set = line_set } };
	struct device *dev = NULL;
	struct fake_loop fl;
	size_t i;

	if (len < 9)
		return 0;
	fake_loop_init(&fl, INT64_C(1234567890123456789));
	line_level = false;
	config.loop = &fl.loop;
	config.clock = data[0] & 1 ? LOOP_CLOCK_HOST : LOOP_CLOCK_VM;
	config.offset_sec = data[0] & 2 ? (int8_t)data[1] * INT64_C(86400000) :
					  0;
	config.offset_ns = (int32_t)(data[2] * 7654321u);
	if (data[0] & 4)
		memcpy(&config.offset_sec, data + 1, 8);
	if (rtc_new(&config, &dev) < 0) {
		expect(!dev && fl.timer_sets == 0);
		return 0;
	}
	for (i = 9; i + 1 < len && i < 9 + 2 * MAX_STEPS; i += 2)
		step(&fl, dev, data[i], data[i + 1]);
	check(&fl, dev);
	device_free(dev);
	expect(fake_loop_armed(&fl) == 0);
	return 0;
}
