/* SPDX-License-Identifier: MIT */
/*
 * device.h: the contract between a device model and the board.
 *
 * A model embeds struct device as its first member and knows offsets into its
 * own registers, never addresses. Whatever it needs from outside is handed to
 * its x_new(): interrupt lines (irq.h), a back end, guest memory (gmem.h),
 * time (loop.h). So it runs in a unit test, and twice in one process.
 *
 * Locking: the bus takes dev->lock around read() and write(), the board around
 * reset(). A model's own callbacks (a timer, a back end) take it themselves,
 * so inside a model there is one thread at a time.
 */
#ifndef TRAPMAP_CORE_DEVICE_H
#define TRAPMAP_CORE_DEVICE_H

#include <pthread.h>
#include <stdint.h>

struct device;

struct device_ops {
	const char *name;

	/*
	 * Access sizes that read() and write() take: an OR of 1, 2, 4, 8. A
	 * wider access is split by the bus into the largest of these, low
	 * address first, as a bus bridge does; a narrower one is unclaimed.
	 */
	uint8_t sizes;

	/*
	 * off + size is within the range that the board registered. A result
	 * wider than size is cut by the bus.
	 */
	uint64_t (*read)(struct device *dev, uint64_t off, unsigned size);
	void (*write)(struct device *dev, uint64_t off, unsigned size,
		      uint64_t val);

	/* To the state after a system reset. May be NULL. */
	void (*reset)(struct device *dev);

	/* Releases all; no callback of the device runs any more. */
	void (*free)(struct device *dev);
};

struct device {
	const struct device_ops *ops;
	pthread_mutex_t lock;
};

/* Called first by each x_new(). */
static inline void device_init(struct device *dev, const struct device_ops *ops)
{
	dev->ops = ops;
	pthread_mutex_init(&dev->lock, NULL);
}

/* Called last by each ops->free(), before the memory goes. */
static inline void device_done(struct device *dev)
{
	pthread_mutex_destroy(&dev->lock);
}

static inline void device_lock(struct device *dev)
{
	pthread_mutex_lock(&dev->lock);
}

static inline void device_unlock(struct device *dev)
{
	pthread_mutex_unlock(&dev->lock);
}

static inline void device_reset(struct device *dev)
{
	if (!dev->ops->reset)
		return;
	device_lock(dev);
	dev->ops->reset(dev);
	device_unlock(dev);
}

/* Accepts NULL. Returns NULL, for `p = device_free(p)`. */
static inline void *device_free(struct device *dev)
{
	if (dev)
		dev->ops->free(dev);
	return NULL;
}

#endif
