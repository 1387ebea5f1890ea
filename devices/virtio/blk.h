/* SPDX-License-Identifier: MIT */
/*
 * blk.h: the block device (VIRTIO 1.2, 5.2).
 */
#ifndef TRAPMAP_VIRTIO_BLK_H
#define TRAPMAP_VIRTIO_BLK_H

#include "virtio/virtio.h"

struct block;

/* Feature bits (5.2.3), as bit numbers. */
#define VIRTIO_BLK_F_SEG_MAX 2u
#define VIRTIO_BLK_F_RO 5u
#define VIRTIO_BLK_F_BLK_SIZE 6u
#define VIRTIO_BLK_F_FLUSH 9u
#define VIRTIO_BLK_F_TOPOLOGY 10u
#define VIRTIO_BLK_F_MQ 12u
#define VIRTIO_BLK_F_DISCARD 13u
#define VIRTIO_BLK_F_WRITE_ZEROES 14u

#define VIRTIO_BLK_ID_LEN 20
#define VIRTIO_BLK_QUEUES_MAX 16

struct virtio_blk_config {
	const struct gmem *ram;
	struct block *blk; /* the device's once it has been made */
	unsigned queues; /* 1 to VIRTIO_BLK_QUEUES_MAX; 0: 1 */
	uint16_t queue_size; /* 0: 256 */
	/* Cut to VIRTIO_BLK_ID_LEN bytes. NULL: "". */
	const char *serial;
	/*
	 * The host failed a request, with -err; the guest is told S_IOERR. For
	 * each one, so as often as the guest tries. May be NULL. Thread:
	 * whichever works for the device, with its lock held.
	 */
	void (*failed)(void *opaque, int err);
	/*
	 * Not NULL: a change for which the host has no room (ENOSPC, EDQUOT) is
	 * kept, until virtio_blk_resume() or a reset. Called when the first one
	 * is, after failed() and as that.
	 */
	void (*full)(void *opaque);
	void *opaque;
};

/* Returns 0, -EINVAL (queues, queue_size) or -ENOMEM. */
int virtio_blk_new(const struct virtio_blk_config *config,
		   struct virtio_device **ret_vd);

/* Tries again what was kept, in the order in which it failed. Any thread. */
void virtio_blk_resume(struct virtio_device *vd);

#endif
