/* SPDX-License-Identifier: MIT */
/*
 * fake_chardev.h: the other end of a serial line under a test's hand. It keeps
 * what the device sends, and types only as fast as the device has room.
 */
#ifndef TRAPMAP_TEST_FAKE_CHARDEV_H
#define TRAPMAP_TEST_FAKE_CHARDEV_H

#include <stddef.h>
#include <stdint.h>

#include "backend/chardev.h"

struct fake_chardev {
	struct chardev chr; /* what the device is given */
	struct chardev_front front;
	uint8_t out[4096]; /* the first of what the device sent */
	size_t out_len; /* how much that was; may exceed sizeof(out) */
	unsigned wants; /* calls of want_input() */
};

void fake_chardev_init(struct fake_chardev *fc);

/* Asks for room and gives as much of buf as fits; returns how much. */
size_t fake_chardev_type(struct fake_chardev *fc, const void *buf, size_t len);

#endif
