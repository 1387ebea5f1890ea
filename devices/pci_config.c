// SPDX-License-Identifier: MIT
/*
 * The ports of PCI's configuration mechanism #1 on a board without PCI: all
 * ones, and what is written is lost. So whoever looks for a function finds none
 * (PCI Local Bus Specification 3.0, 6.1), and whoever first looks for the
 * mechanism (CONFIG_ADDRESS would read back, 3.2.2.3.2) finds none either and
 * spares himself a thousand accesses, as Linux does.
 *
 * A device and not merely nothing, since every kernel looks here: it is no sign
 * of a mistake, and --strict-io lets it pass.
 *
 * Not modelled: CONFIG_ADDRESS, any function; the chip sets' reset control
 * register at the second port (0xcf9).
 */
#include "pci_config.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/device.h"

static uint64_t pci_config_read(struct device *dev, uint64_t off, unsigned size)
{
	return UINT64_MAX;
}

static void pci_config_write(struct device *dev, uint64_t off, unsigned size,
			     uint64_t val)
{
}

static void pci_config_free(struct device *dev)
{
	device_done(dev);
	free(dev);
}

static const struct device_ops pci_config_ops = {
	.name = "pci-config",
	.sizes = 1 | 2 | 4,
	.read = pci_config_read,
	.write = pci_config_write,
	.free = pci_config_free,
};

int pci_config_new(struct device **ret_dev)
{
	struct device *dev = calloc(1, sizeof(*dev));

	if (!dev)
		return -ENOMEM;
	device_init(dev, &pci_config_ops);
	*ret_dev = dev;
	return 0;
}
