/* SPDX-License-Identifier: MIT */
/*
 * block_file.h: raw images: a regular file or a block device, sector after sector.
 */
#ifndef TRAPMAP_BACKEND_BLOCK_FILE_H
#define TRAPMAP_BACKEND_BLOCK_FILE_H

#include <stdbool.h>

struct block;
struct block_opened;
struct loop;
struct notice;

enum block_file_engine {
	BLOCK_FILE_AUTO, /* io_uring where there is one, else threads */
	BLOCK_FILE_URING,
	BLOCK_FILE_THREADS,
};

struct block_file_config {
	struct loop *loop; /* outlives the image */
	/* As struct block_open_config. */
	const char *path;
	int fd;
	bool read_only, direct;
	/* In place of these, if not NULL: taken over, after a failure too. */
	struct block_opened *opened;
	/*
	 * Nobody has said that the image is raw: so the guest must not make it
	 * look like something else to whoever looks next. A write that would put
	 * a known format's magic into the first sector ends in -EPERM.
	 */
	bool guard;
	const struct notice *notice; /* NULL: nobody listens. Outlives the image */
	enum block_file_engine engine;
	unsigned depth; /* calls at a time; 0: 128 */
};

/*
 * Returns 0; what block_open() does; -ENODATA: not even one block long; or the
 * -errno of what failed. What is left after the last whole block is not seen.
 * Released by block_free().
 */
int block_file_new(const struct block_file_config *config,
		   struct block **ret_blk);

/* "io_uring" or "threads". */
const char *block_file_engine_name(const struct block *blk);

#endif
