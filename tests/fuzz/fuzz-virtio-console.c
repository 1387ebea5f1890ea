// SPDX-License-Identifier: MIT
/*
 * A driver that says anything to a console device with three ports: buffers of every
 * cut on every queue, control messages, resets; and a host that takes, types, comes
 * and goes. Each step is six bytes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "fake_port.h"
#include "virtio/console.h"
#include "virtio_driver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define RAM_LEN 0x40000u
#define PORTS 3
#define QUEUES 8u
#define SIZE 8u
#define DATA_AT 0x20000u

struct world {
	uint8_t mem[RAM_LEN];
	struct gmem ram;
	struct fake_port port[PORTS];
	bool open[PORTS];
	struct device dev;
	struct virtio_device *vd;
	struct vdrv drv[QUEUES];
	bool again[QUEUES];
	bool dirty; /* memory was changed: the driver cannot follow any more */
};

static struct world w;

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void nothing(void *opaque)
{
}

static void interrupt(void *opaque, unsigned queue)
{
	check(queue < QUEUES);
}

static void again(void *opaque, unsigned queue)
{
	w.again[queue] = true;
}

/* It is never opened twice, nor closed. */
static void opened(void *opaque, bool open)
{
	bool *is = opaque;

	check(*is != open);
	*is = open;
}

static void start(uint8_t how)
{
	unsigned flags = how & (VDRV_PACKED | VDRV_EVENT_IDX), i;
	struct virtio_queue *vq;

	w.dirty = false;
	virtio_set_status(w.vd, 0);
	virtio_set_status(w.vd, 3);
	virtio_set_features(w.vd,
			    (how >> 2 & 7) | BIT64(28) | BIT64(32) |
				    (flags & VDRV_PACKED ? BIT64(34) : 0) |
				    (flags & VDRV_EVENT_IDX ? BIT64(29) : 0));
	virtio_set_status(w.vd, 11);
	for (i = 0; i < QUEUES; i++) {
		if (w.drv[i].next)
			vdrv_done(&w.drv[i]);
		vdrv_init(&w.drv[i], &w.ram, i * 0x4000, SIZE, flags);
		vq = virtio_queue_setup(w.vd, i);
		check(vq != NULL);
		vq->size = SIZE;
		vq->desc = w.drv[i].desc;
		vq->driver = w.drv[i].driver;
		vq->device = w.drv[i].device;
		virtio_queue_ready(w.vd, i, true);
	}
	virtio_set_status(w.vd, 15);
	check(w.vd->status == 15);
}

static void add(const uint8_t *b)
{
	static const uint32_t lens[8] = { 8, 1, 0, 7, 4096, 12, 71, 200 };
	unsigned queue = b[1] % QUEUES, n = 1 + (b[1] >> 3) % 3, i;
	struct vdrv_buf bufs[3];
	gpa_t at = DATA_AT + b[2] * 0x100u;

	for (i = 0; i < n; i++) {
		bufs[i] = (struct vdrv_buf){ at, lens[(b[3] >> (2 * i)) & 7],
					     !(queue & 1) };
		at += bufs[i].len;
	}
	if (b[1] & 0x80) /* the other way round */
		bufs[n - 1].write = !bufs[n - 1].write;
	if (n > 1 && bufs[0].write && !bufs[n - 1].write)
		return; /* the driver's helper does not make those */
	if (queue == 3 && at <= RAM_LEN) {
		put_le32(w.mem + bufs[0].addr, b[4] & 3);
		put_le16(w.mem + bufs[0].addr + 4, b[4] >> 2 & 7);
		put_le16(w.mem + bufs[0].addr + 6, b[4] >> 5 & 1);
	}
	vdrv_add(&w.drv[queue], bufs, n);
}

/* What the host does, without the lock. */
static void host(const uint8_t *b)
{
	struct fake_port *fp = &w.port[b[1] % PORTS];
	static const uint8_t text[256];

	switch (b[2] & 7) {
	case 0: fake_port_type(fp, text, b[3]); break;
	case 1: fake_port_take(fp, b[3]); break;
	case 2: fake_port_take(fp, SIZE_MAX); break;
	case 3: fp->front.connected(fp->front.opaque, b[3] & 1); break;
	case 4: virtio_console_resize(w.vd, b[1] % 4, b[3], b[4]); break;
	case 5: virtio_console_finish(w.vd); break;
	case 6:
		virtio_console_discard(w.vd);
		check(virtio_console_pending(w.vd) == 0);
		break;
	case 7: virtio_console_pending(w.vd); break;
	}
}

static void step(const uint8_t *b)
{
	uint32_t id, len;
	unsigned queue = b[1] % QUEUES, rounds;

	if ((b[0] & 7) == 4) {
		host(b);
		return;
	}
	device_lock(&w.dev);
	switch (b[0] & 7) {
	case 0:
	case 1: add(b); break;
	case 2:
	case 3:
		virtio_notify(w.vd, queue);
		for (rounds = 0; w.again[queue] && rounds < 8; rounds++) {
			w.again[queue] = false;
			virtio_notify(w.vd, queue);
		}
		break;
	case 5: /* memory changes at any time */
		w.mem[(b[1] | b[2] << 8 | b[3] << 16) % RAM_LEN] = b[4];
		w.dirty = true;
		break;
	case 6: start(b[1]); break;
	case 7:
		virtio_config_write(w.vd, b[1] & 15, b + 2, 1 + (b[1] >> 4) % 4);
	}
	while (!w.dirty && !(w.vd->status & VIRTIO_STATUS_NEEDS_RESET) &&
	       vdrv_take(&w.drv[queue], &id, &len))
		check(len <= 3 * 4096);
	device_unlock(&w.dev);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct virtio_transport_ops transport = {
		.interrupt = interrupt,
		.config_changed = nothing,
		.again = again,
	};
	struct virtio_console_port port[PORTS] = { { .cols = 80, .rows = 25 },
						   { .name = "results" },
						   { .name = "x" } };
	const struct virtio_console_config config = {
		.ram = &w.ram, .port = port, .ports = PORTS, .drained = nothing
	};
	size_t i;

	memset(&w, 0, sizeof(w));
	check(gmem_add(&w.ram, 0, RAM_LEN, w.mem) == 0);
	for (i = 0; i < PORTS; i++) {
		fake_port_init(&w.port[i]);
		port[i].back = &w.port[i].port;
		port[i].opened = opened;
		port[i].opaque = &w.open[i];
	}
	device_init(&w.dev, NULL);
	check(virtio_console_new(&config, &w.vd) == 0);
	virtio_attach(w.vd, &w.dev, &transport, NULL);
	device_lock(&w.dev);
	start(len > 0 ? data[0] : 0);
	device_unlock(&w.dev);
	for (i = 1; i + 6 <= len; i += 6)
		step(data + i);
	device_lock(&w.dev);
	virtio_set_status(w.vd, 0);
	device_unlock(&w.dev);
	for (i = 0; i < PORTS; i++)
		check(!w.open[i]);
	virtio_free(w.vd);
	for (i = 0; i < QUEUES; i++)
		vdrv_done(&w.drv[i]);
	device_done(&w.dev);
	return 0;
}
