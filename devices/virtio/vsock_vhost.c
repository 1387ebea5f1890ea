// SPDX-License-Identifier: MIT
/*
 * The socket device with the host's kernel behind it: vhost-vsock works on the queues
 * of packets from DRIVER_OK to the reset (linux/vhost.h; drivers/vhost/vsock.c). The
 * queue of events stays with us, and has none. VIRTIO 1.2, 5.10.
 *
 * Not modelled: sequential packets, though the kernel has them; a ring that the
 * driver has got wrong does not give DEVICE_NEEDS_RESET there, it only stands still.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend/vhost.h"
#include "backend/vhost_vsock.h"
#include "virtio/vsock_parts.h"

/* What changes the rings, so that the kernel has to know it. */
#define SHARED                                                       \
	(BIT64(VIRTIO_F_INDIRECT_DESC) | BIT64(VIRTIO_F_EVENT_IDX) | \
	 BIT64(VIRTIO_F_RING_PACKED))

struct vsock_vhost {
	struct virtio_device vd;
	uint64_t cid;
	struct vhost *vhost;
	bool running;
};

static struct vsock_vhost *to_vhost(struct virtio_device *vd)
{
	return container_of(vd, struct vsock_vhost, vd);
}

static void config_read(struct virtio_device *vd, size_t off, void *buf,
			size_t len)
{
	uint8_t config[VSOCK_CONFIG_LEN];

	put_le64(config, to_vhost(vd)->cid);
	memcpy(buf, config + off, len);
}

static int start_ring(struct vsock_vhost *vv, unsigned queue)
{
	const struct virtq *q = &vv->vd.queue[queue].q;
	struct vhost_ring ring = {
		.size = q->config.size,
		.desc = q->desc,
		.driver = q->driver,
		.device = q->device,
	};

	return virtio_lend(&vv->vd, queue, &ring.kick, &ring.call)
		       ?: vhost_set_ring(vv->vhost, queue, &ring);
}

static void vhost_vsock_start(struct virtio_device *vd)
{
	struct vsock_vhost *vv = to_vhost(vd);
	int r;

	if (!vd->queue[VSOCK_RX].ready || !vd->queue[VSOCK_TX].ready)
		return;
	r = vhost_start(vv->vhost, vd->features & vhost_features(vv->vhost),
			vd->ram) ?:
	    start_ring(vv, VSOCK_RX) ?: start_ring(vv, VSOCK_TX) ?:
	    vhost_vsock_set_running(vv->vhost, true);
	vv->running = r == 0;
	if (r < 0) {
		virtio_take_back(vd, VSOCK_RX);
		virtio_take_back(vd, VSOCK_TX);
		virtio_fail(vd, "vhost-vsock cannot be used: %s",
			    strerrordesc_np(-r) ?: "unknown error");
		return;
	}
	/* What the driver has said before. */
	vhost_kick(vv->vhost, VSOCK_RX);
	vhost_kick(vv->vhost, VSOCK_TX);
}

static void vhost_vsock_stop(struct virtio_device *vd)
{
	struct vsock_vhost *vv = to_vhost(vd);

	if (!vv->running)
		return;
	(void)vhost_vsock_set_running(vv->vhost, false);
	vv->running = false;
	virtio_take_back(vd, VSOCK_RX);
	virtio_take_back(vd, VSOCK_TX);
}

/* Only while the kernel does not look at them: nobody does. */
static void vhost_vsock_notify(struct virtio_device *vd, unsigned queue)
{
}

static void vhost_vsock_free(struct virtio_device *vd)
{
	struct vsock_vhost *vv = to_vhost(vd);

	vhost_free(vv->vhost);
	virtio_done(vd);
	free(vv);
}

static const struct virtio_ops vhost_vsock_ops = {
	.name = "virtio-vsock",
	.id = VIRTIO_ID_VSOCK,
	.config_read = config_read,
	.start = vhost_vsock_start,
	.stop = vhost_vsock_stop,
	.notify = vhost_vsock_notify,
	.free = vhost_vsock_free,
};

int virtio_vsock_vhost_new(const struct virtio_vsock_vhost_config *config,
			   struct virtio_device **ret_vd)
{
	static const uint16_t sizes[VSOCK_QUEUES] = { VSOCK_QUEUE_SIZE,
						      VSOCK_QUEUE_SIZE,
						      VSOCK_QUEUE_SIZE };
	const struct virtio_config common = {
		.ops = &vhost_vsock_ops,
		.ram = config->ram,
		.queues = VSOCK_QUEUES,
		.sizes = sizes,
		.config_len = VSOCK_CONFIG_LEN,
		.features = BIT64(VIRTIO_VSOCK_F_STREAM),
	};
	struct vsock_vhost *vv;
	int r;

	r = vhost_vsock_set_cid(config->vhost, config->cid);
	if (r < 0)
		return r;
	vv = calloc(1, sizeof(*vv));
	if (!vv)
		return -ENOMEM;
	if (virtio_init(&vv->vd, &common) < 0) {
		free(vv);
		return -ENOMEM;
	}
	vv->vd.offered &= ~(SHARED & ~vhost_features(config->vhost));
	vv->cid = config->cid;
	vv->vhost = config->vhost;
	*ret_vd = &vv->vd;
	return 0;
}
