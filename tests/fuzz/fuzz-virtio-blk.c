// SPDX-License-Identifier: MIT
/*
 * A driver with requests of every cut and content for a block device, an image
 * that finishes them in any order and way, and resets in between. Each step is six
 * bytes. The image (fake_block.c) aborts on what a device must not ask of it.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "fake_block.h"
#include "virtio/blk.h"
#include "virtio_driver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define RAM_LEN 0x20000u
#define DISK_LEN 0x4000u
#define QUEUE_SIZE 8u
#define DATA_AT 0x8000u
#define TABLE_AT 0x4000u

struct world {
	uint8_t mem[RAM_LEN], disk[DISK_LEN];
	struct gmem ram;
	struct fake_block fb;
	struct device dev;
	struct virtio_device *vd;
	struct vdrv drv;
	unsigned flags;
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
	check(queue == 0);
}

static void failed(void *opaque, int err)
{
	check(err > 0);
}

static void start(struct world *w, unsigned how)
{
	struct virtio_device *vd = w->vd;
	struct virtio_queue *vq;

	w->dirty = false;
	w->flags = how & (VDRV_PACKED | VDRV_EVENT_IDX);
	virtio_set_status(vd, 1 | 2);
	virtio_set_features(vd, (vd->offered & 0xffffff &
				 ~(how & 4 ? BIT64(9) : 0)) |
					BIT64(28) | BIT64(32) |
					(how & VDRV_PACKED ? BIT64(34) : 0) |
					(how & VDRV_EVENT_IDX ? BIT64(29) : 0));
	virtio_set_status(vd, 1 | 2 | 8);
	vdrv_done(&w->drv);
	vdrv_init(&w->drv, &w->ram, 0, QUEUE_SIZE, w->flags);
	vq = virtio_queue_setup(vd, 0);
	check(vq != NULL);
	vq->size = QUEUE_SIZE;
	vq->desc = w->drv.desc;
	vq->driver = w->drv.driver;
	vq->device = w->drv.device;
	virtio_queue_ready(vd, 0, true);
	virtio_set_status(vd, 1 | 2 | 8 | 4);
	check(vd->status == 15);
}

/*
 * A chain of 1 to 7 buffers; cut tells their lengths and which of them are the
 * device's to write. The header is at the front of the first.
 */
static void add(struct world *w, uint8_t type, uint8_t sector, uint8_t cut,
		uint8_t more)
{
	static const uint32_t lens[8] = { 16, 1, 512, 0, 15, 496, 511, 1024 };
	struct vdrv_buf bufs[7];
	unsigned n = 1 + more % 7, writable = 1 + (more >> 3) % 7, i;
	gpa_t at = DATA_AT + (cut & 0x0f) * 0x800u;
	uint8_t *header = w->mem + at;

	put_le32(header, type & 0x1f);
	/* Near both ends, and where arithmetic wraps. */
	put_le64(header + 8, sector & 0x80 ? ~UINT64_C(0) >> (sector & 0x3f) :
					     sector);
	if (type & 0x20) { /* a range behind the header */
		put_le64(header + 16, sector & 0x3f);
		put_le32(header + 24, cut & 0x40 ? UINT32_MAX : cut & 7);
		put_le32(header + 28, cut >> 7);
	}
	for (i = 0; i < n; i++) {
		bufs[i].len = i == 0 && type & 0x40 ? 16 :
						      lens[(cut + i * more) & 7];
		bufs[i].write = i >= writable;
		bufs[i].addr = at;
		at += bufs[i].len;
	}
	if (type & 0x80)
		vdrv_add_indirect(&w->drv, bufs, n,
				  TABLE_AT + (sector & 0x1f) * 0x80u);
	else
		vdrv_add(&w->drv, bufs, n);
}

static void take_all(struct world *w)
{
	uint32_t id, len;

	while (!w->dirty && !(w->vd->status & VIRTIO_STATUS_NEEDS_RESET) &&
	       vdrv_take(&w->drv, &id, &len))
		check(len <= 7 * 1024);
}

static void step(struct world *w, const uint8_t *b)
{
	static const int errs[4] = { 0, -EIO, -EOPNOTSUPP, -ENOSPC };

	device_lock(&w->dev);
	switch (b[0] & 7) {
	case 0:
	case 1:
	case 2: add(w, b[1], b[2], b[3], b[4]); break;
	case 3: virtio_notify(w->vd, b[1] & 1); break;
	case 4:
		if (w->fb.count)
			fake_block_finish(&w->fb, b[1] % w->fb.count,
					  errs[b[2] & 3]);
		break;
	case 5: /* memory changes at any time */
		w->mem[(b[1] | b[2] << 8 | b[3] << 16) % RAM_LEN] = b[4];
		w->dirty = true;
		break;
	case 6:
		virtio_set_status(w->vd, 0);
		check(w->fb.count == 0 && w->fb.finished_count == 0);
		start(w, b[1]);
		break;
	case 7: break;
	}
	device_unlock(&w->dev);
	if ((b[0] & 7) == 7)
		fake_block_ready(&w->fb);
	check(w->fb.count + w->fb.finished_count <= QUEUE_SIZE);
	if (b[0] & 0x80)
		take_all(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct virtio_transport_ops transport = {
		.interrupt = nothing_for,
		.config_changed = nothing,
		.again = nothing_for,
	};
	static struct world w;
	struct virtio_blk_config config = {
		.ram = &w.ram,
		.blk = &w.fb.block,
		.queue_size = QUEUE_SIZE,
		.serial = "fuzz",
		.failed = failed,
	};
	size_t i;

	memset(&w, 0, sizeof(w));
	check(gmem_add(&w.ram, 0, RAM_LEN, w.mem) == 0);
	fake_block_init(&w.fb, w.disk, DISK_LEN);
	if (len > 0 && data[0] & 1) {
		w.fb.block.info.read_only = true;
		w.fb.block.info.discard = w.fb.block.info.write_zeroes = false;
	}
	device_init(&w.dev, NULL);
	check(virtio_blk_new(&config, &w.vd) == 0);
	virtio_attach(w.vd, &w.dev, &transport, &w);
	device_lock(&w.dev);
	start(&w, len > 0 ? data[0] >> 1 : 0);
	device_unlock(&w.dev);
	for (i = 1; i + 6 <= len; i += 6)
		step(&w, data + i);
	device_lock(&w.dev);
	virtio_set_status(w.vd, 0);
	device_unlock(&w.dev);
	check(w.fb.count == 0);
	virtio_free(w.vd);
	vdrv_done(&w.drv);
	device_done(&w.dev);
	return 0;
}
