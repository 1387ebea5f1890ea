/* SPDX-License-Identifier: MIT */
/*
 * p9.h: the 9P transport, by which a guest mounts a folder of the host.
 */
#ifndef TRAPMAP_VIRTIO_P9_H
#define TRAPMAP_VIRTIO_P9_H

#include "virtio/virtio.h"

struct p9_server;

/* The one feature of its own, as bit number. */
#define VIRTIO_9P_F_MOUNT_TAG 0u

#define VIRTIO_9P_TAG_MAX 31

struct virtio_9p_config {
	const struct gmem *ram;
	struct p9_server *server; /* the device's once it has been made */
	const char *tag; /* 1 to VIRTIO_9P_TAG_MAX bytes; copied */
	unsigned threads; /* that serve; 0: 4 */
};

/* Returns 0, -EINVAL (tag) or -errno. */
int virtio_9p_new(const struct virtio_9p_config *config,
		  struct virtio_device **ret_vd);

#endif
