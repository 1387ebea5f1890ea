// SPDX-License-Identifier: MIT
/*
 * A driver with buffers of every cut, frames with any header and commands of any
 * content for a network device, a network that has frames, is busy and fails, and
 * resets in between. Each step is six bytes. The network (fake_net.c) aborts on what
 * a device must not ask of it.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "fake_net.h"
#include "virtio/net.h"
#include "virtio_driver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define RAM_LEN 0x80000u
#define PAIRS 2u
#define QUEUES (2 * PAIRS + 1)
#define QUEUE_SIZE 16u
#define RING_AT(q) ((q)*0x2000u)
#define TABLE_AT 0x10000u
#define DATA_AT 0x20000u

struct world {
	uint8_t mem[RAM_LEN];
	struct gmem ram;
	struct fake_net fn;
	struct device dev;
	struct virtio_device *vd;
	struct vdrv drv[QUEUES];
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
	check(queue < QUEUES);
}

static void start(struct world *w, uint8_t how, uint8_t without)
{
	struct virtio_device *vd = w->vd;
	unsigned flags = how & (VDRV_PACKED | VDRV_EVENT_IDX), i;
	struct virtio_queue *vq;
	/* One of the low features, or none, is not taken. */
	uint64_t refused = without & 0x20 ? BIT64(without & 0x1f) : 0;

	w->dirty = false;
	virtio_set_status(vd, 1 | 2);
	virtio_set_features(
		vd, (vd->offered & ~refused & ~BIT64(29) & ~BIT64(34)) |
			    BIT64(32) | (how & VDRV_PACKED ? BIT64(34) : 0) |
			    (how & VDRV_EVENT_IDX ? BIT64(29) : 0));
	virtio_set_status(vd, 1 | 2 | 8);
	for (i = 0; i < QUEUES; i++) {
		vdrv_done(&w->drv[i]);
		vdrv_init(&w->drv[i], &w->ram, RING_AT(i), QUEUE_SIZE, flags);
		vq = virtio_queue_setup(vd, i);
		check(vq != NULL);
		vq->size = QUEUE_SIZE;
		vq->desc = w->drv[i].desc;
		vq->driver = w->drv[i].driver;
		vq->device = w->drv[i].device;
		virtio_queue_ready(vd, i, true);
	}
	virtio_set_status(vd, 1 | 2 | 8 | 4);
}

/* A chain of up to 7 buffers, the first `readable` of which are the device's. */
static void add(struct world *w, unsigned queue, gpa_t at, uint8_t cut,
		uint8_t more, unsigned readable)
{
	static const uint32_t lens[8] = { 12, 1, 1526, 0, 60, 11, 4096, 65562 };
	struct vdrv_buf bufs[7];
	unsigned n = 1 + more % 7, i;

	for (i = 0; i < n; i++) {
		bufs[i] = (struct vdrv_buf){ at, lens[(cut + i * more) & 7],
					     i >= readable };
		at += bufs[i].len;
	}
	if (cut & 0x80)
		vdrv_add_indirect(&w->drv[queue], bufs, n,
				  TABLE_AT + queue * 0x800u);
	else
		vdrv_add(&w->drv[queue], bufs, n);
}

static void frame_from_host(struct world *w, const uint8_t *b)
{
	static const uint32_t lens[8] = { 14,	 1514,	60, 9000,
					  65550, 65551, 13, 2000 };
	const unsigned pair = b[1] & 1;

	if (fake_net_waiting(&w->fn, pair) < 64)
		fake_net_put(&w->fn, pair, b[3],
			     lens[b[2] & 7] - (b[4] & 0x3f) % 8);
}

/* A frame's header, or a command, at the front of what is sent. */
static void send(struct world *w, const uint8_t *b)
{
	gpa_t at = DATA_AT + (b[1] & 7) * 0x2000u;
	uint8_t *p = w->mem + at;
	unsigned queue = b[1] & 8 ? 2 * PAIRS : b[1] & 16 ? 3 : 1;

	if (b[1] & 0x20)
		queue = 2;
	p[0] = b[2] & 7;
	p[1] = b[3];
	put_le16(p + 2, b[4]);
	put_le16(p + 4, b[5]);
	put_le16(p + 6, b[2] & 0x80 ? 0xffff : b[2]);
	put_le16(p + 8, b[4] & 0x80 ? 0xffff : b[5]);
	add(w, queue, at, b[4], b[5], 1 + (b[5] >> 4) % 7);
}

static void take_all(struct world *w)
{
	uint32_t id, len;
	unsigned i;

	for (i = 0; i < QUEUES && !w->dirty; i++) {
		while (!(w->vd->status & VIRTIO_STATUS_NEEDS_RESET) &&
		       vdrv_take(&w->drv[i], &id, &len))
			check(len <= NET_HEADER_LEN + NET_FRAME_MAX);
	}
}

static void step(struct world *w, const uint8_t *b)
{
	static const int errs[4] = { 0, 0, -EAGAIN, -EIO };
	unsigned pair = b[1] & 1;

	device_lock(&w->dev);
	switch (b[0] & 7) {
	case 0:
		add(w, 2 * pair, DATA_AT + 0x10000 + b[2] * 0x100u, b[3], b[4],
		    b[4] >> 4 & 1);
		break;
	case 1: send(w, b); break;
	case 2: frame_from_host(w, b); break;
	case 3: virtio_notify(w->vd, b[1] % (QUEUES + 1)); break;
	case 4:
		w->fn.send_error = errs[b[1] & 3];
		w->fn.receive_error = errs[b[2] & 3];
		break;
	case 5: /* memory changes at any time */
		w->mem[(b[1] | b[2] << 8 | b[3] << 16) % RAM_LEN] = b[4];
		w->dirty = true;
		break;
	case 6:
		virtio_set_status(w->vd, 0);
		start(w, b[1], b[2]);
		break;
	case 7: break;
	}
	device_unlock(&w->dev);
	if ((b[0] & 7) == 7 && pair < w->fn.net.info.queues)
		w->fn.ready(w->fn.opaque, pair);
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
	struct virtio_net_config config = {
		.ram = &w.ram,
		.net = &w.fn.net,
		.mac = { 2, 0, 0, 0, 0, 1 },
		.queues = PAIRS,
		.queue_size = QUEUE_SIZE,
	};
	unsigned i;
	size_t at;

	memset(&w, 0, sizeof(w));
	check(gmem_add(&w.ram, 0, RAM_LEN, w.mem) == 0);
	fake_net_init(&w.fn);
	device_init(&w.dev, NULL);
	check(virtio_net_new(&config, &w.vd) == 0);
	virtio_attach(w.vd, &w.dev, &transport, &w);
	device_lock(&w.dev);
	start(&w, len > 0 ? data[0] : 0, 0);
	device_unlock(&w.dev);
	for (at = 1; at + 6 <= len; at += 6)
		step(&w, data + at);
	device_lock(&w.dev);
	virtio_set_status(w.vd, 0);
	device_unlock(&w.dev);
	check(!w.fn.pair[0].listening && !w.fn.pair[1].listening);
	virtio_free(w.vd);
	check(w.fn.freed == 1);
	fake_net_done(&w.fn);
	for (i = 0; i < QUEUES; i++)
		vdrv_done(&w.drv[i]);
	device_done(&w.dev);
	return 0;
}
