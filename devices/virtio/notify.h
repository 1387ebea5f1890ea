/* SPDX-License-Identifier: MIT */
/*
 * notify.h: how the notifications of a driver reach a virtio device, whatever the
 * transport: an eventfd for each queue, watched on the I/O thread, which the board's
 * doorbell feeds while the queue is ready. A transport's write() feeds it too, for
 * what the doorbell does not catch.
 *
 * With the transport's lock held, but for notify_new() and notify_free().
 */
#ifndef TRAPMAP_VIRTIO_NOTIFY_H
#define TRAPMAP_VIRTIO_NOTIFY_H

#include <stdint.h>

#include "core/doorbell.h"
#include "core/loop.h"
#include "virtio/virtio.h"

struct notify;

struct notify_config {
	struct virtio_device *vd;
	struct loop *loop;
	struct doorbell doorbell;
	/*
	 * The register of queue i is at off + i * step of the doorbell's range,
	 * size bytes wide, and takes the value i.
	 */
	uint64_t off;
	unsigned step, size;
};

/* Notifications come only after virtio_attach(). Returns 0 or -errno. */
int notify_new(const struct notify_config *config, struct notify **ret_notify);
/* With no lock, while vd is still there. Accepts NULL. */
void notify_free(struct notify *n);

/* Somebody has notified a queue; any that is not there is passed over. */
void notify_queue(struct notify *n, uint64_t queue);

/* Whether a queue is ready has changed. */
void notify_update(struct notify *n);
/* After virtio_reset(): the same, and nothing is lent any more. */
void notify_reset(struct notify *n);

#define NOTIFY_NOWHERE UINT64_MAX

/*
 * The doorbell's range lies at base from now on, or nowhere: then no doorbell is
 * bound. Until it is called the range lies where the board said.
 */
void notify_move(struct notify *n, uint64_t base);

/*
 * transport_ops' lend, complete for a transport without anything better: the
 * eventfd of used buffers is watched too, and calls the transport's interrupt().
 * NULL for ret_call: the caller has a better one.
 */
int notify_lend(struct notify *n, unsigned queue, int *ret_kick, int *ret_call);
/* Looks once at the queue, for what its borrower has left. */
void notify_take_back(struct notify *n, unsigned queue);

#endif
