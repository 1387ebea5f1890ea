/* SPDX-License-Identifier: MIT */
/*
 * virtio_blk_rig.h: a block device between a driver, a fake image and a transport
 * that counts. Fields and numbers are those of VIRTIO 1.2, 5.2, as numbers on
 * purpose.
 */
#ifndef TRAPMAP_TEST_VIRTIO_BLK_RIG_H
#define TRAPMAP_TEST_VIRTIO_BLK_RIG_H

#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "fake_block.h"
#include "test.h"
#include "virtio/blk.h"
#include "virtio_driver.h"

#define RAM_BASE 0x100000u
#define RAM_LEN 0x100000u
#define DISK_LEN 0x10000u
#define RIG_QUEUES_MAX 4

/* Where a request's parts lie, for up to 64 of them. */
#define HEADER_AT(i) (RAM_BASE + 0x80000 + (i) * 32u)
#define STATUS_AT(i) (RAM_BASE + 0x81000 + (i))
#define DATA_AT(i) (RAM_BASE + 0x90000 + (i) * 0x1000u)
#define TABLE_AT(i) (RAM_BASE + 0x84000 + (i) * 0x100u)

enum { IN = 0, OUT = 1, FLUSH = 4, GET_ID = 8, DISCARD = 11, ZEROES = 13 };
enum { OK = 0, IOERR = 1, UNSUPP = 2, UNTOUCHED = 0xee };

#define F(n) (UINT64_C(1) << (n))
#define F_ALL UINT64_MAX

struct rig {
	uint8_t *mem, *disk;
	struct gmem ram;
	struct fake_block fb;
	struct block *blk; /* a real one in its place; set before rig_device() */
	struct device dev; /* whose lock it is */
	struct virtio_device *vd;
	struct vdrv drv[RIG_QUEUES_MAX];
	unsigned queues;
	unsigned interrupts, config_changes, agains;
	unsigned failures;
	int failure;
	bool keep; /* what the host has no room for; set before rig_device() */
	unsigned fulls;
};

static inline void rig_interrupt(void *opaque, unsigned queue)
{
	((struct rig *)opaque)->interrupts++;
}

static inline void rig_config_changed(void *opaque)
{
	((struct rig *)opaque)->config_changes++;
}

static inline void rig_again(void *opaque, unsigned queue)
{
	((struct rig *)opaque)->agains++;
}

static inline void rig_failed(void *opaque, int err)
{
	struct rig *rig = opaque;

	rig->failures++;
	rig->failure = err;
}

static inline void rig_full(void *opaque)
{
	((struct rig *)opaque)->fulls++;
}

static inline void *at(struct rig *rig, gpa_t gpa)
{
	return gmem_ptr(&rig->ram, gpa, 1);
}

/* Memory, an image of which each sector is filled with its number. */
static inline void rig_prepare(struct rig *rig)
{
	unsigned i;

	memset(rig, 0, sizeof(*rig));
	rig->mem = calloc(1, RAM_LEN);
	rig->disk = malloc(DISK_LEN);
	assert_true(rig->mem && rig->disk);
	for (i = 0; i < DISK_LEN; i++)
		rig->disk[i] = (uint8_t)(i / 512 + 1);
	assert_int_equal(gmem_add(&rig->ram, RAM_BASE, RAM_LEN, rig->mem), 0);
	fake_block_init(&rig->fb, rig->disk, DISK_LEN);
}

static inline void rig_device(struct rig *rig, unsigned queues,
			      uint16_t queue_size, const char *serial)
{
	static const struct virtio_transport_ops transport = {
		.interrupt = rig_interrupt,
		.config_changed = rig_config_changed,
		.again = rig_again,
	};
	const struct virtio_blk_config config = {
		.ram = &rig->ram,
		.blk = rig->blk ? rig->blk : &rig->fb.block,
		.queues = queues,
		.queue_size = queue_size,
		.serial = serial,
		.failed = rig_failed,
		.full = rig->keep ? rig_full : NULL,
		.opaque = rig,
	};

	rig->queues = queues;
	device_init(&rig->dev, NULL);
	assert_int_equal(virtio_blk_new(&config, &rig->vd), 0);
	virtio_attach(rig->vd, &rig->dev, &transport, rig);
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
	for (i = 0; i < rig->queues; i++) {
		vdrv_done(&rig->drv[i]);
		vdrv_init(&rig->drv[i], &rig->ram, RAM_BASE + i * 0x10000,
			  size, flags);
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
}

static inline void rig_init(struct rig *rig)
{
	rig_prepare(rig);
	rig_device(rig, 1, 0, "disk-of-the-test");
	rig_start(rig, 16, F_ALL, 0);
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
	assert_int_equal(rig->fb.freed, rig->blk ? 0 : 1);
	for (i = 0; i < rig->queues; i++)
		vdrv_done(&rig->drv[i]);
	device_done(&rig->dev);
	free(rig->mem);
	free(rig->disk);
}

static inline void put_header(struct rig *rig, unsigned i, uint32_t type,
			      uint64_t sector)
{
	uint8_t *p = at(rig, HEADER_AT(i));

	put_le32(p, type);
	put_le32(p + 4, 0);
	put_le64(p + 8, sector);
	*(uint8_t *)at(rig, STATUS_AT(i)) = UNTOUCHED;
}

static inline uint8_t status_of(struct rig *rig, unsigned i)
{
	return *(uint8_t *)at(rig, STATUS_AT(i));
}

static inline void notify(struct rig *rig, unsigned queue)
{
	device_lock(&rig->dev);
	virtio_notify(rig->vd, queue);
	device_unlock(&rig->dev);
}

/* A request in the usual three buffers, or two without data. */
static inline int add(struct rig *rig, unsigned queue, unsigned i,
		      uint32_t type, uint64_t sector, uint32_t len)
{
	const bool to_guest = type == IN || type == GET_ID;
	const struct vdrv_buf bufs[] = {
		{ HEADER_AT(i), 16, false },
		{ DATA_AT(i), len, to_guest },
		{ STATUS_AT(i), 1, true },
	};
	const struct vdrv_buf none[] = { bufs[0], bufs[2] };

	put_header(rig, i, type, sector);
	return len ? vdrv_add(&rig->drv[queue], bufs, 3) :
		     vdrv_add(&rig->drv[queue], none, 2);
}

/* The one request that must be back now. Returns the used length. */
static inline uint32_t take(struct rig *rig, unsigned queue, int id)
{
	uint32_t got, len;

	assert_true(vdrv_take(&rig->drv[queue], &got, &len));
	assert_int_equal(got, id);
	return len;
}

/* One request from end to end, the image willing. Returns its status. */
static inline uint8_t do_request(struct rig *rig, uint32_t type,
				 uint64_t sector, uint32_t len)
{
	int id = add(rig, 0, 0, type, sector, len);

	notify(rig, 0);
	fake_block_run(&rig->fb);
	take(rig, 0, id);
	return status_of(rig, 0);
}

#endif
