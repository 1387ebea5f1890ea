/* SPDX-License-Identifier: MIT */
/*
 * virtio_balloon_rig.h: a balloon between a driver, a host that remembers which pages
 * it was given back, and a transport that counts. Numbers are those of VIRTIO 1.2,
 * 5.5, as numbers on purpose.
 */
#ifndef TRAPMAP_TEST_VIRTIO_BALLOON_RIG_H
#define TRAPMAP_TEST_VIRTIO_BALLOON_RIG_H

#include <string.h>
#include <sys/mman.h>

#include "core/base.h"
#include "test.h"
#include "virtio/balloon.h"
#include "virtio_driver.h"

#define RAM MIB(16)
#define PAGE 4096u
#define BUF 0x80000u /* requests */
#define PAGES 0x400000u /* what is given up */
#define QUEUES 5
#define CALLS 1024

#define F(n) (UINT64_C(1) << (n))
enum { TELL = 0, STATS = 1, OOM = 2, POISON = 4, REPORTING = 5 };
#define F_ALL 0x33u

struct rig {
	uint8_t *ram;
	struct gmem gm;
	struct virtio_device *vd;
	struct device lock;
	struct vdrv drv[QUEUES];
	unsigned interrupts, changes, agains, notices;
	int refuses; /* -errno of the host */
	struct {
		gpa_t at;
		uint64_t len;
	} call[CALLS];
	unsigned calls;
	uint64_t given; /* bytes, in all calls */
};

static struct rig rig;

static inline int rig_discard(void *opaque, void *host, size_t len)
{
	gpa_t at = (gpa_t)((uint8_t *)host - rig.ram);

	assert_true(len > 0 && at % PAGE == 0 && len % PAGE == 0);
	assert_true(at + len <= RAM);
	if (rig.refuses)
		return rig.refuses;
	memset(host, 0, len);
	if (rig.calls < CALLS) {
		rig.call[rig.calls].at = at;
		rig.call[rig.calls].len = len;
	}
	rig.calls++;
	rig.given += len;
	return 0;
}

static inline void rig_interrupt(void *opaque, unsigned queue)
{
	rig.interrupts++;
}

static inline void rig_changed(void *opaque)
{
	rig.changes++;
}

static inline void rig_again(void *opaque, unsigned queue)
{
	rig.agains++;
}

static inline void rig_notice(void *opaque, const char *text)
{
	rig.notices++;
}

static inline void rig_new(uint64_t target, bool reporting, bool oom)
{
	static const struct device_ops none = { .name = "none" };
	static const struct virtio_transport_ops transport = {
		.interrupt = rig_interrupt,
		.config_changed = rig_changed,
		.again = rig_again,
	};
	const struct virtio_balloon_config config = {
		.ram = &rig.gm,
		.target = target,
		.reporting = reporting,
		.deflate_on_oom = oom,
		.discard = rig_discard,
	};

	memset(&rig, 0, sizeof(rig));
	rig.ram = mmap(NULL, RAM, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(rig.ram != MAP_FAILED);
	assert_int_equal(gmem_add(&rig.gm, 0, RAM, rig.ram), 0);
	assert_int_equal(virtio_balloon_new(&config, &rig.vd), 0);
	rig.vd->notice.say = rig_notice;
	device_init(&rig.lock, &none);
	virtio_attach(rig.vd, &rig.lock, &transport, NULL);
}

static inline void rig_done(void)
{
	unsigned i;

	device_lock(&rig.lock);
	virtio_reset(rig.vd);
	device_unlock(&rig.lock);
	virtio_free(rig.vd);
	device_done(&rig.lock);
	for (i = 0; i < QUEUES; i++)
		vdrv_done(&rig.drv[i]);
	munmap(rig.ram, RAM);
}

/* Up to FEATURES_OK with those of `features` that are offered. */
static inline void negotiate(uint64_t features, unsigned flags)
{
	virtio_set_status(rig.vd, 0);
	virtio_set_status(rig.vd, 3);
	features &= rig.vd->offered & 0xffffff;
	virtio_set_features(rig.vd,
			    features | F(28) | F(32) |
				    (flags & VDRV_EVENT_IDX ? F(29) : 0) |
				    (flags & VDRV_PACKED ? F(34) : 0));
	virtio_set_status(rig.vd, 11);
	assert_int_equal(rig.vd->status, 11);
}

static inline void start_queues(uint32_t size, unsigned flags)
{
	struct virtio_queue *vq;
	unsigned i;

	for (i = 0; i < rig.vd->queues; i++) {
		struct vdrv *drv = &rig.drv[i];

		vdrv_done(drv);
		vdrv_init(drv, &rig.gm, 0x1000 + i * 0x2000, size, flags);
		vq = virtio_queue_setup(rig.vd, i);
		assert_non_null(vq);
		vq->size = size;
		vq->desc = drv->desc;
		vq->driver = drv->driver;
		vq->device = drv->device;
		virtio_queue_ready(rig.vd, i, true);
		assert_true(rig.vd->queue[i].ready);
	}
	virtio_set_status(rig.vd, 15);
}

static inline void bring_up(uint32_t size, uint64_t features, unsigned flags)
{
	device_lock(&rig.lock);
	negotiate(features, flags);
	start_queues(size, flags);
	device_unlock(&rig.lock);
}

static inline void notify(unsigned queue)
{
	device_lock(&rig.lock);
	virtio_notify(rig.vd, queue);
	device_unlock(&rig.lock);
}

static inline void run(unsigned queue)
{
	notify(queue);
	while (rig.agains) {
		rig.agains--;
		notify(queue);
	}
}

static inline void add(unsigned queue, gpa_t at, uint32_t len, bool write)
{
	const struct vdrv_buf buf = { at, len, write };

	assert_true(vdrv_add(&rig.drv[queue], &buf, 1) >= 0);
}

/* That something came back, and that the device wrote nothing. */
static inline void assert_back(unsigned queue)
{
	uint32_t id, len;

	assert_true(vdrv_take(&rig.drv[queue], &id, &len));
	assert_int_equal(len, 0);
}

/* An inflate or deflate request for `n` pages. */
static inline void give(unsigned queue, const uint32_t *pfn, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		put_le32(rig.ram + BUF + 4 * (size_t)i, pfn[i]);
	add(queue, BUF, 4 * n, false);
	run(queue);
}

static inline void assert_call(unsigned i, gpa_t at, uint64_t len)
{
	assert_true(i < rig.calls);
	assert_int_equal(rig.call[i].at, at);
	assert_int_equal(rig.call[i].len, len);
}

static inline uint32_t config(unsigned off)
{
	uint8_t val[4];

	device_lock(&rig.lock);
	virtio_config_read(rig.vd, off, val, 4);
	device_unlock(&rig.lock);
	return get_le32(val);
}

static inline void set_config(unsigned off, uint32_t val)
{
	uint8_t buf[4];

	put_le32(buf, val);
	device_lock(&rig.lock);
	virtio_config_write(rig.vd, off, buf, 4);
	device_unlock(&rig.lock);
}

static inline struct virtio_balloon_stats stats(bool ask)
{
	struct virtio_balloon_stats s;

	virtio_balloon_get_stats(rig.vd, ask, &s);
	return s;
}

#endif
