// SPDX-License-Identifier: MIT
/*
 * pvpanic: a read says which events the board understands, a write reports
 * some of them.
 *
 * Source: QEMU's docs/specs/pvpanic. Where a write names both events the panic
 * counts, for nothing of the guest's is to come after it.
 *
 * Not modelled: event bit 2 (an orderly shutdown, for which ACPI's is enough),
 * which therefore reads as 0; the PCI form. There is no state, so no reset
 * either.
 */
#include "pvpanic.h"

#include <errno.h>
#include <stdlib.h>

#include "core/base.h"
#include "core/device.h"
#include "trapmap/guest_abi.h"

struct pvpanic {
	struct device dev;
	struct end_sink end;
};

static struct pvpanic *to_pvpanic(struct device *dev)
{
	return container_of(dev, struct pvpanic, dev);
}

static uint64_t pvpanic_read(struct device *dev, uint64_t off, unsigned size)
{
	return TRAPMAP_PVPANIC_PANICKED | TRAPMAP_PVPANIC_CRASHLOADED;
}

static void pvpanic_write(struct device *dev, uint64_t off, unsigned size,
			  uint64_t val)
{
	const struct end_sink *end = &to_pvpanic(dev)->end;

	if (val & TRAPMAP_PVPANIC_PANICKED)
		end_request(end, END_PANIC, 0, "pvpanic, port 0x505");
	else if (val & TRAPMAP_PVPANIC_CRASHLOADED)
		end_request(end, END_CRASHLOADED, 0, "pvpanic, port 0x505");
}

static void pvpanic_free(struct device *dev)
{
	struct pvpanic *pvpanic = to_pvpanic(dev);

	device_done(dev);
	free(pvpanic);
}

static const struct device_ops pvpanic_ops = {
	.name = "pvpanic",
	.sizes = 1,
	.read = pvpanic_read,
	.write = pvpanic_write,
	.free = pvpanic_free,
};

int pvpanic_new(const struct end_sink *end, struct device **ret_dev)
{
	struct pvpanic *pvpanic = calloc(1, sizeof(*pvpanic));

	if (!pvpanic)
		return -ENOMEM;
	device_init(&pvpanic->dev, &pvpanic_ops);
	pvpanic->end = *end;
	*ret_dev = &pvpanic->dev;
	return 0;
}
