// SPDX-License-Identifier: MIT
#include "core/bus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "core/device.h"

void bus_init(struct bus *bus, uint64_t limit)
{
	memset(bus, 0, sizeof(*bus));
	bus->limit = limit;
}

void bus_done(struct bus *bus)
{
	free(bus->index);
	bus->index = NULL;
	free(bus->ranges);
	bus->ranges = NULL;
	bus->count = 0;
	free(bus->windows);
	bus->windows = NULL;
	bus->window_count = 0;
}

#define INDEX_LIMIT 0xffff
#define INDEX_RANGES 255

static void fill_index(struct bus *bus)
{
	uint64_t addr;
	size_t i;

	for (i = 0; i < bus->count; i++)
		for (addr = bus->ranges[i].base; addr <= bus->ranges[i].last;
		     addr++)
			bus->index[addr] = (uint8_t)(i + 1);
}

int bus_add(struct bus *bus, uint64_t base, uint64_t len, struct device *dev,
	    uint64_t dev_off)
{
	uint64_t last = base + (len - 1);
	struct bus_range *ranges;
	size_t i;

	if (len == 0 || last < base || last > bus->limit)
		return -EINVAL;

	for (i = 0; i < bus->count && bus->ranges[i].last < base; i++)
		;
	if (i < bus->count && bus->ranges[i].base <= last)
		return -EEXIST;

	if (bus->limit == INDEX_LIMIT && !bus->index) {
		bus->index = calloc(INDEX_LIMIT + 1, 1);
		if (!bus->index)
			return -ENOMEM;
	}
	if (bus->index && bus->count == INDEX_RANGES)
		return -ENOSPC;
	ranges = reallocarray(bus->ranges, bus->count + 1, sizeof(*ranges));
	if (!ranges)
		return -ENOMEM;
	memmove(&ranges[i + 1], &ranges[i], (bus->count - i) * sizeof(*ranges));
	ranges[i] = (struct bus_range){
		.base = base,
		.last = last,
		.dev_off = dev_off,
		.dev = dev,
	};
	bus->ranges = ranges;
	bus->count++;
	if (bus->index)
		fill_index(bus);
	return 0;
}

int bus_add_window(struct bus *bus, uint64_t len, struct device *dev,
		   uint64_t dev_off, struct bus_window **ret_window)
{
	struct bus_window *w;

	if (len == 0)
		return -EINVAL;
	if (bus->window_count == BUS_WINDOWS_MAX)
		return -ENOSPC;
	if (!bus->windows) {
		bus->windows = calloc(BUS_WINDOWS_MAX, sizeof(*w));
		if (!bus->windows)
			return -ENOMEM;
	}
	w = &bus->windows[bus->window_count++];
	atomic_init(&w->base, BUS_NOWHERE);
	w->len = len;
	w->dev_off = dev_off;
	w->dev = dev;
	*ret_window = w;
	return 0;
}

void bus_move_window(const struct bus *bus, struct bus_window *window,
		     uint64_t base)
{
	if (base > bus->limit || bus->limit - base < window->len - 1)
		base = BUS_NOWHERE;
	atomic_store_explicit(&window->base, base, memory_order_release);
}

static const struct bus_range *search(const struct bus *bus, uint64_t addr)
{
	size_t lo = 0, hi = bus->count;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		const struct bus_range *r = &bus->ranges[mid];

		if (addr < r->base)
			hi = mid;
		else if (addr > r->last)
			lo = mid + 1;
		else
			return r;
	}
	return NULL;
}

static inline const struct bus_range *lookup(const struct bus *bus,
					     uint64_t addr)
{
	unsigned i;

	if (!bus->index)
		return search(bus, addr);
	i = addr <= INDEX_LIMIT ? bus->index[addr] : 0;
	return i ? &bus->ranges[i - 1] : NULL;
}

/*
 * The window that holds the whole access, or NULL, and the offset in it. Its base is
 * read once: it may be moved at any moment.
 */
static const struct bus_window *window_at(const struct bus *bus, uint64_t addr,
					  unsigned size, uint64_t *ret_off)
{
	size_t i;

	for (i = 0; i < bus->window_count; i++) {
		const struct bus_window *w = &bus->windows[i];
		uint64_t base = atomic_load_explicit(&w->base,
						     memory_order_acquire);
		uint64_t off = addr - base;

		if (base != BUS_NOWHERE && off < w->len &&
		    w->len - off >= size) {
			*ret_off = off + w->dev_off;
			return w;
		}
	}
	return NULL;
}

bool bus_locate(const struct bus *bus, uint64_t addr,
		struct bus_range *ret_range)
{
	const struct bus_range *r = lookup(bus, addr);
	const struct bus_window *w;
	uint64_t off;

	if (r) {
		*ret_range = *r;
		return true;
	}
	w = window_at(bus, addr, 1, &off);
	if (!w)
		return false;
	addr -= off - w->dev_off;
	*ret_range = (struct bus_range){ .base = addr,
					 .last = addr + (w->len - 1),
					 .dev_off = w->dev_off,
					 .dev = w->dev };
	return true;
}

struct device *bus_find(const struct bus *bus, uint64_t addr)
{
	struct bus_range range;

	return bus_locate(bus, addr, &range) ? range.dev : NULL;
}

