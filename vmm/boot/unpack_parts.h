/* SPDX-License-Identifier: MIT */
/* unpack_parts.h: what unpack.c and the formats share. */
#ifndef TRAPMAP_BOOT_UNPACK_PARTS_H
#define TRAPMAP_BOOT_UNPACK_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/plan.h"

struct unpack_job {
	const char *name; /* of the format */
	const uint8_t *in;
	size_t in_len;

	uint8_t *out;
	size_t out_len; /* what has been unpacked */
	size_t room; /* of out */
	size_t max;

	struct boot_error *err;
};

/*
 * Each unpacks all of job->in. Returns 0; -ENOMEM; or -EINVAL with *job->err.
 * What was unpacked is in job->out in any case.
 */
int unpack_gzip(struct unpack_job *job);
int unpack_xz(struct unpack_job *job);
int unpack_lzma(struct unpack_job *job);
int unpack_zstd(struct unpack_job *job);
int unpack_lz4(struct unpack_job *job);

/*
 * Makes room for want more bytes behind out_len. Returns 0, -ENOMEM, or -EINVAL:
 * there are more than max already. So a format that ends at max is not refused
 * before it could say that it has ended.
 */
int unpack_room(struct unpack_job *job, size_t want);

/* Each returns -EINVAL, with the offset in the file and the format's name. */
int unpack_cut_off(struct unpack_job *job);
int unpack_corrupt(struct unpack_job *job, size_t off, const char *why);
int unpack_trailing(struct unpack_job *job, size_t off);
int unpack_without(struct unpack_job *job, const char *library,
		   const char *option);

/* Whether the file goes on with these bytes at off. */
bool unpack_at(const struct unpack_job *job, size_t off, const char *bytes,
	       size_t len);

/* Where the zero bytes end that begin at off: padding, for some formats. */
size_t unpack_skip_zeroes(const struct unpack_job *job, size_t off);

#endif
