// SPDX-License-Identifier: MIT
/*
 * The header of a qcow2 image, and its tables as far as one can tell at once whether
 * they are sound.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/qcow2_header.h"
#include "core/base.h"

#define HEADER_2_LEN 72u
#define HEADER_3_LEN 104u
#define NAME_MAX_LEN 1023u
/* As QEMU has it: of the L1 table, of the refcount table. */
#define L1_LEN_MAX MIB(32)
#define REFCOUNTS_LEN_MAX MIB(8)

#define F_DIRTY BIT64(0)
#define F_CORRUPT BIT64(1)
#define F_DATA_FILE BIT64(2)
#define F_COMPRESSION BIT64(3)
#define F_EXTENDED_L2 BIT64(4)

/* 0 "End of the header extension area" and those that matter here. */
#define EXT_BACKING_FORMAT 0xe2792acau
#define EXT_FEATURE_NAMES 0x6803f857u
#define FEATURE_NAME_LEN 48u

/* Of the tables, from a header that may say anything. */
#define CACHE_L2_LEN MIB(4)
#define CACHE_BLOCKS_LEN MIB(1)
#define CACHE_SLOTS_MIN 2u

int qcow2_refuse(char *why, int r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, QCOW2_WHY_MAX, fmt, ap);
	va_end(ap);
	return r;
}

/* Where the header ends and its extensions begin. */
static uint32_t header_len(const struct qcow2 *q, const uint8_t *h)
{
	return q->version < 3 ? HEADER_2_LEN : qcow2_get32(h + 100);
}

/* Finds an extension. Returns its data, or NULL. */
static const uint8_t *extension(const struct qcow2 *q, const uint8_t *h,
				uint32_t type, uint32_t *ret_len)
{
	uint64_t at = header_len(q, h), end = q->cluster_size;
	uint64_t name = qcow2_get64(h + 8);
	uint32_t found, len;

	/* The backing file's name is behind them. */
	if (name && name < end)
		end = name;
	while (at + 8 <= end) {
		found = qcow2_get32(h + at);
		len = qcow2_get32(h + at + 4);
		at += 8;
		if (found == 0 || len > end - at)
			break;
		if (found == type) {
			*ret_len = len;
			return h + at;
		}
		at += align_up(len, 8);
	}
	return NULL;
}

static int refuse_features(const struct qcow2 *q, const uint8_t *h,
			   uint64_t unknown, char *why)
{
	uint32_t len = 0, i;
	const uint8_t *names = extension(q, h, EXT_FEATURE_NAMES, &len);
	unsigned bit = (unsigned)__builtin_ctzll(unknown);
	char name[FEATURE_NAME_LEN] = "";

	for (i = 0; names && i + FEATURE_NAME_LEN <= len; i += FEATURE_NAME_LEN)
		if (names[i] == 0 && names[i + 1] == bit)
			snprintf(name, sizeof(name), "%.46s",
				 (const char *)names + i + 2);
	for (i = 0; name[i]; i++)
		if (name[i] < ' ' || name[i] > '~')
			name[i] = '?';
	return qcow2_refuse(why, -EOPNOTSUPP,
			    "it needs a feature that is not known here: %s "
			    "(bit %u of the incompatible features)",
			    name[0] ? name : "one without a name", bit);
}

static int check_features(struct qcow2 *q, const uint8_t *h, char *why)
{
	uint64_t features = q->version < 3 ? 0 : qcow2_get64(h + 72);
	uint64_t known = F_DIRTY | F_CORRUPT | F_COMPRESSION;

	if (qcow2_get32(h + 32))
		return qcow2_refuse(why, -EOPNOTSUPP,
				    "it is encrypted, which is not supported; "
				    "'qemu-img convert' makes a plain one");
	if (features & F_DATA_FILE)
		return qcow2_refuse(why, -EOPNOTSUPP,
				    "its data is in another file (data_file), "
				    "which is not supported; 'qemu-img convert' "
				    "puts it into one");
	if (features & F_EXTENDED_L2)
		return qcow2_refuse(why, -EOPNOTSUPP,
				    "it has subclusters (extended_l2=on), which "
				    "are not supported; 'qemu-img convert' makes "
				    "one without");
	if (features & ~known)
		return refuse_features(q, h, features & ~known, why);
	if ((features & F_CORRUPT) && !q->file.read_only)
		return qcow2_refuse(why, -EUCLEAN,
				    "it is marked as corrupt: it may only be "
				    "read (',ro') until 'qemu-img check -r all' "
				    "has repaired it");
	if ((features & F_DIRTY) && !q->file.read_only)
		return qcow2_refuse(why, -EUCLEAN,
				    "it was not closed by whoever wrote to it "
				    "last (the dirty bit): 'qemu-img check -r "
				    "all' counts its clusters anew; ',ro' reads "
				    "it as it is");
	if (features & F_COMPRESSION) {
		if (header_len(q, h) < 112)
			return qcow2_refuse(why, -EINVAL,
					    "its header has no room for the "
					    "compression type that it claims");
		q->compression = h[104];
		if (q->compression != 1)
			return qcow2_refuse(why, -EOPNOTSUPP,
					    "its compression type is %u; 0 "
					    "(zlib) and 1 (zstd) are known",
					    q->compression);
		if (qcow2_inflate_lacks(q->compression))
			return qcow2_refuse(why, -EOPNOTSUPP,
					    "it is compressed with %s, without "
					    "which this trapmap was built",
					    qcow2_inflate_lacks(
						    q->compression));
	}
	atomic_store(&q->autoclear, q->version >= 3 && qcow2_get64(h + 88));
	return 0;
}