static void count_unclaimed(struct bus *bus, uint64_t addr, bool is_write)
{
	uint64_t key = addr + 1;
	unsigned i, slot = (unsigned)(addr ^ addr >> 6) % BUS_UNCLAIMED_MAX;

	for (i = 0; i < BUS_UNCLAIMED_MAX; i++) {
		struct bus_unclaimed *u =
			&bus->unclaimed[(slot + i) % BUS_UNCLAIMED_MAX];
		uint64_t seen = 0;

		if (atomic_compare_exchange_strong(&u->key, &seen, key) ||
		    seen == key) {
			atomic_fetch_add(is_write ? &u->writes : &u->reads, 1);
			return;
		}
	}
	atomic_fetch_add(&bus->unclaimed_others, 1);
}

/* The range that holds the whole access, or NULL. */
static const struct bus_range *claim(const struct bus *bus, uint64_t addr,
				     unsigned size)
{
	const struct bus_range *r = lookup(bus, addr);

	return r && r->last - addr >= size - 1 ? r : NULL;
}

/*
 * The rare kinds of access are functions of their own that are not inlined,
 * which keeps the way of all others short: every exit goes it.
 */
#define RARE __attribute__((noinline, cold))

RARE static bool read_unclaimed(struct bus *bus, uint64_t addr, unsigned size,
				uint64_t *ret_val)
{
	count_unclaimed(bus, addr, false);
	*ret_val = size_mask(size);
	return false;
}

RARE static bool write_unclaimed(struct bus *bus, uint64_t addr)
{
	count_unclaimed(bus, addr, true);
	return false;
}

/* The widest step below size that the device takes; 0: none. */
static unsigned step_below(const struct device_ops *ops, unsigned size)
{
	do
		size /= 2;
	while (size > 0 && !(ops->sizes & size));
	return size;
}

RARE static bool read_in_steps(struct bus *bus, uint64_t addr,
			       struct device *dev, uint64_t off, unsigned size,
			       uint64_t *ret_val)
{
	unsigned i, step = step_below(dev->ops, size);
	uint64_t val = 0;

	if (step == 0)
		return read_unclaimed(bus, addr, size, ret_val);
	device_lock(dev);
	for (i = 0; i < size; i += step)
		val |= (dev->ops->read(dev, off + i, step) & size_mask(step))
		       << (i * 8);
	device_unlock(dev);
	*ret_val = val;
	return true;
}

RARE static bool write_in_steps(struct bus *bus, uint64_t addr,
				struct device *dev, uint64_t off, unsigned size,
				uint64_t val)
{
	unsigned i, step = step_below(dev->ops, size);

	if (step == 0)
		return write_unclaimed(bus, addr);
	device_lock(dev);
	for (i = 0; i < size; i += step)
		dev->ops->write(dev, off + i, step,
				val >> (i * 8) & size_mask(step));
	device_unlock(dev);
	return true;
}

/* Where no range holds the access. */
RARE static bool read_window(struct bus *bus, uint64_t addr, unsigned size,
			     uint64_t *ret_val)
{
	const struct bus_window *w = NULL;
	struct device *dev;
	uint64_t off = 0;

	if (bus->window_count > 0 && !lookup(bus, addr))
		w = window_at(bus, addr, size, &off);
	if (!w)
		return read_unclaimed(bus, addr, size, ret_val);
	dev = w->dev;
	if (!(dev->ops->sizes & size))
		return read_in_steps(bus, addr, dev, off, size, ret_val);
	device_lock(dev);
	*ret_val = dev->ops->read(dev, off, size) & size_mask(size);
	device_unlock(dev);
	return true;
}

RARE static bool write_window(struct bus *bus, uint64_t addr, unsigned size,
			      uint64_t val)
{
	const struct bus_window *w = NULL;
	struct device *dev;
	uint64_t off = 0;

	if (bus->window_count > 0 && !lookup(bus, addr))
		w = window_at(bus, addr, size, &off);
	if (!w)
		return write_unclaimed(bus, addr);
	dev = w->dev;
	if (!(dev->ops->sizes & size))
		return write_in_steps(bus, addr, dev, off, size, val);
	device_lock(dev);
	dev->ops->write(dev, off, size, val);
	device_unlock(dev);
	return true;
}

bool bus_read(struct bus *bus, uint64_t addr, unsigned size, uint64_t *ret_val)
{
	const struct bus_range *r = claim(bus, addr, size);
	struct device *dev;
	uint64_t off;

	if (!r)
		return read_window(bus, addr, size, ret_val);
	dev = r->dev;
	off = addr - r->base + r->dev_off;
	if (!(dev->ops->sizes & size))
		return read_in_steps(bus, addr, dev, off, size, ret_val);

	device_lock(dev);
	*ret_val = dev->ops->read(dev, off, size) & size_mask(size);
	device_unlock(dev);
	return true;
}

bool bus_write(struct bus *bus, uint64_t addr, unsigned size, uint64_t val)
{
	const struct bus_range *r = claim(bus, addr, size);
	struct device *dev;
	uint64_t off;

	if (!r)
		return write_window(bus, addr, size, val);
	dev = r->dev;
	off = addr - r->base + r->dev_off;
	if (!(dev->ops->sizes & size))
		return write_in_steps(bus, addr, dev, off, size, val);

	device_lock(dev);
	dev->ops->write(dev, off, size, val);
	device_unlock(dev);
	return true;
}
