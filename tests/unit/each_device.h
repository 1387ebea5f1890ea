/* SPDX-License-Identifier: MIT */
/*
 * each_device.h: every virtio device with its fake of a host, and of each a request
 * that it has to serve. VIRTIO 1.2, 5, with numbers as numbers on purpose.
 */
#ifndef TRAPMAP_TEST_EACH_DEVICE_H
#define TRAPMAP_TEST_EACH_DEVICE_H

#include "each_transport.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "backend/p9.h"
#include "fake_block.h"
#include "fake_net.h"
#include "fake_port.h"
#include "fake_vsock.h"
#include "virtio/balloon.h"
#include "virtio/blk.h"
#include "virtio/console.h"
#include "virtio/net.h"
#include "virtio/p9.h"
#include "virtio/pmem.h"
#include "virtio/rng.h"
#include "virtio/vsock.h"

#define RAM MIB(4)
#define BUF 0x100000u /* 64 KiB of any content */
#define GIVEN 0x120000u /* a page for a balloon */
#define REQ(i) (0x140000u + (i) * 0x400u)
#define TABLE(i) (0x300000u + (i) * 0x100u)
#define DISK 0x10000u
#define QUEUES_MAX 8

static struct world {
	struct transport t;
	struct gmem gm;
	uint8_t *ram; /* of just this size, so that a byte too far shows */
	struct virtio_device *vd;
	struct vdrv drv[QUEUES_MAX];
	unsigned queues;
	bool slow; /* the host answers no more */
	bool called; /* vsock: somebody has */
	uint8_t disk[DISK];
	struct fake_block fb;
	struct fake_net fn;
	struct fake_port port[2];
	struct fake_vsock vsock;
	struct p9_server server;
	unsigned count; /* of what the device did for a request */
	const uint8_t *asked; /* pmem: where the last answer will be, or is */
} w;

struct device_type {
	const char *name;
	void (*make)(void);
	uint64_t with; /* features that are taken besides the ring's */
	/* The request and its queue; counted() then has grown by one. */
	unsigned queue;
	unsigned (*request)(unsigned i, struct vdrv_buf *bufs);
	unsigned (*counted)(void);
	/* What the host does on its own: gives, answers, asks. */
	void (*host)(void);
	/* Whether a request waits for as long as the host is slow. */
	bool waits;
	/* A queue whose buffers come back when the host does that; or -1. */
	int rx;
	bool rx_readable;
	uint64_t rx_needs, rx_not; /* features */
	/* Queues (bits) from which it takes all that is there. */
	unsigned takes;
	/* Features without which a driver does not use a queue. */
	uint64_t needs[QUEUES_MAX];
};

static inline unsigned in_one(unsigned i, struct vdrv_buf *bufs, uint32_t len)
{
	memset(w.ram + REQ(i), 0, len);
	bufs[0] = (struct vdrv_buf){ REQ(i), len, false };
	return 1;
}

static inline unsigned counted(void)
{
	return w.count;
}

static inline void host_does_nothing(void)
{
}

/* ---- rng ------------------------------------------------------------------ */

static inline int fill(void *opaque, void *buf, size_t len)
{
	memset(buf, 0x5a, len);
	w.count++;
	return 0;
}

static inline void make_rng(void)
{
	const struct virtio_rng_config config = { .ram = &w.gm, .fill = fill };

	assert_int_equal(virtio_rng_new(&config, &w.vd), 0);
}

static inline unsigned ask_rng(unsigned i, struct vdrv_buf *bufs)
{
	bufs[0] = (struct vdrv_buf){ REQ(i), 16, true };
	return 1;
}

/* ---- blk ------------------------------------------------------------------ */

static inline void make_blk(void)
{
	const struct virtio_blk_config config = {
		.ram = &w.gm,
		.blk = &w.fb.block,
		.queues = 2,
		.queue_size = 1024,
	};

	fake_block_init(&w.fb, w.disk, DISK);
	assert_int_equal(virtio_blk_new(&config, &w.vd), 0);
}

