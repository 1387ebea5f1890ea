// SPDX-License-Identifier: MIT
/*
 * A record is a length and the frame, at a multiple of ALIGN. One that would reach
 * over the end of the ring begins at its front instead, and SKIP is left where it
 * would have been.
 */
#include "backend/frame_ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"

#define ALIGN 8u
#define SKIP UINT32_MAX

int frame_ring_init(struct frame_ring *ring, size_t size)
{
	ring->mem = malloc(size);
	if (!ring->mem)
		return -ENOMEM;
	ring->size = size;
	atomic_init(&ring->head, 0);
	atomic_init(&ring->tail, 0);
	return 0;
}

void frame_ring_done(struct frame_ring *ring)
{
	free(ring->mem);
	ring->mem = NULL;
}

static size_t record_len(size_t len)
{
	return align_up(ALIGN + len, ALIGN);
}

static uint8_t *at(const struct frame_ring *ring, size_t pos)
{
	return ring->mem + (pos & (ring->size - 1));
}

/* What is passed over for a record to lie in one piece. */
static size_t gap(const struct frame_ring *ring, size_t tail, size_t record)
{
	size_t to_end = ring->size - (tail & (ring->size - 1));

	return record <= to_end ? 0 : to_end;
}

void *frame_ring_room(struct frame_ring *ring, size_t len)
{
	size_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	/* Pairs with frame_ring_drop(): what was there has been read. */
	size_t head = atomic_load(&ring->head);
	size_t record = record_len(len), skip = gap(ring, tail, record);

	if (ring->size - (tail - head) < skip + record)
		return NULL;
	return at(ring, tail + skip) + ALIGN;
}

void frame_ring_put(struct frame_ring *ring, size_t len)
{
	size_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	size_t record = record_len(len), skip = gap(ring, tail, record);
	uint32_t mark = SKIP, len32 = (uint32_t)len;

	if (skip)
		memcpy(at(ring, tail), &mark, sizeof(mark));
	memcpy(at(ring, tail + skip), &len32, sizeof(len32));
	atomic_store(&ring->tail, tail + skip + record);
}

/* Where the first record begins, behind what is passed over. */
static size_t first(const struct frame_ring *ring, uint32_t *ret_len)
{
	size_t pos = atomic_load_explicit(&ring->head, memory_order_relaxed);
	uint32_t len;

	memcpy(&len, at(ring, pos), sizeof(len));
	if (len == SKIP) {
		pos += ring->size - (pos & (ring->size - 1));
		memcpy(&len, at(ring, pos), sizeof(len));
	}
	*ret_len = len;
	return pos;
}

void *frame_ring_first(struct frame_ring *ring, size_t *ret_len)
{
	uint32_t len = 0;
	size_t pos;

	if (frame_ring_used(ring) == 0)
		return NULL;
	pos = first(ring, &len);
	*ret_len = len;
	return at(ring, pos) + ALIGN;
}

void frame_ring_drop(struct frame_ring *ring)
{
	uint32_t len = 0;
	size_t pos = first(ring, &len);

	atomic_store(&ring->head, pos + record_len(len));
}

size_t frame_ring_used(const struct frame_ring *ring)
{
	/* Pairs with frame_ring_put(), for the reader. */
	size_t head = atomic_load(&ring->head);

	return atomic_load(&ring->tail) - head;
}
