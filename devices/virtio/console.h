/* SPDX-License-Identifier: MIT */
/*
 * console.h: the console device (VIRTIO 1.2, 5.3) with its ports, some of which are
 * consoles. What is on the host's side of each is backend/port.h.
 */
#ifndef TRAPMAP_VIRTIO_CONSOLE_H
#define TRAPMAP_VIRTIO_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "virtio/virtio.h"

struct port;

#define VIRTIO_CONSOLE_PORTS_MAX 31
#define VIRTIO_CONSOLE_NAME_MAX 63

struct virtio_console_port {
	/* NULL: there is no such port. The device's after success. */
	struct port *back;
	const char *name;    /* copied; NULL: a console */
	uint16_t cols, rows; /* of a console; 0: not known */
	/*
	 * The driver has opened the port, or closed it again, and what it wrote
	 * before has been taken. With the device's lock held. May be NULL.
	 */
	void (*opened)(void *opaque, bool open);
	void *opaque;
};

struct virtio_console_config {
	const struct gmem *ram;
	/*
	 * By number. A driver without MULTIPORT knows but port 0, and takes it
	 * for a console.
	 */
	const struct virtio_console_port *port;
	unsigned ports; /* up to VIRTIO_CONSOLE_PORTS_MAX */
	/* See virtio_console_finish(). The I/O thread, with the lock. */
	void (*drained)(void *opaque);
	void *opaque;
};

/* Returns 0 or -ENOMEM. */
int virtio_console_new(const struct virtio_console_config *config,
		       struct virtio_device **ret_vd);

/*
 * A console has so many columns and rows from now on. Without the lock. Returns 0 or
 * -ENOENT (no such port, or not a console).
 */
int virtio_console_resize(struct virtio_device *vd, unsigned port,
			  uint16_t cols, uint16_t rows);

/*
 * The driver will do no more: takes what it has given, as far as the readers let us.
 * Where that is not all (false) drained() is called once it is. The I/O thread,
 * without the lock.
 */
bool virtio_console_finish(struct virtio_device *vd);

/*
 * Output that has not reached its readers, in bytes; of what is still in the
 * driver's queues it is a part, but not nothing. Any thread, without the lock.
 */
size_t virtio_console_pending(struct virtio_device *vd);

/* Drops it, all of it, and returns how much it was. Any thread, without the lock. */
size_t virtio_console_discard(struct virtio_device *vd);

#endif