/* VIRTIO_BLK_T_IN of one sector. */
static inline unsigned ask_blk(unsigned i, struct vdrv_buf *bufs)
{
	in_one(i, bufs, 16);
	bufs[1] = (struct vdrv_buf){ REQ(i) + 16, 512, true };
	bufs[2] = (struct vdrv_buf){ REQ(i) + 528, 1, true };
	return 3;
}

static inline unsigned counted_blk(void)
{
	return w.fb.submitted;
}

static inline void host_of_blk(void)
{
	if (!w.slow)
		fake_block_run(&w.fb);
}

/* ---- net ------------------------------------------------------------------ */

static inline void make_net(void)
{
	const struct virtio_net_config config = {
		.ram = &w.gm,
		.net = &w.fn.net,
		.mac = { 0x52, 0x54, 0, 1, 2, 3 },
		.queues = 2,
		.queue_size = 1024,
	};

	fake_net_init(&w.fn);
	assert_int_equal(virtio_net_new(&config, &w.vd), 0);
}

static inline unsigned ask_net(unsigned i, struct vdrv_buf *bufs)
{
	return in_one(i, bufs, 12 + 60);
}

static inline unsigned counted_net(void)
{
	return w.fn.sends;
}

static inline void host_of_net(void)
{
	unsigned i;

	w.fn.send_error = w.slow ? -EAGAIN : 0;
	if (fake_net_waiting(&w.fn, 0) == 0 && !w.slow)
		fake_net_put(&w.fn, 0, 1, 60);
	for (i = 0; i < 2; i++)
		(void)fake_net_ready(&w.fn, i);
}

/* ---- console -------------------------------------------------------------- */

static inline void make_console(void)
{
	const struct virtio_console_port port[] = {
		{ .back = &w.port[0].port },
		{ .back = &w.port[1].port, .name = "results" },
	};
	const struct virtio_console_config config = {
		.ram = &w.gm,
		.port = port,
		.ports = ARRAY_SIZE(port),
	};

	fake_port_init(&w.port[0]);
	fake_port_init(&w.port[1]);
	assert_int_equal(virtio_console_new(&config, &w.vd), 0);
}

static inline unsigned ask_console(unsigned i, struct vdrv_buf *bufs)
{
	return in_one(i, bufs, 1);
}

static inline unsigned counted_console(void)
{
	return (unsigned)w.port[0].out_len;
}

static inline void host_of_console(void)
{
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(w.port); i++) {
		if (w.slow) {
			w.port[i].takes = 0;
			continue;
		}
		if (w.port[i].takes != SIZE_MAX)
			fake_port_take(&w.port[i], SIZE_MAX);
		(void)fake_port_type(&w.port[i], "x", 1);
	}
}

/* ---- vsock ---------------------------------------------------------------- */

static inline void make_vsock(void)
{
	const struct virtio_vsock_config config = {
		.ram = &w.gm,
		.cid = 42,
		.loop = &w.t.fl.loop,
		.host = &w.vsock.host,
	};

	fake_vsock_init(&w.vsock);
	w.vsock.listening = 80;
	assert_int_equal(virtio_vsock_new(&config, &w.vd), 0);
}

/* VIRTIO_VSOCK_OP_REQUEST from a port of its own. */
static inline unsigned ask_vsock(unsigned i, struct vdrv_buf *bufs)
{
	uint8_t *p = w.ram + REQ(i);

	in_one(i, bufs, 44);
	put_le64(p, 42);
	put_le64(p + 8, 2);
	put_le32(p + 16, 1000 + i);
	put_le32(p + 20, 80);
	put_le16(p + 28, 1);
	put_le16(p + 30, 1);
	put_le32(p + 36, 0x40000);
	return 1;
}

/* Those that the guest has opened. */
static inline unsigned counted_vsock(void)
{
	unsigned i, n = 0;

	for (i = 0; i < FAKE_STREAMS_MAX; i++)
		n += w.vsock.stream[i].used && !w.vsock.stream[i].freed &&
		     w.vsock.stream[i].port == 80;
	return n;
}

static inline void host_of_vsock(void)
{
	if (!w.slow && !w.called)
		w.called = fake_vsock_connect(&w.vsock, 7) != NULL;
}

