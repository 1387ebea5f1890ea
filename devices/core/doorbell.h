/* SPDX-License-Identifier: MIT */
/*
 * doorbell.h: a register whose writes mean nothing but "look here": they go to an
 * eventfd without a word to the device, where the board can do that. A contract;
 * vmm/doorbell.c fulfils it with KVM, so that the vCPU does not even leave it.
 *
 * A device must do with writes that come to its write() all the same: the board
 * has no such service, or bind() failed, or a test writes.
 */
#ifndef TRAPMAP_CORE_DOORBELL_H
#define TRAPMAP_CORE_DOORBELL_H

#include <errno.h>
#include <stdint.h>

struct doorbell {
	/*
	 * From now on a write of `size` bytes (1, 2, 4 or 8) with the value
	 * `match`, at offset off of the device's range, adds 1 to fd, which stays
	 * the caller's and open until unbind() with the same arguments. Returns
	 * 0 or -errno. Any thread.
	 */
	int (*bind)(void *opaque, uint64_t off, unsigned size, uint64_t match,
		    int fd);
	void (*unbind)(void *opaque, uint64_t off, unsigned size,
		       uint64_t match, int fd);
	/*
	 * The range lies at this address from now on. Only of a device that can
	 * be moved, as a PCI function; nothing is bound.
	 */
	void (*move)(void *opaque, uint64_t base);
	void *opaque;
};

/* Where bind is NULL there is no such service. */
static inline int doorbell_bind(const struct doorbell *d, uint64_t off,
				unsigned size, uint64_t match, int fd)
{
	return d->bind ? d->bind(d->opaque, off, size, match, fd) : -EOPNOTSUPP;
}

static inline void doorbell_unbind(const struct doorbell *d, uint64_t off,
				   unsigned size, uint64_t match, int fd)
{
	d->unbind(d->opaque, off, size, match, fd);
}

static inline void doorbell_move(const struct doorbell *d, uint64_t base)
{
	if (d->move)
		d->move(d->opaque, base);
}

#endif
