// SPDX-License-Identifier: MIT
/*
 * Compressed clusters, which are only read. The last one is kept: a guest reads in
 * smaller pieces than clusters. One at a time, under a lock of their own.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/qcow2_parts.h"
#include "core/base.h"
#include "core/notice.h"

#ifdef TRAPMAP_ZLIB
#include <zlib.h>

/* RFC 1951 without a header, in a window of 4 KiB. */
static int inflate_zlib(void *to, size_t to_len, const void *from,
			size_t from_len)
{
	z_stream z = {
		.next_in = (Bytef *)(uintptr_t)from,
		.avail_in = (uInt)from_len,
		.next_out = to,
		.avail_out = (uInt)to_len,
	};
	int r;

	if (inflateInit2(&z, -12) != Z_OK)
		return -ENOMEM;
	r = inflate(&z, Z_FINISH);
	inflateEnd(&z);
	/* What follows in the last sector is not for it. */
	if (r == Z_STREAM_END || (r == Z_BUF_ERROR && z.avail_out == 0))
		return z.avail_out == 0 ? 0 : -EIO;
	return r == Z_MEM_ERROR ? -ENOMEM : -EIO;
}
#else
static int inflate_zlib(void *to, size_t to_len, const void *from,
			size_t from_len)
{
	return -EOPNOTSUPP;
}
#endif

#ifdef TRAPMAP_ZSTD
#include <zstd.h>

static int inflate_zstd(void *to, size_t to_len, const void *from,
			size_t from_len)
{
	ZSTD_inBuffer in = { from, from_len, 0 };
	ZSTD_outBuffer out = { to, to_len, 0 };
	ZSTD_DStream *stream = ZSTD_createDStream();
	size_t before, r = 1;

	if (!stream)
		return -ENOMEM;
	do {
		before = in.pos + out.pos;
		r = ZSTD_decompressStream(stream, &out, &in);
	} while (!ZSTD_isError(r) && out.pos < to_len &&
		 in.pos + out.pos > before);
	ZSTD_freeDStream(stream);
	return !ZSTD_isError(r) && out.pos == to_len ? 0 : -EIO;
}
#else
static int inflate_zstd(void *to, size_t to_len, const void *from,
			size_t from_len)
{
	return -EOPNOTSUPP;
}
#endif

const char *qcow2_inflate_lacks(uint8_t compression)
{
#ifndef TRAPMAP_ZLIB
	if (compression == 0)
		return "zlib";
#endif
#ifndef TRAPMAP_ZSTD
	if (compression == 1)
		return "zstd";
#endif
	return NULL;
}

/* Room for one cluster, and for the most that it may take compressed. */
static int prepare(struct qcow2 *q, uint64_t len)
{
	uint8_t *p;

	if (!q->inflated)
		q->inflated = qcow2_alloc(q->cluster_size);
	if (!q->inflated)
		return -ENOMEM;
	if (len <= q->deflated_room)
		return 0;
	p = qcow2_alloc((size_t)len);
	if (!p)
		return -ENOMEM;
	free(q->deflated);
	q->deflated = p;
	q->deflated_room = (size_t)len;
	return 0;
}

static int tell_lack(struct qcow2 *q, const char *lacks)
{
	char text[QCOW2_WHY_MAX];

	snprintf(text, sizeof(text),
		 "%.300s has compressed clusters, and this trapmap was built "
		 "without %s",
		 q->name ? q->name : "the image", lacks);
	if (!atomic_exchange(&q->told, true) && q->notice)
		notice_say(q->notice, text);
	return -EIO;
}

static int load(struct qcow2 *q, uint64_t entry)
{
	const char *lacks = qcow2_inflate_lacks(q->compression);
	uint64_t off, len;
	int r;

	qcow2_compressed_at(q, entry, &off, &len);
	if (lacks)
		return tell_lack(q, lacks);
	q->inflated_entry = 0;
	r = prepare(q, len) ?: qcow2_pread(q, q->deflated, (size_t)len, off);
	if (r < 0)
		return r;
	r = q->compression ? inflate_zstd(q->inflated, q->cluster_size,
					  q->deflated, (size_t)len) :
			     inflate_zlib(q->inflated, q->cluster_size,
					  q->deflated, (size_t)len);
	if (r == -EIO)
		return qcow2_damaged(q, "what is compressed at offset %#llx is "
				     "no cluster",
				     (unsigned long long)off);
	if (r == 0)
		q->inflated_entry = entry;
	return r;
}

int qcow2_inflate(struct qcow2 *q, uint64_t entry, struct qcow2_cursor *to,
		  uint32_t off, uint32_t len)
{
	int r = 0;

	pthread_mutex_lock(&q->inflate_lock);
	if (q->inflated_entry != entry)
		r = load(q, entry);
	if (r == 0)
		qcow2_cursor_copy(to, q->inflated + off, len);
	pthread_mutex_unlock(&q->inflate_lock);
	return r;
}
