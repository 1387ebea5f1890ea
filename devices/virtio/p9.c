// SPDX-License-Identifier: MIT
/*
 * The 9P transport: device 9 of VIRTIO 1.2, which names it (5 "Device Types") and says
 * no more. The rest is as Linux has it: <linux/virtio_9p.h> for the configuration
 * space, and net/9p/trans_virtio.c for what a request is: one message in the readable
 * buffers of a chain, and room for its answer in the writable ones.
 *
 * The server may have to wait for the host's files, so messages are served on threads
 * of the device's own, several at a time and in any order, as 9P has it. They give
 * each chain back themselves; the I/O thread only hands them out. A reset waits for
 * those that are being served: for as long as the host's filesystem takes.
 *
 * Tflush (flush(5)) is answered after the message that it is about, which is not
 * called off: nothing that was asked for is ever half done.
 *
 * Not modelled: more queues than one; Linux's driver has no other.
 */
#include "virtio/p9.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend/p9.h"
#include "backend/workers.h"
#include "core/base.h"

#define QUEUE_SIZE 128
#define THREADS 4
/* Linux makes chains of 128 at most. */
#define CHAIN_MAX 256

/* struct virtio_9p_config: tag_len, tag */
#define CONFIG_TAG 2

struct virtio_9p;

struct request {
	struct workers_job job;
	struct virtio_9p *device;
	struct virtq_chain chain;
	struct p9_message message;
	bool busy;
	struct request *flush; /* the first Tflush that waits for this */
	struct request *next; /* of those that are free, or wait */
};

struct virtio_9p {
	struct virtio_device vd;
	struct p9_server *server;
	struct workers *workers;
	uint8_t space[CONFIG_TAG + VIRTIO_9P_TAG_MAX];
	struct request request[QUEUE_SIZE];
	struct iovec *iov; /* CHAIN_MAX for each of them */
	struct request *free;
	unsigned in_flight;
	pthread_cond_t idle; /* in_flight is 0 */
	bool starved; /* there was a chain, but no request for it */
};

static struct virtio_9p *to_9p(struct virtio_device *vd)
{
	return container_of(vd, struct virtio_9p, vd);
}

static void put_back(struct virtio_9p *p9, struct request *req)
{
	req->busy = false;
	req->next = p9->free;
	p9->free = req;
}

/* ---- requests ----------------------------------------------------------- */

/* One that has come before and is not answered yet; or NULL. */
static struct request *with_tag(struct virtio_9p *p9, uint16_t tag)
{
	unsigned i;

	for (i = 0; i < QUEUE_SIZE; i++)
		if (p9->request[i].busy && p9->request[i].message.tag == tag)
			return &p9->request[i];
	return NULL;
}

/* Returns whether the request waits for another to be answered first. */
static bool waits(struct virtio_9p *p9, struct request *req)
{
	struct request *other, **at;
	uint8_t oldtag[2];

	if (req->message.type != P9_TFLUSH ||
	    virtq_copy_out(&req->chain, P9_HEADER_LEN, oldtag, 2) < 2)
		return false;
	other = with_tag(p9, get_le16(oldtag));
	if (!other)
		return false;
	for (at = &other->flush; *at; at = &(*at)->next)
		;
	req->next = NULL;
	*at = req;
	return true;
}

static void begin(struct virtio_9p *p9, struct request *req)
{
	uint8_t header[P9_HEADER_LEN];
	bool waiting;

	if (req->chain.out_len < P9_HEADER_LEN ||
	    req->chain.in_len < P9_ERROR_LEN) {
		virtio_fail(&p9->vd, "queue 0: a request without %s",
			    req->chain.out_len < P9_HEADER_LEN ?
				    "a message" :
				    "room for an answer");
		put_back(p9, req);
		return;
	}
	virtq_copy_out(&req->chain, 0, header, sizeof(header));
	req->message = (struct p9_message){
		.size = get_le32(header),
		.type = header[4],
		.tag = get_le16(header + 5),
		.chain = &req->chain,
	};
	req->flush = NULL;
	waiting = waits(p9, req);
	req->busy = true;
	p9->in_flight++;
	if (!waiting)
		workers_submit(p9->workers, &req->job);
}

/* As blk.c's begin_some(). */
static bool begin_some(struct virtio_9p *p9, unsigned *budget)
{
	struct request *req;

	while ((req = p9->free)) {
		if (*budget == 0) {
			virtio_again(&p9->vd, 0);
			return false;
		}
		if (!virtio_pop(&p9->vd, 0, &req->chain))
			return true;
		p9->free = req->next;
		(*budget)--;
		begin(p9, req);
	}
	p9->starved = true;
	return false;
}

