/* SPDX-License-Identifier: MIT */
/*
 * unix_socket.h: stream sockets in the file system (unix(7)). All descriptors are
 * non-blocking and closed on exec.
 */
#ifndef TRAPMAP_BACKEND_UNIX_SOCKET_H
#define TRAPMAP_BACKEND_UNIX_SOCKET_H

#include <sys/types.h>

struct unix_listener {
	int fd; /* -1: none */
	char *path;
	dev_t dev;
	ino_t ino;
};

#define UNIX_LISTENER_INIT \
	{                  \
		.fd = -1   \
	}

/* The longest path that a socket can have, in bytes. */
#define UNIX_SOCKET_PATH_MAX 107

/*
 * Makes a socket at path and listens. Returns 0 or -errno: -EADDRINUSE (something
 * has that name, be it a socket without a program), -ENAMETOOLONG ...
 */
int unix_listener_init(struct unix_listener *l, const char *path, int backlog);

/* Removes it from the file system, if it is still there. */
void unix_listener_done(struct unix_listener *l);

/* The next client. Returns its descriptor or -errno, -EAGAIN for none. */
int unix_listener_accept(int listen_fd);

/* Returns a descriptor or -errno; -EAGAIN where the listener's queue is full. */
int unix_socket_connect(const char *path);

#endif
