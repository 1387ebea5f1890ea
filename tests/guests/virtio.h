/* SPDX-License-Identifier: MIT */
/*
 * virtio.h: a driver's side of virtio-mmio (VIRTIO 1.2, 4.2) with split rings (2.7)
 * that are looked at and not interrupted for: one request at a time and queue.
 */
#ifndef GUESTS_VIRTIO_H
#define GUESTS_VIRTIO_H

#include "guest.h"

#define VIRTIO_FIRST 0xd0000000u
#define VIRTIO_STEP 0x1000u
#define VIRTIO_TRANSPORTS 8
#define VIRTIO_SIZE 32 /* of a queue */

/* Table 4.1 */
enum {
	MAGIC = 0x00, DEVICE_ID = 0x08,
	DEVICE_FEATURES = 0x10, DEVICE_FEATURES_SEL = 0x14,
	DRIVER_FEATURES = 0x20, DRIVER_FEATURES_SEL = 0x24,
	QUEUE_SEL = 0x30, QUEUE_NUM_MAX = 0x34, QUEUE_NUM = 0x38,
	QUEUE_READY = 0x44, QUEUE_NOTIFY = 0x50, STATUS = 0x70,
	QUEUE_DESC = 0x80, QUEUE_DRIVER = 0x90, QUEUE_DEVICE = 0xa0,
	CONFIG = 0x100,
};

struct virtio_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
};

/* Flags, index, entries. */
struct virtio_ring {
	struct virtio_desc desc[VIRTIO_SIZE] __attribute__((aligned(16)));
	volatile uint16_t driver[2 + VIRTIO_SIZE + 1] __attribute__((aligned(16)));
	volatile uint16_t device[2 + 4 * VIRTIO_SIZE + 1]
		__attribute__((aligned(16)));
	uint16_t avail, used;
};

static inline uint32_t virtio_get(uint32_t base, uint32_t reg)
{
	return mmio_read32(base + reg);
}

static inline void virtio_put(uint32_t base, uint32_t reg, uint32_t val)
{
	mmio_write32(base + reg, val);
}

/* The n-th device of a kind, or 0. */
static inline uint32_t virtio_find(uint32_t id, unsigned n)
{
	uint32_t base;
	unsigned i;

	map_page(VIRTIO_FIRST);
	for (i = 0; i < VIRTIO_TRANSPORTS; i++) {
		base = VIRTIO_FIRST + i * VIRTIO_STEP;
		if (virtio_get(base, MAGIC) == 0x74726976 &&
		    virtio_get(base, DEVICE_ID) == id && n-- == 0)
			return base;
	}
	return 0;
}

/* From a reset to FEATURES_OK (3.1.1). Returns those of `wanted` that it got. */
static inline uint32_t virtio_begin(uint32_t base, uint32_t wanted)
{
	virtio_put(base, STATUS, 0);
	CHECK_EQ(virtio_get(base, STATUS), 0);
	virtio_put(base, STATUS, 1);
	virtio_put(base, STATUS, 3);
	virtio_put(base, DEVICE_FEATURES_SEL, 0);
	wanted &= virtio_get(base, DEVICE_FEATURES);
	virtio_put(base, DRIVER_FEATURES_SEL, 0);
	virtio_put(base, DRIVER_FEATURES, wanted);
	virtio_put(base, DRIVER_FEATURES_SEL, 1);
	virtio_put(base, DRIVER_FEATURES, 1); /* VIRTIO_F_VERSION_1 */
	virtio_put(base, STATUS, 11);
	CHECK_EQ(virtio_get(base, STATUS), 11);
	return wanted;
}

static inline void virtio_put64(uint32_t base, uint32_t reg, volatile void *p)
{
	virtio_put(base, reg, (uint32_t)(uintptr_t)p);
	virtio_put(base, reg + 4, (uint32_t)((uintptr_t)p >> 32));
}

static inline void virtio_queue(uint32_t base, unsigned queue,
				struct virtio_ring *ring)
{
	memset(ring, 0, sizeof(*ring));
	virtio_put(base, QUEUE_SEL, queue);
	CHECK(virtio_get(base, QUEUE_NUM_MAX) >= VIRTIO_SIZE);
	virtio_put(base, QUEUE_NUM, VIRTIO_SIZE);
	virtio_put64(base, QUEUE_DESC, ring->desc);
	virtio_put64(base, QUEUE_DRIVER, ring->driver);
	virtio_put64(base, QUEUE_DEVICE, ring->device);
	virtio_put(base, QUEUE_READY, 1);
	CHECK_EQ(virtio_get(base, QUEUE_READY), 1);
}

static inline void virtio_run(uint32_t base)
{
	virtio_put(base, STATUS, 15);
	CHECK_EQ(virtio_get(base, STATUS), 15);
}

/* A buffer of n parts that begin at descriptor 0; those from `in` on to be written. */
static inline void virtio_offer(uint32_t base, unsigned queue,
				struct virtio_ring *ring, unsigned n,
				unsigned in)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		ring->desc[i].flags = (uint16_t)((i + 1 < n) | (i >= in) << 1);
		ring->desc[i].next = (uint16_t)(i + 1);
	}
	ring->driver[2 + ring->avail % VIRTIO_SIZE] = 0;
	asm volatile("" ::: "memory");
	ring->driver[1] = ++ring->avail;
	asm volatile("lock addl $0, -4(%%rsp)" ::: "memory", "cc");
	virtio_put(base, QUEUE_NOTIFY, queue);
}

static inline bool virtio_answered(const struct virtio_ring *ring)
{
	return ring->device[1] != ring->used;
}

/* Returns how many bytes were written. */
static inline uint32_t virtio_wait(struct virtio_ring *ring)
{
	unsigned slot = ring->used % VIRTIO_SIZE;

	while (!virtio_answered(ring))
		cpu_relax();
	ring->used++;
	return ring->device[2 + 4 * slot + 2];
}

#endif
