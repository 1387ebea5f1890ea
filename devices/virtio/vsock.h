/* SPDX-License-Identifier: MIT */
/*
 * vsock.h: the socket device (VIRTIO 1.2, 5.10): stream sockets between the guest and
 * a host behind backend/vsock.h, or the host's kernel.
 */
#ifndef TRAPMAP_VIRTIO_VSOCK_H
#define TRAPMAP_VIRTIO_VSOCK_H

#include <stdint.h>

#include "virtio/virtio.h"

struct loop;
struct vhost;
struct vsock_host;

#define VIRTIO_VSOCK_CID_HOST 2u
#define VIRTIO_VSOCK_CID_MIN 3u

/* Connections at a time. */
#define VIRTIO_VSOCK_CONNS_MAX 512u
/* What a connection may have buffered for the host: our buf_alloc (5.10.6.3). */
#define VIRTIO_VSOCK_BUF 0x20000u

struct virtio_vsock_config {
	const struct gmem *ram;
	uint64_t cid;		 /* the guest's */
	struct loop *loop;	 /* the I/O thread */
	struct vsock_host *host; /* the device's after success */
};

/* Returns 0 or -errno. */
int virtio_vsock_new(const struct virtio_vsock_config *config,
		     struct virtio_device **ret_vd);

struct virtio_vsock_vhost_config {
	const struct gmem *ram;
	uint64_t cid;
	struct vhost *vhost; /* /dev/vhost-vsock; the device's after success */
};

/*
 * The same with the host's kernel in our place. Returns 0 or -errno; -EADDRINUSE:
 * another guest has the address.
 */
int virtio_vsock_vhost_new(const struct virtio_vsock_vhost_config *config,
			   struct virtio_device **ret_vd);

#endif
