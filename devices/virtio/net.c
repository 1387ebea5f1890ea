// SPDX-License-Identifier: MIT
/*
 * The network device: features, queues and configuration space. VIRTIO 1.2, 5.1.
 *
 * What is offered is what the back end can do. Queues come in pairs, one to receive
 * and one to send; the control queue follows the last pair (5.1.2).
 *
 * Not modelled: GUEST_ANNOUNCE, RSS and HASH_REPORT, HOST_HDRLEN and GUEST_HDRLEN,
 * RSC_EXT, STANDBY, NOTF_COAL; the link is always up.
 */
#include "virtio/net.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/vhost.h"
#include "virtio/net_parts.h"

#define QUEUE_SIZE 256

/* 5.1.4: struct virtio_net_config */
enum net_config_field {
	CONFIG_MAC = 0,
	CONFIG_STATUS = 6,
	CONFIG_MAX_VIRTQUEUE_PAIRS = 8,
	CONFIG_MTU = 10,
	CONFIG_SPEED = 12,
	CONFIG_DUPLEX = 16,
	CONFIG_LEN = 17,
};

#define S_LINK_UP 1
/* What Linux says of a tap's speed, in Mb/s. Nothing here depends on it. */
#define SPEED 10000
#define DUPLEX_FULL 1

static struct virtio_net *to_net(struct virtio_device *vd)
{
	return container_of(vd, struct virtio_net, vd);
}

void net_complain(struct virtio_net *vn, const char *what, int err)
{
	char text[128];

	if (vn->complained)
		return;
	vn->complained = true;
	snprintf(text, sizeof(text), "%s: %s", what,
		 strerrordesc_np(err) ?: "unknown error");
	notice_say(&vn->vd.notice, text);
}

void virtio_net_drops(const struct virtio_device *vd,
		      struct virtio_net_drops *ret_drops)
{
	const struct virtio_net *vn = container_of(vd, const struct virtio_net,
						   vd);

	*ret_drops = vn->drops;
}

/* ---- queues ------------------------------------------------------------- */

/* 5.1.2: without MQ there is one pair. */
bool net_is_ctrl(const struct virtio_net *vn, unsigned queue)
{
	return queue ==
	       (virtio_has(&vn->vd, VIRTIO_NET_F_MQ) ? 2 * vn->cfg.queues : 2);
}

static void net_notify(struct virtio_device *vd, unsigned queue)
{
	struct virtio_net *vn = to_net(vd);
	unsigned pair = queue / 2;

	if (net_is_ctrl(vn, queue)) {
		if (virtio_has(vd, VIRTIO_NET_F_CTRL_VQ))
			net_ctrl_round(vn, queue);
	} else if (pair < vn->active && !(vn->on_loan >> pair & 1)) {
		if (queue == net_rx_queue(pair))
			net_rx_round(vn, pair);
		else
			net_tx_round(vn, pair);
	}
}

/* The back end has frames, or takes some again. */
static void net_ready(void *opaque, unsigned pair)
{
	struct virtio_net *vn = opaque;
	struct virtio_device *vd = &vn->vd;

	virtio_lock(vd);
	if (vd->status & VIRTIO_STATUS_NEEDS_RESET) {
		/* Or it would come again and again. */
		net_rx_pause(vn, pair);
	} else if (vd->started && !vd->resetting && pair < vn->active) {
		if (vn->tx[pair].count)
			net_tx_round(vn, pair);
		if (vn->rx[pair].listening)
			net_rx_round(vn, pair);
	}
	virtio_unlock(vd);
}

static void net_start(struct virtio_device *vd)
{
	struct virtio_net *vn = to_net(vd);

	vn->active = 1;
	vn->complained = false;
	vn->mergeable = virtio_has(vd, VIRTIO_NET_F_MRG_RXBUF);
	vn->guest_csum = virtio_has(vd, VIRTIO_NET_F_GUEST_CSUM);
	net_filter_reset(&vn->filter, virtio_has(vd, VIRTIO_NET_F_CTRL_VLAN));
	net_configure(vn, UINT64_MAX);
	net_vhost_start(vn);
	/* Buffers may be there already. */
	if (!(vn->on_loan & 1))
		virtio_again(vd, net_rx_queue(0));
}

static void net_stop(struct virtio_device *vd)
{
	struct virtio_net *vn = to_net(vd);
	unsigned i;

	net_vhost_stop(vn);
	for (i = 0; i < vn->cfg.queues; i++) {
		net_rx_stop(vn, i);
		net_tx_stop(vn, i);
	}
	memcpy(vn->mac, vn->cfg.mac, sizeof(vn->mac));
}

/* ---- features and configuration space ----------------------------------- */

static uint64_t bit_if(bool on, unsigned feature)
{
	return on ? BIT64(feature) : 0;
}

