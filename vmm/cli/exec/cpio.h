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

/* Of one file; one that is larger is not what somebody wants in memory. */
#define CPIO_FILE_MAX (UINT64_C(1) << 30)

struct cpio {
	uint8_t *data;
	size_t len, room;
	uint32_t inode;
	char *folder; /* the one that was added last, or NULL */
	bool failed; /* memory ran out: what follows is ignored */
};

/*
 * Adds an entry by its path without the leading '/', and before it the folders
 * that it needs; mode has its type (S_IFREG, S_IFDIR, S_IFLNK). A path that is there
 * already is not looked for: the kernel takes the last.
 */
void cpio_add(struct cpio *cpio, const char *path, mode_t mode,
	      const void *data, size_t len);

/*
 * The same with a file's content, which is where *ret_data says until something else
 * is added; ret_data and ret_len may be NULL. Returns 0 or -errno: -EFBIG for more
 * than CPIO_FILE_MAX, -ENOMEM once an entry was ignored.
 */
int cpio_add_file(struct cpio *cpio, const char *path, mode_t mode,
		  const char *file, const uint8_t **ret_data, size_t *ret_len);

/* The trailer. Returns 0, or -ENOMEM if anything was ignored. */
int cpio_end(struct cpio *cpio);

void cpio_done(struct cpio *cpio);

#endif
