// SPDX-License-Identifier: MIT
/*
 * The requests of a block device. VIRTIO 1.2, 5.2.6.
 *
 * A request is a header, data and a status byte, however the driver has cut them
 * into buffers (2.7.4): the header is the first 16 readable bytes, the status the
 * last writable one. A chain without room for them is no request: the device asks
 * for a reset.
 *
 * A transfer that the image cannot do, as it is not a whole number of its blocks,
 * ends in S_IOERR, although 5.2.5 has blk_size as a hint: images with blocks of
 * more than 512 bytes are rare.
 */
#include <errno.h>
#include <string.h>

#include "virtio/blk_parts.h"

/* 5.2.6: struct virtio_blk_req and struct virtio_blk_discard_write_zeroes */
#define HEADER_LEN 16
#define RANGE_LEN 16
#define RANGE_F_UNMAP BIT(0)

enum blk_type {
	T_IN = 0,
	T_OUT = 1,
	T_FLUSH = 4,
	T_GET_ID = 8,
	T_DISCARD = 11,
	T_WRITE_ZEROES = 13,
};

enum blk_status { S_OK = 0, S_IOERR = 1, S_UNSUPP = 2 };

/*
 * data: how many bytes were written before the status. 2.7.8.2: the driver is told
 * how much was written from the beginning on, without a gap.
 */
static void answer(struct virtio_blk *vb, struct blk_request *req,
		   enum blk_status status, uint64_t data)
{
	uint64_t written = data;

	*(volatile uint8_t *)req->status = (uint8_t)status;
	if (data == req->chain.in_len - 1)
		written++;
	if (written > UINT32_MAX)
		written = UINT32_MAX;
	virtq_push(&vb->vd.queue[req->queue].q, &req->chain, (uint32_t)written);
	blk_put_back(vb, req);
}

/*
 * Where a request goes on the image. False: not whole blocks, or not all of them
 * are there.
 */
static bool place(struct virtio_blk *vb, struct blk_request *req,
		  uint64_t sector, uint64_t len)
{
	const struct block_info *info = &vb->cfg.blk->info;
	uint64_t capacity = info->size >> BLK_SECTOR_BITS;

	if (sector > capacity || len > (capacity - sector) << BLK_SECTOR_BITS)
		return false;
	req->io.offset = sector << BLK_SECTOR_BITS;
	req->io.len = len;
	return ((req->io.offset | len) & (info->block_size - 1)) == 0;
}

static void submit(struct virtio_blk *vb, struct blk_request *req,
		   enum block_op op)
{
	req->io.op = op;
	req->io.durable = !virtio_has(&vb->vd, VIRTIO_BLK_F_FLUSH);
	/* The image uses the spans up. */
	req->spare_count = 0;
	if (op == BLOCK_WRITE && req->spare) {
		req->spare_count = req->io.iov_count;
		memcpy(req->spare, req->io.iov,
		       req->spare_count * sizeof(*req->spare));
	}
	block_submit(vb->cfg.blk, &req->io);
}

static void begin_transfer(struct virtio_blk *vb, struct blk_request *req,
			   bool out, uint64_t sector)
{
	struct virtq_chain *chain = &req->chain;
	struct iovec *iov = chain->iov + (out ? 0 : chain->out);
	unsigned count = out ? chain->out : chain->in;
	uint64_t skip = out ? HEADER_LEN : 0;
	uint64_t len = out ? chain->out_len - HEADER_LEN : chain->in_len - 1;

	if ((out && vb->cfg.blk->info.read_only) ||
	    !place(vb, req, sector, len)) {
		answer(vb, req, S_IOERR, 0);
		return;
	}
	if (len == 0) {
		answer(vb, req, S_OK, 0);
		return;
	}
	req->io.iov = virtq_trim(iov, &count, skip, len);
	req->io.iov_count = count;
	submit(vb, req, out ? BLOCK_WRITE : BLOCK_READ);
}

static void begin_flush(struct virtio_blk *vb, struct blk_request *req)
{
	if (virtio_has(&vb->vd, VIRTIO_BLK_F_FLUSH))
		submit(vb, req, BLOCK_FLUSH);
	else
		answer(vb, req, S_UNSUPP, 0);
}

static void get_id(struct virtio_blk *vb, struct blk_request *req)
{
	uint64_t room = req->chain.in_len - 1;
	size_t len = room < VIRTIO_BLK_ID_LEN ? (size_t)room : VIRTIO_BLK_ID_LEN;

	virtq_copy_in(&req->chain, 0, vb->serial, len);
	answer(vb, req, S_OK, len);
}

