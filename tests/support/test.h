/* SPDX-License-Identifier: MIT */
/*
 * test.h: cmocka with the headers that it needs before it, and a device's
 * registers as a test reads and writes them: through a bus, as a guest does.
 */
#ifndef TRAPMAP_TEST_H
#define TRAPMAP_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/device.h"

/* One access at offset off, with the lock held as the bus holds it. */
static inline uint64_t dev_read(struct device *dev, uint64_t off, unsigned size)
{
	uint64_t val;

	device_lock(dev);
	val = dev->ops->read(dev, off, size);
	device_unlock(dev);
	return val;
}

static inline void dev_write(struct device *dev, uint64_t off, unsigned size,
			     uint64_t val)
{
	device_lock(dev);
	dev->ops->write(dev, off, size, val);
	device_unlock(dev);
}

/* An interrupt line that remembers. */
struct fake_line {
	int level;
	unsigned rises;
};

static inline void fake_line_set(void *opaque, _Bool level)
{
	struct fake_line *line = opaque;

	line->level = level;
	line->rises += level;
}

#endif
