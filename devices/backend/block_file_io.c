// SPDX-License-Identifier: MIT
/*
 * The requests of a raw image. Each has a slot and makes one system call after
 * another by way of the engine until it is finished: what came back short goes on
 * where it stopped, a bounced one goes piece by piece, a durable one ends with
 * fdatasync(). Requests for which there is no slot wait in line.
 */
#include "backend/block_file_io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "backend/block_magic.h"
#include "core/base.h"
#include "core/notice.h"

static struct block_file *to_file(struct block *blk)
{
	return container_of(blk, struct block_file, block);
}

static void list_init(struct block_list *list)
{
	list->first = NULL;
	list->last = &list->first;
}

static void list_add(struct block_list *list, struct block_request *req)
{
	req->next = NULL;
	*list->last = req;
	list->last = &req->next;
}

static struct block_request *list_take(struct block_list *list)
{
	struct block_request *req = list->first;

	if (!req)
		return NULL;
	list->first = req->next;
	if (!list->first)
		list->last = &list->first;
	return req;
}

/* Copies between the front of the request's spans and a buffer. */
static void copy(const struct block_request *req, uint8_t *buf, size_t len,
		 bool from_spans)
{
	const struct iovec *iov = req->iov;
	size_t n;

	for (; len > 0; iov++, buf += n, len -= n) {
		n = iov->iov_len < len ? iov->iov_len : len;
		if (from_spans)
			memcpy(buf, iov->iov_base, n);
		else
			memcpy(iov->iov_base, buf, n);
	}
}

/* Takes bytes off the front of the request's spans. */
static void advance(struct block_request *req, size_t len)
{
	while (len > 0 && len >= req->iov->iov_len) {
		len -= req->iov->iov_len;
		req->iov++;
		req->iov_count--;
	}
	if (len > 0) {
		req->iov->iov_base = (uint8_t *)req->iov->iov_base + len;
		req->iov->iov_len -= len;
	}
}

static bool misaligned(const struct block_request *req, uint32_t align)
{
	uintptr_t bits = 0;
	unsigned i;

	if (align == 1)
		return false;
	for (i = 0; i < req->iov_count; i++)
		bits |= (uintptr_t)req->iov[i].iov_base | req->iov[i].iov_len;
	return bits & (align - 1);
}

/* Returns whether a piece that is about to be written may be: see `guard`. */
static bool passes_guard(const struct block_file *bf,
			 const struct block_slot *slot)
{
	const struct block_task *task = &slot->task;
	const char *magic;
	char text[160];

	if (!bf->guard || !slot->bounced || task->offset > 0 ||
	    task->call != BLOCK_CALL_WRITE)
		return true;
	magic = block_magic(slot->bounce);
	if (!magic)
		return true;
	if (bf->notice) {
		snprintf(text, sizeof(text),
			 "the guest may not write what begins a %s image to "
			 "the first sector of one whose format was not given; "
			 "format=raw permits it",
			 magic);
		notice_say(bf->notice, text);
	}
	return false;
}

static void plan_transfer(struct block_slot *slot)
{
	struct block_request *req = slot->req;
	struct block_task *task = &slot->task;
	uint64_t left = req->len - slot->done;

	task->call = req->op == BLOCK_READ ? BLOCK_CALL_READ : BLOCK_CALL_WRITE;
	if (!slot->bounced) {
		task->iov = req->iov;
		task->iov_count = req->iov_count < IOV_MAX ? req->iov_count
							   : IOV_MAX;
		return;
	}
	slot->span[0].iov_base = slot->bounce;
	slot->span[0].iov_len = left < BLOCK_BOUNCE_LEN ? left
							: BLOCK_BOUNCE_LEN;
	if (req->op == BLOCK_WRITE)
		copy(req, slot->bounce, slot->span[0].iov_len, true);
	task->iov = slot->span;
	task->iov_count = 1;
}

static void plan_zeroes(struct block_file *bf, struct block_slot *slot)
{
	struct block_task *task = &slot->task;
	uint64_t left = slot->req->len - slot->done;
	unsigned n;

	for (n = 0; n < BLOCK_ZERO_SPANS && left > 0; n++) {
		slot->span[n].iov_base = bf->pages;
		slot->span[n].iov_len = left < BLOCK_ZERO_LEN ? left
							      : BLOCK_ZERO_LEN;
		left -= slot->span[n].iov_len;
	}
	task->call = BLOCK_CALL_WRITE;
	task->iov = slot->span;
	task->iov_count = n;
}

static void plan_change(struct block_file *bf, struct block_slot *slot)
{
	const struct block_request *req = slot->req;

	if (slot->by_hand) {
		plan_zeroes(bf, slot);
		return;
	}
	slot->task.call = BLOCK_CALL_FALLOCATE;
	slot->task.mode = FALLOC_FL_KEEP_SIZE;
	slot->task.mode |= req->op == BLOCK_DISCARD || req->may_unmap
				   ? FALLOC_FL_PUNCH_HOLE
				   : FALLOC_FL_ZERO_RANGE;
}

/* The next call that the request needs, or false: it is finished. */
static bool plan(struct block_file *bf, struct block_slot *slot)
{
	const struct block_request *req = slot->req;
	struct block_task *task = &slot->task;
	bool sync = req->durable && req->op != BLOCK_READ;

	if (req->op != BLOCK_FLUSH && slot->done < req->len) {
		task->offset = req->offset + slot->done;
		task->len = req->len - slot->done;
		if (req->op == BLOCK_READ || req->op == BLOCK_WRITE)
			plan_transfer(slot);
		else
			plan_change(bf, slot);
		return true;
	}
	if ((!sync && req->op != BLOCK_FLUSH) || slot->synced)
		return false;
	task->call = BLOCK_CALL_SYNC;
	return true;
}

