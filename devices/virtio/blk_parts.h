/* SPDX-License-Identifier: MIT */
/*
 * blk_parts.h: what blk.c, which has the device and its queues, and blk_request.c,
 * which understands requests, share. Nobody else includes it.
 */
#ifndef TRAPMAP_VIRTIO_BLK_PARTS_H
#define TRAPMAP_VIRTIO_BLK_PARTS_H

#include "backend/block.h"
#include "core/base.h"
#include "virtio/blk.h"

#define BLK_SECTOR_BITS 9
/* Buffers of a request: data, header, status. */
#define BLK_CHAIN_MAX 256
#define BLK_SEG_MAX (BLK_CHAIN_MAX - 2)
/* Of one range to discard or to zero: 2 GiB. */
#define BLK_RANGE_SECTORS_MAX 0x400000u
/* struct virtio_blk_config up to what belongs to secure erase. */
#define BLK_CONFIG_LEN 60

struct blk_request {
	struct block_request io;
	unsigned queue;
	struct virtq_chain chain;
	uint8_t *status; /* in guest memory */
	/* The spans as they were, of a request that may have to be done again. */
	struct iovec *spare;
	unsigned spare_count;
	struct blk_request *next; /* of those that are free, or kept */
};

struct blk_queue {
	struct blk_request *request;
	struct iovec *iov; /* BLK_CHAIN_MAX for each of them */
	struct iovec *spare; /* as many, if requests are kept */
	struct blk_request *free;
	/* All are under way: the first to come back looks for more chains. */
	bool starved;
};

struct virtio_blk {
	struct virtio_device vd;
	struct virtio_blk_config cfg;
	char serial[VIRTIO_BLK_ID_LEN];
	uint8_t space[BLK_CONFIG_LEN]; /* 5.2.4 */
	struct blk_queue queue[VIRTIO_BLK_QUEUES_MAX];
	struct blk_request *kept, **kept_last; /* no room on the host */
};

static inline void blk_put_back(struct virtio_blk *vb, struct blk_request *req)
{
	struct blk_queue *bq = &vb->queue[req->queue];

	req->next = bq->free;
	bq->free = req;
}

/*
 * A chain has come: answers it, hands it to the image, or has the device ask for a
 * reset.
 */
void blk_begin(struct virtio_blk *vb, struct blk_request *req);

/* The image has finished it. */
void blk_end(struct virtio_blk *vb, struct blk_request *req);

/* Those that were kept: hands them to the image anew, or forgets them. */
void blk_retry_kept(struct virtio_blk *vb);
void blk_drop_kept(struct virtio_blk *vb);

#endif
