// SPDX-License-Identifier: MIT
#include "backend/block_qcow2.h"

#include <errno.h>
#include <stdlib.h>

#include "backend/block.h"
#include "backend/block_engine.h"
#include "backend/qcow2.h"
#include "core/base.h"
#include "core/loop.h"

#define DEPTH 128
#define SECTOR 512u
#define PHYSICAL 4096u

struct request_list {
	struct block_request *first, **last;
};

struct qcow2_task {
	struct block_task task; /* first: how a result finds it */
	struct block_request *req;
	struct qcow2_task *next; /* of those that are free */
};

struct block_qcow2 {
	struct block block;
	struct qcow2 *q;
	struct loop *loop;
	struct loop_watch *watch;
	void (*ready)(void *opaque);
	void *opaque;
	struct block_engine *engine;
	struct qcow2_task task[DEPTH];
	struct qcow2_task *free;
	unsigned active;
	struct request_list waiting, finished;
};

static struct block_qcow2 *to_qcow2(struct block *blk)
{
	return container_of(blk, struct block_qcow2, block);
}

static void list_init(struct request_list *list)
{
	list->first = NULL;
	list->last = &list->first;
}

static void list_add(struct request_list *list, struct block_request *req)
{
	req->next = NULL;
	*list->last = req;
	list->last = &req->next;
}

static struct block_request *list_take(struct request_list *list)
{
	struct block_request *req = list->first;

	if (!req)
		return NULL;
	list->first = req->next;
	if (!list->first)
		list->last = &list->first;
	return req;
}

/* On one of the threads. */
static int64_t run(void *opaque, struct block_task *task)
{
	struct qcow2 *q = ((struct block_qcow2 *)opaque)->q;
	struct block_request *req =
		container_of(task, struct qcow2_task, task)->req;
	struct qcow2_cursor cur = { req->iov, req->iov_count };
	int r = -EOPNOTSUPP;

	switch (req->op) {
	case BLOCK_READ: return qcow2_read(q, &cur, req->offset, req->len);
	case BLOCK_FLUSH: return qcow2_flush(q);
	case BLOCK_WRITE:
		r = qcow2_write(q, &cur, req->offset, req->len);
		break;
	case BLOCK_DISCARD: r = qcow2_discard(q, req->offset, req->len); break;
	case BLOCK_WRITE_ZEROES:
		r = qcow2_write_zeroes(q, req->offset, req->len,
				       req->may_unmap);
		break;
	}
	return r < 0 || !req->durable ? r : qcow2_flush(q);
}

/* Requests in line, as long as there are tasks. */
static void begin(struct block_qcow2 *bq)
{
	struct block_request *req;
	struct qcow2_task *task;

	while ((task = bq->free) && (req = list_take(&bq->waiting))) {
		bq->free = task->next;
		bq->active++;
		task->req = req;
		block_engine_start(bq->engine, &task->task);
	}
}

static void take(struct block_qcow2 *bq, struct block_task *done)
{
	struct qcow2_task *task = container_of(done, struct qcow2_task, task);

	task->req->err = (int)done->result;
	list_add(&bq->finished, task->req);
	task->next = bq->free;
	bq->free = task;
	bq->active--;
}

static void qcow2_submit(struct block *blk, struct block_request *req)
{
	struct block_qcow2 *bq = to_qcow2(blk);

	list_add(&bq->waiting, req);
	begin(bq);
}

static void qcow2_kick(struct block *blk)
{
	block_engine_kick(to_qcow2(blk)->engine);
}

static struct block_request *qcow2_reap(struct block *blk)
{
	struct block_qcow2 *bq = to_qcow2(blk);
	struct block_request *req;
	struct block_task *done;

	while (!(req = list_take(&bq->finished)) &&
	       (done = block_engine_reap(bq->engine)))
		take(bq, done);
	begin(bq);
	return req;
}

static void qcow2_drain(struct block *blk)
{
	struct block_qcow2 *bq = to_qcow2(blk);
	struct block_task *done;

	while (bq->active) {
		block_engine_wait(bq->engine);
		while ((done = block_engine_reap(bq->engine)))
			take(bq, done);
		begin(bq);
	}
}

static void on_ready(void *opaque, unsigned events)
{
	struct block_qcow2 *bq = opaque;

	bq->ready(bq->opaque);
}

static void qcow2_attach(struct block *blk, void (*ready)(void *opaque),
			 void *opaque)
{
	struct block_qcow2 *bq = to_qcow2(blk);

	bq->ready = ready;
	bq->opaque = opaque;
	loop_watch_set(bq->loop, bq->watch, LOOP_IN);
}

static void qcow2_free(struct block *blk)
{
	struct block_qcow2 *bq = to_qcow2(blk);

	loop_watch_free(bq->loop, bq->watch);
	if (bq->engine)
		qcow2_drain(blk);
	block_engine_free(bq->engine);
	qcow2_close(bq->q);
	free(bq);
}

static const struct block_ops qcow2_ops = {
	.attach = qcow2_attach,
	.submit = qcow2_submit,
	.kick = qcow2_kick,
	.reap = qcow2_reap,
	.drain = qcow2_drain,
	.free = qcow2_free,
};

static int describe(struct block_qcow2 *bq)
{
	uint32_t align = qcow2_align(bq->q);
	uint32_t block = align > SECTOR ? align : SECTOR;
	bool ro = qcow2_read_only(bq->q);

	bq->block.info = (struct block_info){
		.size = align_down(qcow2_size(bq->q), block),
		.block_size = block,
		.physical_size = block > PHYSICAL ? block : PHYSICAL,
		.discard_size = qcow2_cluster_size(bq->q),
		.read_only = ro,
		.discard = !ro,
		.write_zeroes = !ro,
	};
	return bq->block.info.size ? 0 : -ENODATA;
}

int block_qcow2_new(struct loop *loop, struct qcow2 *q, struct block **ret_blk)
{
	struct block_qcow2 *bq = calloc(1, sizeof(*bq));
	unsigned i;
	int r;

	if (!bq) {
		qcow2_close(q);
		return -ENOMEM;
	}
	bq->block.ops = &qcow2_ops;
	bq->q = q;
	bq->loop = loop;
	list_init(&bq->waiting);
	list_init(&bq->finished);
	for (i = DEPTH; i-- > 0;) {
		bq->task[i].next = bq->free;
		bq->free = &bq->task[i];
	}
	r = describe(bq) ?: block_workers_new(run, bq, DEPTH, &bq->engine);
	if (r == 0)
		r = loop_watch_new(loop, bq->engine->ready_fd, 0, on_ready, bq,
				   &bq->watch);
	if (r < 0) {
		qcow2_free(&bq->block);
		return r;
	}
	*ret_blk = &bq->block;
	return 0;
}
