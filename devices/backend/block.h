/* SPDX-License-Identifier: MIT */
/*
 * block.h: the contract between a device that moves sectors and the image behind
 * it.
 *
 * Requests are the device's own memory, filled in, submitted, worked on in any
 * order and reaped:
 *
 *	block_submit(blk, &a);
 *	block_submit(blk, &b);
 *	block_kick(blk);
 *	... ready() ...
 *	while ((req = block_reap(blk)))
 *		... req->err ...
 *
 * Thread: one at a time for all of these, the device's lock; ready() comes on the
 * loop's thread with no lock held. Nobody else needs to run for block_drain() to
 * return.
 */
#ifndef TRAPMAP_BACKEND_BLOCK_H
#define TRAPMAP_BACKEND_BLOCK_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct block;

enum block_op {
	BLOCK_READ,
	BLOCK_WRITE,
	BLOCK_FLUSH, /* all that was written and reaped is on stable storage */
	BLOCK_DISCARD, /* a hint: what is read there is undefined afterwards */
	BLOCK_WRITE_ZEROES,
};

struct block_request {
	enum block_op op;
	/* BLOCK_WRITE_ZEROES: room on the host may be given up for it. */
	bool may_unmap;
	/* A change is on stable storage before the request is finished. */
	bool durable;
	/*
	 * Where to or from, of BLOCK_READ and BLOCK_WRITE: len bytes in all.
	 * The image may change the spans; they and what they point to stay
	 * until the request is reaped.
	 */
	struct iovec *iov;
	unsigned iov_count;
	/* Multiples of block_size, not empty, within size. Not of BLOCK_FLUSH. */
	uint64_t offset, len;

	int err; /* reaped: 0 or -errno; then all of it may be half done */
	struct block_request *next; /* the image's own until then */
};

/* Does not change. */
struct block_info {
	uint64_t size; /* bytes, a multiple of block_size */
	uint32_t block_size; /* of requests: a power of two, 512 at least */
	uint32_t physical_size; /* a write of less costs more: the same or more */
	/* What a discard should cover whole, to be any use; 0: physical_size. */
	uint32_t discard_size;
	bool read_only; /* only BLOCK_READ and BLOCK_FLUSH */
	bool discard; /* BLOCK_DISCARD is understood, */
	bool write_zeroes; /* and BLOCK_WRITE_ZEROES */
};

struct block_ops {
	/* Once, before anything else. */
	void (*attach)(struct block *blk, void (*ready)(void *opaque),
		       void *opaque);
	/* Never fails and never waits: req->err tells. As many as one likes. */
	void (*submit)(struct block *blk, struct block_request *req);
	/* Those submitted since the last time begin now at the latest. */
	void (*kick)(struct block *blk);
	/* One that is finished, or NULL. */
	struct block_request *(*reap)(struct block *blk);
	/*
	 * Waits until all are finished; nothing touches their spans any more,
	 * and they can be reaped.
	 */
	void (*drain)(struct block *blk);
	/*
	 * Registers memory that most requests' spans will lie in, until free().
	 * Before the first request. Returns 0 or -errno; what is refused is
	 * done without. NULL: it would be no use.
	 */
	int (*pin)(struct block *blk, const struct iovec *memory,
		   unsigned count);
	/* Drains first. */
	void (*free)(struct block *blk);
};

struct block {
	const struct block_ops *ops;
	struct block_info info;
};

static inline void block_attach(struct block *blk, void (*ready)(void *opaque),
				void *opaque)
{
	blk->ops->attach(blk, ready, opaque);
}

static inline void block_submit(struct block *blk, struct block_request *req)
{
	blk->ops->submit(blk, req);
}

static inline void block_kick(struct block *blk)
{
	blk->ops->kick(blk);
}

static inline struct block_request *block_reap(struct block *blk)
{
	return blk->ops->reap(blk);
}

static inline void block_drain(struct block *blk)
{
	blk->ops->drain(blk);
}

static inline int block_pin(struct block *blk, const struct iovec *memory,
			    unsigned count)
{
	return blk->ops->pin ? blk->ops->pin(blk, memory, count) : -EOPNOTSUPP;
}

static inline void *block_free(struct block *blk)
{
	if (blk)
		blk->ops->free(blk);
	return NULL;
}

#endif