static void finish(struct block_file *bf, struct block_slot *slot, int err)
{
	slot->req->err = err;
	list_add(&bf->finished, slot->req);
	slot->next = bf->free;
	bf->free = slot;
	bf->active--;
}

static void go_on(struct block_file *bf, struct block_slot *slot)
{
	if (!plan(bf, slot)) {
		finish(bf, slot, 0);
		return;
	}
	if (!passes_guard(bf, slot)) {
		finish(bf, slot, -EPERM);
		return;
	}
	block_engine_start(bf->engine, &slot->task);
	bf->kick = true;
}

/* The next in line, as long as there are slots. */
static void begin(struct block_file *bf)
{
	struct block_request *req;
	struct block_slot *slot;

	while ((slot = bf->free) && (req = list_take(&bf->waiting))) {
		bf->free = slot->next;
		bf->active++;
		slot->req = req;
		slot->done = 0;
		slot->by_hand = slot->synced = false;
		/*
		 * What is looked at must not change between that and its being
		 * written; so it is not looked at in guest memory.
		 */
		slot->bounced = ((req->op == BLOCK_READ ||
				  req->op == BLOCK_WRITE) &&
				 misaligned(req, bf->align)) ||
				(bf->guard && req->op == BLOCK_WRITE &&
				 req->offset == 0);
		go_on(bf, slot);
	}
}

static bool unsupported(int64_t result)
{
	return result == -EOPNOTSUPP || result == -ENOSYS;
}

/* What a call has returned. Returns 0 or -errno for the request. */
static int take_result(struct block_slot *slot)
{
	struct block_request *req = slot->req;
	int64_t result = slot->task.result;

	if (result == -EINTR)
		return 0; /* once more */
	if (slot->task.call == BLOCK_CALL_FALLOCATE) {
		if (result == 0 ||
		    (unsupported(result) && req->op == BLOCK_DISCARD)) {
			slot->done = req->len;
			return 0;
		}
		slot->by_hand = unsupported(result);
		return slot->by_hand ? 0 : (int)result;
	}
	if (result < 0)
		return (int)result;
	if (slot->task.call == BLOCK_CALL_SYNC) {
		slot->synced = true;
		return 0;
	}
	/* The file ends here: somebody has cut it. */
	if (result == 0)
		return -EIO;
	if (slot->bounced && req->op == BLOCK_READ)
		copy(req, slot->bounce, (size_t)result, false);
	if (req->op != BLOCK_WRITE_ZEROES)
		advance(req, (size_t)result);
	slot->done += (uint64_t)result;
	return 0;
}

static void take(struct block_file *bf, struct block_task *task)
{
	struct block_slot *slot = container_of(task, struct block_slot, task);
	int r = take_result(slot);

	if (r < 0)
		finish(bf, slot, r);
	else
		go_on(bf, slot);
}

void block_file_submit(struct block *blk, struct block_request *req)
{
	struct block_file *bf = to_file(blk);

	list_add(&bf->waiting, req);
	begin(bf);
}

void block_file_kick(struct block *blk)
{
	struct block_file *bf = to_file(blk);

	if (bf->kick)
		block_engine_kick(bf->engine);
	bf->kick = false;
}

struct block_request *block_file_reap(struct block *blk)
{
	struct block_file *bf = to_file(blk);
	struct block_request *req;
	struct block_task *task;

	while (!(req = list_take(&bf->finished)) &&
	       (task = block_engine_reap(bf->engine)))
		take(bf, task);
	begin(bf);
	/* The caller goes on until there is none, so this is once a round. */
	if (!req)
		block_file_kick(blk);
	return req;
}

void block_file_drain(struct block *blk)
{
	struct block_file *bf = to_file(blk);
	struct block_task *task;

	while (bf->active) {
		bf->kick = false;
		block_engine_wait(bf->engine);
		while ((task = block_engine_reap(bf->engine)))
			take(bf, task);
		begin(bf);
	}
}

int block_file_io_init(struct block_file *bf, unsigned depth)
{
	bool bounce = bf->align > 1 || bf->guard;
	unsigned i;

	list_init(&bf->waiting);
	list_init(&bf->finished);
	/* Costs no memory before it is written to. */
	bf->pages_len = BLOCK_ZERO_LEN +
			(bounce ? (size_t)depth * BLOCK_BOUNCE_LEN : 0);
	bf->pages = mmap(NULL, bf->pages_len, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (bf->pages == MAP_FAILED) {
		bf->pages = NULL;
		return -ENOMEM;
	}
	bf->slot = calloc(depth, sizeof(*bf->slot));
	if (!bf->slot)
		return -ENOMEM;
	bf->depth = depth;
	for (i = 0; i < depth; i++) {
		struct block_slot *slot = &bf->slot[i];

		if (bounce)
			slot->bounce = bf->pages + BLOCK_ZERO_LEN +
				       (size_t)i * BLOCK_BOUNCE_LEN;
		slot->next = bf->free;
		bf->free = slot;
	}
	return 0;
}

void block_file_io_done(struct block_file *bf)
{
	if (bf->engine)
		block_file_drain(&bf->block);
	free(bf->slot);
	if (bf->pages)
		munmap(bf->pages, bf->pages_len);
}
