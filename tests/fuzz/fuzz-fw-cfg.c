// SPDX-License-Identifier: MIT
/*
 * fw_cfg with files and its DMA interface: eight bytes a step: a port and a size, and
 * what to write. The guest's memory begins with bytes of the input, descriptors among
 * them. What lies behind that memory stays as it is.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "core/bus.h"
#include "core/device.h"
#include "core/gmem.h"
#include "fw_cfg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define RAM 0x1000u
#define GUARD 64u
#define PORT 0x510u
#define STEP 8u

static int read_item(void *opaque, uint64_t off, void *buf, size_t len)
{
	if (off > 6000 || len > 6000 - off)
		abort();
	memset(buf, 'r', len);
	return off > 5000 ? -5 : 0;
}

static void set_up(struct device *dev)
{
	static const struct fw_cfg_item item = { .read = read_item,
						 .len = 6000 };
	static const struct fw_cfg_item text = { .data = "text", .len = 4 };

	fw_cfg_set(dev, FW_CFG_KERNEL_DATA, &item);
	if (fw_cfg_set_file(dev, "opt/text", &text) < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const unsigned sizes[] = { 1, 2, 4, 8 };
	static uint8_t ram[RAM + GUARD];
	struct gmem gm = { 0 };
	const struct fw_cfg_config config = { .ram = &gm };
	struct device *dev = NULL;
	struct bus bus;
	unsigned i;

	memset(ram, 0, RAM);
	memset(ram + RAM, 0xa5, GUARD);
	memcpy(ram, data, len < RAM ? len : RAM);
	if (gmem_add(&gm, 0, RAM, ram) < 0 || fw_cfg_new(&config, &dev) < 0)
		return 0;
	set_up(dev);
	bus_init(&bus, 0xffff);
	if (bus_add(&bus, PORT, FW_CFG_LEN, dev, 0) < 0)
		abort();
	for (; len >= STEP; len -= STEP, data += STEP) {
		uint64_t port = PORT + data[0] % FW_CFG_LEN, val = 0;
		unsigned size = sizes[data[1] & 3];

		if (data[1] & 4)
			bus_read(&bus, port, size, &val);
		else
			bus_write(&bus, port, size, get_le32(data + 4));
		if (size < 8 && val >> (8 * size))
			abort();
	}
	for (i = 0; i < GUARD; i++)
		if (ram[RAM + i] != 0xa5)
			abort();
	bus_done(&bus);
	device_free(dev);
	return 0;
}
