/* SPDX-License-Identifier: MIT */
/*
 * block_image.h: an image of whatever format, opened as what is behind a disk.
 */
#ifndef TRAPMAP_BACKEND_BLOCK_IMAGE_H
#define TRAPMAP_BACKEND_BLOCK_IMAGE_H

#include "backend/block_file.h"

#define BLOCK_WHY_MAX 512

enum block_format {
	BLOCK_FORMAT_AUTO, /* qcow2 by its magic, else raw */
	BLOCK_FORMAT_RAW,
	BLOCK_FORMAT_QCOW2,
};

struct block_image_config {
	struct loop *loop; /* outlives the image */
	/* As struct block_open_config. */
	const char *path;
	int fd;
	bool read_only, direct;
	enum block_format format;
	/*
	 * What is written goes to a file without a name, and is gone with it; the
	 * image is only read.
	 */
	bool temporary;
	const struct notice *notice; /* NULL: nobody listens. Outlives the image */
};

/*
 * Returns 0, or -errno: with a sentence in why (BLOCK_WHY_MAX bytes) of what is
 * wrong with the image, where, and what to do; if why is empty it is one of
 * block_open()'s or block_file_new()'s.
 */
int block_image_new(const struct block_image_config *config,
		    struct block **ret_blk, char *why);

#endif
