/* SPDX-License-Identifier: MIT */
/* source_unpack.h: a source that is compressed, as what it holds. */
#ifndef TRAPMAP_SOURCE_UNPACK_H
#define TRAPMAP_SOURCE_UNPACK_H

#include "source.h"

/*
 * If src begins as compressed data does, unpacks it into memory, of which *ret_inner
 * becomes the owner, under src's name. src has been opened, and stays as it is.
 * Returns 1; 0: it is not compressed; or -errno with *err.
 */
int source_unpack(const struct source *src, struct source *ret_inner,
		  struct error *err);

/* The same for len bytes at off that are compressed, and become up to max. */
int source_unpack_part(const struct source *src, uint64_t off, uint64_t len,
		       uint64_t max, struct source *ret_inner,
		       struct error *err);

#endif
