/* SPDX-License-Identifier: MIT */
/*
 * virtio_vsock_rig.h: a socket device between a driver and a fake host. Fields and
 * numbers are those of VIRTIO 1.2, 5.10, as numbers on purpose.
 */
#ifndef TRAPMAP_TEST_VIRTIO_VSOCK_RIG_H
#define TRAPMAP_TEST_VIRTIO_VSOCK_RIG_H

#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "fake_loop.h"
#include "fake_vsock.h"
#include "virtio/vsock.h"
#include "virtio_driver.h"

#define RAM MIB(8)
#define CID 42u

enum { RX, TX, EVENT, QUEUES };
enum {
	REQUEST = 1,
	RESPONSE,
	RST,
	SHUTDOWN,
	RW,
	CREDIT_UPDATE,
	CREDIT_REQUEST
};

/* Buffers: some to write to, one to read from. */
#define RX_BUFS 16
#define RX_AT(i) (0x200000u + (i)*0x20000u)
#define RX_LEN 4140u /* Linux has 4096 bytes behind the header */
#define TX_AT 0x100000u

struct packet {
	uint64_t src_cid, dst_cid;
	uint32_t src_port, dst_port, len;
	uint16_t type, op;
	uint32_t flags, buf_alloc, fwd_cnt;
	const uint8_t *data;
};

static struct rig {
	struct gmem gm;
	uint8_t *ram;
	struct fake_loop fl;
	struct fake_vsock host;
	struct virtio_device *vd;
	struct device lock;
	struct vdrv drv[QUEUES];
	unsigned next;	  /* buffer */
	gpa_t rx_of[256]; /* by id */
	unsigned interrupts, agains[QUEUES];
	uint32_t sent; /* bytes that we have acknowledged */
} f;

static uint8_t bytes[0x60000];

static inline void on_interrupt(void *opaque, unsigned queue)
{
	f.interrupts++;
}

static inline void on_change(void *opaque)
{
}

static inline void on_again(void *opaque, unsigned queue)
{
	f.agains[queue]++;
}

static inline void notify(unsigned queue)
{
	unsigned i;

	device_lock(&f.lock);
	virtio_notify(f.vd, queue);
	for (i = 0; i < QUEUES; i++) {
		while (f.agains[i]) {
			f.agains[i]--;
			virtio_notify(f.vd, i);
		}
	}
	device_unlock(&f.lock);
	fake_loop_advance(&f.fl, 1);
}

static inline void offer(void)
{
	const struct vdrv_buf buf = { RX_AT(f.next++ % RX_BUFS), RX_LEN, true };
	int id = vdrv_add(&f.drv[RX], &buf, 1);

	assert_true(id >= 0);
	f.rx_of[id] = buf.addr;
}

static inline void bring_up(uint32_t size, unsigned flags)
{
	struct virtio_queue *vq;
	unsigned i;

	device_lock(&f.lock);
	virtio_set_status(f.vd, 0);
	virtio_set_status(f.vd, 3);
	virtio_set_features(f.vd,
			    BIT64(28) | BIT64(32) |
				    (flags & VDRV_PACKED ? BIT64(34) : 0) |
				    (flags & VDRV_EVENT_IDX ? BIT64(29) : 0));
	virtio_set_status(f.vd, 11);
	for (i = 0; i < QUEUES; i++) {
		if (f.drv[i].next)
			vdrv_done(&f.drv[i]);
		vdrv_init(&f.drv[i], &f.gm, 0x1000 + i * 0x8000, size, flags);
		vq = virtio_queue_setup(f.vd, i);
		assert_non_null(vq);
		vq->size = size;
		vq->desc = f.drv[i].desc;
		vq->driver = f.drv[i].driver;
		vq->device = f.drv[i].device;
		virtio_queue_ready(f.vd, i, true);
	}
	virtio_set_status(f.vd, 15);
	device_unlock(&f.lock);
	fake_loop_advance(&f.fl, 1);
	f.next = 0;
	assert_int_equal(f.vd->status, 15);
}

static inline int setup(void **state)
{
	static const struct device_ops none = { .name = "none" };
	static const struct virtio_transport_ops transport = {
		.interrupt = on_interrupt,
		.config_changed = on_change,
		.again = on_again,
	};
	const struct virtio_vsock_config config = {
		.ram = &f.gm,
		.cid = CID,
		.loop = &f.fl.loop,
		.host = &f.host.host,
	};
	unsigned i;

	memset(&f, 0, sizeof(f));
	f.ram = calloc(1, RAM);
	assert_non_null(f.ram);
	assert_int_equal(gmem_add(&f.gm, 0, RAM, f.ram), 0);
	fake_loop_init(&f.fl, 1);
	fake_vsock_init(&f.host);
	f.host.listening = 80;
	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i ^ i >> 8 ^ i >> 16);
	assert_int_equal(virtio_vsock_new(&config, &f.vd), 0);
	device_init(&f.lock, &none);
	virtio_attach(f.vd, &f.lock, &transport, NULL);
	return 0;
}