/* Whether [off, off + len) is there, aligned. Says what is not, as `what`. */
static int check_range(const struct qcow2 *q, const char *what, uint64_t off,
		       uint64_t len, char *why)
{
	if (off == 0 || off & (q->cluster_size - 1))
		return qcow2_refuse(why, -EINVAL,
				    "its %s is at offset %#llx, which is no "
				    "multiple of the cluster size (%u); 'qemu-img "
				    "check' tells more",
				    what, (unsigned long long)off,
				    q->cluster_size);
	if (off > q->file.size || len > q->file.size - off)
		return qcow2_refuse(why, -EINVAL,
				    "its %s is at offset %#llx and %llu bytes "
				    "long, and the file has only %llu: it has "
				    "been cut off",
				    what, (unsigned long long)off,
				    (unsigned long long)len,
				    (unsigned long long)q->file.size);
	return 0;
}

/* Reads a table whose place has been checked. */
static int load(struct qcow2 *q, struct qcow2_table *table, uint64_t at,
		uint32_t entries, char *why)
{
	uint64_t len = (uint64_t)entries * 8;
	size_t room = (size_t)align_up(align_up(len ? len : 1, q->cluster_size),
				       4096);
	int r;

	table->at = at;
	table->entries = entries;
	table->data = qcow2_alloc(room);
	if (!table->data)
		return qcow2_refuse(why, -ENOMEM, "out of memory");
	memset(table->data, 0, room);
	r = qcow2_pread(q, table->data, (size_t)len, at);
	return r < 0 ? qcow2_refuse(why, r, "%s",
				    strerrordesc_np(-r) ?: "unknown error") :
		       0;
}

static int load_l1(struct qcow2 *q, const uint8_t *h, char *why)
{
	uint64_t entries = qcow2_get32(h + 36), at = qcow2_get64(h + 40), i, v;
	uint64_t span = UINT64_C(1) << (q->cluster_bits + q->l2_bits);
	uint64_t want = q->size / span + (q->size % span != 0);
	int r;

	if (want * 8 > L1_LEN_MAX || entries * 8 > L1_LEN_MAX)
		return qcow2_refuse(why, -EFBIG,
				    "with clusters of %u bytes a disk of %llu "
				    "bytes needs an L1 table of more than 32 "
				    "MiB; 'qemu-img convert -o cluster_size=' "
				    "makes one with larger clusters",
				    q->cluster_size,
				    (unsigned long long)q->size);
	if (entries < want)
		return qcow2_refuse(why, -EINVAL,
				    "its L1 table has %llu entries, and a disk "
				    "of %llu bytes needs %llu",
				    (unsigned long long)entries,
				    (unsigned long long)q->size,
				    (unsigned long long)want);
	/* What there may be more of is no concern of the disk's. */
	r = entries ? check_range(q, "L1 table", at, entries * 8, why) : 0;
	if (r == 0)
		r = load(q, &q->l1, at, (uint32_t)entries, why);
	for (i = 0; r == 0 && i < want; i++) {
		v = qcow2_get64(q->l1.data + i * 8);
		if (v & ~(QCOW2_COPIED | QCOW2_OFFSET))
			r = qcow2_refuse(why, -EINVAL,
					 "entry %llu of its L1 table (at offset "
					 "%#llx) is %#llx, which means nothing",
					 (unsigned long long)i,
					 (unsigned long long)at + i * 8,
					 (unsigned long long)v);
		else if (v & QCOW2_OFFSET)
			r = check_range(q, "L2 table", v & QCOW2_OFFSET,
					q->cluster_size, why);
		/* A bit that would have us write to where nothing is. */
		else if (v)
			qcow2_put64(q->l1.data + i * 8, 0);
	}
	return r;
}

