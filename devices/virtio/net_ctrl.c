// SPDX-License-Identifier: MIT
/*
 * The control queue: VIRTIO 1.2, 5.1.6.5. A command is a class and a number, what
 * belongs to it, and a byte for the answer; each is carried out at once.
 *
 * Not modelled: GUEST_ANNOUNCE (nothing moves), RSS and HASH (the host spreads flows
 * over the queues), NOTF_COAL.
 */
#include <string.h>

#include "virtio/net_parts.h"

#define COMMANDS_PER_ROUND 16

/* 5.1.6.5: class << 8 | command */
enum ctrl_command {
	RX_PROMISC = 0x000,
	RX_ALLMULTI = 0x001,
	RX_ALLUNI = 0x002,
	RX_NOMULTI = 0x003,
	RX_NOUNI = 0x004,
	RX_NOBCAST = 0x005,
	MAC_TABLE_SET = 0x100,
	MAC_ADDR_SET = 0x101,
	VLAN_ADD = 0x200,
	VLAN_DEL = 0x201,
	MQ_VQ_PAIRS_SET = 0x400,
	GUEST_OFFLOADS_SET = 0x500,
};

enum ctrl_ack { ACK_OK = 0, ACK_ERR = 1 };

#define HEAD_LEN 2

/* Which bits stand for GUEST_OFFLOADS (5.1.6.5.6.1); they are those of features. */
#define OFFLOADS                                                           \
	(BIT64(VIRTIO_NET_F_GUEST_CSUM) | BIT64(VIRTIO_NET_F_GUEST_TSO4) | \
	 BIT64(VIRTIO_NET_F_GUEST_TSO6) | BIT64(VIRTIO_NET_F_GUEST_ECN) |  \
	 BIT64(VIRTIO_NET_F_GUEST_UFO) | BIT64(VIRTIO_NET_F_GUEST_USO4) |  \
	 BIT64(VIRTIO_NET_F_GUEST_USO6))

/* The rest of a command's data, from `off` on. */
struct data {
	const struct virtq_chain *chain;
	uint64_t off;
};

static bool take(struct data *data, void *buf, size_t len)
{
	if (data->chain->out_len - data->off < len)
		return false;
	data->off += virtq_copy_out(data->chain, data->off, buf, len);
	return true;
}

void net_configure(struct virtio_net *vn, uint64_t offloads)
{
	const uint64_t bits = vn->vd.features & offloads;
	/* 5.1.3.1: nothing of this without checksums, ECN not without TSO. */
	const bool csum = bits >> VIRTIO_NET_F_GUEST_CSUM & 1;
	const struct net_offload to_guest = {
		.csum = csum,
		.tso4 = csum && bits >> VIRTIO_NET_F_GUEST_TSO4 & 1,
		.tso6 = csum && bits >> VIRTIO_NET_F_GUEST_TSO6 & 1,
		.ecn = csum && bits >> VIRTIO_NET_F_GUEST_ECN & 1,
		.ufo = csum && bits >> VIRTIO_NET_F_GUEST_UFO & 1,
		.uso = csum && bits >> VIRTIO_NET_F_GUEST_USO4 & 1 &&
		       bits >> VIRTIO_NET_F_GUEST_USO6 & 1,
	};

	vn->offloads = bits & OFFLOADS;
	vn->cfg.net->ops->configure(vn->cfg.net, &to_guest, vn->active);
}

static bool set_flag(struct data *data, bool *flag)
{
	uint8_t on;

	if (!take(data, &on, sizeof(on)))
		return false;
	*flag = on;
	return true;
}

static bool take_macs(struct data *data, struct net_macs *macs)
{
	uint8_t head[4];
	uint64_t count, len;

	if (!take(data, head, sizeof(head)))
		return false;
	count = get_le32(head);
	len = count * VIRTIO_NET_MAC_LEN;
	if (len > data->chain->out_len - data->off)
		return false;
	macs->overflow = count > NET_MACS_MAX;
	macs->count = macs->overflow ? 0 : (unsigned)count;
	virtq_copy_out(data->chain, data->off, macs->mac,
		       (size_t)macs->count * VIRTIO_NET_MAC_LEN);
	data->off += len;
	return true;
}

static bool set_macs(struct virtio_net *vn, struct data *data)
{
	struct net_macs unicast, multicast;

	if (!take_macs(data, &unicast) || !take_macs(data, &multicast))
		return false;
	vn->filter.unicast = unicast;
	vn->filter.multicast = multicast;
	return true;
}

static bool set_mac(struct virtio_net *vn, struct data *data)
{
	return take(data, vn->mac, sizeof(vn->mac));
}

static bool set_vlan(struct virtio_net *vn, struct data *data, bool on)
{
	uint8_t buf[2], mask;
	unsigned id;

	if (!take(data, buf, sizeof(buf)))
		return false;
	id = get_le16(buf);
	if (id >= NET_VLANS)
		return false;
	mask = (uint8_t)BIT(id % 8);
	if (on)
		vn->filter.vlan[id / 8] |= mask;
	else
		vn->filter.vlan[id / 8] &= (uint8_t)~mask;
	return true;
}