static inline int teardown(void **state)
{
	unsigned i;

	device_lock(&f.lock);
	virtio_reset(f.vd);
	device_unlock(&f.lock);
	virtio_free(f.vd);
	assert_true(f.host.freed);
	for (i = 0; i < FAKE_STREAMS_MAX; i++)
		assert_true(!f.host.stream[i].used || f.host.stream[i].freed);
	device_done(&f.lock);
	for (i = 0; i < QUEUES; i++)
		if (f.drv[i].next)
			vdrv_done(&f.drv[i]);
	free(f.ram);
	return 0;
}

/* From our port 1000 to the host's 80, with much room on our side. */
static inline struct packet packet(uint16_t op)
{
	return (struct packet){ .src_cid = CID,
				.dst_cid = 2,
				.src_port = 1000,
				.dst_port = 80,
				.type = 1,
				.op = op,
				.buf_alloc = 0x40000 };
}

static inline void encode(const struct packet *p, uint8_t *to)
{
	put_le64(to, p->src_cid);
	put_le64(to + 8, p->dst_cid);
	put_le32(to + 16, p->src_port);
	put_le32(to + 20, p->dst_port);
	put_le32(to + 24, p->len);
	put_le16(to + 28, p->type);
	put_le16(to + 30, p->op);
	put_le32(to + 32, p->flags);
	put_le32(to + 36, p->buf_alloc);
	put_le32(to + 40, p->fwd_cnt);
}

/* Header and payload in two buffers; `real` bytes of it are there. */
static inline void send_raw(const struct packet *p, uint32_t real)
{
	const struct vdrv_buf bufs[] = { { TX_AT, 44, false },
					 { TX_AT + 0x1000, real, false } };
	uint32_t id, len;

	encode(p, f.ram + TX_AT);
	if (real && p->data)
		memcpy(f.ram + TX_AT + 0x1000, p->data, real);
	assert_true(vdrv_add_indirect(&f.drv[TX], bufs, real ? 2 : 1,
				      TX_AT + 0x800) >= 0);
	notify(TX);
	if (f.vd->status == 15)
		assert_true(vdrv_take(&f.drv[TX], &id, &len));
}

static inline void send_packet(struct packet p)
{
	send_raw(&p, p.len);
}

static inline void send_op(uint16_t op)
{
	send_packet(packet(op));
}

static inline void send_data(const uint8_t *data, uint32_t len)
{
	struct packet p = packet(RW);

	p.data = data;
	p.len = len;
	send_packet(p);
}

/* The next packet for us, for which there is a buffer; or none. */
static inline bool receive(struct packet *p)
{
	uint32_t id, len;
	const uint8_t *at;

	offer();
	notify(RX);
	if (!vdrv_take(&f.drv[RX], &id, &len))
		return false;
	at = f.ram + f.rx_of[id];
	assert_true(len >= 44);
	*p = (struct packet){
		.src_cid = get_le64(at),
		.dst_cid = get_le64(at + 8),
		.src_port = get_le32(at + 16),
		.dst_port = get_le32(at + 20),
		.len = get_le32(at + 24),
		.type = get_le16(at + 28),
		.op = get_le16(at + 30),
		.flags = get_le32(at + 32),
		.buf_alloc = get_le32(at + 36),
		.fwd_cnt = get_le32(at + 40),
		.data = at + 44,
	};
	assert_int_equal(len, 44 + p->len);
	assert_int_equal(p->src_cid, 2);
	assert_int_equal(p->dst_cid, CID);
	return true;
}

static inline struct packet expect(uint16_t op)
{
	struct packet p;

	assert_true(receive(&p));
	assert_int_equal(p.op, op);
	return p;
}

static inline void expect_nothing(void)
{
	struct packet p;

	assert_false(receive(&p));
}

/* Our port 1000 is connected to the host's 80. */
static inline struct fake_stream *connected(void)
{
	struct packet p;

	send_op(REQUEST);
	p = expect(RESPONSE);
	assert_int_equal(p.src_port, 80);
	assert_int_equal(p.dst_port, 1000);
	assert_int_equal(p.type, 1);
	return &f.host.stream[0];
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#endif
