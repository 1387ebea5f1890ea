/* SPDX-License-Identifier: MIT */
/*
 * chardev_fd.h: characters from one file descriptor and to another.
 *
 * Output is gathered and written by the loop's thread about a millisecond
 * after its first byte, so a console costs the guest no system call a byte. No
 * descriptor's flags are changed, and the loop's thread never blocks in a
 * write: a terminal or pipe is opened anew through /proc/self/fd with
 * O_NONBLOCK, a socket is sent to with MSG_DONTWAIT. SIGPIPE is blocked in the
 * loop's thread.
 */
#ifndef TRAPMAP_BACKEND_CHARDEV_FD_H
#define TRAPMAP_BACKEND_CHARDEV_FD_H

#include <stdbool.h>
#include <stddef.h>

struct chardev;
struct loop;

struct chardev_fd_config {
	struct loop *loop; /* outlives the back end */
	int in_fd; /* -1: no input. Stays the caller's */
	int out_fd; /* -1: output vanishes. Stays the caller's */

	/*
	 * More than CHARDEV_FD_HIGH bytes wait for the reader (true), fewer
	 * than CHARDEV_FD_LOW again (false), in turns. Any thread, with the
	 * back end's lock held: it may call chardev_fd_pending(), no more.
	 * This one and the next two may be NULL.
	 */
	void (*throttle)(void *opaque, bool on);
	/* All that waited is out. The loop's thread, no lock held. */
	void (*drained)(void *opaque);
	/*
	 * Output failed with -err for good (EPIPE, ENOSPC, EIO ...); from now
	 * on it vanishes. Called once, before drained(). The loop's thread, no
	 * lock held.
	 */
	void (*failed)(void *opaque, int err);
	void *opaque;
};

#define CHARDEV_FD_HIGH (64u * 1024)
#define CHARDEV_FD_LOW (16u * 1024)

/*
 * Returns 0 or -errno. Released by chardev_free(), with which what still waits
 * is lost. Input starts when a front is attached.
 */
int chardev_fd_new(const struct chardev_fd_config *config,
		   struct chardev **ret_chr);

/* Bytes that wait for the reader. Any thread. */
size_t chardev_fd_pending(struct chardev *chr);

/* Drops them, and returns how many they were. Any thread. */
size_t chardev_fd_discard(struct chardev *chr);

#endif
