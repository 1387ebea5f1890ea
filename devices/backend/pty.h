/* SPDX-License-Identifier: MIT */
/*
 * pty.h: a pseudo terminal (pty(7)), of which we have the master and whoever opens
 * /dev/pts/N is on the other side. It is raw: bytes pass unchanged, and nothing is
 * echoed. It never becomes our controlling terminal.
 */
#ifndef TRAPMAP_BACKEND_PTY_H
#define TRAPMAP_BACKEND_PTY_H

#include <stdbool.h>
#include <stddef.h>

#define PTY_NAME_MAX 64

/*
 * Makes one. Returns its master, which is non-blocking and closed on exec, with the
 * other side's path in name, or -errno: -ENOSPC (there are as many as there may be)
 * ...
 */
int pty_open(char name[PTY_NAME_MAX]);

/* Whether somebody has the other side open. */
bool pty_has_peer(int master);

/* Whether there is something to read, be it from one who has gone. */
bool pty_has_input(int master);

/*
 * Bytes that the one on the other side has not read yet, as far as the kernel says.
 * They are lost for him when the master is closed.
 */
size_t pty_unread(int master);

#endif
