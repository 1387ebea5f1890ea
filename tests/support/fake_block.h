/* SPDX-License-Identifier: MIT */
/*
 * fake_block.h: an image in memory whose requests finish when the test says so, in
 * the order and with the result that it likes.
 */
#ifndef TRAPMAP_TEST_FAKE_BLOCK_H
#define TRAPMAP_TEST_FAKE_BLOCK_H

#include <stdint.h>

#include "backend/block.h"

#define FAKE_BLOCK_MAX 1024

struct fake_block {
	struct block block; /* what the device is given; the test may set info */
	uint8_t *data; /* of info.size bytes; the test's */
	struct block_request *pending[FAKE_BLOCK_MAX];
	unsigned count, most; /* pending: now, and at most so far */
	struct block_request *finished[FAKE_BLOCK_MAX];
	unsigned finished_count;
	unsigned submitted, kicks, drains, freed;
	void (*ready)(void *opaque);
	void *opaque;
};

void fake_block_init(struct fake_block *fb, uint8_t *data, uint64_t size);

/*
 * Finishes the n-th of those that are pending: with err 0 it is done first. The
 * device hears of it from fake_block_ready().
 */
void fake_block_finish(struct fake_block *fb, unsigned n, int err);
void fake_block_ready(struct fake_block *fb);

/* All that is pending, until nothing is. */
void fake_block_run(struct fake_block *fb);

#endif
