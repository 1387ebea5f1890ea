// SPDX-License-Identifier: MIT
/*
 * A driver with chains of every cut for a 9P device, whose server only looks at what
 * it is promised; memory that changes meanwhile, and resets in between. Each step is
 * five bytes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "backend/p9.h"
#include "core/base.h"
#include "virtio/p9.h"
#include "virtio_driver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define RAM_LEN 0x20000u
#define QUEUE_SIZE 8u
#define DATA_AT 0x8000u
#define TABLE_AT 0x4000u

struct world {
	struct p9_server server;
	uint8_t mem[RAM_LEN];
	struct gmem ram;
	struct device dev;
	struct virtio_device *vd;
	struct vdrv drv;
	bool dirty; /* memory was changed: the driver cannot follow any more */
	unsigned freed;
};

static void check(bool ok)
{
	if (!ok)
		abort();
}

static uint32_t serve(struct p9_server *server, const struct p9_message *m)
{
	uint8_t answer[64] = { 0 };
	struct virtq_chain *chain = m->chain;
	size_t len = 7 + m->type % 50u;

	check(chain->out_len >= 7 && chain->in_len >= 11);
	if (len > chain->in_len)
		len = chain->in_len;
	check(virtq_copy_in(chain, 0, answer, len) == len);
	return (uint32_t)len;
}

static void reset(struct p9_server *server)
{
}

static void set_free(struct p9_server *server)
{
	container_of(server, struct world, server)->freed++;
}

static void nothing(void *opaque)
{
}

static void nothing_for(void *opaque, unsigned queue)
{
	check(queue == 0);
}

/* With the lock. */
static void start(struct world *w, unsigned how)
{
	struct virtio_device *vd = w->vd;
	struct virtio_queue *vq;

	w->dirty = false;
	virtio_set_status(vd, 1 | 2);
	virtio_set_features(vd, BIT64(28) | BIT64(32) | (how >> 2 & 1) |
					(how & VDRV_PACKED ? BIT64(34) : 0) |
					(how & VDRV_EVENT_IDX ? BIT64(29) : 0));
	virtio_set_status(vd, 1 | 2 | 8);
	vdrv_done(&w->drv);
	vdrv_init(&w->drv, &w->ram, 0, QUEUE_SIZE,
		  how & (VDRV_PACKED | VDRV_EVENT_IDX));
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

static void add(struct world *w, const uint8_t *b)
{
	static const uint32_t lens[8] = { 7, 11, 4, 0, 3, 64, 1, 1024 };
	struct vdrv_buf bufs[7];
	unsigned n = 1 + b[3] % 7, writable = 1 + (b[3] >> 3) % 7, i;
	gpa_t at = DATA_AT + (b[1] & 0x0f) * 0x800u;
	uint8_t *p = w->mem + at;

	p[4] = b[2] & 0x40 ? P9_TFLUSH : b[2];
	put_le16(p + 5, b[1] & 3);
	put_le16(p + 7, b[4] & 3);
	for (i = 0; i < n; i++) {
		bufs[i].len = lens[(b[4] + i * b[3]) & 7];
		bufs[i].write = i >= writable;
		bufs[i].addr = at;
		at += bufs[i].len;
	}
	if (b[2] & 0x80)
		vdrv_add_indirect(&w->drv, bufs, n,
				  TABLE_AT + (b[1] & 0x1f) * 0x80u);
	else
		vdrv_add(&w->drv, bufs, n);
}

static void take_all(struct world *w)
{
	uint32_t id, len;

	while (!w->dirty && !(w->vd->status & VIRTIO_STATUS_NEEDS_RESET) &&
	       vdrv_take(&w->drv, &id, &len))
		check(len >= 7 && len <= 64);
}

static void step(struct world *w, const uint8_t *b)
{
	device_lock(&w->dev);
	switch (b[0] & 7) {
	case 0:
	case 1:
	case 2:
	case 3: add(w, b); break;
	case 4:
	case 5: virtio_notify(w->vd, b[1] & 1); break;
	case 6: /* memory changes at any time */
		w->mem[(b[1] | b[2] << 8 | b[3] << 16) % RAM_LEN] = b[4];
		w->dirty = true;
		break;
	case 7:
		virtio_set_status(w->vd, 0);
		start(w, b[1]);
		break;
	}
	if (b[0] & 0x80)
		take_all(w);
	device_unlock(&w->dev);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct virtio_transport_ops transport = {
		.interrupt = nothing_for,
		.config_changed = nothing,
		.again = nothing_for,
	};
	static const struct p9_server_ops ops = {
		.serve = serve,
		.reset = reset,
		.free = set_free,
	};
	static struct world w;
	const struct virtio_9p_config config = {
		.ram = &w.ram,
		.server = &w.server,
		.tag = "fuzz",
		.threads = 1,
	};
	size_t i;

	memset(&w, 0, sizeof(w));
	w.server.ops = &ops;
	check(gmem_add(&w.ram, 0, RAM_LEN, w.mem) == 0);
	device_init(&w.dev, NULL);
	check(virtio_9p_new(&config, &w.vd) == 0);
	virtio_attach(w.vd, &w.dev, &transport, &w);
	device_lock(&w.dev);
	start(&w, len > 0 ? data[0] : 0);
	device_unlock(&w.dev);
	for (i = 1; i + 5 <= len; i += 5)
		step(&w, data + i);
	device_lock(&w.dev);
	virtio_set_status(w.vd, 0);
	device_unlock(&w.dev);
	virtio_free(w.vd);
	check(w.freed == 1);
	vdrv_done(&w.drv);
	device_done(&w.dev);
	return 0;
}
