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
 *
 * What a guest may move, as a PCI BAR, is a window: looked for only where no range
 * lies, so the others do not pay for it, and one that lies upon another device
 * takes nothing away from it. Only its address changes, so lookups need no lock here
 * either, and nothing has to be given back later.
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

#define BUS_NOWHERE UINT64_MAX

struct bus_window {
	_Atomic uint64_t base; /* or BUS_NOWHERE */
	uint64_t len;
	uint64_t dev_off;
	struct device *dev;
};

/* How often an address was touched that no device claims. */
struct bus_unclaimed {
	_Atomic uint64_t key; /* address + 1; 0 is a free place */
	_Atomic uint64_t reads;
	_Atomic uint64_t writes;
};

#define BUS_UNCLAIMED_MAX 64
#define BUS_WINDOWS_MAX 64

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
	struct bus_window *windows; /* BUS_WINDOWS_MAX of them, or NULL */
	size_t window_count;
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

/*
 * A window of len bytes, at first nowhere; dev sees offsets from dev_off on. Where
 * several lie upon each other the one that was added first answers. No lookup may be
 * under way. It is the bus's, dev the caller's. Returns 0, -EINVAL (empty),
 * -ENOMEM or -ENOSPC.
 */
int bus_add_window(struct bus *bus, uint64_t len, struct device *dev,
		   uint64_t dev_off, struct bus_window **ret_window);

/*
 * Puts it at base or BUS_NOWHERE, which is also what is made of an address where it
 * would end beyond the bus's limit. Any thread, but one at a time. An access on
 * another thread that found it where it was may come after.
 */
void bus_move_window(const struct bus *bus, struct bus_window *window,
		     uint64_t base);

/* The range at addr, or the window as it lies now. Returns whether there is one. */
bool bus_locate(const struct bus *bus, uint64_t addr,
		struct bus_range *ret_range);

/* Its device, or NULL. */
struct device *bus_find(const struct bus *bus, uint64_t addr);

/*
 * One access of size 1, 2, 4 or 8. Any thread. The read's result is cut to
 * size; what is written has no bits beyond it. Both return whether a device
 * claimed it.
 */
bool bus_read(struct bus *bus, uint64_t addr, unsigned size, uint64_t *ret_val);
bool bus_write(struct bus *bus, uint64_t addr, unsigned size, uint64_t val);

#endif