static void look(struct virtio_9p *p9)
{
	struct virtq *q = &p9->vd.queue[0].q;
	unsigned budget = QUEUE_SIZE;

	do {
		virtq_set_notify(q, false);
	} while (begin_some(p9, &budget) && virtq_set_notify(q, true));
}

static void p9_notify(struct virtio_device *vd, unsigned queue)
{
	look(to_9p(vd));
}

/* It is answered, or there was a reset: then nobody hears of it. */
static void end(struct virtio_9p *p9, struct request *req, uint32_t len)
{
	struct request *flush, *next;

	virtio_push(&p9->vd, 0, &req->chain, len);
	for (flush = req->flush; flush; flush = next) {
		next = flush->next;
		workers_submit(p9->workers, &flush->job);
	}
	put_back(p9, req);
	if (--p9->in_flight == 0)
		pthread_cond_broadcast(&p9->idle);
	if (p9->starved && !p9->vd.resetting) {
		p9->starved = false;
		look(p9);
	}
}

/* On one of the threads. */
static void run(struct workers_job *job)
{
	struct request *req = container_of(job, struct request, job);
	struct virtio_9p *p9 = req->device;
	uint32_t len = 0;
	bool drop;

	virtio_lock(&p9->vd);
	drop = p9->vd.resetting;
	virtio_unlock(&p9->vd);
	if (!drop)
		len = p9_serve(p9->server, &req->message);
	virtio_lock(&p9->vd);
	end(p9, req, len);
	virtio_unlock(&p9->vd);
}

static void p9_stop(struct virtio_device *vd)
{
	struct virtio_9p *p9 = to_9p(vd);

	/* Without the lock meanwhile: the threads need it. */
	while (p9->in_flight > 0)
		pthread_cond_wait(&p9->idle, &vd->lock->lock);
	p9->starved = false;
	p9_reset(p9->server);
}

/* ---- life --------------------------------------------------------------- */

static void p9_config_read(struct virtio_device *vd, size_t off, void *buf,
			   size_t len)
{
	memcpy(buf, to_9p(vd)->space + off, len);
}

static void release(struct virtio_9p *p9)
{
	workers_free(p9->workers);
	pthread_cond_destroy(&p9->idle);
	virtio_done(&p9->vd);
	free(p9->iov);
	free(p9);
}

static void p9_device_free(struct virtio_device *vd)
{
	struct virtio_9p *p9 = to_9p(vd);
	struct p9_server *server = p9->server;

	release(p9);
	p9_free(server);
}

static const struct virtio_ops p9_ops = {
	.name = "virtio-9p",
	.id = VIRTIO_ID_9P,
	.config_read = p9_config_read,
	.stop = p9_stop,
	.notify = p9_notify,
	.free = p9_device_free,
};

static int make_requests(struct virtio_9p *p9)
{
	struct request *req;
	unsigned i;

	/* Pages that no request has needed yet cost nothing. */
	p9->iov = calloc((size_t)QUEUE_SIZE * CHAIN_MAX, sizeof(*p9->iov));
	if (!p9->iov)
		return -ENOMEM;
	for (i = QUEUE_SIZE; i-- > 0;) {
		req = &p9->request[i];
		req->job.run = run;
		req->device = p9;
		req->chain.iov = p9->iov + (size_t)i * CHAIN_MAX;
		req->chain.room = CHAIN_MAX;
		put_back(p9, req);
	}
	return 0;
}

int virtio_9p_new(const struct virtio_9p_config *config,
		  struct virtio_device **ret_vd)
{
	static const uint16_t sizes[] = { QUEUE_SIZE };
	size_t len = strnlen(config->tag, VIRTIO_9P_TAG_MAX + 1);
	const struct virtio_config common = {
		.ops = &p9_ops,
		.ram = config->ram,
		.queues = ARRAY_SIZE(sizes),
		.sizes = sizes,
		.config_len = CONFIG_TAG + len,
		.features = BIT64(VIRTIO_9P_F_MOUNT_TAG),
	};
	struct virtio_9p *p9;
	int r;

	if (len == 0 || len > VIRTIO_9P_TAG_MAX)
		return -EINVAL;
	p9 = calloc(1, sizeof(*p9));
	if (!p9)
		return -ENOMEM;
	pthread_cond_init(&p9->idle, NULL);
	r = virtio_init(&p9->vd, &common) ?: make_requests(p9) ?:
	    workers_new(config->threads ?: THREADS, "trapmap-9p",
			&p9->workers);
	if (r < 0) {
		release(p9);
		return r;
	}
	put_le16(p9->space, (uint16_t)len);
	memcpy(p9->space + CONFIG_TAG, config->tag, len);
	p9->server = config->server;
	*ret_vd = &p9->vd;
	return 0;
}
