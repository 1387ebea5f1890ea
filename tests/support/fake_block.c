// SPDX-License-Identifier: MIT
#include "fake_block.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"

static struct fake_block *to_fake(struct block *blk)
{
	return container_of(blk, struct fake_block, block);
}

/* What the device promises of each request. */
static void check(const struct fake_block *fb, const struct block_request *req)
{
	const struct block_info *info = &fb->block.info;
	bool change = req->op != BLOCK_READ && req->op != BLOCK_FLUSH;
	uint64_t len = 0;
	unsigned i;

	if ((info->read_only && change) ||
	    (req->op == BLOCK_DISCARD && !info->discard) ||
	    (req->op == BLOCK_WRITE_ZEROES && !info->write_zeroes))
		abort();
	if (req->op == BLOCK_FLUSH)
		return;
	if (req->len == 0 || (req->offset | req->len) % info->block_size ||
	    req->offset > info->size || req->len > info->size - req->offset)
		abort();
	if (req->op != BLOCK_READ && req->op != BLOCK_WRITE)
		return;
	for (i = 0; i < req->iov_count; i++)
		len += req->iov[i].iov_len;
	if (len != req->len)
		abort();
}

static void fake_attach(struct block *blk, void (*ready)(void *opaque),
			void *opaque)
{
	to_fake(blk)->ready = ready;
	to_fake(blk)->opaque = opaque;
}

static void fake_submit(struct block *blk, struct block_request *req)
{
	struct fake_block *fb = to_fake(blk);

	check(fb, req);
	if (fb->count == FAKE_BLOCK_MAX)
		abort();
	fb->pending[fb->count++] = req;
	fb->submitted++;
	if (fb->count > fb->most)
		fb->most = fb->count;
}

static void fake_kick(struct block *blk)
{
	to_fake(blk)->kicks++;
}

static struct block_request *fake_reap(struct block *blk)
{
	struct fake_block *fb = to_fake(blk);
	struct block_request *req;

	if (fb->finished_count == 0)
		return NULL;
	req = fb->finished[0];
	fb->finished_count--;
	memmove(&fb->finished[0], &fb->finished[1],
		fb->finished_count * sizeof(fb->finished[0]));
	return req;
}

static void fake_drain(struct block *blk)
{
	struct fake_block *fb = to_fake(blk);

	fb->drains++;
	while (fb->count)
		fake_block_finish(fb, 0, 0);
}

static void fake_free(struct block *blk)
{
	fake_drain(blk);
	to_fake(blk)->freed++;
}

static const struct block_ops fake_ops = {
	.attach = fake_attach,
	.submit = fake_submit,
	.kick = fake_kick,
	.reap = fake_reap,
	.drain = fake_drain,
	.free = fake_free,
};

void fake_block_init(struct fake_block *fb, uint8_t *data, uint64_t size)
{
	*fb = (struct fake_block){
		.block = { .ops = &fake_ops,
			   .info = { .size = size,
				     .block_size = 512,
				     .physical_size = 4096,
				     .discard = true,
				     .write_zeroes = true } },
		.data = data,
	};
}

static void perform(struct fake_block *fb, struct block_request *req)
{
	uint8_t *at = fb->data + req->offset;
	unsigned i;

	if (req->op == BLOCK_DISCARD)
		memset(at, 0xd1, req->len);
	if (req->op == BLOCK_WRITE_ZEROES)
		memset(at, 0, req->len);
	if (req->op != BLOCK_READ && req->op != BLOCK_WRITE)
		return;
	for (i = 0; i < req->iov_count; i++) {
		if (req->op == BLOCK_READ)
			memcpy(req->iov[i].iov_base, at, req->iov[i].iov_len);
		else
			memcpy(at, req->iov[i].iov_base, req->iov[i].iov_len);
		at += req->iov[i].iov_len;
	}
	/* An image may do that. */
	memset(req->iov, 0xff, req->iov_count * sizeof(*req->iov));
}

void fake_block_finish(struct fake_block *fb, unsigned n, int err)
{
	struct block_request *req = fb->pending[n];

	fb->count--;
	memmove(&fb->pending[n], &fb->pending[n + 1],
		(fb->count - n) * sizeof(fb->pending[0]));
	if (err == 0)
		perform(fb, req);
	req->err = err;
	fb->finished[fb->finished_count++] = req;
}

void fake_block_ready(struct fake_block *fb)
{
	fb->ready(fb->opaque);
}

void fake_block_run(struct fake_block *fb)
{
	while (fb->count) {
		while (fb->count)
			fake_block_finish(fb, 0, 0);
		fake_block_ready(fb);
	}
}
