/* SPDX-License-Identifier: MIT */
/*
 * qcow2_parts.h: what the files qcow2_*.c share. Nobody else includes it.
 */
#ifndef TRAPMAP_BACKEND_QCOW2_PARTS_H
#define TRAPMAP_BACKEND_QCOW2_PARTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "backend/block_open.h"
#include "backend/qcow2.h"

/* ---- the format --------------------------------------------------------- */

#define QCOW2_CLUSTER_BITS_MIN 9
#define QCOW2_CLUSTER_BITS_MAX 21
#define QCOW2_CLUSTER_MAX (1u << QCOW2_CLUSTER_BITS_MAX)

/* Of L1 and L2 entries; what is neither these nor a reserved bit is an offset. */
#define QCOW2_COPIED (UINT64_C(1) << 63) /* its refcount is exactly one */
#define QCOW2_COMPRESSED (UINT64_C(1) << 62)
#define QCOW2_ZERO UINT64_C(1)
#define QCOW2_OFFSET UINT64_C(0x00fffffffffffe00)

static inline uint32_t qcow2_get32(const void *p)
{
	const uint8_t *b = p;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
	       (uint32_t)b[2] << 8 | b[3];
}

static inline uint64_t qcow2_get64(const void *p)
{
	return (uint64_t)qcow2_get32(p) << 32 |
	       qcow2_get32((const uint8_t *)p + 4);
}

static inline void qcow2_put32(void *p, uint32_t v)
{
	uint8_t *b = p;

	b[0] = (uint8_t)(v >> 24);
	b[1] = (uint8_t)(v >> 16);
	b[2] = (uint8_t)(v >> 8);
	b[3] = (uint8_t)v;
}

static inline void qcow2_put64(void *p, uint64_t v)
{
	qcow2_put32(p, (uint32_t)(v >> 32));
	qcow2_put32((uint8_t *)p + 4, (uint32_t)v);
}

/* ---- an open image ------------------------------------------------------ */

/* Tables of one cluster each, as in the file; number n lives in slot n % count. */
struct qcow2_slot {
	uint64_t number;
	uint8_t *table; /* NULL: not yet */
	bool valid, dirty;
};

struct qcow2_cache {
	struct qcow2_slot *slot;
	unsigned count;
};

/* A table that is all in memory, as in the file. */
struct qcow2_table {
	uint64_t at; /* in the file */
	uint32_t entries;
	uint8_t *data;
	bool dirty;
	uint32_t dirty_first, dirty_last; /* entries */
};

/* Clusters of the disk that somebody moves data of, or changes the place of. */
struct qcow2_claim {
	uint64_t first, last;
	bool exclusive;
	struct qcow2_claim *next;
};

/* Clusters of the file. */
struct qcow2_run {
	uint64_t first, count;
};

#define QCOW2_PENDING_MAX 1024

struct qcow2 {
	struct block_opened file; /* size: lock */
	/* Not in the format at all: all that it has is `file` and `size`. */
	bool raw;
	bool temporary; /* nothing of it needs to last */
	char *name; /* for messages; NULL: it needs none */
	const struct notice *notice;
	struct qcow2 *backing;
	uint64_t size;

	unsigned version;
	unsigned cluster_bits;
	uint32_t cluster_size;
	unsigned l2_bits; /* log2 of an L2 table's entries */
	unsigned refcount_order, block_bits; /* log2 of a refcount block's entries */
	uint8_t compression;
	_Atomic bool autoclear; /* such bits are to be cleared before a change */
	_Atomic bool told; /* that it is damaged */

	pthread_mutex_t lock; /* for all below */
	pthread_cond_t released; /* a claim */
	struct qcow2_claim *claims;
	struct qcow2_table l1, refcounts;
	struct qcow2_cache l2, blocks;
	uint64_t free_hint; /* no cluster before it is free */
	/* To be counted down once nothing in the file refers to them. */
	struct qcow2_run *pending;
	unsigned pending_count;

	pthread_mutex_t inflate_lock; /* for what follows */
	uint64_t inflated_entry; /* 0: none */
	uint8_t *inflated, *deflated;
	size_t deflated_room;
};

/* qcow2_file.c: moves data, all of it; what lies beyond the file's end is zeros. */
int qcow2_file_read(struct qcow2 *q, struct qcow2_cursor *to, uint64_t off,
		    uint64_t len);
