// SPDX-License-Identifier: MIT
/*
 * The entropy device. VIRTIO 1.2, 5.4: one queue, no configuration space, no
 * features of its own.
 *
 * A request gets at most REQUEST_MAX bytes, which 5.4.6.1 allows: the time that
 * the I/O thread spends here is bounded, however large the buffers are. Readable
 * buffers, which 5.4.6 forbids, are passed over.
 *
 * Not modelled: a limit of the rate. The host's generator does not run dry.
 */
#include "virtio/rng.h"

#include <errno.h>
#include <stdlib.h>

#include "core/base.h"

#define QUEUE_SIZE 64
#define CHAIN_MAX 64
#define REQUEST_MAX KIB(4)

struct virtio_rng {
	struct virtio_device vd;
	struct virtio_rng_config cfg;
};

static struct virtio_rng *to_rng(struct virtio_device *vd)
{
	return container_of(vd, struct virtio_rng, vd);
}

/* Returns how many bytes were written; 0 where the source failed. */
static uint32_t answer(const struct virtio_rng *rng,
		       const struct virtq_chain *chain)
{
	size_t left = REQUEST_MAX;
	unsigned i;

	for (i = 0; i < chain->in && left > 0; i++) {
		const struct iovec *iov = &chain->iov[chain->out + i];
		size_t len = iov->iov_len < left ? iov->iov_len : left;

		if (rng->cfg.fill(rng->cfg.opaque, iov->iov_base, len) < 0)
			break;
		left -= len;
	}
	return (uint32_t)(REQUEST_MAX - left);
}

static void rng_notify(struct virtio_device *vd, unsigned queue)
{
	const struct virtio_rng *rng = to_rng(vd);
	struct virtq *q = &vd->queue[queue].q;
	struct iovec iov[CHAIN_MAX];
	struct virtq_chain chain = { .iov = iov, .room = CHAIN_MAX };
	unsigned budget = QUEUE_SIZE;

	do {
		virtq_set_notify(q, false);
		while (budget > 0 && virtio_pop(vd, queue, &chain) > 0) {
			virtio_push(vd, queue, &chain, answer(rng, &chain));
			budget--;
		}
		if (budget == 0) {
			virtio_again(vd, queue);
			return;
		}
	} while (virtq_set_notify(q, true));
}

static void rng_free(struct virtio_device *vd)
{
	virtio_done(vd);
	free(to_rng(vd));
}

static const struct virtio_ops rng_ops = {
	.name = "virtio-rng",
	.id = VIRTIO_ID_ENTROPY,
	.notify = rng_notify,
	.free = rng_free,
};

int virtio_rng_new(const struct virtio_rng_config *config,
		   struct virtio_device **ret_vd)
{
	static const uint16_t sizes[] = { QUEUE_SIZE };
	const struct virtio_config common = {
		.ops = &rng_ops,
		.ram = config->ram,
		.queues = ARRAY_SIZE(sizes),
		.sizes = sizes,
	};
	struct virtio_rng *rng = calloc(1, sizeof(*rng));

	if (!rng)
		return -ENOMEM;
	if (virtio_init(&rng->vd, &common) < 0) {
		free(rng);
		return -ENOMEM;
	}
	rng->cfg = *config;
	*ret_vd = &rng->vd;
	return 0;
}
