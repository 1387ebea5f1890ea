/* SPDX-License-Identifier: MIT */
/*
 * block_open.h: the file of an image: opened, locked, measured. Whatever its format
 * is, this comes first.
 *
 * The lock is one on the whole file (F_OFD_SETLK, fcntl(2)), for writing or shared
 * for reading, so that no two guests write to one image. A filesystem that knows no
 * locks is taken as it is.
 */
#ifndef TRAPMAP_BACKEND_BLOCK_OPEN_H
#define TRAPMAP_BACKEND_BLOCK_OPEN_H

#include <stdbool.h>
#include <stdint.h>

#include "backend/block.h"

/* Enough to know an image's format by. */
#define BLOCK_OPEN_FRONT 512

struct block_open_config {
	const char *path; /* or NULL, and then */
	int fd; /* duplicated; keeps its flags, and its lock is shared */
	bool read_only;
	/* O_DIRECT: past the host's page cache. A fd has it already. */
	bool direct;
};

struct block_opened {
	int fd; /* -1: not open */
	bool locked; /* and we are to unlock it */
	bool device; /* a block device, which cannot grow */
	bool read_only;
	uint64_t size; /* bytes */
	uint32_t sector, physical_size; /* the host's */
	/* O_DIRECT: of buffers' addresses, offsets and lengths. 1 without. */
	uint32_t align;
};

/*
 * Returns 0; -EBUSY: somebody else has it open for writing (or at all, if it is to
 * be written to), or it is mounted; -EISDIR; -ENOTBLK: neither a regular file nor a
 * block device; -EBADF: fd was not opened for this; -EOPNOTSUPP: the filesystem has
 * no O_DIRECT; or the -errno of what failed. Released by block_opened_close().
 */
int block_open(const struct block_open_config *config,
	       struct block_opened *ret_file);

/*
 * A new file without a name, of size 0: in $TMPDIR, else /var/tmp, where there
 * is room for much, else /tmp. Returns 0 or -errno; *ret_dir, static or the
 * environment's, is the last that was tried, either way.
 */
int block_open_temporary(struct block_opened *ret_file, const char **ret_dir);

/* What it begins with, and zeros after its end. Returns 0 or -errno. */
int block_read_front(const struct block_opened *file,
		     uint8_t ret_front[BLOCK_OPEN_FRONT]);

void block_opened_close(struct block_opened *file);

#endif
