/* SPDX-License-Identifier: MIT */
/*
 * virtio_console_rig.h: a console device with a console and two named ports between a
 * driver and fakes. Fields and numbers are those of VIRTIO 1.2, 5.3, as numbers on
 * purpose.
 */
#ifndef TRAPMAP_TEST_VIRTIO_CONSOLE_RIG_H
#define TRAPMAP_TEST_VIRTIO_CONSOLE_RIG_H

#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "fake_port.h"
#include "virtio/console.h"
#include "virtio_driver.h"

#define RAM MIB(4)
#define PORTS 3
#define QUEUES 8

/* Queues. */
#define RX(port) ((port) ? 2 * (port) + 2u : 0u)
#define TX(port) (RX(port) + 1)
#define CTL_RX 2
#define CTL_TX 3

/* Where a queue's buffers lie, 4 KiB each. */
#define BUF(queue, i) (0x100000u + (queue)*0x40000u + (i)*0x1000u)

enum { READY, ADD, REMOVE, PORT_READY, CONSOLE, RESIZE, OPEN, NAME };

#define F_SIZE 1u
#define F_MULTIPORT 2u
#define F_EMERG 4u

static struct rig {
	struct gmem gm;
	uint8_t *ram;
	struct fake_port port[PORTS];
	struct virtio_device *vd;
	struct device lock;
	struct vdrv drv[QUEUES];
	uint32_t size;
	unsigned next[QUEUES]; /* buffer */
	unsigned interrupts[QUEUES], agains[QUEUES], changes, drained;
	char events[64]; /* of opened(): port and sign */
} f;

static inline void on_interrupt(void *opaque, unsigned queue)
{
	f.interrupts[queue]++;
}

static inline void on_change(void *opaque)
{
	f.changes++;
}

static inline void on_again(void *opaque, unsigned queue)
{
	f.agains[queue]++;
}

static inline void on_opened(void *opaque, bool open)
{
	size_t n = strlen(f.events);

	snprintf(f.events + n, sizeof(f.events) - n, "%c%d ", open ? '+' : '-',
		 (int)((struct fake_port *)opaque - f.port));
}

static inline void on_drained(void *opaque)
{
	f.drained++;
}

static inline void notify(unsigned queue)
{
	device_lock(&f.lock);
	virtio_notify(f.vd, queue);
	while (f.agains[queue]) {
		f.agains[queue]--;
		virtio_notify(f.vd, queue);
	}
	device_unlock(&f.lock);
}

