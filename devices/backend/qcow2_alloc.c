// SPDX-License-Identifier: MIT
/* Clusters of the file: which are free, and how that is counted. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/qcow2_parts.h"
#include "core/base.h"

/* Offsets in the tables have 56 bits. */
#define OFFSET_END (UINT64_C(1) << 56)
/* So many clusters in a row that are all in use: no image of a real disk. */
#define SCAN_MAX (UINT64_C(1) << 28)
/* Of the refcount table; what QEMU takes, too. */
#define TABLE_LEN_MAX MIB(8)

static uint64_t block_entry(const struct qcow2 *q, uint64_t number)
{
	return qcow2_get64(q->refcounts.data + number * 8);
}

static uint64_t get_count(const struct qcow2 *q, const uint8_t *block,
			  uint64_t i)
{
	unsigned bits = 1u << q->refcount_order, n;
	const uint8_t *p = block + (i << q->refcount_order) / 8;
	uint64_t v = 0;

	if (bits < 8)
		return *p >> (i * bits % 8) & ((1u << bits) - 1);
	for (n = 0; n < bits / 8; n++)
		v = v << 8 | p[n];
	return v;
}

static void set_count(const struct qcow2 *q, uint8_t *block, uint64_t i,
		      uint64_t v)
{
	unsigned bits = 1u << q->refcount_order, n, shift;
	uint8_t *p = block + (i << q->refcount_order) / 8;

	if (bits < 8) {
		shift = (unsigned)(i * bits % 8);
		*p = (uint8_t)((*p & ~(((1u << bits) - 1) << shift)) |
			       v << shift);
		return;
	}
	for (n = bits / 8; n-- > 0; v >>= 8)
		p[n] = (uint8_t)v;
}

/* The block that counts a cluster; *ret_block NULL: there is none, so it is free. */
static int find_block(struct qcow2 *q, uint64_t cluster,
		      struct qcow2_slot **ret_block)
{
	uint64_t number = cluster >> q->block_bits;

	*ret_block = NULL;
	if (number >= q->refcounts.entries || !block_entry(q, number))
		return 0;
	return qcow2_block_slot(q, number, true, ret_block);
}

static uint64_t in_block(const struct qcow2 *q, uint64_t cluster)
{
	return cluster & ((UINT64_C(1) << q->block_bits) - 1);
}

int qcow2_refcount(struct qcow2 *q, uint64_t cluster, uint64_t *ret_count)
{
	struct qcow2_slot *block;
	int r = find_block(q, cluster, &block);

	if (r < 0)
		return r;
	*ret_count = block ? get_count(q, block->table, in_block(q, cluster)) : 0;
	return 0;
}

/* Whether the header or a table that is in memory lies there. */
static bool is_vital(const struct qcow2 *q, uint64_t cluster)
{
	const struct qcow2_table *tables[] = { &q->l1, &q->refcounts };
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		uint64_t first = tables[i]->at >> q->cluster_bits;
		uint64_t end = tables[i]->at + (uint64_t)tables[i]->entries * 8;

		if (cluster >= first &&
		    cluster < (end + q->cluster_size - 1) >> q->cluster_bits)
			return true;
	}
	return cluster == 0;
}

static int uncounted(struct qcow2 *q, uint64_t cluster)
{
	return qcow2_damaged(q, "its table at %#llx counts as free; 'qemu-img "
			     "check -r all' counts anew",
			     (unsigned long long)cluster << q->cluster_bits);
}

/* Makes the file long enough to hold the clusters before `end`. */
static int extend(struct qcow2 *q, uint64_t end)
{
	uint64_t size = end << q->cluster_bits;

	if (size <= q->file.size)
		return 0;
	if (q->file.device)
		return -ENOSPC;
	if (ftruncate(q->file.fd, (off_t)size) < 0)
		return -errno;
	q->file.size = size;
	return 0;
}

