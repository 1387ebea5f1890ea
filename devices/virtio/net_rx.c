// SPDX-License-Identifier: MIT
/*
 * Frames that the driver receives: VIRTIO 1.2, 5.1.6.3 "Setting Up Receive Buffers"
 * and 5.1.6.4 "Processing of Incoming Packets".
 *
 * While there are no buffers nobody listens to the host, where frames wait. One
 * that turns out to need more buffers than there are waits here, half in them,
 * unless the driver has none left to give. Readable buffers are passed over.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "virtio/net_parts.h"

/* The window's spans, for virtq_copy_in() and virtq_copy_out(). */
static struct virtq_chain spans(const struct net_rx *rx, bool in)
{
	return (struct virtq_chain){ .iov = rx->iov,
				     .in = in ? rx->iovs : 0,
				     .out = in ? 0 : rx->iovs };
}

static void listen(struct virtio_net *vn, unsigned pair, bool on)
{
	struct net_rx *rx = &vn->rx[pair];

	if (rx->listening == on)
		return;
	rx->listening = on;
	vn->cfg.net->ops->listen(vn->cfg.net, pair, on);
}

/* Takes chains until there is room for so many bytes, or there are no more. */
static void fill(struct virtio_net *vn, unsigned pair, uint64_t room)
{
	unsigned queue = net_rx_queue(pair);
	struct net_rx *rx = &vn->rx[pair];
	struct virtq_chain *chain;

	while (rx->room < room && rx->iovs < NET_CHAIN_MAX) {
		chain = &rx->chain[rx->chains];
		chain->iov = rx->iov + rx->iovs;
		chain->room = NET_CHAIN_MAX;
		if (!virtio_pop(&vn->vd, queue, chain))
			return;
		if (chain->in_len < NET_HEADER_LEN) { /* 5.1.6.3.1 */
			virtio_fail(&vn->vd,
				    "queue %u: a receive buffer of %u bytes, "
				    "too small for a header",
				    queue, (unsigned)chain->in_len);
			return;
		}
		if (chain->out)
			memmove(chain->iov, chain->iov + chain->out,
				chain->in * sizeof(*chain->iov));
		rx->chains++;
		rx->iovs += chain->in;
		rx->room += chain->in_len;
	}
}

/* The first n chains are the driver's again. */
static void forget(struct net_rx *rx, unsigned n)
{
	unsigned i, iovs = 0;

	for (i = 0; i < n; i++) {
		iovs += rx->chain[i].in;
		rx->room -= rx->chain[i].in_len;
	}
	rx->chains -= n;
	rx->iovs -= iovs;
	memmove(rx->chain, rx->chain + n, rx->chains * sizeof(*rx->chain));
	memmove(rx->iov, rx->iov + iovs, rx->iovs * sizeof(*rx->iov));
}

/*
 * Whether the driver has given all that it can: what is left of its ring does not
 * take one more like those that we have.
 */
static bool has_given_all(const struct virtio_net *vn, unsigned pair)
{
	const struct net_rx *rx = &vn->rx[pair];

	return rx->iovs >= NET_CHAIN_MAX || !vn->mergeable ||
	       rx->iovs + rx->chain[0].in >
		       vn->vd.queue[net_rx_queue(pair)].q.config.size;
}

/* 5.1.6.4.1; the rest of the header is as the host has made it. */
static void finish_header(struct virtio_net *vn, struct net_rx *rx,
			  unsigned buffers)
{
	const struct virtq_chain to = spans(rx, true);
	uint8_t num[2];

	put_le16(num, (uint16_t)buffers);
	virtq_copy_in(&to, HEADER_NUM_BUFFERS, num, sizeof(num));
	if (!vn->guest_csum) {
		num[0] = 0;
		virtq_copy_in(&to, HEADER_FLAGS, num, 1);
	}
}

/*
 * Gives the driver the frame that was read: the first `direct` bytes are in the
 * chains, the rest is not. Returns false where it has to wait for buffers.
 */
static bool place(struct virtio_net *vn, unsigned pair, size_t len,
		  size_t direct)
{
	struct virtq *q = &vn->vd.queue[net_rx_queue(pair)].q;
	struct net_rx *rx = &vn->rx[pair];
	size_t left = len, n;
	unsigned i;

	if (rx->room < len && vn->mergeable)
		fill(vn, pair, len);
	if (rx->room < len) {
		rx->waiting = 0;
		if (!q->broken && !has_given_all(vn, pair)) {
			rx->waiting = len;
			rx->direct = direct;
			return false;
		}
		vn->drops.received++;
		return true;
	}
	rx->waiting = 0;
	if (len > direct) {
		const struct virtq_chain to = spans(rx, true);

		virtq_copy_in(&to, direct, rx->spare, len - direct);
	}
	for (i = 0; left > 0; i++) {
		n = left < rx->chain[i].in_len ? left : rx->chain[i].in_len;
		virtq_hold(q, &rx->chain[i], (uint32_t)n);
		left -= n;
	}
	finish_header(vn, rx, i);
	virtq_publish(q);
	forget(rx, i);
	return true;
}

