/* SPDX-License-Identifier: MIT */
/*
 * port_fd.h: a port between two file descriptors, or behind a listening socket or a
 * pseudo terminal, of which one client after the other is the host's side.
 *
 * What comes in small pieces is gathered for about a millisecond, large pieces are
 * written straight from where they lie. No descriptor's flags are changed, and
 * nothing waits; see fd_sink.h.
 */
#ifndef TRAPMAP_BACKEND_PORT_FD_H
#define TRAPMAP_BACKEND_PORT_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct port;

struct port_fd_config {
	struct loop *loop; /* outlives the back end */
	/* -1: none. They stay the caller's, and open until it is freed. */
	int in_fd;
	int out_fd;
	/*
	 * A listening stream socket, in place of both; -1: none. Stays the
	 * caller's. As long as nobody is connected output vanishes.
	 */
	int listen_fd;
	/* The same: the master of a pseudo terminal, see pty.h; -1: none. */
	int pty_fd;
	/*
	 * Of listen_fd and pty_fd: how many bytes of output are kept while nobody
	 * is there, the latest, for whoever comes next; up to PORT_FD_HIGH.
	 */
	size_t keep;
	/*
	 * write() takes all of it, however much waits: for a device that cannot
	 * wait. throttle() is to keep that within bounds.
	 */
	bool takes_all;

	/* Each of these may be NULL. */

	/*
	 * Output, as it was taken. Any thread, with the device's lock and the
	 * back end's held.
	 */
	void (*output)(void *opaque, const uint8_t *buf, size_t len);
	/*
	 * More than PORT_FD_HIGH bytes wait for the reader (true), fewer than
	 * PORT_FD_LOW again (false), in turns; and false if it is freed between.
	 * As output().
	 */
	void (*throttle)(void *opaque, bool on);
	/* All that was taken is out. The loop's thread, no lock held. */
	void (*drained)(void *opaque);
	/*
	 * Output failed with -err for another reason than that the reader is
	 * gone, and vanishes from now on. Called once, before drained(). The
	 * loop's thread, no lock held.
	 */
	void (*failed)(void *opaque, int err);
	void *opaque;
};

#define PORT_FD_HIGH (64u * 1024)
#define PORT_FD_LOW (16u * 1024)

/*
 * Of two descriptors somebody is there until a write fails, or until the input
 * ends where there is no output. Returns 0 or -errno.
 */
int port_fd_new(const struct port_fd_config *config, struct port **ret_port);

#endif
