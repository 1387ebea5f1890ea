/* SPDX-License-Identifier: MIT */
/*
 * fd_sink.h: writes to a descriptor that belongs to somebody else, without
 * blocking and without a change to its flags.
 */
#ifndef TRAPMAP_BACKEND_FD_SINK_H
#define TRAPMAP_BACKEND_FD_SINK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum fd_sink_kind {
	/*
	 * write(): to a file that does not make one wait, or to a description
	 * of our own, with O_NONBLOCK, of a terminal or pipe, or to the master
	 * of a pseudo terminal that has it.
	 */
	FD_SINK_WRITE,
	/* send() with MSG_DONTWAIT. */
	FD_SINK_SEND,
	/*
	 * A terminal or pipe that could not be opened anew: poll(), then a
	 * piece so small that what poll() found has room for it.
	 */
	FD_SINK_POLL,
};

struct fd_sink {
	enum fd_sink_kind kind;
	int fd; /* always one of our own; for a watch too */
	size_t piece; /* for FD_SINK_POLL */
};

/* fd stays the caller's and may be closed. Returns 0 or -errno. */
int fd_sink_init(struct fd_sink *sink, int fd);

void fd_sink_done(struct fd_sink *sink);

/*
 * Returns how many bytes went, at least 1, or -errno: -EAGAIN where it would
 * have to wait. Needs SIGPIPE to be blocked. One thread at a time.
 */
ssize_t fd_sink_write(struct fd_sink *sink, const uint8_t *buf, size_t len);

#endif
