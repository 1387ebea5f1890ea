// SPDX-License-Identifier: MIT
/*
 * Four bytes a step: what to do, where, and a value or a span of time. Checks
 * after each step that the SCI is status AND enable, and that the timer is armed
 * for just as long as a carry would change the SCI.
 */
#include <stdint.h>
#include <stdlib.h>

#include "acpi_pm.h"
#include "core/base.h"
#include "core/bus.h"
#include "core/device.h"
#include "fake_loop.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define MAX_STEPS 4096

static void set_line(void *opaque, bool level)
{
	*(bool *)opaque = level;
}

static void request(void *opaque, enum end_request kind, uint32_t value,
		    const char *who)
{
	if ((kind != END_RESET && kind != END_POWEROFF) || !who)
		abort();
}

static void check(struct fake_loop *fl, struct bus *bus, bool sci)
{
	uint64_t event, timer;
	unsigned status, enable;

	bus_read(bus, 0x608, 4, &timer);
	if (timer >> ACPI_PM_TIMER_BITS)
		abort();
	bus_read(bus, 0x600, 4, &event);
	status = (unsigned)event & 0xffff;
	enable = (unsigned)(event >> 16);
	if (sci != ((status & enable) != 0))
		abort();
	if (fake_loop_armed(fl) != ((enable & 1) && !(status & 1)))
		abort();
}

static void step(struct fake_loop *fl, struct bus *bus, struct device *dev,
		 const uint8_t *op)
{
	unsigned size = 1u << (op[0] >> 4 & 3);
	uint64_t val = get_le16(op + 2);

	switch (op[0] % 7) {
	case 0:
	case 1: bus_write(bus, 0x600 + op[1] % 20, size, val * 0x10001); break;
	case 2: bus_read(bus, 0x600 + op[1] % 20, size, &val); break;
	/* Up to 2^41 ns, 37 minutes. */
	case 3: fake_loop_advance(fl, (int64_t)(val << op[1] % 26)); break;
	case 4: acpi_pm_power_button(dev); break;
	case 6: acpi_pm_rtc_event(dev); break;
	case 5:
		if (op[1] == 0)
			device_reset(dev);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fake_loop fl;
	bool sci = false;
	struct acpi_pm_config config = {
		.loop = &fl.loop,
		.sci = { .set = set_line, .opaque = &sci },
		.end = { .request = request },
	};
	struct device *dev;
	struct bus bus;
	size_t i;

	fake_loop_init(&fl, 0);
	if (acpi_pm_new(&config, &dev) < 0)
		return 0;
	bus_init(&bus, 0xffff);
	if (bus_add(&bus, 0x600, ACPI_PM_LEN, dev, 0) < 0)
		abort();
	for (i = 0; i < MAX_STEPS && len >= 4; i++, data += 4, len -= 4) {
		step(&fl, &bus, dev, data);
		check(&fl, &bus, sci);
	}
	bus_done(&bus);
	device_free(dev);
	return 0;
}
