/* SPDX-License-Identifier: MIT */
/*
 * net.h: the contract between a network device and what is behind it: a tap of the
 * host's, or a network of the process's own.
 *
 * What moves is one Ethernet frame at a time, with a struct virtio_net_hdr of
 * NET_HEADER_LEN bytes before it (VIRTIO 1.2, 5.1.6). Frames wait in the host's
 * side, never here: whoever cannot take one says -EAGAIN, and ready() comes once
 * it can.
 *
 * Thread: for each queue one at a time, the device's lock; ready() comes on the
 * loop's thread with no lock held.
 */
#ifndef TRAPMAP_BACKEND_NET_H
#define TRAPMAP_BACKEND_NET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#define NET_HEADER_LEN 12
/* The longest frame, as segmentation offload makes them, without the header. */
#define NET_FRAME_MAX 65550

struct net;

/* What the driver can take; of what the back end can give (struct net_info). */
struct net_offload {
	bool csum, tso4, tso6, ecn, ufo, uso;
};

/* Does not change. */
struct net_info {
	unsigned queues; /* pairs */
	/* What it takes from the guest, and what it can give to it. */
	struct net_offload from_guest, to_guest;
	/* What VIRTIO_NET_F_MTU should tell the driver; 0: nothing. */
	uint16_t mtu;
	bool vhost; /* has vhost_fd() */
};

struct net_ops {
	/*
	 * Once, before anything else. ready(): a frame can be received from that
	 * pair, or sent after an -EAGAIN; more often than needed.
	 */
	void (*attach)(struct net *net,
		       void (*ready)(void *opaque, unsigned queue), void *opaque);
	/*
	 * Whether ready() is wanted for frames to receive; off at first, so that
	 * a guest without buffers does not cost anything.
	 */
	void (*listen)(struct net *net, unsigned queue, bool on);
	/*
	 * The next frame, header first. Returns its length with the header, which
	 * may be more than there was room for: then the rest is lost; -EAGAIN:
	 * none; another -errno: the host's fault.
	 */
	ssize_t (*receive)(struct net *net, unsigned queue,
			   const struct iovec *iov, unsigned count);
	/*
	 * A frame. The first span is its header, which asks for nothing but what
	 * from_guest has and points to nothing outside the frame; the others are
	 * guest memory, which may change meanwhile. Returns 0; -EAGAIN: later;
	 * another -errno: it is lost.
	 */
	int (*send)(struct net *net, unsigned queue, const struct iovec *iov,
		    unsigned count);
	/* What the driver has agreed to, and how many pairs it uses. */
	void (*configure)(struct net *net, const struct net_offload *to_guest,
			  unsigned queues);
	/*
	 * What VHOST_NET_SET_BACKEND is given for that pair; stays the back
	 * end's. NULL unless info.vhost.
	 */
	int (*vhost_fd)(struct net *net, unsigned queue);
	/* ready() is not called any more. */
	void (*free)(struct net *net);
};

struct net {
	const struct net_ops *ops;
	struct net_info info;
};

static inline void *net_free(struct net *net)
{
	if (net)
		net->ops->free(net);
	return NULL;
}

#endif
