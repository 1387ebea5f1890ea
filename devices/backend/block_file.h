/* SPDX-License-Identifier: MIT */
/*
 * block_file.h: raw images: a regular file or a block device, sector after sector.
 *
 * The file is locked as long as it is open (F_OFD_SETLK, fcntl(2)), for writing or
 * shared for reading, so that no two guests write to one image. A filesystem that
 * knows no locks is taken as it is.
 */
#ifndef TRAPMAP_BACKEND_BLOCK_FILE_H
#define TRAPMAP_BACKEND_BLOCK_FILE_H

#include <stdbool.h>

struct block;
struct loop;

enum block_file_engine {
	BLOCK_FILE_AUTO, /* io_uring where there is one, else threads */
	BLOCK_FILE_URING,
	BLOCK_FILE_THREADS,
};

struct block_file_config {
	struct loop *loop; /* outlives the image */
	const char *path; /* or NULL, and then */
	int fd; /* duplicated; keeps its flags, and its lock is shared */
	bool read_only;
	/* O_DIRECT: past the host's page cache. A fd has it already. */
	bool direct;
	enum block_file_engine engine;
	unsigned depth; /* calls at a time; 0: 128 */
};

/*
 * Returns 0; -EBUSY: somebody else has it open for writing (or at all, if it is to
 * be written to), or it is mounted; -EISDIR; -ENOTBLK: neither a regular file nor a
 * block device; -ENODATA: not even one block long; -EBADF: fd was not opened for
 * this; -EOPNOTSUPP: the filesystem has no O_DIRECT; or the -errno of what failed.
 * What is left after the last whole block is not seen. Released by block_free().
 */
int block_file_new(const struct block_file_config *config,
		   struct block **ret_blk);

/* "io_uring" or "threads". */
const char *block_file_engine_name(const struct block *blk);

#endif
