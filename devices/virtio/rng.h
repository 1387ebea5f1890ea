/* SPDX-License-Identifier: MIT */
/*
 * rng.h: the entropy device (VIRTIO 1.2, 5.4).
 */
#ifndef TRAPMAP_VIRTIO_RNG_H
#define TRAPMAP_VIRTIO_RNG_H

#include <stddef.h>

#include "virtio/virtio.h"

struct virtio_rng_config {
	const struct gmem *ram;
	/*
	 * Fills buf with random bytes, without waiting. Returns 0 or -errno.
	 * Thread: the I/O thread.
	 */
	int (*fill)(void *opaque, void *buf, size_t len);
	void *opaque;
};

/* Returns 0 or -ENOMEM. */
int virtio_rng_new(const struct virtio_rng_config *config,
		   struct virtio_device **ret_vd);

#endif