static uint64_t features(const struct virtio_net_config *config)
{
	const struct net_info *info = &config->net->info;
	const struct net_offload *from = &info->from_guest;
	const struct net_offload *to = &info->to_guest;
	bool from_tso = from->csum && (from->tso4 || from->tso6);
	bool to_tso = to->csum && (to->tso4 || to->tso6);

	return BIT64(VIRTIO_NET_F_MAC) | BIT64(VIRTIO_NET_F_STATUS) |
	       BIT64(VIRTIO_NET_F_MRG_RXBUF) | BIT64(VIRTIO_NET_F_CTRL_VQ) |
	       BIT64(VIRTIO_NET_F_CTRL_RX) | BIT64(VIRTIO_NET_F_CTRL_RX_EXTRA) |
	       BIT64(VIRTIO_NET_F_CTRL_VLAN) |
	       BIT64(VIRTIO_NET_F_CTRL_MAC_ADDR) |
	       BIT64(VIRTIO_NET_F_SPEED_DUPLEX) |
	       bit_if(info->mtu, VIRTIO_NET_F_MTU) |
	       bit_if(config->queues > 1, VIRTIO_NET_F_MQ) |
	       bit_if(from->csum, VIRTIO_NET_F_CSUM) |
	       bit_if(from->csum && from->tso4, VIRTIO_NET_F_HOST_TSO4) |
	       bit_if(from->csum && from->tso6, VIRTIO_NET_F_HOST_TSO6) |
	       bit_if(from_tso && from->ecn, VIRTIO_NET_F_HOST_ECN) |
	       bit_if(from->csum && from->ufo, VIRTIO_NET_F_HOST_UFO) |
	       bit_if(from->csum && from->uso, VIRTIO_NET_F_HOST_USO) |
	       bit_if(to->csum, VIRTIO_NET_F_GUEST_CSUM) |
	       bit_if(to->csum, VIRTIO_NET_F_CTRL_GUEST_OFFLOADS) |
	       bit_if(to->csum && to->tso4, VIRTIO_NET_F_GUEST_TSO4) |
	       bit_if(to->csum && to->tso6, VIRTIO_NET_F_GUEST_TSO6) |
	       bit_if(to_tso && to->ecn, VIRTIO_NET_F_GUEST_ECN) |
	       bit_if(to->csum && to->ufo, VIRTIO_NET_F_GUEST_UFO) |
	       bit_if(to->csum && to->uso, VIRTIO_NET_F_GUEST_USO4) |
	       bit_if(to->csum && to->uso, VIRTIO_NET_F_GUEST_USO6);
}

static void net_config_read(struct virtio_device *vd, size_t off, void *buf,
			    size_t len)
{
	const struct virtio_net *vn = to_net(vd);
	uint8_t space[CONFIG_LEN] = { 0 };

	memcpy(space + CONFIG_MAC, vn->mac, sizeof(vn->mac));
	put_le16(space + CONFIG_STATUS, S_LINK_UP);
	put_le16(space + CONFIG_MAX_VIRTQUEUE_PAIRS, (uint16_t)vn->cfg.queues);
	put_le16(space + CONFIG_MTU, vn->cfg.net->info.mtu);
	put_le32(space + CONFIG_SPEED, SPEED);
	space[CONFIG_DUPLEX] = DUPLEX_FULL;
	memcpy(buf, space + off, len);
}

/* ---- life --------------------------------------------------------------- */

static void release(struct virtio_net *vn)
{
	unsigned i;

	for (i = 0; i < vn->cfg.queues; i++) {
		net_rx_done(&vn->rx[i]);
		net_tx_done(&vn->tx[i]);
	}
	free(vn->ctrl_iov);
	virtio_done(&vn->vd);
	free(vn);
}

static void net_dev_free(struct virtio_device *vd)
{
	struct virtio_net *vn = to_net(vd);
	unsigned i;

	for (i = 0; i < vn->cfg.queues; i++)
		vhost_free(vn->cfg.vhost[i]);
	net_free(vn->cfg.net);
	release(vn);
}

static const struct virtio_ops net_ops = {
	.name = "virtio-net",
	.id = VIRTIO_ID_NET,
	.config_read = net_config_read,
	.start = net_start,
	.stop = net_stop,
	.notify = net_notify,
	.free = net_dev_free,
};

int virtio_net_new(const struct virtio_net_config *config,
		   struct virtio_device **ret_vd)
{
	uint16_t sizes[2 * VIRTIO_NET_PAIRS_MAX + 1];
	struct virtio_config common = {
		.ops = &net_ops,
		.ram = config->ram,
		.sizes = sizes,
		.config_len = CONFIG_LEN,
	};
	unsigned queues = config->queues ? config->queues : 1, i;
	uint16_t size = config->queue_size ? config->queue_size : QUEUE_SIZE;
	struct virtio_net *vn;
	int r;

	if (queues > VIRTIO_NET_PAIRS_MAX || queues > config->net->info.queues ||
	    size > VIRTIO_NET_QUEUE_SIZE_MAX || (size & (size - 1)))
		return -EINVAL;
	vn = calloc(1, sizeof(*vn));
	if (!vn)
		return -ENOMEM;
	vn->cfg = *config;
	vn->cfg.queues = queues;
	memcpy(vn->mac, config->mac, sizeof(vn->mac));
	common.queues = 2 * queues + 1;
	for (i = 0; i < common.queues; i++)
		sizes[i] = size;
	common.features = features(&vn->cfg);
	common.without = net_vhost_lacks(&vn->cfg);

	r = virtio_init(&vn->vd, &common);
	for (i = 0; i < queues && r == 0; i++)
		r = net_rx_init(&vn->rx[i]) ?: net_tx_init(&vn->tx[i]);
	vn->ctrl_iov = calloc(NET_CHAIN_MAX, sizeof(*vn->ctrl_iov));
	if (!vn->ctrl_iov)
		r = -ENOMEM;
	if (r < 0) {
		release(vn);
		return r;
	}
	config->net->ops->attach(config->net, net_ready, vn);
	*ret_vd = &vn->vd;
	return 0;
}
