/* SPDX-License-Identifier: MIT */
/* disk.h: a disk as it was asked for, and how it becomes a device. */
#ifndef TRAPMAP_DISK_H
#define TRAPMAP_DISK_H

#include <stdbool.h>

#include "error.h"

struct gmem;
struct loop;
struct virtio_device;

struct disk {
	char *name; /* for messages: the path, or "file descriptor 7" */
	int fd; /* ours; -1: name is a path */
	bool read_only, direct;
	char *serial;
	void (*failed)(void *opaque, int err); /* trapmap_disk.failed */
	void *opaque;
};

void disk_done(struct disk *disk);

/*
 * Opens the image and makes a block device of it, with as many queues as are any
 * good for that many processors. Returns 0, or -errno with *err.
 */
int disk_device(const struct disk *disk, const struct gmem *ram, unsigned cpus,
		struct loop *loop, struct virtio_device **ret_vd,
		struct error *err);

#endif