static bool wanted(const struct virtio_net *vn, const struct net_rx *rx)
{
	const struct virtq_chain from = spans(rx, false);
	uint8_t frame[NET_FILTER_LOOK] = { 0 };

	if (vn->filter.promisc)
		return true;
	virtq_copy_out(&from, NET_HEADER_LEN, frame, sizeof(frame));
	return net_filter_wants(&vn->filter, vn->mac, frame);
}

/* Grows at once, as segments do, and shrinks by and by. */
static void learn(struct net_rx *rx, size_t len)
{
	if (len > rx->want)
		rx->want = (uint32_t)len;
	else
		rx->want -= (rx->want - (uint32_t)len) / 8;
}

/*
 * Reads the next frame into the chains and, behind them, the spare room. Returns 1:
 * that is done with; 0: it waits for buffers; -EAGAIN: there is none; another
 * -errno: the host's fault.
 */
static int receive(struct virtio_net *vn, unsigned pair)
{
	struct net *net = vn->cfg.net;
	struct net_rx *rx = &vn->rx[pair];
	unsigned had = rx->iovs;
	size_t direct = rx->room;
	struct iovec *spare;
	struct iovec was;
	bool ok;
	ssize_t r;

	/* Those that are too many for one call come after the spare room. */
	while (rx->iovs > NET_CHAIN_MAX)
		direct -= rx->iov[--rx->iovs].iov_len;
	spare = &rx->iov[rx->iovs++];
	was = *spare;
	*spare = (struct iovec){ .iov_base = rx->spare,
				 .iov_len = NET_SPARE_LEN };
	r = net->ops->receive(net, pair, rx->iov, rx->iovs);
	ok = r >= NET_HEADER_LEN + NET_ETHERNET_LEN &&
	     (size_t)r < direct + NET_SPARE_LEN &&
	     r <= NET_HEADER_LEN + NET_FRAME_MAX;
	if (ok && !wanted(vn, rx)) {
		vn->drops.filtered++;
		ok = false;
	} else if (r >= 0 && !ok) {
		vn->drops.received++;
	}
	*spare = was;
	rx->iovs = had;
	if (r < 0)
		return (int)r;
	if (!ok)
		return 1;
	learn(rx, (size_t)r);
	return place(vn, pair, (size_t)r, direct);
}

/* Returns whether it is to wait for the driver's buffers. */
static bool receive_some(struct virtio_net *vn, unsigned pair, unsigned *budget)
{
	unsigned queue = net_rx_queue(pair);
	struct net_rx *rx = &vn->rx[pair];
	int r;

	if (rx->waiting && !place(vn, pair, rx->waiting, rx->direct))
		return true;
	for (;;) {
		fill(vn, pair, vn->mergeable ? rx->want : 1);
		if (rx->chains == 0)
			return true;
		r = receive(vn, pair);
		if (r == 0)
			return true;
		if (r < 0)
			break;
		if (--*budget == 0) {
			virtio_again(&vn->vd, queue);
			return false;
		}
		if (*budget % NET_SIGNAL_EVERY == 0)
			virtio_signal(&vn->vd, queue);
	}
	if (r != -EAGAIN)
		net_complain(vn, "cannot receive", -r);
	listen(vn, pair, r == -EAGAIN);
	return false;
}

void net_rx_round(struct virtio_net *vn, unsigned pair)
{
	unsigned queue = net_rx_queue(pair), budget = NET_BUDGET;
	struct virtq *q = &vn->vd.queue[queue].q;
	bool again = true;

	while (again) {
		virtq_set_notify(q, false);
		if (!receive_some(vn, pair, &budget))
			break;
		again = virtq_set_notify(q, true);
		if (!again)
			listen(vn, pair, false);
	}
	virtio_signal(&vn->vd, queue);
}

void net_rx_pause(struct virtio_net *vn, unsigned pair)
{
	listen(vn, pair, false);
}

void net_rx_stop(struct virtio_net *vn, unsigned pair)
{
	struct net_rx *rx = &vn->rx[pair];

	listen(vn, pair, false);
	rx->chains = rx->iovs = 0;
	rx->room = 0;
	rx->want = 1;
	rx->waiting = 0;
}

int net_rx_init(struct net_rx *rx)
{
	rx->want = 1;
	/* Pages that are never needed cost nothing. */
	rx->chain = calloc(NET_CHAIN_MAX + 1, sizeof(*rx->chain));
	rx->iov = calloc(2 * NET_CHAIN_MAX + 1, sizeof(*rx->iov));
	rx->spare = malloc(NET_SPARE_LEN);
	return rx->chain && rx->iov && rx->spare ? 0 : -ENOMEM;
}

void net_rx_done(struct net_rx *rx)
{
	free(rx->chain);
	free(rx->iov);
	free(rx->spare);
}
