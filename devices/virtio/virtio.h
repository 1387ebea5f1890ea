/* SPDX-License-Identifier: MIT */
/*
 * virtio.h: a virtio device on one side, its transport on the other. Virtual I/O
 * Device (VIRTIO) Version 1.2, chapters 2 "Basic Facilities" and 3 "General
 * Initialization".
 *
 * A model (rng, blk, ...) embeds struct virtio_device first and knows queues,
 * features and its configuration space; nothing of registers, addresses or
 * interrupts. A transport (virtio-mmio) is the struct device on the bus. Between
 * them virtio.c keeps the device's status, the negotiation and the queues.
 *
 * Locking: everything of a virtio device, its queues included, is under the lock
 * of the transport's struct device. The bus takes it for register accesses; the
 * notification of a queue, which comes on the I/O thread, and a model's own
 * callbacks take it themselves (virtio_lock()).
 */
#ifndef TRAPMAP_VIRTIO_VIRTIO_H
#define TRAPMAP_VIRTIO_VIRTIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/device.h"
#include "core/gmem.h"
#include "core/notice.h"
#include "virtio/queue.h"

struct virtio_device;

/* 5 "Device Types" */
#define VIRTIO_ID_NET 1u
#define VIRTIO_ID_BLOCK 2u
#define VIRTIO_ID_CONSOLE 3u
#define VIRTIO_ID_ENTROPY 4u
#define VIRTIO_ID_BALLOON 5u
#define VIRTIO_ID_9P 9u
#define VIRTIO_ID_VSOCK 19u
#define VIRTIO_ID_PMEM 27u

/* 2.1 "Device Status Field"; what is not named there is ignored. */
#define VIRTIO_STATUS_ACKNOWLEDGE 1u
#define VIRTIO_STATUS_DRIVER 2u
#define VIRTIO_STATUS_DRIVER_OK 4u
#define VIRTIO_STATUS_FEATURES_OK 8u
#define VIRTIO_STATUS_NEEDS_RESET 64u
#define VIRTIO_STATUS_FAILED 128u

/* 6 "Reserved Feature Bits", as bit numbers. */
#define VIRTIO_F_INDIRECT_DESC 28u
#define VIRTIO_F_EVENT_IDX 29u
#define VIRTIO_F_VERSION_1 32u
#define VIRTIO_F_RING_PACKED 34u

struct virtio_ops {
	const char *name; /* "virtio-blk" */
	uint32_t id; /* VIRTIO_ID_* */

	/*
	 * The configuration space; off + len is within config_len. All that the
	 * driver writes goes to config_write(), NULL: nothing is writable.
	 */
	void (*config_read)(struct virtio_device *vd, size_t off, void *buf,
			    size_t len);
	void (*config_write)(struct virtio_device *vd, size_t off,
			     const void *buf, size_t len);

	/*
	 * DRIVER_OK: vd->features is what was agreed, the queues that the
	 * driver enabled are started. May be NULL.
	 */
	void (*start)(struct virtio_device *vd);
	/*
	 * A reset after a start. Returns when no request of before touches
	 * guest memory any more; what it pushes vanishes. It may let go of the
	 * lock while it waits, but not wait for a callback of the loop's: it may
	 * itself be on that thread (a reboot). May be NULL.
	 */
	void (*stop)(struct virtio_device *vd);
	/*
	 * New chains in a started queue. The I/O thread, with the lock. A driver
	 * on another processor can make chains as fast as they are taken: after
	 * as many as the queue has entries, virtio_again() and return.
	 */
	void (*notify)(struct virtio_device *vd, unsigned queue);
	/* After a reset. */
	void (*free)(struct virtio_device *vd);
};

/* What a transport does for the device. With the lock held. */
struct virtio_transport_ops {
	/* A used buffer notification for one queue (2.3). */
	void (*interrupt)(void *opaque, unsigned queue);
	/* A configuration change notification. */
	void (*config_changed)(void *opaque);
	/* Calls virtio_notify(), later and on the I/O thread. */
	void (*again)(void *opaque, unsigned queue);
	/*
	 * For a device whose work is done in the host's kernel: the eventfd that
	 * the driver's notifications of a queue reach, which the transport then
	 * no longer looks at, and one on which an event is a used buffer
	 * notification. Both stay the transport's, until take_back() or a reset
	 * is over. Returns 0 or -errno.
	 */
	int (*lend)(void *opaque, unsigned queue, int *ret_kick, int *ret_call);
	void (*take_back)(void *opaque, unsigned queue);
};

