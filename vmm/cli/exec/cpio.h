/* SPDX-License-Identifier: MIT */
/*
 * cpio.h: an initramfs in memory: a cpio archive in the "newc" format (Linux,
 * Documentation/driver-api/early-userspace/buffer-format.rst).
 */
#ifndef TRAPMAP_CLI_EXEC_CPIO_H
#define TRAPMAP_CLI_EXEC_CPIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct cpio {
	uint8_t *data;
	size_t len, room;
	uint32_t inode;
	bool failed; /* memory ran out: what follows is ignored */
};

/*
 * Adds an entry by its path without the leading '/', and before it the folders
 * that it needs; mode has its type (S_IFREG, S_IFDIR, S_IFLNK). A path that is there
 * already is not looked for: the kernel takes the last.
 */
void cpio_add(struct cpio *cpio, const char *path, mode_t mode,
	      const void *data, size_t len);

/* The same with a file's content. Returns 0 or -errno. */
int cpio_add_file(struct cpio *cpio, const char *path, mode_t mode,
		  const char *file);

/* The trailer. Returns 0, or -ENOMEM if anything was ignored. */
int cpio_end(struct cpio *cpio);

void cpio_done(struct cpio *cpio);

#endif
