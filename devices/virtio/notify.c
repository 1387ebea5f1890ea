// SPDX-License-Identifier: MIT
/*
 * Notifications of queues. VIRTIO 1.2, 2.3 "Notifications".
 */
#include "virtio/notify.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct queue_events {
	struct notify *n;
	unsigned index;
	int kick; /* -1: none yet */
	struct loop_watch *kick_watch;
	bool bound; /* to the doorbell */
	bool lent; /* somebody else reads `kick` */
	int call; /* made when it is first lent */
	struct loop_watch *call_watch;
};

struct notify {
	struct notify_config cfg;
	bool nowhere;
	struct queue_events queue[]; /* as many as the device has */
};

static void add_event(int fd)
{
	uint64_t one = 1;

	/* EAGAIN: there are 2^64 - 2 already, this one is not missed. */
	(void)!write(fd, &one, sizeof(one));
}

static bool take_events(int fd)
{
	uint64_t n;

	return read(fd, &n, sizeof(n)) == sizeof(n);
}

static void kicked(void *opaque, unsigned events)
{
	struct queue_events *qe = opaque;
	struct virtio_device *vd = qe->n->cfg.vd;

	virtio_lock(vd);
	/*
	 * Only under the lock is it sure to be ours. Taken before the queue is
	 * looked at, so that one that comes from here on is not lost.
	 */
	if (!qe->lent && take_events(qe->kick))
		virtio_notify(vd, qe->index);
	virtio_unlock(vd);
}

static void called(void *opaque, unsigned events)
{
	struct queue_events *qe = opaque;
	struct virtio_device *vd = qe->n->cfg.vd;

	virtio_lock(vd);
	/* The last of them may come when it has been taken back. */
	if (take_events(qe->call) && vd->started && !vd->resetting)
		vd->transport->interrupt(vd->transport_opaque, qe->index);
	virtio_unlock(vd);
}

/* ---- doorbells ---------------------------------------------------------- */

static uint64_t register_of(const struct queue_events *qe)
{
	return qe->n->cfg.off + (uint64_t)qe->index * qe->n->cfg.step;
}

static void set_bound(struct queue_events *qe, bool bound)
{
	const struct notify_config *cfg = &qe->n->cfg;

	if (bound == qe->bound)
		return;
	if (bound) {
		/* A failure costs time only: see notify_queue(). */
		qe->bound = doorbell_bind(&cfg->doorbell, register_of(qe),
					  cfg->size, qe->index, qe->kick) == 0;
		return;
	}
	doorbell_unbind(&cfg->doorbell, register_of(qe), cfg->size, qe->index,
			qe->kick);
	qe->bound = false;
}

void notify_update(struct notify *n)
{
	unsigned i;

	for (i = 0; i < n->cfg.vd->queues; i++)
		set_bound(&n->queue[i],
			  !n->nowhere && n->cfg.vd->queue[i].ready);
}

void notify_move(struct notify *n, uint64_t base)
{
	n->nowhere = true;
	notify_update(n);
	if (base == NOTIFY_NOWHERE)
		return;
	doorbell_move(&n->cfg.doorbell, base);
	n->nowhere = false;
	notify_update(n);
}

void notify_queue(struct notify *n, uint64_t queue)
{
	if (queue < n->cfg.vd->queues)
		add_event(n->queue[queue].kick);
}

/* ---- lending ------------------------------------------------------------ */

static int open_event(struct queue_events *qe, void (*ready)(void *, unsigned),
		      int *fd, struct loop_watch **watch)
{
	if (*fd < 0)
		*fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (*fd < 0)
		return -errno;
	if (*watch)
		return 0;
	return loop_watch_new(qe->n->cfg.loop, *fd, LOOP_IN, ready, qe, watch);
}

int notify_lend(struct notify *n, unsigned queue, int *ret_kick, int *ret_call)
{
	struct queue_events *qe = &n->queue[queue];
	int r;

	if (ret_call) {
		r = open_event(qe, called, &qe->call, &qe->call_watch);
		if (r < 0)
			return r;
		*ret_call = qe->call;
	}
	loop_watch_set(n->cfg.loop, qe->kick_watch, 0);
	qe->lent = true;
	*ret_kick = qe->kick;
	return 0;
}

void notify_take_back(struct notify *n, unsigned queue)
{
	struct queue_events *qe = &n->queue[queue];

	if (!qe->lent)
		return;
	qe->lent = false;
	loop_watch_set(n->cfg.loop, qe->kick_watch, LOOP_IN);
	add_event(qe->kick);
}

void notify_reset(struct notify *n)
{
	unsigned i;

	for (i = 0; i < n->cfg.vd->queues; i++) {
		notify_take_back(n, i);
		if (n->queue[i].call >= 0)
			(void)take_events(n->queue[i].call);
	}
	notify_update(n);
}

/* ---- life --------------------------------------------------------------- */

void notify_free(struct notify *n)
{
	unsigned i;

	for (i = 0; n && i < n->cfg.vd->queues; i++) {
		struct queue_events *qe = &n->queue[i];

		loop_watch_free(n->cfg.loop, qe->kick_watch);
		loop_watch_free(n->cfg.loop, qe->call_watch);
		if (qe->kick >= 0)
			close(qe->kick);
		if (qe->call >= 0)
			close(qe->call);
	}
	free(n);
}

int notify_new(const struct notify_config *config, struct notify **ret_notify)
{
	unsigned i, count = config->vd->queues;
	struct notify *n;
	int r = 0;

	n = calloc(1, sizeof(*n) + count * sizeof(n->queue[0]));
	if (!n)
		return -ENOMEM;
	n->cfg = *config;
	for (i = 0; i < count; i++)
		n->queue[i] = (struct queue_events){
			.n = n,
			.index = i,
			.kick = -1,
			.call = -1,
		};
	for (i = 0; i < count && r == 0; i++)
		r = open_event(&n->queue[i], kicked, &n->queue[i].kick,
			       &n->queue[i].kick_watch);
	if (r < 0) {
		notify_free(n);
		return r;
	}
	*ret_notify = n;
	return 0;
}
