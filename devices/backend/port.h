/* SPDX-License-Identifier: MIT */
/*
 * port.h: the contract between a port of the console device and the host's side of
 * it. Unlike a serial line's (chardev.h) it may be left alone, and found again, by
 * whoever is there; and it may take less than it is given, since a driver can wait.
 */
#ifndef TRAPMAP_BACKEND_PORT_H
#define TRAPMAP_BACKEND_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct port;

/* The device's side. Called on the loop's thread, with no lock held. */
struct port_front {
	/* How many bytes of input it would take now. */
	size_t (*room)(void *opaque);
	/* Input; len is at most what room() just said. */
	void (*receive)(void *opaque, const uint8_t *buf, size_t len);
	/* Somebody is there from now on, or nobody any more. */
	void (*connected)(void *opaque, bool on);
	/* After a write() that took less than it was given: it takes more. */
	void (*writable)(void *opaque);
	void *opaque;
};

struct port_ops {
	/*
	 * Once, before anything else. *front is copied. Returns whether somebody
	 * is there.
	 */
	bool (*attach)(struct port *port, const struct port_front *front);
	/*
	 * Output. Returns at once, and how much it has taken; where nobody is
	 * there, all of it, which vanishes. What it has not taken is read no
	 * more. Any thread, with the device's lock held.
	 */
	size_t (*write)(struct port *port, const uint8_t *buf, size_t len);
	/*
	 * There is room again after room() said 0. Any thread, with the
	 * device's lock held.
	 */
	void (*want_input)(struct port *port);
	/* Bytes that were taken and wait for the reader. Any thread. */
	size_t (*pending)(struct port *port);
	/* Drops them, and returns how many they were. Any thread. */
	size_t (*discard)(struct port *port);
	void (*free)(struct port *port);
};

struct port {
	const struct port_ops *ops;
};

static inline void *port_free(struct port *port)
{
	if (port)
		port->ops->free(port);
	return NULL;
}

#endif
