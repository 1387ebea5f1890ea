/* SPDX-License-Identifier: MIT */
/*
 * p9_share.h: a folder of the host behind the 9P device, by 9P2000.L.
 *
 * Who does it: the process, as its own user; the client's user ids are told nobody.
 * Owners are the host's. What is made has the mode asked for, less the process's
 * umask, and never set-user-ID or set-group-ID: a guest leaves no program on the host
 * that runs as its owner. (chmod drops these bits of a file in silence, too.)
 *
 * Not there: extended attributes (EOPNOTSUPP), device nodes, FIFOs and sockets (mknod
 * of anything but a file: EPERM; those that are there can be seen, not opened),
 * authentication, subfolders by `aname`. Locks are always granted: the client keeps
 * its own users apart, and nobody else knows of them. A file open in the client is
 * the one that was opened, whatever becomes of its name; anything else is found by
 * its name each time, as the host has it then.
 */
#ifndef TRAPMAP_BACKEND_P9_SHARE_H
#define TRAPMAP_BACKEND_P9_SHARE_H

#include <stdbool.h>

#include "backend/p9.h"

struct p9_share_config {
	/* The folder, or if NULL one that is open; it stays the caller's. */
	const char *path;
	int fd;
	bool read_only;
};

/*
 * Returns 0 or -errno, among them -ENOTDIR; -ENOSYS: this kernel, or what it runs us
 * in, has no openat2(2); -ENXIO: there is no procfs at /proc.
 */
int p9_share_new(const struct p9_share_config *config,
		 struct p9_server **ret_server);

#endif
