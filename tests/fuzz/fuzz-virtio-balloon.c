// SPDX-License-Identifier: MIT
/*
 * A driver with requests of every cut and content for a balloon, or for a persistent
 * memory device, that changes its memory and resets in between. Each step is six
 * bytes. What the balloon gives back to the host must be whole pages of RAM.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/base.h"
#include "virtio/balloon.h"
#include "virtio/pmem.h"
#include "virtio_driver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define RAM_LEN 0x40000u
#define QUEUE_SIZE 8u
#define QUEUES_MAX 5
#define PAGE 4096u
#define DATA_AT 0x10000u
#define TABLE_AT 0x8000u

struct world {
	uint8_t *mem;
	struct gmem ram;
	struct device dev;
	struct virtio_device *vd;
	struct vdrv drv[QUEUES_MAX];
	bool balloon;
	bool dirty; /* memory was changed: the driver cannot follow any more */
};

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void nothing(void *opaque)
{
}

static void nothing_for(void *opaque, unsigned queue)
{
	check(queue < QUEUES_MAX);
}

static int discard(void *opaque, void *host, size_t len)
{
	struct world *w = opaque;
	size_t at = (size_t)((uint8_t *)host - w->mem);

	check(len > 0 && len % PAGE == 0 && at % PAGE == 0);
	check(at < RAM_LEN && len <= RAM_LEN - at);
	if (at < DATA_AT)
		w->dirty = true; /* the rings are there */
	memset(host, 0, len);
	return at & 0x4000 ? -1 : 0;
}

static void start(struct world *w, unsigned how)
{
	struct virtio_device *vd = w->vd;
	unsigned flags = how & (VDRV_PACKED | VDRV_EVENT_IDX), i;
	uint8_t poison[4];

	w->dirty = false;
	virtio_set_status(vd, 1 | 2);
	virtio_set_features(vd, (vd->offered & (how >> 2 & 0x3f)) | BIT64(28) |
					BIT64(32) |
					(flags & VDRV_PACKED ? BIT64(34) : 0) |
					(flags & VDRV_EVENT_IDX ? BIT64(29) :
								  0));
	virtio_set_status(vd, 1 | 2 | 8);
	put_le32(poison, how >> 6 & 1);
	virtio_config_write(vd, 12, poison, 4);
	for (i = 0; i < vd->queues; i++) {
		struct vdrv *drv = &w->drv[i];
		struct virtio_queue *vq;

		vdrv_done(drv);
		vdrv_init(drv, &w->ram, i * 0x1000, QUEUE_SIZE, flags);
		vq = virtio_queue_setup(vd, i);
		check(vq != NULL);
		vq->size = QUEUE_SIZE;
		vq->desc = drv->desc;
		vq->driver = drv->driver;
		vq->device = drv->device;
		virtio_queue_ready(vd, i, true);
	}
	virtio_set_status(vd, 1 | 2 | 8 | 4);
	check(vd->status == 15);
}

/* A chain of 1 to 7 buffers, at and around pages. */
static void add(struct world *w, unsigned queue, const uint8_t *b)
{
	static const uint32_t lens[8] = { 4, 4096, 8192, 0, 10, 4095, 1, 40 };
	struct vdrv_buf bufs[7];
	unsigned n = 1 + b[0] % 7, writable = b[0] >> 3 & 7, i;
	gpa_t at = DATA_AT + (b[1] & 0x1f) * 0x800u + (b[1] >> 5);

	for (i = 0; i < n; i++) {
		bufs[i].len = lens[(b[2] + i * b[3]) & 7];
		bufs[i].write = i >= writable;
		bufs[i].addr = at;
		at += b[3] & 0x80 ? 0 : bufs[i].len;
	}
	if (b[0] & 0x80)
		vdrv_add_indirect(&w->drv[queue], bufs, n, TABLE_AT);
	else
		vdrv_add(&w->drv[queue], bufs, n);
}

