// SPDX-License-Identifier: MIT
/*
 * unpack_gzip.c: gzip, by zlib. Source: RFC 1952. Zeroes behind the last member
 * are padding, as for gzip itself.
 */
#include <errno.h>

#include "boot/unpack_parts.h"
#include "core/base.h"

#ifdef TRAPMAP_ZLIB
#include <zlib.h>

#define MEMBER "\x1f\x8b"
#define GZIP_ONLY 16 /* added to the window's bits */

static int fail(struct unpack_job *job, const z_stream *z, int r)
{
	size_t off = job->in_len - z->avail_in;

	if (r == Z_MEM_ERROR)
		return -ENOMEM;
	if (r == Z_BUF_ERROR || (r == Z_OK && z->avail_in == 0))
		return unpack_cut_off(job);
	return unpack_corrupt(job, off, r == Z_NEED_DICT ? NULL : z->msg);
}

static int member(struct unpack_job *job, z_stream *z)
{
	int r;

	do {
		r = unpack_room(job, 1);
		if (r < 0)
			return r;
		z->next_out = job->out + job->out_len;
		z->avail_out = (uInt)(job->room - job->out_len);
		r = inflate(z, Z_NO_FLUSH);
		job->out_len = job->room - z->avail_out;
	} while (r == Z_OK && z->avail_out == 0);
	return r == Z_STREAM_END ? 0 : fail(job, z, r);
}

static int each_member(struct unpack_job *job, z_stream *z)
{
	size_t off;
	int r;

	for (;;) {
		r = member(job, z);
		if (r < 0)
			return r;
		off = job->in_len - z->avail_in;
		if (unpack_skip_zeroes(job, off) == job->in_len)
			return 0;
		if (!unpack_at(job, off, MEMBER, sizeof(MEMBER) - 1))
			return unpack_trailing(job, off);
		(void)inflateReset(z);
	}
}

int unpack_gzip(struct unpack_job *job)
{
	z_stream z = {
		.next_in = (Bytef *)(uintptr_t)job->in,
		.avail_in = (uInt)job->in_len,
	};
	int r;

	if (inflateInit2(&z, MAX_WBITS + GZIP_ONLY) != Z_OK)
		return -ENOMEM;
	r = each_member(job, &z);
	inflateEnd(&z);
	return r;
}
#else
int unpack_gzip(struct unpack_job *job)
{
	return unpack_without(job, "zlib", "zlib");
}
#endif