int qcow2_file_write(struct qcow2 *q, struct qcow2_cursor *from, uint64_t off,
		     uint64_t len);
int qcow2_pread(struct qcow2 *q, void *buf, size_t len, uint64_t off);
int qcow2_pwrite(struct qcow2 *q, const void *buf, size_t len, uint64_t off);
/* A change within one sector of metadata. */
int qcow2_patch(struct qcow2 *q, const void *buf, size_t len, uint64_t off);
int qcow2_sync(struct qcow2 *q);
/* Memory that O_DIRECT takes, or NULL. */
void *qcow2_alloc(size_t len);
void qcow2_cursor_zero(struct qcow2_cursor *to, uint64_t len);
void qcow2_cursor_copy(struct qcow2_cursor *to, const void *buf, size_t len);

/* Says, once, that the image is damaged. Returns -EIO. */
int qcow2_damaged(struct qcow2 *q, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* qcow2_create.c: writes an empty image. Returns 0 or -errno. */
int qcow2_create(struct block_opened *file, uint64_t size);

/* qcow2_header.c: clears the bits that a change makes untrue. */
int qcow2_clear_autoclear(struct qcow2 *q);

/* ---- qcow2_map.c; all with the lock ------------------------------------- */

/* May wait, and let go of the lock meanwhile. */
void qcow2_claim(struct qcow2 *q, struct qcow2_claim *claim);
void qcow2_release(struct qcow2 *q, struct qcow2_claim *claim);

/* The entry of a cluster of the disk, checked, 0 where there is none. */
int qcow2_entry(struct qcow2 *q, uint64_t cluster, uint64_t *ret_entry);
/* Of the cluster's table, which becomes the image's own: to change entries. */
int qcow2_entries_for_write(struct qcow2 *q, uint64_t cluster,
			    uint8_t **ret_entries);

static inline bool qcow2_in_place(uint64_t entry)
{
	return (entry & QCOW2_COPIED) &&
	       !(entry & (QCOW2_COMPRESSED | QCOW2_ZERO));
}

/* Where a compressed cluster's data is. */
void qcow2_compressed_at(const struct qcow2 *q, uint64_t entry,
			 uint64_t *ret_off, uint64_t *ret_len);

/* ---- qcow2_alloc.c; all with the lock ----------------------------------- */

/*
 * Takes up to `want` free clusters in a row, whose refcounts become 1.
 * *ret_fresh: they have never been part of the file, and read as zeros.
 */
int qcow2_take(struct qcow2 *q, uint64_t want, uint64_t *ret_first,
	       uint64_t *ret_count, bool *ret_fresh);
/* Gives them back; nothing refers to them, nor ever has. */
void qcow2_untake(struct qcow2 *q, uint64_t first, uint64_t count);
/* An L2 entry, or an L2 table, that is not referred to once what is now in memory
 * has been written. */
void qcow2_drop_entry(struct qcow2 *q, uint64_t entry);
void qcow2_drop(struct qcow2 *q, uint64_t first, uint64_t count);
/* How often the cluster of the file is referred to. */
int qcow2_refcount(struct qcow2 *q, uint64_t cluster, uint64_t *ret_count);

/* qcow2_cache.c: a table's slot, read if need be; with the lock. */
int qcow2_l2_slot(struct qcow2 *q, uint64_t number, bool read,
		  struct qcow2_slot **ret_slot);
int qcow2_block_slot(struct qcow2 *q, uint64_t number, bool read,
		     struct qcow2_slot **ret_slot);
/* Changes an entry of a table that is all in memory. */
void qcow2_table_set(struct qcow2_table *table, uint32_t entry, uint64_t val);
/* In order; afterwards a sync makes it last. */
int qcow2_write_metadata(struct qcow2 *q);
bool qcow2_is_dirty(const struct qcow2 *q);

/* qcow2_inflate.c: one compressed cluster, len bytes of it from off on. */
int qcow2_inflate(struct qcow2 *q, uint64_t entry, struct qcow2_cursor *to,
		  uint32_t off, uint32_t len);
/* Whether this build can decompress such clusters: "zlib" or "zstd" if not. */
const char *qcow2_inflate_lacks(uint8_t compression);

#endif
