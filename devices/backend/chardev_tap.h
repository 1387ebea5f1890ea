/* SPDX-License-Identifier: MIT */
/*
 * chardev_tap.h: stands between a device and its back end, and shows what the
 * device sends to a third.
 */
#ifndef TRAPMAP_BACKEND_CHARDEV_TAP_H
#define TRAPMAP_BACKEND_CHARDEV_TAP_H

#include <stddef.h>
#include <stdint.h>

struct chardev;

struct chardev_tap_config {
	struct chardev *under; /* the back end. Outlives the tap */
	/*
	 * Output, after the back end has taken it. Any thread, with the
	 * device's lock held.
	 */
	void (*output)(void *opaque, const uint8_t *buf, size_t len);
	void *opaque;
};

/* Returns 0 or -ENOMEM. Released by chardev_free(), which leaves `under`. */
int chardev_tap_new(const struct chardev_tap_config *config,
		    struct chardev **ret_chr);

#endif
