// SPDX-License-Identifier: MIT
#include "embedded_device.h"

#include <errno.h>
#include <stdlib.h>

#include "core/base.h"
#include "core/device.h"

struct embedded_device {
	struct device dev;
	struct device_ops ops; /* name and sizes are the embedder's */
	struct trapmap_device desc;
};

static uint64_t embedded_read(struct device *dev, uint64_t off, unsigned size)
{
	struct embedded_device *ed =
		container_of(dev, struct embedded_device, dev);

	return ed->desc.read(ed->desc.opaque, off, size);
}

static void embedded_write(struct device *dev, uint64_t off, unsigned size,
			   uint64_t val)
{
	struct embedded_device *ed =
		container_of(dev, struct embedded_device, dev);

	ed->desc.write(ed->desc.opaque, off, size, val);
}

static void embedded_reset(struct device *dev)
{
	struct embedded_device *ed =
		container_of(dev, struct embedded_device, dev);

	if (ed->desc.reset)
		ed->desc.reset(ed->desc.opaque);
}

static void embedded_free(struct device *dev)
{
	struct embedded_device *ed =
		container_of(dev, struct embedded_device, dev);

	device_done(dev);
	free(ed);
}

int embedded_device_new(const struct trapmap_device *desc,
			struct device **ret_dev)
{
	struct embedded_device *ed = calloc(1, sizeof(*ed));

	if (!ed)
		return -ENOMEM;
	ed->desc = *desc;
	ed->ops = (struct device_ops){
		.name = desc->name,
		.sizes = desc->sizes ? (uint8_t)desc->sizes : 1 | 2 | 4 | 8,
		.read = embedded_read,
		.write = embedded_write,
		.reset = embedded_reset,
		.free = embedded_free,
	};
	device_init(&ed->dev, &ed->ops);
	*ret_dev = &ed->dev;
	return 0;
}
