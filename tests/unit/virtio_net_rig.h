/* SPDX-License-Identifier: MIT */
/*
 * virtio_net_rig.h: a network device between a driver, a fake network and a
 * transport that counts. Fields and numbers are those of VIRTIO 1.2, 5.1, as
 * numbers on purpose.
 */
#ifndef TRAPMAP_TEST_VIRTIO_NET_RIG_H
#define TRAPMAP_TEST_VIRTIO_NET_RIG_H

#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "fake_net.h"
#include "test.h"
#include "virtio/net.h"
#include "virtio_driver.h"

#define RAM_BASE 0x100000u
#define RAM_LEN 0x800000u
#define RIG_PAIRS_MAX 4
#define RIG_QUEUES_MAX (2 * RIG_PAIRS_MAX + 1)

/* Rings first, then buffers of the test's own choice. */
#define RING_AT(q) (RAM_BASE + (q)*0x10000u)
#define RX_AT(i) (RAM_BASE + 0x100000u + (i)*0x1000u)
#define TX_AT(i) (RAM_BASE + 0x400000u + (i)*0x1000u)
#define CMD_AT (RAM_BASE + 0x600000u)
#define ACK_AT (RAM_BASE + 0x610000u)
#define BIG_AT (RAM_BASE + 0x700000u)

#define F(n) (UINT64_C(1) << (n))
#define F_ALL UINT64_MAX

enum {
	CSUM = 0,
	GUEST_CSUM = 1,
	GUEST_OFFLOADS = 2,
	GUEST_TSO4 = 7,
	GUEST_TSO6 = 8,
	MRG_RXBUF = 15,
	CTRL_VQ = 17,
	CTRL_RX = 18,
	CTRL_VLAN = 19,
	RX_EXTRA = 20,
	MQ = 22,
	CTRL_MAC = 23,
};

struct rig {
	uint8_t *mem;
	struct gmem ram;
	struct fake_net fn;
	struct device dev; /* whose lock it is */
	struct virtio_device *vd;
	struct vdrv drv[RIG_QUEUES_MAX];
	unsigned pairs;
	unsigned interrupts[RIG_QUEUES_MAX], agains[RIG_QUEUES_MAX];
	unsigned config_changes, notices;
};

static const uint8_t rig_mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };

static inline void rig_interrupt(void *opaque, unsigned queue)
{
	((struct rig *)opaque)->interrupts[queue]++;
}

static inline void rig_config_changed(void *opaque)
{
	((struct rig *)opaque)->config_changes++;
}

static inline void rig_again(void *opaque, unsigned queue)
{
	((struct rig *)opaque)->agains[queue]++;
}

static inline void rig_notice(void *opaque, const char *text)
{
	((struct rig *)opaque)->notices++;
}

static inline uint8_t *at(struct rig *rig, gpa_t gpa)
{
	return gmem_ptr(&rig->ram, gpa, 1);
}

static inline struct rig *rig_prepare(void)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	rig->mem = calloc(1, RAM_LEN);
	assert_non_null(rig->mem);
	assert_int_equal(gmem_add(&rig->ram, RAM_BASE, RAM_LEN, rig->mem), 0);
	fake_net_init(&rig->fn);
	return rig;
}

static inline void rig_device(struct rig *rig, unsigned pairs,
			      uint16_t queue_size)
{
	static const struct virtio_transport_ops transport = {
		.interrupt = rig_interrupt,
		.config_changed = rig_config_changed,
		.again = rig_again,
	};
	struct virtio_net_config config = {
		.ram = &rig->ram,
		.net = &rig->fn.net,
		.queues = pairs,
		.queue_size = queue_size,
	};

	memcpy(config.mac, rig_mac, sizeof(rig_mac));
	rig->pairs = pairs;
	device_init(&rig->dev, NULL);
	assert_int_equal(virtio_net_new(&config, &rig->vd), 0);
	rig->vd->notice = (struct notice){ rig_notice, rig };
	virtio_attach(rig->vd, &rig->dev, &transport, rig);
}

static inline void notify(struct rig *rig, unsigned queue)
{
	device_lock(&rig->dev);
	virtio_notify(rig->vd, queue);
	device_unlock(&rig->dev);
}

/* What the I/O thread would do next, until it has nothing to do. */
static inline void settle(struct rig *rig)
{
	bool more = true;
	unsigned i;

	while (more) {
		more = false;
		for (i = 0; i < rig->vd->queues; i++) {
			if (rig->agains[i] == 0)
				continue;
			rig->agains[i] = 0;
			notify(rig, i);
			more = true;
		}
		for (i = 0; i < rig->pairs; i++)
			more |= fake_net_ready(&rig->fn, i);
	}
}

