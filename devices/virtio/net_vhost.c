// SPDX-License-Identifier: MIT
/*
 * Pairs of queues that the host's kernel works on (vhost-net): from DRIVER_OK to
 * the reset; the control queue stays with us. A pair that cannot be handed over is
 * worked on here, as if nobody had asked for vhost.
 *
 * Not modelled: a ring that the driver has got wrong does not give
 * DEVICE_NEEDS_RESET there, it only stands still.
 */
#include "backend/vhost.h"
#include "virtio/net_parts.h"

/* What changes frames or rings, so that vhost has to know it. */
#define SHARED                                                           \
	(BIT64(VIRTIO_NET_F_MRG_RXBUF) | BIT64(VIRTIO_F_INDIRECT_DESC) | \
	 BIT64(VIRTIO_F_EVENT_IDX) | BIT64(VIRTIO_F_RING_PACKED))

/* It passes on whatever comes. */
#define FILTERS                                                            \
	(BIT64(VIRTIO_NET_F_CTRL_RX) | BIT64(VIRTIO_NET_F_CTRL_RX_EXTRA) | \
	 BIT64(VIRTIO_NET_F_CTRL_VLAN) | BIT64(VIRTIO_NET_F_CTRL_MAC_ADDR))

uint64_t net_vhost_lacks(const struct virtio_net_config *config)
{
	uint64_t knows = UINT64_MAX;
	unsigned i;

	if (!config->vhost[0])
		return 0;
	for (i = 0; i < config->queues; i++)
		knows &= vhost_features(config->vhost[i]);
	return FILTERS | (SHARED & ~knows);
}

static void stop_pair(struct virtio_net *vn, unsigned pair)
{
	struct vhost *vhost = vn->cfg.vhost[pair];

	vhost_net_set_backend(vhost, 0, -1);
	vhost_net_set_backend(vhost, 1, -1);
	virtio_take_back(&vn->vd, net_rx_queue(pair));
	virtio_take_back(&vn->vd, net_tx_queue(pair));
}

static int start_ring(struct virtio_net *vn, unsigned pair, unsigned index)
{
	unsigned queue = 2 * pair + index;
	const struct virtq *q = &vn->vd.queue[queue].q;
	struct vhost_ring ring = {
		.size = q->config.size,
		.desc = q->desc,
		.driver = q->driver,
		.device = q->device,
	};
	int r;

	r = virtio_lend(&vn->vd, queue, &ring.kick, &ring.call);
	if (r == 0)
		r = vhost_set_ring(vn->cfg.vhost[pair], index, &ring);
	return r;
}

static int start_pair(struct virtio_net *vn, unsigned pair)
{
	struct vhost *vhost = vn->cfg.vhost[pair];
	struct net *net = vn->cfg.net;
	int fd = net->ops->vhost_fd(net, pair);
	int r;

	r = vhost_start(vhost, vn->vd.features & vhost_features(vhost),
			vn->vd.ram);
	if (r == 0)
		r = start_ring(vn, pair, 0);
	if (r == 0)
		r = start_ring(vn, pair, 1);
	if (r == 0)
		r = vhost_net_set_backend(vhost, 0, fd);
	if (r == 0)
		r = vhost_net_set_backend(vhost, 1, fd);
	if (r < 0) {
		stop_pair(vn, pair);
		return r;
	}
	/* What the driver has said before. */
	vhost_kick(vhost, 0);
	vhost_kick(vhost, 1);
	return 0;
}

void net_vhost_start(struct virtio_net *vn)
{
	const struct virtio_queue *queue = vn->vd.queue;
	unsigned i;
	int r;

	for (i = 0; i < vn->cfg.queues && vn->cfg.vhost[i]; i++) {
		if (!queue[net_rx_queue(i)].ready ||
		    !queue[net_tx_queue(i)].ready || net_is_ctrl(vn, 2 * i))
			continue;
		r = start_pair(vn, i);
		if (r < 0)
			net_complain(vn, "vhost cannot be used", -r);
		else
			vn->on_loan |= BIT(i);
	}
}

void net_vhost_stop(struct virtio_net *vn)
{
	unsigned i;

	for (i = 0; i < vn->cfg.queues; i++) {
		if (vn->on_loan >> i & 1)
			stop_pair(vn, i);
	}
	vn->on_loan = 0;
}