/* Up to DRIVER_OK, with these features of the device's own. */
static inline void bring_up(uint32_t size, unsigned features, unsigned flags)
{
	struct virtio_queue *vq;
	unsigned i;

	f.size = size;
	device_lock(&f.lock);
	virtio_set_status(f.vd, 0);
	virtio_set_status(f.vd, 3);
	virtio_set_features(f.vd,
			    features | BIT64(28) | BIT64(32) |
				    (flags & VDRV_PACKED ? BIT64(34) : 0) |
				    (flags & VDRV_EVENT_IDX ? BIT64(29) : 0));
	virtio_set_status(f.vd, 11);
	assert_int_equal(f.vd->status, 11);
	for (i = 0; i < QUEUES; i++) {
		if (f.drv[i].next)
			vdrv_done(&f.drv[i]);
		vdrv_init(&f.drv[i], &f.gm, 0x1000 + i * 0x8000, size, flags);
		f.next[i] = 0;
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
	struct virtio_console_port port[PORTS] = {
		{ .cols = 80, .rows = 25 },
		{ .name = "results" },
		{ .name = "x" },
	};
	const struct virtio_console_config config = {
		.ram = &f.gm,
		.port = port,
		.ports = PORTS,
		.drained = on_drained,
	};
	unsigned i;

	memset(&f, 0, sizeof(f));
	f.ram = calloc(1, RAM);
	assert_non_null(f.ram);
	assert_int_equal(gmem_add(&f.gm, 0, RAM, f.ram), 0);
	for (i = 0; i < PORTS; i++) {
		fake_port_init(&f.port[i]);
		port[i].back = &f.port[i].port;
		port[i].opened = on_opened;
		port[i].opaque = &f.port[i];
	}
	f.port[2].there = false;
	assert_int_equal(virtio_console_new(&config, &f.vd), 0);
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
	device_done(&f.lock);
	for (i = 0; i < PORTS; i++)
		assert_int_equal(f.port[i].freed, 1);
	for (i = 0; i < QUEUES; i++)
		if (f.drv[i].next)
			vdrv_done(&f.drv[i]);
	free(f.ram);
	return 0;
}

/* One buffer for the device to read, with that in it. */
static inline void put(unsigned queue, const void *data, uint32_t len)
{
	const struct vdrv_buf buf = { BUF(queue, f.next[queue]++ % 64), len,
				      false };

	memcpy(f.ram + buf.addr, data, len);
	assert_true(vdrv_add(&f.drv[queue], &buf, 1) >= 0);
}

/* One to write to; returns where it is. */
static inline uint8_t *offer(unsigned queue, uint32_t len)
{
	const struct vdrv_buf buf = { BUF(queue, f.next[queue]++ % 64), len,
				      true };

	memset(f.ram + buf.addr, 0, 4096);
	assert_true(vdrv_add(&f.drv[queue], &buf, 1) >= 0);
	return f.ram + buf.addr;
}

static inline bool take(unsigned queue, uint32_t *ret_len)
{
	uint32_t id;

	return vdrv_take(&f.drv[queue], &id, ret_len);
}

static inline void say(uint32_t id, uint16_t event, uint16_t value)
{
	uint8_t message[8];
	uint32_t len;

	put_le32(message, id);
	put_le16(message + 4, event);
	put_le16(message + 6, value);
	put(CTL_TX, message, 8);
	notify(CTL_TX);
	assert_true(take(CTL_TX, &len));
	assert_int_equal(len, 0);
}

/* The next message, which must be this one. */
static inline const uint8_t *expect(uint32_t id, uint16_t event, uint16_t value,
				    uint32_t more)
{
	const uint8_t *at = offer(CTL_RX, 256);
	uint32_t len = 0;

	notify(CTL_RX);
	assert_true(take(CTL_RX, &len));
	assert_int_equal(get_le16(at + 4), event);
	assert_int_equal(get_le32(at), id);
	assert_int_equal(get_le16(at + 6), value);
	assert_int_equal(len, 8 + more);
	return at + 8;
}

/* There is none. */
static inline void expect_silence(void)
{
	uint32_t len;

	notify(CTL_RX);
	assert_false(take(CTL_RX, &len));
}

/* All ports known to the driver. */
static inline void meet_ports(void)
{
	const uint8_t *more;

	say(0, READY, 1);
	expect(0, ADD, 1, 0);
	expect(1, ADD, 1, 0);
	expect(2, ADD, 1, 0);
	say(0, PORT_READY, 1);
	expect(0, CONSOLE, 1, 0);
	more = expect(0, RESIZE, 1, 4);
	assert_int_equal(get_le16(more), 80);
	assert_int_equal(get_le16(more + 2), 25);
	expect(0, OPEN, 1, 0);
	say(1, PORT_READY, 1);
	/* A name is what programs wait for: by then all else is known. */
	expect(1, OPEN, 1, 0);
	more = expect(1, NAME, 1, 7);
	assert_memory_equal(more, "results", 7);
	say(2, PORT_READY, 1);
	assert_int_equal(*expect(2, NAME, 1, 1), 'x');
}

static inline void assert_out(unsigned port, const char *text)
{
	assert_int_equal(f.port[port].out_len, strlen(text));
	assert_memory_equal(f.port[port].out, text, strlen(text));
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#endif