/* Discard and write zeroes: 5.2.6.2. */
static void begin_range(struct virtio_blk *vb, struct blk_request *req,
			bool zeroes)
{
	uint8_t range[RANGE_LEN];
	uint32_t sectors, flags;

	if (!virtio_has(&vb->vd, zeroes ? VIRTIO_BLK_F_WRITE_ZEROES
					: VIRTIO_BLK_F_DISCARD)) {
		answer(vb, req, S_UNSUPP, 0);
		return;
	}
	if (req->chain.out_len != HEADER_LEN + RANGE_LEN) {
		answer(vb, req, S_IOERR, 0);
		return;
	}
	virtq_copy_out(&req->chain, HEADER_LEN, range, sizeof(range));
	sectors = get_le32(range + 8);
	flags = get_le32(range + 12);
	if (flags & ~(zeroes ? RANGE_F_UNMAP : 0)) {
		answer(vb, req, S_UNSUPP, 0);
		return;
	}
	if (sectors > BLK_RANGE_SECTORS_MAX ||
	    !place(vb, req, get_le64(range),
		   (uint64_t)sectors << BLK_SECTOR_BITS)) {
		answer(vb, req, S_IOERR, 0);
		return;
	}
	if (sectors == 0) {
		answer(vb, req, S_OK, 0);
		return;
	}
	req->io.may_unmap = flags & RANGE_F_UNMAP;
	submit(vb, req, zeroes ? BLOCK_WRITE_ZEROES : BLOCK_DISCARD);
}

void blk_begin(struct virtio_blk *vb, struct blk_request *req)
{
	const struct virtq_chain *chain = &req->chain;
	const struct iovec *last;
	uint8_t header[HEADER_LEN];

	if (chain->in_len < 1 || chain->out_len < HEADER_LEN) {
		virtio_fail(&vb->vd, "queue %u: a request without %s",
			    req->queue,
			    chain->in_len < 1 ? "a status byte" : "a header");
		blk_put_back(vb, req);
		return;
	}
	last = &chain->iov[chain->out + chain->in - 1];
	req->status = (uint8_t *)last->iov_base + last->iov_len - 1;
	virtq_copy_out(chain, 0, header, sizeof(header));
	switch (get_le32(header)) {
	case T_IN: begin_transfer(vb, req, false, get_le64(header + 8)); break;
	case T_OUT: begin_transfer(vb, req, true, get_le64(header + 8)); break;
	case T_FLUSH: begin_flush(vb, req); break;
	case T_GET_ID: get_id(vb, req); break;
	case T_DISCARD: begin_range(vb, req, false); break;
	case T_WRITE_ZEROES: begin_range(vb, req, true); break;
	default: answer(vb, req, S_UNSUPP, 0); break;
	}
}

/* For a request that the host has no room for: it waits. */
static void keep(struct virtio_blk *vb, struct blk_request *req)
{
	bool first = !vb->kept;

	req->next = NULL;
	if (first)
		vb->kept_last = &vb->kept;
	*vb->kept_last = req;
	vb->kept_last = &req->next;
	if (first)
		vb->cfg.full(vb->cfg.opaque);
}

static struct blk_request *take_kept(struct virtio_blk *vb)
{
	struct blk_request *req = vb->kept;

	vb->kept = NULL;
	return req;
}

void blk_retry_kept(struct virtio_blk *vb)
{
	struct blk_request *req = take_kept(vb), *next;

	for (; req; req = next) {
		next = req->next;
		if (req->spare_count) {
			/* Nobody needs the chain's own any more. */
			memcpy(req->chain.iov, req->spare,
			       req->spare_count * sizeof(*req->spare));
			req->io.iov = req->chain.iov;
			req->io.iov_count = req->spare_count;
		}
		block_submit(vb->cfg.blk, &req->io);
	}
	block_kick(vb->cfg.blk);
}

void blk_drop_kept(struct virtio_blk *vb)
{
	struct blk_request *req = take_kept(vb), *next;

	for (; req; req = next) {
		next = req->next;
		blk_put_back(vb, req);
	}
}

void blk_end(struct virtio_blk *vb, struct blk_request *req)
{
	bool read = req->io.op == BLOCK_READ;
	int err = req->io.err;

	if (err == 0) {
		answer(vb, req, S_OK, read ? req->chain.in_len - 1 : 0);
		return;
	}
	if (err == -EOPNOTSUPP) {
		answer(vb, req, S_UNSUPP, 0);
		return;
	}
	if (vb->cfg.failed)
		vb->cfg.failed(vb->cfg.opaque, -err);
	if (vb->cfg.full && !read && (err == -ENOSPC || err == -EDQUOT))
		keep(vb, req);
	else
		answer(vb, req, S_IOERR, 0);
}
