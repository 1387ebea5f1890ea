/* SPDX-License-Identifier: MIT */
/*
 * guard.h: a tiny process that puts the terminal back in order when this one
 * dies in a way that no handler sees: SIGKILL, or a crash in a thread that has
 * its signals blocked.
 */
#ifndef TRAPMAP_CLI_GUARD_H
#define TRAPMAP_CLI_GUARD_H

#include <sys/types.h>
#include <termios.h>

struct guard {
	pid_t pid;
	int fd; /* its end of life is the pipe's; -1: no guard */
};

/* What to do at our death: nothing, unless the terminal is still in `raw`. */
struct guard_modes {
	struct termios saved;
	struct termios raw;
};

#define GUARD_INIT { .pid = -1, .fd = -1 }

/*
 * Starts it, to look after the terminal tty_fd. For a process that is still
 * small and has one thread. Returns 0 or -errno.
 */
int guard_start(struct guard *guard, int tty_fd);

/* Tells it of a change of modes. */
void guard_tell(const struct guard *guard, const struct guard_modes *modes);

/* Dismisses it. */
void guard_stop(struct guard *guard);

/* Whether two sets of modes are the same. */
int guard_same(const struct termios *a, const struct termios *b);

#endif
