// SPDX-License-Identifier: MIT
#include "stats.h"

#include <errno.h>
#include <stdlib.h>

#include "machine.h"
#include "virtio/balloon.h"
#include "virtio/virtio.h"

static void add_queue(struct stats_total *total, const char *device,
		      const struct virtio_device *vd, unsigned n)
{
	const struct virtio_queue *vq = &vd->queue[n];
	struct virtq_stats s;

	virtq_stats_read(&vq->q, &s);
	if (!vq->lent && s.chains == 0 && s.notifications == 0)
		return;
	total->queues[total->queue_count++] = (struct stats_queue){
		.device = device,
		.queue = n,
		.in_kernel = vq->lent,
		.requests = s.chains,
		.bytes = s.bytes,
		.notifications = s.notifications,
		.notifications_saved = s.chains > s.notifications ?
					       s.chains - s.notifications :
					       0,
		.interrupts = s.interrupts,
		.interrupts_saved = s.interrupts_saved,
	};
}

static void add_balloon(struct stats_total *total, struct virtio_device *vd)
{
	struct virtio_balloon_stats s;

	virtio_balloon_get_stats(vd, false, &s);
	total->has_balloon = true;
	total->balloon = (struct stats_balloon){
		.target = s.target,
		.actual = s.actual,
		.inflated = s.inflated,
		.reported = s.reported,
	};
}

int stats_add_virtio(struct stats_total *total, const struct machine *machine)
{
	size_t room = 1;
	unsigned i, n;

	for (i = 0; i < machine->virtio_count; i++)
		room += machine->virtio[i].vd->queues;
	total->queues = calloc(room, sizeof(*total->queues));
	if (!total->queues)
		return -ENOMEM;
	for (i = 0; i < machine->virtio_count; i++) {
		const struct machine_virtio *at = &machine->virtio[i];

		for (n = 0; n < at->vd->queues; n++)
			add_queue(total, at->notice.name, at->vd, n);
		if (at->vd->ops->id == VIRTIO_ID_BALLOON)
			add_balloon(total, at->vd);
	}
	return 0;
}
