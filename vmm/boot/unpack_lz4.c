// SPDX-License-Identifier: MIT
/*
 * unpack_lz4.c: lz4, by liblz4. Source: LZ4 Frame Format Description 1.6.2, its
 * "Legacy frame" included, which `lz4 -l` writes and kernels are packed with.
 */
#include <errno.h>

#include "boot/unpack_parts.h"
#include "core/base.h"

#ifdef TRAPMAP_LZ4
#include <lz4.h>
#include <lz4frame.h>

#define MAGIC_FRAME 0x184d2204u
#define MAGIC_LEGACY 0x184c2102u
#define MAGIC_SKIPPABLE 0x184d2a50u
#define MAGIC_SKIPPABLE_MASK 0xfffffff0u

/* Of a legacy frame; only the last may unpack to less. */
#define LEGACY_BLOCK ((size_t)MIB(8))

static bool is_magic(uint32_t word)
{
	return word == MAGIC_FRAME || word == MAGIC_LEGACY ||
	       (word & MAGIC_SKIPPABLE_MASK) == MAGIC_SKIPPABLE;
}

/* Blocks, each behind its size, until another frame or the end. */
static int legacy(struct unpack_job *job, size_t *off)
{
	size_t at = *off + 4;
	int r;

	while (at < job->in_len) {
		uint32_t len;
		int n;

		if (job->in_len - at < 4)
			return unpack_cut_off(job);
		len = get_le32(job->in + at);
		if (is_magic(len))
			break;
		if (len > (uint32_t)LZ4_COMPRESSBOUND(LEGACY_BLOCK))
			return unpack_corrupt(job, at, "a block is too long");
		if (len > job->in_len - at - 4)
			return unpack_cut_off(job);
		r = unpack_room(job, LEGACY_BLOCK);
		if (r < 0)
			return r;
		n = LZ4_decompress_safe((const char *)job->in + at + 4,
					(char *)job->out + job->out_len,
					(int)len, (int)LEGACY_BLOCK);
		if (n < 0)
			return unpack_corrupt(job, at, NULL);
		job->out_len += (size_t)n;
		at += 4 + len;
	}
	*off = at;
	return 0;
}

static int frame(struct unpack_job *job, LZ4F_dctx *dctx, size_t *off)
{
	size_t more;

	do {
		size_t in_len = job->in_len - *off, out_len;
		int r = unpack_room(job, 1);

		if (r < 0)
			return r;
		out_len = job->room - job->out_len;
		more = LZ4F_decompress(dctx, job->out + job->out_len, &out_len,
				       job->in + *off, &in_len, NULL);
		if (LZ4F_isError(more))
			return unpack_corrupt(job, *off,
					      LZ4F_getErrorName(more));
		if (more && in_len == 0 && out_len == 0)
			return unpack_cut_off(job);
		*off += in_len;
		job->out_len += out_len;
	} while (more);
	return 0;
}

int unpack_lz4(struct unpack_job *job)
{
	LZ4F_dctx *dctx;
	size_t off = 0;
	int r = 0;

	if (LZ4F_isError(LZ4F_createDecompressionContext(&dctx, LZ4F_VERSION)))
		return -ENOMEM;
	while (r == 0 && off < job->in_len) {
		uint32_t word = 0;

		if (job->in_len - off >= 4)
			word = get_le32(job->in + off);
		if (!is_magic(word))
			r = unpack_trailing(job, off);
		else if (word == MAGIC_LEGACY)
			r = legacy(job, &off);
		else
			r = frame(job, dctx, &off);
	}
	LZ4F_freeDecompressionContext(dctx);
	return r;
}
#else
int unpack_lz4(struct unpack_job *job)
{
	return unpack_without(job, "liblz4", "lz4");
}
#endif
