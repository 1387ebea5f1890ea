// SPDX-License-Identifier: MIT
/*
 * unpack_lzma.c: xz and its forerunner lzma, by liblzma. Sources: The .xz File
 * Format 1.1.0; lzma-file-format.txt of XZ Utils.
 */
#include <errno.h>

#include "boot/unpack_parts.h"
#include "boot/unpack.h"
#include "core/base.h"

#ifdef TRAPMAP_LZMA
#include <lzma.h>

#define XZ_MAGIC "\xfd" "7zXZ"
#define XZ_PADDING 4 /* Stream Padding is a multiple of this */

/* A dictionary takes memory only as far as it is filled, so no more than out. */
#define MEMORY_MAX (UNPACK_MAX + MIB(64))

static int fail(struct unpack_job *job, const lzma_stream *s, lzma_ret r)
{
	size_t off = job->in_len - s->avail_in;

	switch (r) {
	case LZMA_MEM_ERROR: return -ENOMEM;
	case LZMA_BUF_ERROR: return unpack_cut_off(job);
	case LZMA_MEMLIMIT_ERROR:
		return unpack_corrupt(job, off,
				      "its dictionary is larger than 1 GiB");
	case LZMA_OPTIONS_ERROR:
		return unpack_corrupt(job, off,
				      "a filter or option that liblzma lacks");
	default: return unpack_corrupt(job, off, NULL);
	}
}

/* One stream, whose decoder is ready. */
static int stream(struct unpack_job *job, lzma_stream *s)
{
	lzma_ret r;
	int e;

	do {
		e = unpack_room(job, 1);
		if (e < 0)
			return e;
		s->next_out = job->out + job->out_len;
		s->avail_out = job->room - job->out_len;
		r = lzma_code(s, LZMA_FINISH);
		job->out_len = job->room - s->avail_out;
	} while (r == LZMA_OK);
	return r == LZMA_STREAM_END ? 0 : fail(job, s, r);
}

static int each_stream(struct unpack_job *job, lzma_stream *s)
{
	for (;;) {
		size_t off, next;
		int r;

		if (lzma_stream_decoder(s, MEMORY_MAX, 0) != LZMA_OK)
			return -ENOMEM;
		r = stream(job, s);
		if (r < 0)
			return r;
		off = job->in_len - s->avail_in;
		next = unpack_skip_zeroes(job, off);
		if ((next - off) % XZ_PADDING)
			return unpack_trailing(job, off);
		if (next == job->in_len)
			return 0;
		if (!unpack_at(job, next, XZ_MAGIC, sizeof(XZ_MAGIC) - 1))
			return unpack_trailing(job, next);
		s->next_in = job->in + next;
		s->avail_in = job->in_len - next;
	}
}

int unpack_xz(struct unpack_job *job)
{
	lzma_stream s = LZMA_STREAM_INIT;
	int r;

	s.next_in = job->in;
	s.avail_in = job->in_len;
	r = each_stream(job, &s);
	lzma_end(&s);
	return r;
}

int unpack_lzma(struct unpack_job *job)
{
	lzma_stream s = LZMA_STREAM_INIT;
	int r = -ENOMEM;

	s.next_in = job->in;
	s.avail_in = job->in_len;
	if (lzma_alone_decoder(&s, MEMORY_MAX) == LZMA_OK)
		r = stream(job, &s);
	if (r == 0 && s.avail_in > 0)
		r = unpack_trailing(job, job->in_len - s.avail_in);
	lzma_end(&s);
	return r;
}
#else
int unpack_xz(struct unpack_job *job)
{
	return unpack_without(job, "liblzma", "lzma");
}

int unpack_lzma(struct unpack_job *job)
{
	return unpack_without(job, "liblzma", "lzma");
}
#endif
