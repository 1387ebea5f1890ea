// SPDX-License-Identifier: MIT
/*
 * What every virtio device has in common: status, negotiation, the setting up of
 * queues. VIRTIO 1.2, 2.1 "Device Status Field", 2.2 "Feature Bits", 2.5 "Device
 * Configuration Space", 2.6 "Virtqueues", 3.1 "Device Initialization".
 *
 * Not modelled: legacy and transitional devices; VIRTIO_F_RING_RESET, so a queue
 * with requests in flight can only be stopped with the whole device; a
 * notification that comes before DRIVER_OK, which 3.1.1 forbids, is forgotten.
 */
#include "virtio/virtio.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"

/* What a driver may set, once, until it resets. */
#define STATUS_OF_DRIVER                                       \
	(VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER |    \
	 VIRTIO_STATUS_DRIVER_OK | VIRTIO_STATUS_FEATURES_OK | \
	 VIRTIO_STATUS_FAILED)

#define RING_FEATURES                                                \
	(BIT64(VIRTIO_F_INDIRECT_DESC) | BIT64(VIRTIO_F_EVENT_IDX) | \
	 BIT64(VIRTIO_F_VERSION_1) | BIT64(VIRTIO_F_RING_PACKED))

static void queue_defaults(struct virtio_queue *vq)
{
	vq->size = vq->size_max;
	vq->desc = vq->driver = vq->device = 0;
	vq->ready = false;
}

int virtio_init(struct virtio_device *vd, const struct virtio_config *config)
{
	struct virtio_queue *queue;
	unsigned i;

	queue = calloc(config->queues, sizeof(*queue));
	if (!queue)
		return -ENOMEM;
	for (i = 0; i < config->queues; i++) {
		queue[i].size_max = config->sizes[i];
		queue_defaults(&queue[i]);
	}
	*vd = (struct virtio_device){
		.ops = config->ops,
		.queue = queue,
		.queues = config->queues,
		.config_len = config->config_len,
		.offered = (config->features | RING_FEATURES) &
			   ~config->without,
		.ram = config->ram,
	};
	return 0;
}

void virtio_done(struct virtio_device *vd)
{
	free(vd->queue);
	vd->queue = NULL;
}

void virtio_attach(struct virtio_device *vd, struct device *lock,
		   const struct virtio_transport_ops *ops, void *opaque)
{
	vd->lock = lock;
	vd->transport = ops;
	vd->transport_opaque = opaque;
}

/* ---- status and negotiation --------------------------------------------- */

void virtio_needs_reset(struct virtio_device *vd)
{
	unsigned i;

	if (vd->status & VIRTIO_STATUS_NEEDS_RESET)
		return;
	vd->status |= VIRTIO_STATUS_NEEDS_RESET;
	/* So that nothing more is taken from those that are still sound. */
	for (i = 0; i < vd->queues; i++)
		vd->queue[i].q.broken = true;
	/* 2.1.2: a driver that is not there yet is not told. */
	if (vd->status & VIRTIO_STATUS_DRIVER_OK)
		virtio_config_changed(vd);
}

void virtio_fail(struct virtio_device *vd, const char *fmt, ...)
{
	va_list ap;

	if (vd->status & VIRTIO_STATUS_NEEDS_RESET)
		return; /* the first counts, the rest follows from it */
	va_start(ap, fmt);
	vsnprintf(vd->why, sizeof(vd->why), fmt, ap);
	va_end(ap);
	notice_say(&vd->notice, vd->why);
	virtio_needs_reset(vd);
}

void virtio_config_changed(struct virtio_device *vd)
{
	vd->config_generation++;
	/* Before this a driver may not yet have read anything (3.1.1). */
	if (vd->status & VIRTIO_STATUS_FEATURES_OK)
		vd->transport->config_changed(vd->transport_opaque);
}

void virtio_set_features(struct virtio_device *vd, uint64_t features)
{
	if (!vd->resetting && !(vd->status & VIRTIO_STATUS_FEATURES_OK))
		vd->features = features;
}

/* 2.2.2 and 6.1: none that was not offered, and never a legacy driver. */
static bool features_fit(const struct virtio_device *vd)
{
	return !(vd->features & ~vd->offered) &&
	       virtio_has(vd, VIRTIO_F_VERSION_1);
}

void virtio_set_status(struct virtio_device *vd, uint8_t status)
{
	uint8_t more;

	if (status == 0)
		virtio_reset(vd);
	if (status == 0 || vd->resetting)
		return;
	/* 2.1.1: a driver must not clear a bit; so none is cleared. */
	more = status & STATUS_OF_DRIVER & (uint8_t)~vd->status;
	if ((more & VIRTIO_STATUS_FEATURES_OK) && !features_fit(vd))
		more &= (uint8_t)~VIRTIO_STATUS_FEATURES_OK;
	if ((more & VIRTIO_STATUS_DRIVER_OK) &&
	    !((vd->status | more) & VIRTIO_STATUS_FEATURES_OK)) {
		virtio_fail(vd, "DRIVER_OK without FEATURES_OK");
		return;
	}
	vd->status |= more;
	if (!(more & VIRTIO_STATUS_DRIVER_OK) ||
	    (vd->status & VIRTIO_STATUS_NEEDS_RESET))
		return;
	vd->started = true;
	if (vd->ops->start)
		vd->ops->start(vd);
}

