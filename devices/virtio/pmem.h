/* SPDX-License-Identifier: MIT */
/*
 * pmem.h: the persistent memory device (VIRTIO 1.2, 5.19).
 */
#ifndef TRAPMAP_VIRTIO_PMEM_H
#define TRAPMAP_VIRTIO_PMEM_H

#include "virtio/virtio.h"

struct virtio_pmem_config {
	const struct gmem *ram;
	/* Where the guest finds it; the board has put it there. */
	uint64_t start, size;
};

/* Returns 0 or -ENOMEM. */
int virtio_pmem_new(const struct virtio_pmem_config *config,
		    struct virtio_device **ret_vd);

#endif
