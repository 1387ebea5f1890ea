/* SPDX-License-Identifier: MIT */
/*
 * copy.h: files of the host in an initramfs, for a kernel that cannot mount them.
 */
#ifndef TRAPMAP_CLI_EXEC_COPY_H
#define TRAPMAP_CLI_EXEC_COPY_H

#include <stddef.h>

#include "exec/cpio.h"

#define COPY_ERR_SIZE 512

struct copy {
	struct cpio *cpio;
	char **seen; /* what is there of programs and libraries */
	size_t count, room;
	uint64_t len; /* of folders, in all */
	char err[COPY_ERR_SIZE];
};

/*
 * Adds what lies at an absolute path: a folder with all that is in it, or a file,
 * and of a program its interpreter and its libraries. For these its loader is asked,
 * as ldd(1) does: by a process of this host, in which the loader that the program
 * names runs, but not the program. Returns 0, or -errno with a line in copy->err.
 */
int copy_path(struct copy *copy, const char *path);

/* But for the archive, which is not ours. */
void copy_done(struct copy *copy);

#endif
