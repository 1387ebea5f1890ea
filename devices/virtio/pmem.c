// SPDX-License-Identifier: MIT
/*
 * The persistent memory device. VIRTIO 1.2, 5.19: a range of guest-physical
 * addresses, and a queue on which the driver asks for what it wrote to be made
 * permanent. Here the range can only be read: there is nothing to make permanent,
 * and a flush has succeeded before it was asked for.
 *
 * Not modelled: VIRTIO_PMEM_F_SHMEM_REGION, which is younger than VIRTIO 1.2.
 * There is no feature by which a guest would learn that it cannot write.
 */
#include "virtio/pmem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"

#define QUEUE_SIZE 64
#define CHAIN_MAX 8

/* 5.19.4 */
#define CONFIG_LEN 16

/* 5.19.6: struct virtio_pmem_req and struct virtio_pmem_resp, a le32 each. */
#define TYPE_FLUSH 0u
#define RET_OK 0u
#define RET_FAILURE UINT32_MAX /* -1 */

struct virtio_pmem {
	struct virtio_device vd;
	uint8_t config[CONFIG_LEN];
};

static struct virtio_pmem *to_pmem(struct virtio_device *vd)
{
	return container_of(vd, struct virtio_pmem, vd);
}

/* Returns how many bytes were written. */
static uint32_t answer(struct virtio_device *vd, const struct virtq_chain *chain)
{
	uint8_t type[4], ret[4];

	if (chain->out_len < sizeof(type) || chain->in_len < sizeof(ret)) {
		virtio_fail(vd, "a request without %s",
			    chain->in_len < sizeof(ret) ? "room for the answer" :
							  "a type");
		return 0;
	}
	virtq_copy_out(chain, 0, type, sizeof(type));
	put_le32(ret, get_le32(type) == TYPE_FLUSH ? RET_OK : RET_FAILURE);
	return (uint32_t)virtq_copy_in(chain, 0, ret, sizeof(ret));
}

static void pmem_notify(struct virtio_device *vd, unsigned queue)
{
	struct virtq *q = &vd->queue[queue].q;
	struct iovec iov[CHAIN_MAX];
	struct virtq_chain chain = { .iov = iov, .room = CHAIN_MAX };
	unsigned budget = QUEUE_SIZE;

	do {
		virtq_set_notify(q, false);
		while (budget > 0 && virtio_pop(vd, queue, &chain) > 0) {
			virtio_push(vd, queue, &chain, answer(vd, &chain));
			budget--;
		}
		if (budget == 0) {
			virtio_again(vd, queue);
			return;
		}
	} while (virtq_set_notify(q, true));
}

static void pmem_config_read(struct virtio_device *vd, size_t off, void *buf,
			     size_t len)
{
	memcpy(buf, to_pmem(vd)->config + off, len);
}

static void pmem_free(struct virtio_device *vd)
{
	virtio_done(vd);
	free(to_pmem(vd));
}

static const struct virtio_ops pmem_ops = {
	.name = "virtio-pmem",
	.id = VIRTIO_ID_PMEM,
	.config_read = pmem_config_read,
	.notify = pmem_notify,
	.free = pmem_free,
};

int virtio_pmem_new(const struct virtio_pmem_config *config,
		    struct virtio_device **ret_vd)
{
	static const uint16_t sizes[] = { QUEUE_SIZE };
	const struct virtio_config common = {
		.ops = &pmem_ops,
		.ram = config->ram,
		.queues = ARRAY_SIZE(sizes),
		.sizes = sizes,
		.config_len = CONFIG_LEN,
	};
	struct virtio_pmem *pmem = calloc(1, sizeof(*pmem));

	if (!pmem)
		return -ENOMEM;
	if (virtio_init(&pmem->vd, &common) < 0) {
		free(pmem);
		return -ENOMEM;
	}
	put_le64(pmem->config, config->start);
	put_le64(pmem->config + 8, config->size);
	*ret_vd = &pmem->vd;
	return 0;
}
