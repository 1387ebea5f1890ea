// SPDX-License-Identifier: MIT
/*
 * The block device: its queues and its configuration space. VIRTIO 1.2, 5.2.
 *
 * All that a request needs is there from the start, as many as the queues have
 * entries.
 *
 * Not modelled: SIZE_MAX and GEOMETRY (nothing to say), CONFIG_WCE (a driver that
 * does not take FLUSH gets a write-through cache), more than one range in a discard
 * or write zeroes command, secure erase, lifetime.
 */
#include "virtio/blk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "virtio/blk_parts.h"

#define QUEUE_SIZE 256

/* 5.2.4: struct virtio_blk_config */
enum blk_config_field {
	CONFIG_CAPACITY = 0,
	CONFIG_SEG_MAX = 12,
	CONFIG_BLK_SIZE = 20,
	CONFIG_PHYSICAL_BLOCK_EXP = 24,
	CONFIG_MIN_IO_SIZE = 26,
	CONFIG_NUM_QUEUES = 34,
	CONFIG_MAX_DISCARD_SECTORS = 36,
	CONFIG_MAX_DISCARD_SEG = 40,
	CONFIG_DISCARD_SECTOR_ALIGNMENT = 44,
	CONFIG_MAX_WRITE_ZEROES_SECTORS = 48,
	CONFIG_MAX_WRITE_ZEROES_SEG = 52,
	CONFIG_WRITE_ZEROES_MAY_UNMAP = 56,
};

static struct virtio_blk *to_blk(struct virtio_device *vd)
{
	return container_of(vd, struct virtio_blk, vd);
}

/* ---- queues ------------------------------------------------------------- */

/*
 * Begins chains as long as there are any, requests for them, and budget. Returns
 * whether there may be more later without a word from us.
 */
static bool begin_some(struct virtio_blk *vb, unsigned queue, unsigned *budget)
{
	struct blk_queue *bq = &vb->queue[queue];
	struct blk_request *req;

	while ((req = bq->free)) {
		if (*budget == 0) {
			virtio_again(&vb->vd, queue);
			return false;
		}
		if (!virtio_pop(&vb->vd, queue, &req->chain))
			return true;
		bq->free = req->next;
		(*budget)--;
		blk_begin(vb, req);
	}
	bq->starved = true;
	return false;
}

static void look(struct virtio_blk *vb, unsigned queue)
{
	struct virtq *q = &vb->vd.queue[queue].q;
	unsigned budget = vb->vd.queue[queue].size_max;

	do {
		virtq_set_notify(q, false);
	} while (begin_some(vb, queue, &budget) && virtq_set_notify(q, true));
}

/*
 * Gives back what is finished, and looks for more where requests were lacking.
 * Returns whether there was something.
 */
static bool finish_some(struct virtio_blk *vb)
{
	struct block_request *io;
	bool any = false;
	unsigned i;

	while ((io = block_reap(vb->cfg.blk))) {
		blk_end(vb, container_of(io, struct blk_request, io));
		any = true;
	}
	for (i = 0; i < vb->vd.queues; i++) {
		if (vb->queue[i].starved && vb->queue[i].free) {
			vb->queue[i].starved = false;
			look(vb, i);
		}
		virtio_signal(&vb->vd, i);
	}
	return any;
}

static void blk_notify(struct virtio_device *vd, unsigned queue)
{
	struct virtio_blk *vb = to_blk(vd);

	look(vb, queue);
	block_kick(vb->cfg.blk);
	/* What the host had in its cache is there by now: no event, no wait. */
	if (finish_some(vb))
		block_kick(vb->cfg.blk);
}

/* Some requests are finished. */
static void blk_ready(void *opaque)
{
	struct virtio_blk *vb = opaque;

	virtio_lock(&vb->vd);
	finish_some(vb);
	block_kick(vb->cfg.blk);
	virtio_unlock(&vb->vd);
}

static void blk_stop(struct virtio_device *vd)
{
	struct virtio_blk *vb = to_blk(vd);
	struct block_request *io;
	unsigned i;

	/* With the lock held: what waits for it has nothing that we need. */
	block_drain(vb->cfg.blk);
	while ((io = block_reap(vb->cfg.blk)))
		blk_put_back(vb, container_of(io, struct blk_request, io));
	blk_drop_kept(vb);
	for (i = 0; i < vd->queues; i++)
		vb->queue[i].starved = false;
}

void virtio_blk_resume(struct virtio_device *vd)
{
	struct virtio_blk *vb = to_blk(vd);

	virtio_lock(vd);
	blk_retry_kept(vb);
	virtio_unlock(vd);
}

/* ---- configuration space ------------------------------------------------ */

static unsigned log2_of(uint32_t power)
{
	return (unsigned)__builtin_ctz(power);
}