/* 3.1.1; `wanted` of what is offered is taken. flags: VDRV_PACKED ... */
static inline void rig_start(struct rig *rig, uint32_t size, uint64_t wanted,
			     unsigned flags)
{
	uint64_t features = rig->vd->offered & wanted;
	struct virtio_queue *vq;
	unsigned i;

	features &= ~(F(29) | F(34));
	features |= F(32) | (flags & VDRV_EVENT_IDX ? F(29) : 0) |
		    (flags & VDRV_PACKED ? F(34) : 0);
	device_lock(&rig->dev);
	virtio_set_status(rig->vd, 1 | 2);
	virtio_set_features(rig->vd, features);
	virtio_set_status(rig->vd, 1 | 2 | 8);
	for (i = 0; i < rig->vd->queues; i++) {
		vdrv_done(&rig->drv[i]);
		vdrv_init(&rig->drv[i], &rig->ram, RING_AT(i), size, flags);
		vq = virtio_queue_setup(rig->vd, i);
		assert_non_null(vq);
		vq->size = size;
		vq->desc = rig->drv[i].desc;
		vq->driver = rig->drv[i].driver;
		vq->device = rig->drv[i].device;
		virtio_queue_ready(rig->vd, i, true);
	}
	virtio_set_status(rig->vd, 1 | 2 | 8 | 4);
	device_unlock(&rig->dev);
	assert_int_equal(rig->vd->status, 15);
	settle(rig);
}

static inline struct rig *rig_init(uint64_t wanted)
{
	struct rig *rig = rig_prepare();

	rig_device(rig, 1, 0);
	rig_start(rig, 64, wanted, 0);
	return rig;
}

static inline void rig_reset(struct rig *rig)
{
	device_lock(&rig->dev);
	virtio_set_status(rig->vd, 0);
	device_unlock(&rig->dev);
}

static inline void rig_done(struct rig *rig)
{
	unsigned i;

	rig_reset(rig);
	virtio_free(rig->vd);
	assert_int_equal(rig->fn.freed, 1);
	for (i = 0; i < RIG_QUEUES_MAX; i++)
		vdrv_done(&rig->drv[i]);
	device_done(&rig->dev);
	fake_net_done(&rig->fn);
	free(rig->mem);
	free(rig);
}

/* Gives the device a buffer of so many bytes, filled with 0xee. */
static inline int offer(struct rig *rig, unsigned pair, gpa_t gpa, uint32_t len)
{
	const struct vdrv_buf buf = { gpa, len, true };

	memset(at(rig, gpa), 0xee, len);
	return vdrv_add(&rig->drv[2 * pair], &buf, 1);
}

/* The next used buffer, which must be there. Returns its length. */
static inline uint32_t take(struct rig *rig, unsigned queue, int id)
{
	uint32_t got, len;

	assert_true(vdrv_take(&rig->drv[queue], &got, &len));
	assert_int_equal(got, id);
	return len;
}

static inline bool nothing_used(struct rig *rig, unsigned queue)
{
	uint32_t id, len;

	return !vdrv_take(&rig->drv[queue], &id, &len);
}

/* Bytes first, first + 1 ... of a frame lie there. */
static inline void assert_frame(struct rig *rig, gpa_t gpa, uint8_t first,
				size_t len)
{
	const uint8_t *p = at(rig, gpa);
	size_t i;

	for (i = 0; i < len; i++)
		assert_int_equal(p[i], (uint8_t)(first + i));
}

/* A header and a frame of bytes 0, 1, 2 ..., in one buffer. */
static inline int send_frame(struct rig *rig, unsigned pair, unsigned i,
			     const uint8_t header[12], uint32_t len)
{
	const struct vdrv_buf buf = { TX_AT(i), 12 + len, false };
	uint8_t *p = at(rig, TX_AT(i));
	uint32_t k;

	memcpy(p, header, 12);
	for (k = 0; k < len; k++)
		p[12 + k] = (uint8_t)k;
	return vdrv_add(&rig->drv[2 * pair + 1], &buf, 1);
}

/* Carries out a command on the control queue. Returns the answer. */
static inline uint8_t command(struct rig *rig, uint8_t class, uint8_t cmd,
			      const void *data, uint32_t len)
{
	unsigned queue = rig->vd->features >> MQ & 1 ? 2 * rig->pairs : 2;
	const struct vdrv_buf bufs[] = { { CMD_AT, 2 + len, false },
					 { ACK_AT, 1, true } };
	uint8_t *p = at(rig, CMD_AT);
	int id;

	p[0] = class;
	p[1] = cmd;
	memcpy(p + 2, data, len);
	*at(rig, ACK_AT) = 0xee;
	id = vdrv_add(&rig->drv[queue], bufs, 2);
	notify(rig, queue);
	assert_int_equal(take(rig, queue, id), 1);
	settle(rig);
	return *at(rig, ACK_AT);
}

#endif