void virtio_reset(struct virtio_device *vd)
{
	unsigned i;

	if (vd->resetting)
		return;
	for (i = 0; i < vd->queues; i++)
		virtq_stop(&vd->queue[i].q);
	if (vd->started && vd->ops->stop) {
		vd->resetting = true;
		vd->ops->stop(vd);
		vd->resetting = false;
	}
	vd->started = false;
	vd->status = 0;
	vd->features = 0;
	for (i = 0; i < vd->queues; i++)
		queue_defaults(&vd->queue[i]);
}

/* ---- queues ------------------------------------------------------------- */

struct virtio_queue *virtio_queue_setup(struct virtio_device *vd, unsigned queue)
{
	if (queue >= vd->queues || vd->resetting ||
	    vd->queue[queue].size_max == 0 || vd->queue[queue].ready)
		return NULL;
	return &vd->queue[queue];
}

static void queue_start(struct virtio_device *vd, unsigned queue)
{
	struct virtio_queue *vq = virtio_queue_setup(vd, queue);
	struct virtq_config config;

	if (!vq || (vd->status & VIRTIO_STATUS_NEEDS_RESET))
		return;
	if (!(vd->status & VIRTIO_STATUS_FEATURES_OK)) {
		virtio_fail(vd, "queue %u: enabled without FEATURES_OK", queue);
		return;
	}
	if (vq->size > vq->size_max) {
		virtio_fail(vd, "queue %u: a size of %u: more than %u", queue,
			    vq->size, vq->size_max);
		return;
	}
	config = (struct virtq_config){
		.ram = vd->ram,
		.packed = virtio_has(vd, VIRTIO_F_RING_PACKED),
		.event_idx = virtio_has(vd, VIRTIO_F_EVENT_IDX),
		.indirect = virtio_has(vd, VIRTIO_F_INDIRECT_DESC),
		.size = vq->size,
		.desc = vq->desc,
		.driver = vq->driver,
		.device = vq->device,
	};
	if (virtq_start(&vq->q, &config) < 0)
		virtio_fail(vd, "queue %u: %s", queue, vq->q.why);
	else
		vq->ready = true;
}

void virtio_queue_ready(struct virtio_device *vd, unsigned queue, bool ready)
{
	struct virtio_queue *vq;

	if (ready) {
		queue_start(vd, queue);
		return;
	}
	if (queue >= vd->queues || vd->resetting || !vd->queue[queue].ready)
		return;
	vq = &vd->queue[queue];
	if (vq->q.in_flight) {
		virtio_fail(vd, "queue %u: disabled with %u requests in flight",
			    queue, vq->q.in_flight);
		return;
	}
	virtq_stop(&vq->q);
	vq->ready = false;
}

void virtio_notify(struct virtio_device *vd, unsigned queue)
{
	if (!vd->started || vd->resetting || queue >= vd->queues ||
	    !vd->queue[queue].ready || (vd->status & VIRTIO_STATUS_NEEDS_RESET))
		return;
	virtq_notified(&vd->queue[queue].q);
	vd->ops->notify(vd, queue);
}

int virtio_pop(struct virtio_device *vd, unsigned queue,
	       struct virtq_chain *chain)
{
	struct virtq *q = &vd->queue[queue].q;
	int r = virtq_pop(q, chain);

	if (r < 0)
		virtio_fail(vd, "queue %u: %s", queue, q->why);
	return r > 0;
}

void virtio_signal(struct virtio_device *vd, unsigned queue)
{
	if (virtq_wants_interrupt(&vd->queue[queue].q))
		vd->transport->interrupt(vd->transport_opaque, queue);
}

void virtio_push(struct virtio_device *vd, unsigned queue,
		 const struct virtq_chain *chain, uint32_t written)
{
	virtq_push(&vd->queue[queue].q, chain, written);
	virtio_signal(vd, queue);
}

int virtio_lend(struct virtio_device *vd, unsigned queue, int *ret_kick,
		int *ret_call)
{
	int r = -EOPNOTSUPP;

	if (vd->transport->lend)
		r = vd->transport->lend(vd->transport_opaque, queue, ret_kick,
					ret_call);
	if (r == 0)
		vd->queue[queue].lent = true;
	return r;
}

void virtio_take_back(struct virtio_device *vd, unsigned queue)
{
	if (vd->transport->take_back)
		vd->transport->take_back(vd->transport_opaque, queue);
}

void virtio_again(struct virtio_device *vd, unsigned queue)
{
	vd->transport->again(vd->transport_opaque, queue);
}

/* ---- configuration space ------------------------------------------------ */

void virtio_config_read(struct virtio_device *vd, uint64_t off, void *buf,
			size_t len)
{
	size_t there = 0;

	memset(buf, 0, len);
	if (off < vd->config_len)
		there = vd->config_len - off;
	if (there > len)
		there = len;
	if (there > 0)
		vd->ops->config_read(vd, off, buf, there);
}

void virtio_config_write(struct virtio_device *vd, uint64_t off,
			 const void *buf, size_t len)
{
	if (!vd->ops->config_write || vd->resetting || len > vd->config_len ||
	    off > vd->config_len - len)
		return;
	vd->ops->config_write(vd, off, buf, len);
}