/* A queue, and what the driver has written of it so far. */
struct virtio_queue {
	struct virtq q;
	uint16_t size_max; /* what the device offers; 0: there is no such queue */
	uint32_t size; /* as written, be it too large */
	gpa_t desc, driver, device;
	bool ready; /* it has been started */
	bool lent; /* at any time: its statistics are not all that there was */
};

struct virtio_device {
	const struct virtio_ops *ops;
	struct virtio_queue *queue;
	unsigned queues;
	size_t config_len;
	uint64_t offered; /* features: bits by number, the ring's too */

	const struct gmem *ram;
	uint64_t features; /* what the driver has taken */
	uint8_t status;
	uint32_t config_generation;
	bool started; /* ops->start() has been called */
	bool resetting; /* ops->stop() is waiting */
	char why[128]; /* it needs a reset; stays until the next time */

	/* Where that is said; the board's, which sets it after x_new(). */
	struct notice notice;

	/* Set by virtio_attach(). */
	struct device *lock;
	const struct virtio_transport_ops *transport;
	void *transport_opaque;
};

struct virtio_config {
	const struct virtio_ops *ops;
	const struct gmem *ram;
	unsigned queues;
	const uint16_t *sizes; /* size_max of each */
	size_t config_len;
	uint64_t features; /* the device type's own; the ring's are added */
	uint64_t without; /* of both, what is not offered */
};

/*
 * Called first by each model's x_new(). Returns 0 or -ENOMEM; virtio_done() is
 * the last thing in its free().
 */
int virtio_init(struct virtio_device *vd, const struct virtio_config *config);
void virtio_done(struct virtio_device *vd);

/* The transport's side, once; vd is the transport's from then on. */
void virtio_attach(struct virtio_device *vd, struct device *lock,
		   const struct virtio_transport_ops *ops, void *opaque);

/*
 * The transport's registers; what they mean is the same on every transport. With
 * the lock, which a reset may let go of for a while: until it is over, status
 * reads as before and writes are ignored.
 */
void virtio_set_status(struct virtio_device *vd, uint8_t status);
/* Ignored once FEATURES_OK is set. */
void virtio_set_features(struct virtio_device *vd, uint64_t features);
/*
 * The queue's registers, NULL while they are not to be written: there is no such
 * queue, or it is ready.
 */
struct virtio_queue *virtio_queue_setup(struct virtio_device *vd,
					unsigned queue);
/* 2.6: starts the queue, or stops it. A driver's mistake: NEEDS_RESET. */
void virtio_queue_ready(struct virtio_device *vd, unsigned queue, bool ready);
void virtio_reset(struct virtio_device *vd);
/* What lies beyond the configuration space reads as 0. */
void virtio_config_read(struct virtio_device *vd, uint64_t off, void *buf,
			size_t len);
void virtio_config_write(struct virtio_device *vd, uint64_t off,
			 const void *buf, size_t len);
/* New chains in a queue; ignored unless the device runs. */
void virtio_notify(struct virtio_device *vd, unsigned queue);

/* ---- for models ---------------------------------------------------------- */

static inline bool virtio_has(const struct virtio_device *vd, unsigned feature)
{
	return vd->features >> feature & 1;
}

/*
 * virtq_pop() of a queue; a broken one asks for a reset. Returns 1, or 0 for
 * nothing (any more).
 */
int virtio_pop(struct virtio_device *vd, unsigned queue,
	       struct virtq_chain *chain);
/* virtq_push(), and the interrupt if the driver wants one. */
void virtio_push(struct virtio_device *vd, unsigned queue,
		 const struct virtq_chain *chain, uint32_t written);
/* transport_ops' lend and take_back. */
int virtio_lend(struct virtio_device *vd, unsigned queue, int *ret_kick,
		int *ret_call);
void virtio_take_back(struct virtio_device *vd, unsigned queue);
/* Only the second half, after several virtq_push() or virtq_hold(). */
void virtio_signal(struct virtio_device *vd, unsigned queue);
/* There may be more in the queue: ops->notify() is to be called again. */
void virtio_again(struct virtio_device *vd, unsigned queue);
/*
 * The driver has broken the rules: DEVICE_NEEDS_RESET (2.1.2). From here to the
 * reset there is nothing to pop, and pushes vanish.
 */
void virtio_needs_reset(struct virtio_device *vd);
/* The same, with what was wrong. */
void virtio_fail(struct virtio_device *vd, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The configuration space has changed. */
void virtio_config_changed(struct virtio_device *vd);

static inline void virtio_lock(struct virtio_device *vd)
{
	device_lock(vd->lock);
}

static inline void virtio_unlock(struct virtio_device *vd)
{
	device_unlock(vd->lock);
}

static inline void *virtio_free(struct virtio_device *vd)
{
	if (vd)
		vd->ops->free(vd);
	return NULL;
}

#endif
