/* SPDX-License-Identifier: MIT */
/*
 * each_driver.h: the table of all virtio devices, and a driver that brings any of them
 * up, has it serve a request and gives it a buffer for what the host has.
 */
#ifndef TRAPMAP_TEST_EACH_DRIVER_H
#define TRAPMAP_TEST_EACH_DRIVER_H

#include "each_device.h"

static const struct device_type types[] = {
	{ "rng", make_rng, 0, 0, ask_rng, counted, host_does_nothing,
	  /* It answers at once: nothing of it ever waits for the host. */
	  .waits = false, .rx = -1, .takes = 1 },
	{ "blk", make_blk, 0, 0, ask_blk, counted_blk, host_of_blk,
	  .waits = true, .rx = -1, .takes = 3 },
	{ "net", make_net, BIT64(17) | BIT64(15), 1, ask_net, counted_net,
	  host_of_net, .waits = true, .rx = 0, .takes = 7 },
	{ "console", make_console, 0, 1, ask_console, counted_console,
	  host_of_console, .waits = true, .rx = 0, .rx_not = BIT64(1),
	  .takes = 3 },
	{ "console with ports", make_console, BIT64(1), 1, ask_console,
	  counted_console, host_of_console, .waits = true, .rx = 0,
	  .rx_not = BIT64(1), .takes = 0x2a },
	/* Its own buffer takes what the host does not. */
	{ "vsock", make_vsock, 0, 1, ask_vsock, counted_vsock, host_of_vsock,
	  .waits = false, .rx = 0, .takes = 3 },
	{ "balloon", make_balloon, BIT64(1) | BIT64(5), 0, ask_balloon, counted,
	  host_of_balloon, .waits = false, .rx = 2, .rx_readable = true,
	  .rx_needs = BIT64(1), .takes = 0x1f,
	  .needs = { 0, 0, BIT64(1), BIT64(5), BIT64(5) } },
	{ "9p", make_9p, 0, 0, ask_9p, counted, host_of_9p, .waits = true,
	  .rx = -1, .takes = 1 },
	/* It answers at once. */
	{ "pmem", make_pmem, 0, 0, ask_pmem, counted_pmem, host_does_nothing,
	  .waits = false, .rx = -1, .takes = 1 },
};

/* ---- a driver for all ------------------------------------------------------ */

static inline void settle(const struct device_type *type)
{
	unsigned i;

	for (i = 0; i < 40; i++) {
		type->host();
		if (run_once(&w.t) == 0 && i > 1)
			return;
	}
	fail_msg("%s: it never comes to rest", type->name);
}

/* 3.1.1, all of it, with rings of this size or what a queue has at most. */
static inline void bring_up(const struct device_type *type, uint32_t size,
			    uint64_t features)
{
	unsigned flags = (features & BIT64(34) ? VDRV_PACKED : 0) |
			 (features & BIT64(29) ? VDRV_EVENT_IDX : 0);
	unsigned i;

	w.slow = w.called = false;
	assert_true(negotiate(&w.t, features));
	fake_loop_advance(&w.t.fl, 1);
	for (i = 0; i < w.queues; i++) {
		uint32_t max = queue_max(&w.t, i);

		vdrv_done(&w.drv[i]);
		vdrv_init(&w.drv[i], &w.gm, 0x1000 + i * 0x10000u,
			  size < max ? size : max, flags);
		if (type->needs[i] && !(type->needs[i] & features))
			continue;
		set_queue(&w.t, i, &w.drv[i]);
	}
	set_status(&w.t, 1 | 2 | 8 | 4);
	assert_int_equal(status(&w.t), 15);
}

static inline void add(unsigned queue, const struct vdrv_buf *bufs, unsigned n,
		       unsigned table)
{
	struct vdrv *d = &w.drv[queue];

	assert_true((n > d->size ?
			     vdrv_add_indirect(d, bufs, n, TABLE(table)) :
			     vdrv_add(d, bufs, n)) >= 0);
}

static inline bool used(unsigned queue)
{
	uint32_t id, len;
	bool there;

	device_lock(w.t.dev);
	there = vdrv_take(&w.drv[queue], &id, &len);
	device_unlock(w.t.dev);
	return there;
}

/* As a driver does: only if the device wants to hear of it. */
static inline void tell(unsigned queue)
{
	if (vdrv_should_notify(&w.drv[queue]))
		kick(&w.t, queue);
}

static inline void assert_serves(const struct device_type *type, unsigned i)
{
	unsigned before = type->counted(), n;
	struct vdrv_buf bufs[3];

	n = type->request(i, bufs);
	add(type->queue, bufs, n, i);
	tell(type->queue);
	settle(type);
	assert_int_equal(status(&w.t), 15);
	assert_true(used(type->queue));
	assert_int_equal(type->counted(), before + 1);
}

/* A buffer for what the host gives, if there is a queue for that. */
static inline void assert_receives(const struct device_type *type,
				   uint64_t features)
{
	const struct vdrv_buf buf = { BUF, 0x1000, !type->rx_readable };

	if (type->rx < 0 || (type->rx_needs & ~features) ||
	    (type->rx_not & features))
		return;
	memset(w.ram + BUF, 0, 0x1000);
	add((unsigned)type->rx, &buf, 1, 0);
	tell((unsigned)type->rx);
	settle(type);
	assert_true(used((unsigned)type->rx));
	assert_int_equal(status(&w.t), 15);
}

/* After whatever there was. */
static inline void assert_works_after_reset(const struct device_type *type)
{
	bring_up(type, 8, BIT64(32) | type->with);
	assert_serves(type, 0);
	assert_receives(type, BIT64(32) | type->with);
}

/* ---- for each of them ------------------------------------------------------ */

/* A device on a transport: what a test is about. */
struct subject {
	const struct device_type *type;
	bool pci;
};

static inline int setup(void **state)
{
	const struct subject *subject = *state;

	memset(&w, 0, sizeof(w));
	w.ram = calloc(1, RAM);
	assert_non_null(w.ram);
	assert_int_equal(gmem_add(&w.gm, 0, RAM, w.ram), 0);
	fake_loop_init(&w.t.fl, 1);
	subject->type->make();
	w.queues = w.vd->queues;
	assert_in_range(w.queues, 1, QUEUES_MAX);
	transport_make(&w.t, subject->pci, w.vd);
	return 0;
}

static inline int teardown(void **state)
{
	unsigned i;

	transport_done(&w.t);
	for (i = 0; i < QUEUES_MAX; i++)
		vdrv_done(&w.drv[i]);
	if (w.fn.net.ops)
		fake_net_done(&w.fn);
	free(w.ram);
	return 0;
}

#endif
