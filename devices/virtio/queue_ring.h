/* SPDX-License-Identifier: MIT */
/*
 * queue_ring.h: what queue.c, queue_split.c and queue_packed.c share. Nobody else
 * includes it. Fields are little-endian, as the host is.
 */
#ifndef TRAPMAP_VIRTIO_QUEUE_RING_H
#define TRAPMAP_VIRTIO_QUEUE_RING_H

#include <string.h>

#include "core/base.h"
#include "virtio/queue.h"

#define VIRTQ_DESC_F_NEXT BIT(0)
#define VIRTQ_DESC_F_WRITE BIT(1)
#define VIRTQ_DESC_F_INDIRECT BIT(2)

/* 2.7.5 and 2.8.13; also of an entry of an indirect table. */
#define VIRTQ_DESC_LEN 16u

/* One ring format. The queue is started and not broken. */
struct virtq_gather;
struct virtq_format {
	uint32_t driver_align;
	uint32_t (*driver_len)(uint32_t size);
	uint32_t (*device_len)(uint32_t size);
	/* 1 with a chain gathered, 0, or -EPROTO by virtq_fail(). */
	int (*pop)(struct virtq *q, struct virtq_gather *g);
	void (*hold)(struct virtq *q, const struct virtq_chain *chain,
		     uint32_t written);
	void (*publish)(struct virtq *q);
	/* After q->unsignalled more entries, with a full fence before. */
	bool (*wants_interrupt)(struct virtq *q);
	void (*set_notify)(struct virtq *q, bool on);
	/* Is there anything to pop, be it nonsense? */
	bool (*pending)(struct virtq *q);
};

extern const struct virtq_format virtq_split, virtq_packed;

/* A chain in the making. */
struct virtq_gather {
	struct virtq *q;
	struct virtq_chain chain;
	unsigned seen; /* descriptors, empty ones too */
	bool writable; /* one of them was */
};

/* Breaks the queue. Returns -EPROTO. */
int virtq_fail(struct virtq *q, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The next buffer of the chain. 0 or -EPROTO. */
int virtq_gather_add(struct virtq_gather *g, gpa_t addr, uint32_t len,
		     bool write);

/* The indirect table that a descriptor refers to. 0 or -EPROTO. */
int virtq_gather_table(struct virtq_gather *g, gpa_t addr, uint32_t len,
		       const uint8_t **ret_table, uint32_t *ret_entries);

/*
 * A private copy of what the guest may be changing: the compiler must not go back
 * for a second look.
 */
static inline void read_once(void *dst, const void *src, size_t len)
{
	memcpy(dst, src, len);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/* The words of a ring that both sides look at while the other writes. */
static inline uint16_t ring_load(const uint8_t *at)
{
	return __atomic_load_n((const uint16_t *)(const void *)at,
			       __ATOMIC_RELAXED);
}

static inline uint16_t ring_load_acquire(const uint8_t *at)
{
	return __atomic_load_n((const uint16_t *)(const void *)at,
			       __ATOMIC_ACQUIRE);
}

static inline void ring_store(uint8_t *at, uint16_t val)
{
	__atomic_store_n((uint16_t *)(void *)at, val, __ATOMIC_RELAXED);
}

static inline void ring_store_release(uint8_t *at, uint16_t val)
{
	__atomic_store_n((uint16_t *)(void *)at, val, __ATOMIC_RELEASE);
}

#endif
