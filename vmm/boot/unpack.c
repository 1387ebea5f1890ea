// SPDX-License-Identifier: MIT
/*
 * unpack.c: which format a compressed file has, and the memory that it is
 * unpacked into.
 *
 * Memory that nobody has written to costs nothing, so there is much room from the
 * start, and realloc() of as much as this moves pages and no bytes.
 *
 * Not here: bzip2, lzop, lzip, compress; threads.
 */
#include "boot/unpack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "boot/unpack_parts.h"
#include "core/base.h"

/* A kernel unpacks to three to five times its size. */
#define ROOM_RATIO 6
#define ROOM_MIN MIB(1)

/*
 * An .lzma file has no magic number, but a header of 13 bytes that leaves few
 * choices: properties (0x5d as all tools write), the dictionary's size (64 KiB
 * or more, in whole 64 KiB) and the unpacked size, which is -1 or sane.
 */
static bool is_lzma(const uint8_t *head, size_t len)
{
	uint64_t unpacked;

	if (len < 13 || head[0] != 0x5d || get_le16(head + 1) != 0 ||
	    get_le16(head + 3) == 0)
		return false;
	unpacked = get_le64(head + 5);
	return unpacked == UINT64_MAX || (unpacked > 0 && unpacked < GIB(1024));
}

#define MAGIC(bytes) bytes, sizeof(bytes) - 1

static const struct format {
	const char *name;
	const char *magic;
	size_t magic_len; /* 0: is_lzma() */
	int (*unpack)(struct unpack_job *job);
} formats[] = {
	{ "gzip", MAGIC("\x1f\x8b\x08"), unpack_gzip },
	{ "xz", MAGIC("\xfd" "7zXZ\0"), unpack_xz },
	{ "zstd", MAGIC("\x28\xb5\x2f\xfd"), unpack_zstd },
	{ "lz4", MAGIC("\x04\x22\x4d\x18"), unpack_lz4 },
	{ "lz4", MAGIC("\x02\x21\x4c\x18"), unpack_lz4 }, /* "legacy" */
	{ "lzma", NULL, 0, unpack_lzma },
};

static const struct format *find(const uint8_t *head, size_t len)
{
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		const struct format *f = &formats[i];

		if (f->magic ? len >= f->magic_len &&
				       !memcmp(head, f->magic, f->magic_len)
			     : is_lzma(head, len))
			return f;
	}
	return NULL;
}

const char *unpack_recognise(const uint8_t *head, size_t len)
{
	const struct format *f = find(head, len);

	return f ? f->name : NULL;
}

static int too_much(struct unpack_job *job)
{
	return boot_refuse(job->err, 0,
			   "%s-compressed data that becomes more than %zu bytes, the limit here",
			   job->name, job->max);
}

int unpack(const uint8_t *in, size_t in_len, uint64_t max, uint8_t **ret_out,
	   size_t *ret_len, struct boot_error *err)
{
	const struct format *f = find(in, in_len);
	struct unpack_job job = {
		.in = in,
		.in_len = in_len,
		.max = (size_t)max,
		.err = err,
	};
	int r;

	if (!f)
		return boot_refuse(err, 0, "not compressed in a known way");
	job.name = f->name;
	if (in_len > UNPACK_MAX || max > UNPACK_MAX)
		return boot_refuse(err, 0,
				   "%s-compressed data of %zu bytes, at most %zu expected",
				   f->name, in_len, (size_t)UNPACK_MAX);
	r = unpack_room(&job, in_len < job.max / ROOM_RATIO ?
				      in_len * ROOM_RATIO :
				      job.max);
	if (r == 0)
		r = f->unpack(&job);
	if (r == 0 && job.out_len > job.max)
		r = too_much(&job);
	if (r == 0 && job.out_len == 0)
		r = boot_refuse(err, 0, "%s-compressed data with nothing in it",
				f->name);
	if (r < 0) {
		free(job.out);
		return r;
	}
	*ret_out = job.out;
	*ret_len = job.out_len;
	return 0;
}

int unpack_room(struct unpack_job *job, size_t want)
{
	size_t room = job->room ? job->room : ROOM_MIN;
	uint8_t *bigger;

	if (job->out_len > job->max)
		return too_much(job);
	if (job->room - job->out_len >= want)
		return 0;
	while (room - job->out_len < want)
		room *= 2;
	if (room > job->max + want)
		room = job->max + want;
	bigger = realloc(job->out, room);
	if (!bigger)
		return -ENOMEM;
	job->out = bigger;
	job->room = room;
	return 0;
}

int unpack_cut_off(struct unpack_job *job)
{
	return boot_refuse(job->err, job->in_len,
			   "the file is truncated: its %s-compressed data goes on here",
			   job->name);
}

int unpack_corrupt(struct unpack_job *job, size_t off, const char *why)
{
	return boot_refuse(job->err, off, "corrupt %s-compressed data%s%s",
			   job->name, why ? ": " : "", why ? why : "");
}

int unpack_trailing(struct unpack_job *job, size_t off)
{
	return boot_refuse(job->err, off,
			   "the %s-compressed data ends here, %zu bytes before the file; its end expected",
			   job->name, job->in_len - off);
}

int unpack_without(struct unpack_job *job, const char *library,
		   const char *option)
{
	return boot_refuse(job->err, 0,
			   "%s-compressed data, and this trapmap was built without %s (-D%s=enabled); unpack it first",
			   job->name, library, option);
}

bool unpack_at(const struct unpack_job *job, size_t off, const char *bytes,
	       size_t len)
{
	return job->in_len - off >= len && !memcmp(job->in + off, bytes, len);
}

size_t unpack_skip_zeroes(const struct unpack_job *job, size_t off)
{
	while (off < job->in_len && job->in[off] == 0)
		off++;
	return off;
}