static int load_refcounts(struct qcow2 *q, const uint8_t *h, char *why)
{
	uint64_t at = qcow2_get64(h + 48), i, v;
	uint64_t len = (uint64_t)qcow2_get32(h + 56) << q->cluster_bits;
	int r;

	if (len == 0 || len > REFCOUNTS_LEN_MAX)
		return qcow2_refuse(why, -EINVAL,
				    "its refcount table has %u clusters, which "
				    "cannot be; 'qemu-img check' tells more",
				    qcow2_get32(h + 56));
	r = check_range(q, "refcount table", at, len, why);
	if (r == 0)
		r = load(q, &q->refcounts, at, (uint32_t)(len / 8), why);
	for (i = 0; r == 0 && i < len / 8; i++) {
		v = qcow2_get64(q->refcounts.data + i * 8);
		if (v)
			r = check_range(q, "refcount block", v, q->cluster_size,
					why);
	}
	return r;
}

/* That at least the tables count as used. */
static int check_counted(struct qcow2 *q, char *why)
{
	const struct qcow2_run runs[] = {
		{ 0, 1 },
		{ q->l1.at >> q->cluster_bits,
		  ((uint64_t)q->l1.entries * 8 + q->cluster_size - 1) >>
			  q->cluster_bits },
		{ q->refcounts.at >> q->cluster_bits,
		  ((uint64_t)q->refcounts.entries * 8) >> q->cluster_bits },
	};
	uint64_t i, cluster, count;
	unsigned n;
	int r;

	for (n = 0; n < ARRAY_SIZE(runs); n++)
		for (i = 0; i < runs[n].count; i++) {
			cluster = runs[n].first + i;
			r = qcow2_refcount(q, cluster, &count);
			if (r < 0)
				return qcow2_refuse(why, r, "%s",
						    strerrordesc_np(-r) ?:
							    "unknown error");
			if (count == 0)
				return qcow2_refuse(
					why, -EUCLEAN,
					"the cluster at offset %#llx, which "
					"holds one of its tables, counts as "
					"free: it may only be read (',ro') until "
					"'qemu-img check -r all' has repaired it",
					(unsigned long long)cluster
						<< q->cluster_bits);
		}
	return 0;
}

static int make_cache(const struct qcow2 *q, struct qcow2_cache *cache,
		      uint64_t len, uint64_t tables)
{
	uint64_t count = len >> q->cluster_bits;

	if (count > tables)
		count = tables;
	if (count < CACHE_SLOTS_MIN)
		count = CACHE_SLOTS_MIN;
	cache->slot = calloc((size_t)count, sizeof(*cache->slot));
	cache->count = cache->slot ? (unsigned)count : 0;
	return cache->slot ? 0 : -ENOMEM;
}

static int load_tables(struct qcow2 *q, const uint8_t *h, char *why)
{
	int r = load_l1(q, h, why);

	if (r == 0 && make_cache(q, &q->l2, CACHE_L2_LEN, q->l1.entries) < 0)
		r = qcow2_refuse(why, -ENOMEM, "out of memory");
	/* Who only reads does not count. */
	if (r < 0 || q->file.read_only)
		return r;
	r = load_refcounts(q, h, why);
	if (r == 0) {
		q->pending = calloc(QCOW2_PENDING_MAX, sizeof(*q->pending));
		if (!q->pending || make_cache(q, &q->blocks, CACHE_BLOCKS_LEN,
					      q->refcounts.entries) < 0)
			r = qcow2_refuse(why, -ENOMEM, "out of memory");
	}
	return r ?: check_counted(q, why);
}

