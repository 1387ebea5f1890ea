/* SPDX-License-Identifier: MIT */
/*
 * vsock.h: the contract between the socket device and the host's sockets behind it.
 *
 * All is called on the loop's thread, the functions of the back end with the
 * device's lock held, those of the front with none. Nothing waits.
 */
#ifndef TRAPMAP_BACKEND_VSOCK_H
#define TRAPMAP_BACKEND_VSOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

/* The host's end of a connection. */
struct vsock_stream;

struct vsock_stream_ops {
	/*
	 * Returns how many bytes, 0 at the end of what comes, or -errno, of which
	 * -EAGAIN is no failure.
	 */
	ssize_t (*read)(struct vsock_stream *s, struct iovec *iov,
			unsigned count);
	ssize_t (*write)(struct vsock_stream *s, const void *buf, size_t len);
	/* The guest has taken an incoming connection, for it from that port. */
	void (*accepted)(struct vsock_stream *s, uint32_t host_port);
	/* Nothing more will be read, or written. */
	void (*shut)(struct vsock_stream *s, bool reading, bool writing);
	/* LOOP_IN and LOOP_OUT: when front.ready() is to be called. Any thread. */
	void (*want)(struct vsock_stream *s, unsigned events);
	/* Without the lock. */
	void (*free)(struct vsock_stream *s);
};

struct vsock_stream {
	const struct vsock_stream_ops *ops;
	void *opaque; /* the device's, for ready() */
};

struct vsock_front {
	/*
	 * Somebody wants to be connected to a port of the guest's. Returns
	 * whether the stream is the device's now.
	 */
	bool (*incoming)(void *opaque, struct vsock_stream *s,
			 uint32_t guest_port);
	/* Of the stream's opaque. */
	void (*ready)(void *opaque, unsigned events);
	void *opaque;
};

struct vsock_host;

struct vsock_host_ops {
	/* Once, before anything else. *front is copied. No lock. */
	void (*attach)(struct vsock_host *host, const struct vsock_front *front);
	/* The guest wants to be connected to a port of the host's. 0 or -errno. */
	int (*connect)(struct vsock_host *host, uint32_t port,
		       struct vsock_stream **ret_stream);
	/* After all streams. No lock. */
	void (*free)(struct vsock_host *host);
};

struct vsock_host {
	const struct vsock_host_ops *ops;
};

#endif
