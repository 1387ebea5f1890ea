/* SPDX-License-Identifier: MIT */
/*
 * frame_ring.h: frames on their way from one thread to another, in order. One
 * thread writes and one reads, without a lock; there is room for a fixed number of
 * bytes, and who finds none decides what becomes of the frame.
 *
 * A frame lies in one piece, so that each side works on it in place.
 */
#ifndef TRAPMAP_BACKEND_FRAME_RING_H
#define TRAPMAP_BACKEND_FRAME_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct frame_ring {
	uint8_t *mem;
	size_t size; /* a power of two */
	/* Positions: they grow for ever, and wrap only as indices. */
	_Atomic size_t head; /* the reader's */
	_Atomic size_t tail; /* the writer's */
};

/*
 * size is a power of two, and each frame less than half of it. Returns 0 or
 * -ENOMEM. frame_ring_done() accepts one that is all zero.
 */
int frame_ring_init(struct frame_ring *ring, size_t size);
void frame_ring_done(struct frame_ring *ring);

/* The writer: room for a frame of len bytes, or NULL. */
void *frame_ring_room(struct frame_ring *ring, size_t len);
/* The writer: the frame is there. len as it was asked for. */
void frame_ring_put(struct frame_ring *ring, size_t len);

/* The reader: the first frame, which stays until it is dropped; or NULL. */
void *frame_ring_first(struct frame_ring *ring, size_t *ret_len);
void frame_ring_drop(struct frame_ring *ring);

/* Either: bytes that are taken up. 0: it is empty. */
size_t frame_ring_used(const struct frame_ring *ring);

#endif
