/* SPDX-License-Identifier: MIT */
/*
 * net.h: the network device (VIRTIO 1.2, 5.1).
 */
#ifndef TRAPMAP_VIRTIO_NET_H
#define TRAPMAP_VIRTIO_NET_H

#include "virtio/virtio.h"

struct net;
struct vhost;

/* Feature bits (5.1.3), as bit numbers. */
#define VIRTIO_NET_F_CSUM 0u
#define VIRTIO_NET_F_GUEST_CSUM 1u
#define VIRTIO_NET_F_CTRL_GUEST_OFFLOADS 2u
#define VIRTIO_NET_F_MTU 3u
#define VIRTIO_NET_F_MAC 5u
#define VIRTIO_NET_F_GUEST_TSO4 7u
#define VIRTIO_NET_F_GUEST_TSO6 8u
#define VIRTIO_NET_F_GUEST_ECN 9u
#define VIRTIO_NET_F_GUEST_UFO 10u
#define VIRTIO_NET_F_HOST_TSO4 11u
#define VIRTIO_NET_F_HOST_TSO6 12u
#define VIRTIO_NET_F_HOST_ECN 13u
#define VIRTIO_NET_F_HOST_UFO 14u
#define VIRTIO_NET_F_MRG_RXBUF 15u
#define VIRTIO_NET_F_STATUS 16u
#define VIRTIO_NET_F_CTRL_VQ 17u
#define VIRTIO_NET_F_CTRL_RX 18u
#define VIRTIO_NET_F_CTRL_VLAN 19u
#define VIRTIO_NET_F_CTRL_RX_EXTRA 20u
#define VIRTIO_NET_F_MQ 22u
#define VIRTIO_NET_F_CTRL_MAC_ADDR 23u
#define VIRTIO_NET_F_GUEST_USO4 54u
#define VIRTIO_NET_F_GUEST_USO6 55u
#define VIRTIO_NET_F_HOST_USO 56u
#define VIRTIO_NET_F_SPEED_DUPLEX 63u

#define VIRTIO_NET_MAC_LEN 6
#define VIRTIO_NET_PAIRS_MAX 16
#define VIRTIO_NET_QUEUE_SIZE_MAX 1024

struct virtio_net_config {
	const struct gmem *ram;
	struct net *net; /* the device's once it has been made */
	uint8_t mac[VIRTIO_NET_MAC_LEN];
	unsigned queues;     /* pairs, 1 to what net has; 0: 1 */
	uint16_t queue_size; /* of each, a power of two; 0: 256 */
	/*
	 * One for each pair (VHOST_NET), the device's once it has been made; all
	 * NULL: frames pass through this process. Only if net has vhost_fd().
	 */
	struct vhost *vhost[VIRTIO_NET_PAIRS_MAX];
};

/* Returns 0, -EINVAL (queues, queue_size) or -ENOMEM. */
int virtio_net_new(const struct virtio_net_config *config,
		   struct virtio_device **ret_vd);

/* Frames that were not passed on since the device was made. */
struct virtio_net_drops {
	/* The guest's: malformed, too long or short, refused by the host. */
	uint64_t sent;
	/* To the guest: too long for its buffers, or damaged. */
	uint64_t received;
	uint64_t filtered; /* not meant for it, by its own filters */
};

/* With the device's lock. */
void virtio_net_drops(const struct virtio_device *vd,
		      struct virtio_net_drops *ret_drops);

#endif
