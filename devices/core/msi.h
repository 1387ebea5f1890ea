/* SPDX-License-Identifier: MIT */
/*
 * msi.h: message-signalled interrupts as a device sees them (PCI Local Bus 3.0,
 * 6.8): each vector has an eventfd, and a message that an event on it sends. A
 * contract; vmm/irqchip.c fulfils it with KVM's irqfd, so that whoever writes to the
 * eventfd interrupts the guest, on any thread and without a word to the device.
 */
#ifndef TRAPMAP_CORE_MSI_H
#define TRAPMAP_CORE_MSI_H

#include <errno.h>
#include <stdint.h>

struct msi_message {
	uint64_t address;
	uint32_t data;
};

struct msi {
	/*
	 * From now on an event on fd, one that is there already included, sends
	 * the message: a new one for the vector, or the same again. fd stays the
	 * caller's, and open until unroute(). Returns 0 or -errno. Any thread.
	 */
	int (*route)(void *opaque, unsigned vector,
		     const struct msi_message *message, int fd);
	/*
	 * Events stay on the eventfd: so a masked vector's are pending. Accepts
	 * one that is not routed.
	 */
	void (*unroute)(void *opaque, unsigned vector);
	void *opaque;
};

/* Where route is NULL there is no such service. */
static inline int msi_route(const struct msi *msi, unsigned vector,
			    const struct msi_message *message, int fd)
{
	return msi->route ? msi->route(msi->opaque, vector, message, fd) :
			    -EOPNOTSUPP;
}

static inline void msi_unroute(const struct msi *msi, unsigned vector)
{
	if (msi->unroute)
		msi->unroute(msi->opaque, vector);
}

#endif
