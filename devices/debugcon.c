// SPDX-License-Identifier: MIT
/*
 * The debug console: no state, no speed, no interrupt. What is written is
 * output, and a read gives a constant by which a guest knows that it is there.
 *
 * Source: Bochs' user manual, "port_e9_hack"; QEMU's isa-debugcon, of which the
 * constant is the default too.
 *
 * Not modelled: Bochs' other ports of this kind (0x8900, 0xfff0).
 */
#include "debugcon.h"

#include <errno.h>
#include <stdlib.h>

#include "backend/chardev.h"
#include "core/base.h"
#include "core/device.h"

#define READBACK 0xe9

struct debugcon {
	struct device dev;
	struct chardev *chr;
	struct {
		uint64_t count;
	} state;
};

static struct debugcon *to_debugcon(struct device *dev)
{
	return container_of(dev, struct debugcon, dev);
}

static uint64_t debugcon_read(struct device *dev, uint64_t off, unsigned size)
{
	return READBACK;
}

static void debugcon_write(struct device *dev, uint64_t off, unsigned size,
			   uint64_t val)
{
	struct debugcon *con = to_debugcon(dev);
	uint8_t c = (uint8_t)val;

	con->state.count++;
	con->chr->ops->write(con->chr, &c, 1);
}

static void debugcon_reset(struct device *dev)
{
	to_debugcon(dev)->state.count = 0;
}

static void debugcon_free(struct device *dev)
{
	struct debugcon *con = to_debugcon(dev);

	device_done(dev);
	free(con);
}

static const struct device_ops debugcon_ops = {
	.name = "debugcon",
	.sizes = 1,
	.read = debugcon_read,
	.write = debugcon_write,
	.reset = debugcon_reset,
	.free = debugcon_free,
};

int debugcon_new(struct chardev *chr, struct device **ret_dev)
{
	struct debugcon *con = calloc(1, sizeof(*con));

	if (!con)
		return -ENOMEM;
	device_init(&con->dev, &debugcon_ops);
	con->chr = chr;
	*ret_dev = &con->dev;
	return 0;
}

uint64_t debugcon_count(struct device *dev)
{
	uint64_t count;

	device_lock(dev);
	count = to_debugcon(dev)->state.count;
	device_unlock(dev);
	return count;
}
