// SPDX-License-Identifier: MIT
/*
 * A driver that sends any packet to a socket device, true to its connections or not,
 * and a host whose sockets take, give, end and fail as they like. Each step is eight
 * bytes.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "fake_loop.h"
#include "fake_vsock.h"
#include "virtio/vsock.h"
#include "virtio_driver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define RAM_LEN 0x40000u
#define QUEUES 3u
#define SIZE 16u
#define RX_AT 0x20000u
#define TX_AT 0x10000u
#define CID 3u

static struct world {
	uint8_t mem[RAM_LEN];
	struct gmem ram;
	struct fake_loop fl;
	struct fake_vsock host;
	struct device dev;
	struct virtio_device *vd;
	struct vdrv drv[QUEUES];
	bool again[QUEUES];
	uint32_t host_port; /* of the last call by the host */
	bool dirty; /* memory was changed: the driver cannot follow any more */
} w;

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

static void start(uint8_t how)
{
	unsigned flags = how & (VDRV_PACKED | VDRV_EVENT_IDX), i;
	struct virtio_queue *vq;

	w.dirty = false;
	virtio_set_status(w.vd, 0);
	virtio_set_status(w.vd, 3);
	virtio_set_features(w.vd,
			    (how >> 2 & 1) | BIT64(28) | BIT64(32) |
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

/* b[1]: op, b[2]: ports and lies, b[3..4]: length, b[5..7]: credit. */
static void send_packet(const uint8_t *b)
{
	uint32_t real = b[3] | (b[4] & 0x3fu) << 8;
	const struct vdrv_buf bufs[] = {
		{ TX_AT, b[2] & 0x40 ? 43 : 44, false },
		{ TX_AT + 44, real, false },
	};
	uint8_t *p = w.mem + TX_AT;

	put_le64(p, b[2] & 0x20 ? 9 : CID);
	put_le64(p + 8, 2);
	put_le32(p + 16, 1000 + (b[2] & 3));
	put_le32(p + 20, b[2] & 4 ? w.host_port : 80u + (b[2] >> 3 & 1));
	put_le32(p + 24, b[2] & 0x80 ? b[5] * UINT32_C(0x1010101) : real);
	put_le16(p + 28, 1 + (b[2] >> 4 & 1));
	put_le16(p + 30, b[1] & 15);
	put_le32(p + 32, b[1] >> 4);
	put_le32(p + 36, (uint32_t)b[5] << (b[6] & 31));
	put_le32(p + 40, b[7]);
	vdrv_add_indirect(&w.drv[1], bufs, real ? 2 : 1, TX_AT + 0x8000);
}

static void offer(const uint8_t *b)
{
	const struct vdrv_buf buf = { RX_AT + b[1] * 0x100u,
				      b[2] & 0x80 ? b[2] & 63 : 44u + 16 * b[2],
				      true };

	vdrv_add(&w.drv[0], &buf, 1);
}

static void take_all(unsigned queue)
{
	uint32_t id, len;

	while (!w.dirty && !(w.vd->status & VIRTIO_STATUS_NEEDS_RESET) &&
	       vdrv_take(&w.drv[queue], &id, &len))
		check(len <= 44 + 16 * 255);
}

/* What the host does, without the lock. */
static void host(const uint8_t *b)
{
	static const uint8_t text[0x10000];
	struct fake_stream *fs = &w.host.stream[b[1] % FAKE_STREAMS_MAX];

	if ((b[2] & 7) == 0) {
		fs = fake_vsock_connect(&w.host, 1000 + (b[1] & 3));
		return;
	}
	if (!fs->used || fs->freed)
		return;
	switch (b[2] & 7) {
	case 1:
		fs->in = text;
		fs->in_len = b[3] << (b[4] & 7);
		break;
	case 2: fs->ended = true; break;
	case 3: fs->takes = b[3]; break;
	case 4: fs->takes = SIZE_MAX; break;
	case 5: fs->err = -EPIPE; break;
	default: break;
	}
	fs->out_len = 0;
	fake_stream_ready(&w.host, fs);
}

static void step(const uint8_t *b)
{
	unsigned queue = b[1] % QUEUES, rounds;

	if ((b[0] & 7) == 4) {
		host(b);
		fake_loop_advance(&w.fl, 1);
		return;
	}
	device_lock(&w.dev);
	switch (b[0] & 7) {
	case 0:
	case 1:
		send_packet(b);
		virtio_notify(w.vd, 1);
		break;
	case 2: offer(b); break;
	case 3:
		virtio_notify(w.vd, queue);
		for (rounds = 0; rounds < 8; rounds++) {
			unsigned i;

			for (i = 0; i < QUEUES; i++) {
				if (!w.again[i])
					continue;
				w.again[i] = false;
				virtio_notify(w.vd, i);
			}
		}
		break;
	case 5: /* memory changes at any time */
		w.mem[(b[1] | b[2] << 8 | b[3] << 16) % RAM_LEN] = b[4];
		w.dirty = true;
		break;
	case 6: start(b[1]); break;
	case 7: w.host_port = 0x40000000 + b[1]; break;
	}
	take_all(0);
	take_all(1);
	device_unlock(&w.dev);
	fake_loop_advance(&w.fl, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct virtio_transport_ops transport = {
		.interrupt = interrupt,
		.config_changed = nothing,
		.again = again,
	};
	const struct virtio_vsock_config config = {
		.ram = &w.ram,
		.cid = CID,
		.loop = &w.fl.loop,
		.host = &w.host.host,
	};
	size_t i;

	memset(&w, 0, sizeof(w));
	check(gmem_add(&w.ram, 0, RAM_LEN, w.mem) == 0);
	fake_loop_init(&w.fl, 1);
	fake_vsock_init(&w.host);
	w.host.listening = 80;
	device_init(&w.dev, NULL);
	check(virtio_vsock_new(&config, &w.vd) == 0);
	virtio_attach(w.vd, &w.dev, &transport, NULL);
	device_lock(&w.dev);
	start(len > 0 ? data[0] : 0);
	device_unlock(&w.dev);
	for (i = 1; i + 8 <= len; i += 8)
		step(data + i);
	device_lock(&w.dev);
	virtio_set_status(w.vd, 0);
	device_unlock(&w.dev);
	virtio_free(w.vd);
	for (i = 0; i < FAKE_STREAMS_MAX; i++)
		check(!w.host.stream[i].used || w.host.stream[i].freed);
	for (i = 0; i < QUEUES; i++)
		vdrv_done(&w.drv[i]);
	device_done(&w.dev);
	return 0;
}
