/* SPDX-License-Identifier: MIT */
/*
 * vsock_unix.h: the host's side of the socket device as unix sockets, by the
 * convention that Firecracker has made known.
 *
 * A client of the socket at PATH says "CONNECT PORT\n" and, when the guest has taken
 * the connection, is answered "OK HOST_PORT\n"; one that the guest refuses is
 * closed. What the guest connects to, port P, is the unix socket PATH_P.
 */
#ifndef TRAPMAP_BACKEND_VSOCK_UNIX_H
#define TRAPMAP_BACKEND_VSOCK_UNIX_H

struct loop;
struct vsock_host;

/* Room for the longest PATH_P. */
#define VSOCK_UNIX_PATH_MAX 96

/* Returns 0 or -errno, of which those of unix_listener_init(). */
int vsock_unix_new(struct loop *loop, const char *path,
		   struct vsock_host **ret_host);

#endif
