// SPDX-License-Identifier: MIT
/*
 * Two bytes a step: what to do, and a value. Checks after each step that the
 * lines follow the status register and that nothing but a reset is asked for.
 */
#include <stdint.h>
#include <stdlib.h>

#include "core/bus.h"
#include "core/device.h"
#include "i8042.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void set_line(void *opaque, bool level)
{
	*(bool *)opaque = level;
}

static void request(void *opaque, enum end_request kind, uint32_t value,
		    const char *who)
{
	if (kind != END_RESET || value != 0 || !who)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	bool irq1 = false, irq12 = false;
	struct i8042_config config = {
		.irq_kbd = { .set = set_line, .opaque = &irq1 },
		.irq_aux = { .set = set_line, .opaque = &irq12 },
		.end = { .request = request },
	};
	struct device *dev;
	struct bus bus;
	uint64_t val;
	size_t i;

	if (i8042_new(&config, &dev) < 0)
		return 0;
	bus_init(&bus, 0xffff);
	if (bus_add(&bus, 0x60, 1, dev, 0) < 0 ||
	    bus_add(&bus, 0x64, 1, dev, 4) < 0)
		abort();

	for (i = 0; i + 1 < len; i += 2) {
		switch (data[i] % 5) {
		case 0: bus_write(&bus, 0x60, 1, data[i + 1]); break;
		case 1: bus_write(&bus, 0x64, 1, data[i + 1]); break;
		case 2: bus_read(&bus, 0x60, 1, &val); break;
		case 3: bus_write(&bus, 0x64, 4, data[i + 1]); break;
		case 4:
			if (data[i + 1] == 0)
				device_reset(dev);
			break;
		}
		bus_read(&bus, 0x64, 1, &val);
		if (val & 0x82 || !(val & 0x10))
			abort();
		if ((irq1 && (val & 0x21) != 0x01) ||
		    (irq12 && (val & 0x21) != 0x21))
			abort();
	}
	bus_done(&bus);
	device_free(dev);
	return 0;
}
