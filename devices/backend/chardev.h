/* SPDX-License-Identifier: MIT */
/*
 * chardev.h: the contract between a device that moves characters (a UART, a
 * console) and the host's side of the line.
 */
#ifndef TRAPMAP_BACKEND_CHARDEV_H
#define TRAPMAP_BACKEND_CHARDEV_H

#include <stddef.h>
#include <stdint.h>

struct chardev;

/* The device's side. Called on the loop's thread, with no lock held. */
struct chardev_front {
	/* How many bytes of input it would take now. */
	size_t (*room)(void *opaque);
	/* Input; len is at most what room() just said. */
	void (*receive)(void *opaque, const uint8_t *buf, size_t len);
	void *opaque;
};

struct chardev_ops {
	/* Once, before anything else. *front is copied. */
	void (*attach)(struct chardev *chr, const struct chardev_front *front);
	/*
	 * Output. Takes all of it and never waits: where the reader is slow
	 * the back end asks the board to hold the vCPUs. Any thread, with the
	 * device's lock held.
	 */
	void (*write)(struct chardev *chr, const uint8_t *buf, size_t len);
	/*
	 * There is room again after room() said 0. Any thread, with the
	 * device's lock held.
	 */
	void (*want_input)(struct chardev *chr);
	/*
	 * Of a back end: bytes that wait for the reader; and drops them, and
	 * returns how many they were. Any thread. NULL where there is another
	 * back end underneath.
	 */
	size_t (*pending)(struct chardev *chr);
	size_t (*discard)(struct chardev *chr);
	void (*free)(struct chardev *chr);
};

struct chardev {
	const struct chardev_ops *ops;
};

static inline void *chardev_free(struct chardev *chr)
{
	if (chr)
		chr->ops->free(chr);
	return NULL;
}

#endif