static void fill_space(struct virtio_blk *vb)
{
	const struct block_info *info = &vb->cfg.blk->info;
	uint32_t physical = info->physical_size;
	uint8_t *s = vb->space;

	put_le64(s + CONFIG_CAPACITY, info->size >> BLK_SECTOR_BITS);
	put_le32(s + CONFIG_SEG_MAX, BLK_SEG_MAX);
	put_le32(s + CONFIG_BLK_SIZE, info->block_size);
	s[CONFIG_PHYSICAL_BLOCK_EXP] = (uint8_t)(log2_of(physical) -
						 log2_of(info->block_size));
	put_le16(s + CONFIG_MIN_IO_SIZE, 1);
	put_le16(s + CONFIG_NUM_QUEUES, (uint16_t)vb->cfg.queues);
	if (info->discard) {
		put_le32(s + CONFIG_MAX_DISCARD_SECTORS, BLK_RANGE_SECTORS_MAX);
		put_le32(s + CONFIG_MAX_DISCARD_SEG, 1);
		put_le32(s + CONFIG_DISCARD_SECTOR_ALIGNMENT,
			 (info->discard_size ? info->discard_size : physical) >>
				 BLK_SECTOR_BITS);
	}
	if (info->write_zeroes) {
		put_le32(s + CONFIG_MAX_WRITE_ZEROES_SECTORS,
			 BLK_RANGE_SECTORS_MAX);
		put_le32(s + CONFIG_MAX_WRITE_ZEROES_SEG, 1);
		s[CONFIG_WRITE_ZEROES_MAY_UNMAP] = 1;
	}
}

static uint64_t features(const struct virtio_blk_config *config)
{
	const struct block_info *info = &config->blk->info;

	return BIT64(VIRTIO_BLK_F_SEG_MAX) | BIT64(VIRTIO_BLK_F_BLK_SIZE) |
	       BIT64(VIRTIO_BLK_F_FLUSH) | BIT64(VIRTIO_BLK_F_TOPOLOGY) |
	       (info->read_only ? BIT64(VIRTIO_BLK_F_RO) : 0) |
	       (config->queues > 1 ? BIT64(VIRTIO_BLK_F_MQ) : 0) |
	       (info->discard ? BIT64(VIRTIO_BLK_F_DISCARD) : 0) |
	       (info->write_zeroes ? BIT64(VIRTIO_BLK_F_WRITE_ZEROES) : 0);
}

static void blk_config_read(struct virtio_device *vd, size_t off, void *buf,
			    size_t len)
{
	memcpy(buf, to_blk(vd)->space + off, len);
}

/* ---- life --------------------------------------------------------------- */

static void release(struct virtio_blk *vb)
{
	unsigned i;

	for (i = 0; i < vb->cfg.queues; i++) {
		free(vb->queue[i].request);
		free(vb->queue[i].iov);
		free(vb->queue[i].spare);
	}
	virtio_done(&vb->vd);
	free(vb);
}

static void blk_free(struct virtio_device *vd)
{
	struct virtio_blk *vb = to_blk(vd);

	block_free(vb->cfg.blk);
	release(vb);
}

static const struct virtio_ops blk_ops = {
	.name = "virtio-blk",
	.id = VIRTIO_ID_BLOCK,
	.config_read = blk_config_read,
	.stop = blk_stop,
	.notify = blk_notify,
	.free = blk_free,
};

static int make_requests(struct virtio_blk *vb, unsigned queue)
{
	struct blk_queue *bq = &vb->queue[queue];
	unsigned i, n = vb->cfg.queue_size;
	struct blk_request *req;

	bq->request = req = calloc(n, sizeof(*req));
	/* Pages that no request has needed yet cost nothing. */
	bq->iov = calloc((size_t)n * BLK_CHAIN_MAX, sizeof(*bq->iov));
	if (vb->cfg.full)
		bq->spare = calloc((size_t)n * BLK_CHAIN_MAX,
				   sizeof(*bq->spare));
	if (!bq->request || !bq->iov || (vb->cfg.full && !bq->spare))
		return -ENOMEM;
	for (i = n; i-- > 0;) {
		req[i].queue = queue;
		req[i].chain.iov = bq->iov + (size_t)i * BLK_CHAIN_MAX;
		req[i].chain.room = BLK_CHAIN_MAX;
		if (bq->spare)
			req[i].spare = bq->spare + (size_t)i * BLK_CHAIN_MAX;
		blk_put_back(vb, &req[i]);
	}
	return 0;
}

int virtio_blk_new(const struct virtio_blk_config *config,
		   struct virtio_device **ret_vd)
{
	uint16_t sizes[VIRTIO_BLK_QUEUES_MAX];
	struct virtio_config common = {
		.ops = &blk_ops,
		.ram = config->ram,
		.sizes = sizes,
		.config_len = BLK_CONFIG_LEN,
	};
	struct virtio_blk *vb;
	unsigned i;
	int r;

	if (config->queues > VIRTIO_BLK_QUEUES_MAX ||
	    config->queue_size & (config->queue_size - 1))
		return -EINVAL;
	vb = calloc(1, sizeof(*vb));
	if (!vb)
		return -ENOMEM;
	vb->cfg = *config;
	vb->cfg.queues = config->queues ? config->queues : 1;
	vb->cfg.queue_size = config->queue_size ? config->queue_size
						: QUEUE_SIZE;
	if (config->serial)
		memcpy(vb->serial, config->serial,
		       strnlen(config->serial, VIRTIO_BLK_ID_LEN));
	vb->cfg.serial = NULL;
	for (i = 0; i < vb->cfg.queues; i++)
		sizes[i] = vb->cfg.queue_size;
	common.queues = vb->cfg.queues;
	common.features = features(&vb->cfg);

	r = virtio_init(&vb->vd, &common);
	for (i = 0; i < vb->cfg.queues && r == 0; i++)
		r = make_requests(vb, i);
	if (r < 0) {
		release(vb);
		return r;
	}
	fill_space(vb);
	block_attach(vb->cfg.blk, blk_ready, vb);
	*ret_vd = &vb->vd;
	return 0;
}