/* A block for a range that has none, in that range, at `cluster`. */
static int add_block(struct qcow2 *q, uint64_t cluster)
{
	uint64_t number = cluster >> q->block_bits;
	struct qcow2_slot *block = NULL;
	int r;

	if (is_vital(q, cluster))
		return uncounted(q, cluster);
	r = extend(q, cluster + 1) ?:
	    qcow2_block_slot(q, number, false, &block);
	if (r < 0 || !block)
		return r;
	set_count(q, block->table, in_block(q, cluster), 1);
	block->dirty = true;
	qcow2_table_set(&q->refcounts, (uint32_t)number,
			cluster << q->cluster_bits);
	return 0;
}

static uint64_t clusters_of(const struct qcow2 *q, uint64_t bytes)
{
	return (bytes + q->cluster_size - 1) >> q->cluster_bits;
}

/*
 * Writes a new refcount table and the blocks that count it, all at `first`, where
 * nothing is. Returns 0 or -errno.
 */
static int write_new_table(struct qcow2 *q, uint64_t first,
			   struct qcow2_table *table)
{
	uint64_t own = clusters_of(q, (uint64_t)table->entries * 8);
	uint64_t block = first >> q->block_bits, at = first + own, end, i, j;
	uint8_t *buf = qcow2_alloc(q->cluster_size);
	int r = 0;

	if (!buf)
		return -ENOMEM;
	end = at;
	/* More blocks may need one more to count them. */
	do
		i = end;
	while ((end = at + ((i - 1) >> q->block_bits) - block + 1) != i);
	r = extend(q, end);
	for (i = block; r == 0 && i <= (end - 1) >> q->block_bits; i++, at++) {
		memset(buf, 0, q->cluster_size);
		for (j = 0; j < UINT64_C(1) << q->block_bits; j++) {
			uint64_t cluster = (i << q->block_bits) + j;

			if (cluster >= first && cluster < end)
				set_count(q, buf, j, 1);
		}
		qcow2_put64(table->data + i * 8, at << q->cluster_bits);
		r = qcow2_pwrite(q, buf, q->cluster_size,
				 at << q->cluster_bits);
	}
	free(buf);
	return r ?: qcow2_pwrite(q, table->data,
				 (size_t)(own << q->cluster_bits), table->at);
}

/* The refcount table is full: makes a larger one, after all that is there. */
static int grow_table(struct qcow2 *q)
{
	struct qcow2_table *old = &q->refcounts, table = { 0 };
	uint64_t first = (uint64_t)old->entries << q->block_bits, len, used;
	uint8_t header[12];
	int r;

	if (first < clusters_of(q, q->file.size))
		first = clusters_of(q, q->file.size);
	/* In a range that no block counts yet. */
	first = align_up(first, UINT64_C(1) << q->block_bits);
	used = ((first >> q->block_bits) + 2) * 8;
	len = align_up(used + used / 2 + q->cluster_size, q->cluster_size);
	if (len > TABLE_LEN_MAX)
		return -EFBIG;
	table.at = first << q->cluster_bits;
	table.entries = (uint32_t)(len / 8);
	table.data = qcow2_alloc(align_up(len, 4096));
	if (!table.data)
		return -ENOMEM;
	memset(table.data, 0, align_up(len, 4096));
	memcpy(table.data, old->data, (size_t)old->entries * 8);

	r = qcow2_write_metadata(q) ?: write_new_table(q, first, &table) ?:
	    qcow2_sync(q);
	if (r == 0) {
		qcow2_put64(header, table.at);
		qcow2_put32(header + 8, (uint32_t)clusters_of(q, len));
		r = qcow2_patch(q, header, sizeof(header), 48) ?: qcow2_sync(q);
	}
	if (r < 0) {
		free(table.data);
		return r;
	}
	qcow2_drop(q, old->at >> q->cluster_bits,
		   clusters_of(q, (uint64_t)old->entries * 8));
	free(old->data);
	*old = table;
	return 0;
}

/* The first free cluster, in a range that is counted. */
static int find_free(struct qcow2 *q, uint64_t *ret_cluster,
		     struct qcow2_slot **ret_block)
{
	uint64_t cluster = q->free_hint, end, count = 1;
	int r;