static bool set_pairs(struct virtio_net *vn, struct data *data)
{
	unsigned pairs, i;
	uint8_t buf[2];

	if (!take(data, buf, sizeof(buf)))
		return false;
	pairs = get_le16(buf);
	if (pairs < 1 || pairs > vn->cfg.queues)
		return false;
	/* 5.1.6.5.5.2: nothing comes for the others from now on. */
	for (i = pairs; i < vn->active; i++)
		net_rx_pause(vn, i);
	i = vn->active;
	vn->active = pairs;
	net_configure(vn, vn->offloads);
	/* What came meanwhile, and room for what waits, is not told again. */
	for (; i < pairs; i++) {
		virtio_again(&vn->vd, net_rx_queue(i));
		virtio_again(&vn->vd, net_tx_queue(i));
	}
	return true;
}

static bool set_offloads(struct virtio_net *vn, struct data *data)
{
	uint8_t buf[8];
	uint64_t bits;

	if (!take(data, buf, sizeof(buf)))
		return false;
	bits = get_le64(buf);
	if (bits & ~(vn->vd.features & OFFLOADS))
		return false;
	net_configure(vn, bits);
	return true;
}

static bool carry_out(struct virtio_net *vn, unsigned command, struct data *data)
{
	static const struct {
		uint8_t class, feature;
	} needs[] = {
		{ 0, VIRTIO_NET_F_CTRL_RX },
		{ 1, VIRTIO_NET_F_CTRL_MAC_ADDR },
		{ 2, VIRTIO_NET_F_CTRL_VLAN },
		{ 4, VIRTIO_NET_F_MQ },
		{ 5, VIRTIO_NET_F_CTRL_GUEST_OFFLOADS },
	};
	struct net_filter *filter = &vn->filter;
	unsigned feature = VIRTIO_NET_F_CTRL_VQ, i;

	for (i = 0; i < ARRAY_SIZE(needs); i++) {
		if (needs[i].class == command >> 8)
			feature = needs[i].feature;
	}
	if (command >= RX_ALLUNI && command <= RX_NOBCAST)
		feature = VIRTIO_NET_F_CTRL_RX_EXTRA;
	if (command == MAC_TABLE_SET) /* 5.1.6.5.2.1 */
		feature = VIRTIO_NET_F_CTRL_RX;
	if (!virtio_has(&vn->vd, feature))
		return false;
	switch (command) {
	case RX_PROMISC: return set_flag(data, &filter->promisc);
	case RX_ALLMULTI: return set_flag(data, &filter->allmulti);
	case RX_ALLUNI: return set_flag(data, &filter->alluni);
	case RX_NOMULTI: return set_flag(data, &filter->nomulti);
	case RX_NOUNI: return set_flag(data, &filter->nouni);
	case RX_NOBCAST: return set_flag(data, &filter->nobcast);
	case MAC_TABLE_SET: return set_macs(vn, data);
	case MAC_ADDR_SET: return set_mac(vn, data);
	case VLAN_ADD: return set_vlan(vn, data, true);
	case VLAN_DEL: return set_vlan(vn, data, false);
	case MQ_VQ_PAIRS_SET: return set_pairs(vn, data);
	case GUEST_OFFLOADS_SET: return set_offloads(vn, data);
	default: return false;
	}
}

static void answer(struct virtio_net *vn, unsigned queue,
		   const struct virtq_chain *chain)
{
	struct data data = { .chain = chain };
	uint8_t head[HEAD_LEN], ack;

	if (!take(&data, head, sizeof(head)) || chain->in_len < 1) {
		virtio_fail(&vn->vd, "queue %u: a command without %s", queue,
			    chain->in_len < 1 ? "room for its answer"
					      : "a class and a number");
		return;
	}
	ack = carry_out(vn, (unsigned)head[0] << 8 | head[1], &data) ? ACK_OK
								     : ACK_ERR;
	virtq_copy_in(chain, 0, &ack, sizeof(ack));
	virtq_push(&vn->vd.queue[queue].q, chain, sizeof(ack));
}

void net_ctrl_round(struct virtio_net *vn, unsigned queue)
{
	struct virtq *q = &vn->vd.queue[queue].q;
	struct virtq_chain chain = { .iov = vn->ctrl_iov,
				     .room = NET_CHAIN_MAX };
	unsigned budget = COMMANDS_PER_ROUND;

	do {
		virtq_set_notify(q, false);
		while (budget > 0 && virtio_pop(&vn->vd, queue, &chain)) {
			answer(vn, queue, &chain);
			budget--;
		}
		if (budget == 0) {
			virtio_again(&vn->vd, queue);
			break;
		}
	} while (virtq_set_notify(q, true));
	virtio_signal(&vn->vd, queue);
}
