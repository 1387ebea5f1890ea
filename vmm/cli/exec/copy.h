/* SPDX-License-Identifier: MIT */
/*
 * copy.h: files of the host in an initramfs, for a kernel that cannot mount them.
 */
#ifndef TRAPMAP_CLI_EXEC_COPY_H
#define TRAPMAP_CLI_EXEC_COPY_H

#include <stddef.h>

#include "exec/cpio.h"

#define COPY_ERR_SIZE 512

/*
 * Adds what lies at an absolute path: a folder with all that is in it, or a file,
 * and of a program its interpreter and its libraries, which the host's loader is
 * asked for. Returns 0, or -errno with a line in err.
 */
int copy_path(struct cpio *cpio, const char *path, char err[COPY_ERR_SIZE]);

#endif
