// SPDX-License-Identifier: MIT
/*
 * Frames that the driver sends: VIRTIO 1.2, 5.1.6.2 "Packet Transmission".
 *
 * The header is copied, checked, and cleared of what does not concern the host. A
 * frame with one that is wrong, and one that the host refuses, is dropped, as on any
 * wire; the driver gets its buffers back. Writable buffers are passed over.
 */
#include <errno.h>
#include <stdlib.h>

#include "virtio/net_parts.h"

/* 5.1.6 */
#define HDR_F_NEEDS_CSUM BIT(0)
#define HDR_GSO_ECN 0x80u

enum gso_type {
	GSO_NONE = 0,
	GSO_TCPV4 = 1,
	GSO_UDP = 3,
	GSO_TCPV6 = 4,
	GSO_UDP_L4 = 5,
};

static bool may_segment(const struct virtio_device *vd, unsigned type)
{
	if ((type & HDR_GSO_ECN) && !virtio_has(vd, VIRTIO_NET_F_HOST_ECN))
		return false;
	switch (type) {
	case GSO_TCPV4:
	case GSO_TCPV4 | HDR_GSO_ECN:
		return virtio_has(vd, VIRTIO_NET_F_HOST_TSO4);
	case GSO_TCPV6:
	case GSO_TCPV6 | HDR_GSO_ECN:
		return virtio_has(vd, VIRTIO_NET_F_HOST_TSO6);
	case GSO_UDP: return virtio_has(vd, VIRTIO_NET_F_HOST_UFO);
	case GSO_UDP_L4: return virtio_has(vd, VIRTIO_NET_F_HOST_USO);
	default: return false;
	}
}

/*
 * 5.1.6.2.1, and of our own: all that it points to lies in the frame. Clears what
 * says nothing, so that a back end need not look.
 */
static bool header_fits(const struct virtio_device *vd, uint8_t *header,
			uint64_t len)
{
	unsigned type = header[HEADER_GSO_TYPE];
	bool csum = header[HEADER_FLAGS] & HDR_F_NEEDS_CSUM;

	put_le16(header + HEADER_NUM_BUFFERS, 0);
	header[HEADER_FLAGS] &= HDR_F_NEEDS_CSUM;
	if (!csum) {
		put_le32(header + HEADER_CSUM_START, 0);
	} else if (!virtio_has(vd, VIRTIO_NET_F_CSUM) ||
		   get_le16(header + HEADER_CSUM_START) +
				   get_le16(header + HEADER_CSUM_OFFSET) + 2u >
			   len) {
		return false;
	}
	if (type == GSO_NONE) {
		put_le32(header + HEADER_HDR_LEN, 0);
		return true;
	}
	return csum && may_segment(vd, type) &&
	       get_le16(header + HEADER_GSO_SIZE) > 0 &&
	       get_le16(header + HEADER_HDR_LEN) <= len;
}

/* Makes a frame of the chain, with our copy of its header before it. */
static bool prepare(const struct virtio_net *vn, struct net_tx *tx)
{
	const struct virtq_chain *chain = &tx->chain;
	uint64_t len = chain->out_len - NET_HEADER_LEN;
	unsigned count = chain->out;
	struct iovec *rest;

	if (chain->out_len < NET_HEADER_LEN + NET_ETHERNET_LEN ||
	    len > NET_FRAME_MAX)
		return false;
	virtq_copy_out(chain, 0, tx->header, NET_HEADER_LEN);
	if (!header_fits(&vn->vd, tx->header, len))
		return false;
	rest = virtq_trim(chain->iov, &count, NET_HEADER_LEN, len);
	/* There is one before the chain's first. */
	tx->frame = rest - 1;
	tx->frame[0] = (struct iovec){ .iov_base = tx->header,
				       .iov_len = NET_HEADER_LEN };
	tx->count = count + 1;
	return true;
}

/* False: not now. */
static bool send(struct virtio_net *vn, unsigned pair)
{
	struct net_tx *tx = &vn->tx[pair];
	struct net *net = vn->cfg.net;
	int r = net->ops->send(net, pair, tx->frame, tx->count);

	if (r == -EAGAIN)
		return false;
	if (r < 0)
		vn->drops.sent++;
	tx->count = 0;
	virtq_push(&vn->vd.queue[net_tx_queue(pair)].q, &tx->chain, 0);
	return true;
}

/* Returns whether all is sent that there is. */
static bool send_some(struct virtio_net *vn, unsigned pair, unsigned *budget)
{
	unsigned queue = net_tx_queue(pair);
	struct net_tx *tx = &vn->tx[pair];

	while (tx->count || virtio_pop(&vn->vd, queue, &tx->chain)) {
		if (tx->count || prepare(vn, tx)) {
			if (!send(vn, pair))
				return false;
		} else {
			vn->drops.sent++;
			virtq_push(&vn->vd.queue[queue].q, &tx->chain, 0);
		}
		if (--*budget == 0) {
			virtio_again(&vn->vd, queue);
			return false;
		}
		if (*budget % NET_SIGNAL_EVERY == 0)
			virtio_signal(&vn->vd, queue);
	}
	return true;
}

void net_tx_round(struct virtio_net *vn, unsigned pair)
{
	unsigned queue = net_tx_queue(pair), budget = NET_BUDGET;
	struct virtq *q = &vn->vd.queue[queue].q;

	do {
		virtq_set_notify(q, false);
	} while (send_some(vn, pair, &budget) && virtq_set_notify(q, true));
	virtio_signal(&vn->vd, queue);
}

void net_tx_stop(struct virtio_net *vn, unsigned pair)
{
	vn->tx[pair].count = 0;
}

int net_tx_init(struct net_tx *tx)
{
	tx->iov = calloc(1 + NET_CHAIN_MAX, sizeof(*tx->iov));
	if (!tx->iov)
		return -ENOMEM;
	tx->chain.iov = tx->iov + 1;
	tx->chain.room = NET_CHAIN_MAX;
	return 0;
}

void net_tx_done(struct net_tx *tx)
{
	free(tx->iov);
}