/* Page numbers, or a statistic; a few of them are out of all bounds. */
static void fill(struct world *w, const uint8_t *b)
{
	uint32_t i, pfn = b[1], at = DATA_AT + (b[0] & 0x1f) * 0x800u;

	for (i = 0; i < (b[2] & 63u); i++) {
		put_le32(w->mem + at + 4 * (size_t)i,
			 b[3] & 0x80 && i == 9 ? UINT32_MAX >> (b[1] & 31) :
						 pfn % (RAM_LEN / PAGE));
		pfn += b[3] & 0x7f;
	}
}

static void take_all(struct world *w)
{
	uint32_t id, len;
	unsigned i;

	for (i = 0; i < w->vd->queues; i++)
		while (!w->dirty &&
		       !(w->vd->status & VIRTIO_STATUS_NEEDS_RESET) &&
		       vdrv_take(&w->drv[i], &id, &len))
			check(len <= 4);
}

static void ask(struct world *w, const uint8_t *b)
{
	struct virtio_balloon_stats s;

	if (!w->balloon)
		return;
	virtio_balloon_set_target(w->vd, get_le32(b));
	virtio_balloon_get_stats(w->vd, b[0] & 1, &s);
	check(s.target <= UINT32_MAX && s.target % PAGE == 0);
	check(s.inflated % PAGE == 0 && s.reported % PAGE == 0);
}

static void step(struct world *w, const uint8_t *b)
{
	unsigned queue = b[1] % w->vd->queues;
	uint8_t buf[4];

	if ((b[0] & 7) == 6) {
		ask(w, b + 2);
		return;
	}
	device_lock(&w->dev);
	switch (b[0] & 7) {
	case 0:
	case 1: add(w, queue, b + 2); break;
	case 2: fill(w, b + 2); break;
	case 3: virtio_notify(w->vd, b[1] & 7); break;
	case 4: /* memory changes at any time */
		w->mem[(b[1] | b[2] << 8 | b[3] << 16) % RAM_LEN] = b[4];
		w->dirty = true;
		break;
	case 5:
		virtio_set_status(w->vd, 0);
		start(w, b[1] | b[2] << 8);
		break;
	case 7:
		virtio_config_write(w->vd, b[1] & 31, b + 2, 4);
		virtio_config_read(w->vd, b[1] & 31, buf, 4);
		break;
	}
	device_unlock(&w->dev);
	if (b[0] & 0x80)
		take_all(w);
}

static void make(struct world *w, uint8_t how)
{
	const struct virtio_balloon_config balloon = {
		.ram = &w->ram,
		.target = how * PAGE,
		.reporting = how & 1,
		.deflate_on_oom = how & 2,
		.discard = discard,
		.opaque = w,
	};
	const struct virtio_pmem_config pmem = {
		.ram = &w->ram,
		.start = GIB(4),
		.size = MIB(2),
	};

	w->balloon = !(how & 0x80);
	if (w->balloon)
		check(virtio_balloon_new(&balloon, &w->vd) == 0);
	else
		check(virtio_pmem_new(&pmem, &w->vd) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct virtio_transport_ops transport = {
		.interrupt = nothing_for,
		.config_changed = nothing,
		.again = nothing_for,
	};
	struct world w = { 0 };
	uint8_t how = len > 0 ? data[0] : 1;
	size_t i;

	w.mem = mmap(NULL, RAM_LEN, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check(w.mem != MAP_FAILED);
	check(gmem_add(&w.ram, 0, RAM_LEN, w.mem) == 0);
	device_init(&w.dev, NULL);
	make(&w, how);
	virtio_attach(w.vd, &w.dev, &transport, &w);
	device_lock(&w.dev);
	start(&w, 0xfc);
	device_unlock(&w.dev);
	for (i = 1; i + 6 <= len; i += 6)
		step(&w, data + i);
	device_lock(&w.dev);
	virtio_set_status(w.vd, 0);
	device_unlock(&w.dev);
	virtio_free(w.vd);
	for (i = 0; i < QUEUES_MAX; i++)
		vdrv_done(&w.drv[i]);
	device_done(&w.dev);
	munmap(w.mem, RAM_LEN);
	return 0;
}