/* ---- balloon -------------------------------------------------------------- */

static inline int discard(void *opaque, void *host, size_t len)
{
	const uint8_t *at = host;

	assert_true(at >= w.ram && len <= RAM &&
		    (size_t)(at - w.ram) <= RAM - len);
	w.count++;
	return 0;
}

static inline void make_balloon(void)
{
	const struct virtio_balloon_config config = {
		.ram = &w.gm,
		.target = MIB(1),
		.reporting = true,
		.deflate_on_oom = true,
		.discard = discard,
	};

	assert_int_equal(virtio_balloon_new(&config, &w.vd), 0);
}

static inline unsigned ask_balloon(unsigned i, struct vdrv_buf *bufs)
{
	in_one(i, bufs, 4);
	put_le32(w.ram + REQ(i), GIVEN >> 12);
	return 1;
}

static inline void host_of_balloon(void)
{
	struct virtio_balloon_stats stats;

	if (!w.slow)
		virtio_balloon_get_stats(w.vd, true, &stats);
}

/* ---- 9p ------------------------------------------------------------------- */

static inline uint32_t serve_9p(struct p9_server *server,
				const struct p9_message *m)
{
	const uint8_t answer[11] = { 11 };

	/* So that a reset finds it at work. */
	if (__atomic_load_n(&w.slow, __ATOMIC_RELAXED))
		nanosleep(&(const struct timespec){ .tv_nsec = 20000000 },
			  NULL);
	__atomic_add_fetch(&w.count, 1, __ATOMIC_RELAXED);
	return (uint32_t)virtq_copy_in(m->chain, 0, answer, sizeof(answer));
}

static inline void nothing_9p(struct p9_server *server)
{
}

static inline void make_9p(void)
{
	static const struct p9_server_ops ops = {
		.serve = serve_9p,
		.reset = nothing_9p,
		.free = nothing_9p,
	};
	const struct virtio_9p_config config = { .ram = &w.gm,
						 .server = &w.server,
						 .tag = "tag" };

	w.server.ops = &ops;
	assert_int_equal(virtio_9p_new(&config, &w.vd), 0);
}

static inline unsigned ask_9p(unsigned i, struct vdrv_buf *bufs)
{
	in_one(i, bufs, 11);
	w.ram[REQ(i)] = 11;
	w.ram[REQ(i) + 4] = 50;
	put_le16(w.ram + REQ(i) + 5, (uint16_t)i);
	bufs[1] = (struct vdrv_buf){ REQ(i) + 16, 64, true };
	return 2;
}

/* Its threads are at work: waits until they are not, at most ten seconds. */
static inline void host_of_9p(void)
{
	unsigned i;
	bool busy = true;

	for (i = 0; !w.slow && busy && i < 20000; i++) {
		if (i > 0)
			nanosleep(&(const struct timespec){ .tv_nsec = 500000 },
				  NULL);
		device_lock(w.t.dev);
		busy = w.vd->queue[0].q.in_flight && !w.vd->queue[0].q.broken;
		device_unlock(w.t.dev);
	}
	assert_true(!busy || w.slow);
}

/* ---- pmem ----------------------------------------------------------------- */

static inline void make_pmem(void)
{
	const struct virtio_pmem_config config = { .ram = &w.gm,
						   .start = 0x100000000,
						   .size = 0x200000 };

	assert_int_equal(virtio_pmem_new(&config, &w.vd), 0);
}

/* VIRTIO_PMEM_REQ_TYPE_FLUSH. */
static inline unsigned ask_pmem(unsigned i, struct vdrv_buf *bufs)
{
	in_one(i, bufs, 4);
	w.asked = memset(w.ram + REQ(i) + 8, 0xee, 4);
	bufs[1] = (struct vdrv_buf){ REQ(i) + 8, 4, true };
	return 2;
}

/* The host has no part in it: what tells is the answer, which counts once. */
static inline unsigned counted_pmem(void)
{
	if (w.asked && get_le32(w.asked) == 0) {
		w.count++;
		w.asked = NULL;
	}
	return w.count;
}

#endif
