/* SPDX-License-Identifier: MIT */
/*
 * bus.h: which device answers at which address. One bus for ports, one for
 * memory-mapped registers.
 *
 * Ranges are disjoint, and a whole access must fit in one. The table is a
 * sorted array that does not change while vCPUs run, so a lookup takes no lock;
 * the dispatcher takes the device's. Ports are few enough for an index, which
 * spares the search. What no range holds reads as all ones of
 * its width, writes vanish, and both are counted by address.
 */
#ifndef TRAPMAP_CORE_BUS_H
#define TRAPMAP_CORE_BUS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct device;

struct bus_range {
	uint64_t base;
	uint64_t last; /* inclusive, so that a range can end at 2^64 - 1 */
	uint64_t dev_off; /* the offset in the device of `base` */
	struct device *dev;
};

/* How often an address was touched that no device claims. */
struct bus_unclaimed {
	_Atomic uint64_t key; /* address + 1; 0 is a free place */
	_Atomic uint64_t reads;
	_Atomic uint64_t writes;
};

#define BUS_UNCLAIMED_MAX 64

struct bus {
	uint64_t limit; /* the highest address: 0xffff for ports */
	bool strict; /* an access that nothing claims ends the run, see exit.c */
	struct bus_range *ranges;
	size_t count;
	/*
	 * A bus of ports: for each address the number of its range plus one, or
	 * 0. It costs memory only where there are devices. Else NULL.
	 */
	uint8_t *index;
	/*
	 * Open addressing; an address beyond the 64th is counted in `others`.
	 */
	struct bus_unclaimed unclaimed[BUS_UNCLAIMED_MAX];
	_Atomic uint64_t unclaimed_others;
};

void bus_init(struct bus *bus, uint64_t limit);

/* Does not free the devices. */
void bus_done(struct bus *bus);

/*
 * Puts dev at [base, base + len); dev sees offsets from dev_off on. A device
 * may have several ranges. No lookup may be under way. dev stays the caller's.
 * Returns 0, -EINVAL (empty, or ends beyond the bus's limit), -EEXIST
 * (overlaps a range that is there), -ENOMEM, or -ENOSPC (a bus of ports with 255
 * ranges).
 */
int bus_add(struct bus *bus, uint64_t base, uint64_t len, struct device *dev,
	    uint64_t dev_off);

/* The device at addr, or NULL. */
struct device *bus_find(const struct bus *bus, uint64_t addr);

/*
 * One access of size 1, 2, 4 or 8. Any thread. The read's result is cut to
 * size; what is written has no bits beyond it. Both return whether a device
 * claimed it.
 */
bool bus_read(struct bus *bus, uint64_t addr, unsigned size, uint64_t *ret_val);
bool bus_write(struct bus *bus, uint64_t addr, unsigned size, uint64_t val);

#endif