	/* What is counted beyond the end can be no more than a block's worth. */
	end = clusters_of(q, q->file.size) + (UINT64_C(2) << q->block_bits);
	if (end > cluster + SCAN_MAX)
		end = cluster + SCAN_MAX;
	for (;; cluster++) {
		if (cluster >= OFFSET_END >> q->cluster_bits)
			return -EFBIG;
		if (cluster >= end) {
			q->free_hint = cluster; /* not once more from there */
			return qcow2_damaged(q, "clusters beyond its end are "
						"counted; 'qemu-img check -r "
						"all' counts anew");
		}
		if (cluster >> q->block_bits >= q->refcounts.entries) {
			r = grow_table(q);
			if (r < 0)
				return r;
		}
		r = find_block(q, cluster, ret_block);
		if (r < 0)
			return r;
		if (!*ret_block) {
			/* It may be beyond the end of a file with a gap. */
			r = add_block(q, cluster);
			if (r < 0)
				return r;
			continue;
		}
		count = get_count(q, (*ret_block)->table, in_block(q, cluster));
		if (count == 0)
			break;
	}
	*ret_cluster = q->free_hint = cluster;
	return 0;
}

int qcow2_take(struct qcow2 *q, uint64_t want, uint64_t *ret_first,
	       uint64_t *ret_count, bool *ret_fresh)
{
	uint64_t first = 0, n, end = clusters_of(q, q->file.size);
	struct qcow2_slot *block = NULL;
	bool fresh;
	int r;

	r = find_free(q, &first, &block);
	if (r < 0 || !block)
		return r;
	/* The search may have extended it, by its own clusters. */
	fresh = !q->file.device && first >= end;
	for (n = 0; n < want; n++) {
		uint64_t i = in_block(q, first) + n;

		if (i >= UINT64_C(1) << q->block_bits ||
		    get_count(q, block->table, i) ||
		    fresh != (!q->file.device && first + n >= end))
			break;
		if (is_vital(q, first + n))
			return uncounted(q, first + n);
	}
	r = extend(q, first + n);
	if (r < 0)
		return r;
	*ret_first = first;
	*ret_count = n;
	*ret_fresh = fresh;
	while (n-- > 0)
		set_count(q, block->table, in_block(q, first) + n, 1);
	block->dirty = true;
	q->free_hint = first + *ret_count;
	return 0;
}

void qcow2_untake(struct qcow2 *q, uint64_t first, uint64_t count)
{
	struct qcow2_slot *block;
	uint64_t i, n;

	for (i = first; i < first + count; i++) {
		/* What cannot be counted down stays taken: a leak, no harm. */
		if (find_block(q, i, &block) < 0 || !block)
			continue;
		n = get_count(q, block->table, in_block(q, i));
		if (n == 0)
			continue;
		set_count(q, block->table, in_block(q, i), n - 1);
		block->dirty = true;
		if (n == 1 && i < q->free_hint)
			q->free_hint = i;
	}
}

void qcow2_drop(struct qcow2 *q, uint64_t first, uint64_t count)
{
	struct qcow2_run *last = q->pending + q->pending_count;

	if (count == 0)
		return;
	if (q->pending_count > 0 && last[-1].first + last[-1].count == first) {
		last[-1].count += count;
		return;
	}
	/* A leak; whoever fills it sees to it that there is room. */
	if (q->pending_count == QCOW2_PENDING_MAX)
		return;
	*last = (struct qcow2_run){ first, count };
	q->pending_count++;
}

void qcow2_drop_entry(struct qcow2 *q, uint64_t entry)
{
	uint64_t off = entry & QCOW2_OFFSET, len = 1;

	if (entry & QCOW2_COMPRESSED)
		qcow2_compressed_at(q, entry, &off, &len);
	if (off == 0)
		return;
	qcow2_drop(q, off >> q->cluster_bits,
		   ((off + len - 1) >> q->cluster_bits) -
			   (off >> q->cluster_bits) + 1);
}
