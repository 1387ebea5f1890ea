// SPDX-License-Identifier: MIT
/* unpack_zstd.c: zstd, by libzstd. Source: RFC 8878, skippable frames included. */
#include <errno.h>

#include "boot/unpack_parts.h"
#include "core/base.h"

#ifdef TRAPMAP_ZSTD
#include <zstd.h>
#include <zstd_errors.h>

/* As much as can be unpacked at all: what `zstd --long=30` makes. */
#define WINDOW_LOG_MAX 30

static bool is_frame(const struct unpack_job *job, size_t off)
{
	uint32_t magic;

	if (job->in_len - off < 4)
		return false;
	magic = get_le32(job->in + off);
	return magic == ZSTD_MAGICNUMBER ||
	       (magic & ZSTD_MAGIC_SKIPPABLE_MASK) ==
		       ZSTD_MAGIC_SKIPPABLE_START;
}

static int frame(struct unpack_job *job, ZSTD_DStream *stream,
		 ZSTD_inBuffer *in)
{
	size_t before, more;

	do {
		ZSTD_outBuffer out = { 0 };
		int r = unpack_room(job, 1);

		if (r < 0)
			return r;
		out = (ZSTD_outBuffer){ job->out, job->room, job->out_len };
		before = in->pos;
		more = ZSTD_decompressStream(stream, &out, in);
		if (ZSTD_isError(more) &&
		    ZSTD_getErrorCode(more) == ZSTD_error_memory_allocation)
			return -ENOMEM;
		if (ZSTD_isError(more))
			return unpack_corrupt(job, in->pos,
					      ZSTD_getErrorName(more));
		if (more && in->pos == before && out.pos == job->out_len)
			return unpack_cut_off(job);
		job->out_len = out.pos;
	} while (more);
	return 0;
}

int unpack_zstd(struct unpack_job *job)
{
	ZSTD_inBuffer in = { job->in, job->in_len, 0 };
	ZSTD_DStream *stream = ZSTD_createDStream();
	int r = 0;

	if (!stream)
		return -ENOMEM;
	(void)ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax,
				     WINDOW_LOG_MAX);
	while (r == 0 && in.pos < in.size)
		r = is_frame(job, in.pos) ? frame(job, stream, &in) :
					    unpack_trailing(job, in.pos);
	ZSTD_freeDStream(stream);
	return r;
}
#else
int unpack_zstd(struct unpack_job *job)
{
	return unpack_without(job, "libzstd", "zstd");
}
#endif