/* Sizes that all else depends on. */
static int check_shape(struct qcow2 *q, const uint8_t *h, char *why)
{
	q->version = qcow2_get32(h + 4);
	q->cluster_bits = qcow2_get32(h + 20);
	q->size = qcow2_get64(h + 24);
	q->refcount_order = 4;
	if (q->version != 2 && q->version != 3)
		return qcow2_refuse(why, -EOPNOTSUPP,
				    "it is of version %u; 2 and 3 are known",
				    q->version);
	if (q->cluster_bits < QCOW2_CLUSTER_BITS_MIN ||
	    q->cluster_bits > QCOW2_CLUSTER_BITS_MAX)
		return qcow2_refuse(why, -EINVAL,
				    "its clusters have 2^%u bytes; 2^9 to 2^21 "
				    "are possible",
				    q->cluster_bits);
	q->cluster_size = 1u << q->cluster_bits;
	q->l2_bits = q->cluster_bits - 3;
	if (q->cluster_size < q->file.align)
		return qcow2_refuse(why, -EOPNOTSUPP,
				    "its clusters of %u bytes are too small for "
				    "direct I/O, which takes %u here",
				    q->cluster_size, q->file.align);
	if (q->file.size < q->cluster_size)
		return qcow2_refuse(why, -EINVAL,
				    "the file has %llu bytes, and its header "
				    "alone needs %u: it has been cut off",
				    (unsigned long long)q->file.size,
				    q->cluster_size);
	if (q->size > (uint64_t)INT64_MAX - QCOW2_CLUSTER_MAX)
		return qcow2_refuse(why, -EFBIG,
				    "its disk has %llu bytes, more than any "
				    "has",
				    (unsigned long long)q->size);
	return 0;
}

/* The rest of the header, which is all there now. */
static int check_header(struct qcow2 *q, const uint8_t *h, char *why)
{
	uint32_t len = header_len(q, h);

	if (q->version >= 3) {
		q->refcount_order = qcow2_get32(h + 96);
		if (len < HEADER_3_LEN || len % 8 || len > q->cluster_size)
			return qcow2_refuse(why, -EINVAL,
					    "its header has %u bytes; 104 to "
					    "%u, by 8, were expected",
					    len, q->cluster_size);
		if (q->refcount_order > 6)
			return qcow2_refuse(why, -EINVAL,
					    "its refcounts have 2^%u bits; 2^6 "
					    "is the most",
					    q->refcount_order);
	}
	q->block_bits = q->cluster_bits + 3 - q->refcount_order;
	return check_features(q, h, why);
}

int qcow2_read_header(struct qcow2 *q, uint8_t **ret_header, char *why)
{
	uint8_t front[BLOCK_OPEN_FRONT], *header;
	int r = block_read_front(&q->file, front);

	if (r < 0)
		return qcow2_refuse(why, r, "%s",
				    strerrordesc_np(-r) ?: "unknown error");
	r = check_shape(q, front, why);
	if (r < 0)
		return r;
	header = qcow2_alloc(q->cluster_size);
	if (!header)
		return qcow2_refuse(why, -ENOMEM, "out of memory");
	r = qcow2_pread(q, header, q->cluster_size, 0);
	if (r < 0)
		r = qcow2_refuse(why, r, "%s",
				 strerrordesc_np(-r) ?: "unknown error");
	/* Read again, so checked again. */
	r = r ?: check_shape(q, header, why) ?: check_header(q, header, why) ?:
	    load_tables(q, header, why);
	if (r < 0) {
		free(header);
		return r;
	}
	*ret_header = header;
	return 0;
}

int qcow2_backing_name(const struct qcow2 *q, const uint8_t *h,
		       char ret_name[1024], char ret_format[64], char *why)
{
	uint64_t at = qcow2_get64(h + 8);
	uint32_t len = qcow2_get32(h + 16);
	const uint8_t *format;

	ret_name[0] = ret_format[0] = '\0';
	if (at == 0)
		return 0;
	if (len == 0 || len > NAME_MAX_LEN || at > q->cluster_size ||
	    len > q->cluster_size - at || memchr(h + at, '\0', len))
		return qcow2_refuse(why, -EINVAL,
				    "the name of its backing file (%u bytes at "
				    "offset %#llx) is not one",
				    len, (unsigned long long)at);
	memcpy(ret_name, h + at, len);
	ret_name[len] = '\0';
	format = extension(q, h, EXT_BACKING_FORMAT, &len);
	if (format && len > 0 && len < 64) {
		memcpy(ret_format, format, len);
		ret_format[len] = '\0';
	}
	return 0;
}

int qcow2_clear_autoclear(struct qcow2 *q)
{
	static const uint8_t zeros[8];
	int r = 0;

	pthread_mutex_lock(&q->lock);
	if (atomic_load(&q->autoclear))
		r = qcow2_patch(q, zeros, sizeof(zeros), 88) ?: qcow2_sync(q);
	if (r == 0)
		atomic_store(&q->autoclear, false);
	pthread_mutex_unlock(&q->lock);
	return r;
}
