// SPDX-License-Identifier: MIT
/*
 * Tables in memory, and the order in which they go to the file; see qcow2.h. Refcount
 * blocks may be written at any time: in memory they are only ever counted up before
 * what refers to the clusters is in the file, and down after what did is not.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "backend/qcow2_parts.h"
#include "core/base.h"

static uint64_t l2_at(const struct qcow2 *q, uint64_t number)
{
	return qcow2_get64(q->l1.data + number * 8) & QCOW2_OFFSET;
}

static uint64_t block_at(const struct qcow2 *q, uint64_t number)
{
	return qcow2_get64(q->refcounts.data + number * 8) & ~UINT64_C(511);
}

static int write_slot(struct qcow2 *q, struct qcow2_slot *slot, uint64_t at)
{
	int r = qcow2_pwrite(q, slot->table, q->cluster_size, at);

	if (r == 0)
		slot->dirty = false;
	return r;
}

/* The slot for a table, with room for it and without another in it. */
static int prepare(struct qcow2 *q, struct qcow2_slot *slot, uint64_t number)
{
	if (!slot->table) {
		slot->table = qcow2_alloc(q->cluster_size);
		if (!slot->table)
			return -ENOMEM;
	}
	slot->number = number;
	slot->valid = false;
	return 0;
}

static int fill(struct qcow2 *q, struct qcow2_slot *slot, uint64_t at, bool read)
{
	int r = 0;

	if (read)
		r = qcow2_pread(q, slot->table, q->cluster_size, at);
	else
		memset(slot->table, 0, q->cluster_size);
	slot->valid = r == 0;
	return r;
}

int qcow2_l2_slot(struct qcow2 *q, uint64_t number, bool read,
		  struct qcow2_slot **ret_slot)
{
	struct qcow2_slot *slot = &q->l2.slot[number % q->l2.count];
	int r = 0;

	*ret_slot = slot;
	if (slot->valid && slot->number == number)
		return 0;
	if (slot->valid && slot->dirty)
		r = qcow2_write_metadata(q);
	if (r == 0)
		r = prepare(q, slot, number);
	return r < 0 ? r : fill(q, slot, l2_at(q, number), read);
}

int qcow2_block_slot(struct qcow2 *q, uint64_t number, bool read,
		     struct qcow2_slot **ret_slot)
{
	struct qcow2_slot *slot = &q->blocks.slot[number % q->blocks.count];
	int r = 0;

	*ret_slot = slot;
	if (slot->valid && slot->number == number)
		return 0;
	if (slot->valid && slot->dirty)
		r = write_slot(q, slot, block_at(q, slot->number));
	if (r == 0)
		r = prepare(q, slot, number);
	return r < 0 ? r : fill(q, slot, block_at(q, number), read);
}

void qcow2_table_set(struct qcow2_table *table, uint32_t entry, uint64_t val)
{
	qcow2_put64(table->data + (size_t)entry * 8, val);
	if (!table->dirty || entry < table->dirty_first)
		table->dirty_first = entry;
	if (!table->dirty || entry > table->dirty_last)
		table->dirty_last = entry;
	table->dirty = true;
}

/* By whole blocks of what O_DIRECT may want; the tables have room for that. */
static int write_table(struct qcow2 *q, struct qcow2_table *table)
{
	uint64_t from = align_down((uint64_t)table->dirty_first * 8, 512);
	uint64_t to = align_up((uint64_t)table->dirty_last * 8 + 8, 512);
	int r;

	if (q->file.align > 512) {
		from = align_down(from, q->file.align);
		to = align_up(to, q->file.align);
	}
	r = qcow2_pwrite(q, table->data + from, (size_t)(to - from),
			 table->at + from);
	if (r == 0)
		table->dirty = false;
	return r;
}

static bool cache_is_dirty(const struct qcow2_cache *cache)
{
	unsigned i;

	for (i = 0; i < cache->count; i++)
		if (cache->slot[i].valid && cache->slot[i].dirty)
			return true;
	return false;
}

bool qcow2_is_dirty(const struct qcow2 *q)
{
	return q->pending_count > 0 || q->l1.dirty || q->refcounts.dirty ||
	       cache_is_dirty(&q->l2) || cache_is_dirty(&q->blocks);
}

static int write_blocks(struct qcow2 *q)
{
	unsigned i;
	int r = 0;

	for (i = 0; i < q->blocks.count && r == 0; i++) {
		struct qcow2_slot *slot = &q->blocks.slot[i];

		if (slot->valid && slot->dirty)
			r = write_slot(q, slot, block_at(q, slot->number));
	}
	return r;
}

static int write_l2s(struct qcow2 *q)
{
	unsigned i;
	int r = 0;

	for (i = 0; i < q->l2.count && r == 0; i++) {
		struct qcow2_slot *slot = &q->l2.slot[i];

		if (slot->valid && slot->dirty)
			r = write_slot(q, slot, l2_at(q, slot->number));
	}
	return r;
}

/* One refcount less; what nobody refers to any more goes back to the host. */
static int count_down(struct qcow2 *q, struct qcow2_run *run)
{
	uint64_t count;
	int r;

	for (; run->count > 0; run->first++, run->count--) {
		r = qcow2_refcount(q, run->first, &count);
		if (r < 0)
			return r;
		if (count == 0) {
			qcow2_damaged(q, "cluster %#llx of it is used and not "
				      "counted; 'qemu-img check -r all' counts "
				      "anew",
				      (unsigned long long)run->first
					      << q->cluster_bits);
			continue;
		}
		qcow2_untake(q, run->first, 1);
		if (count == 1)
			(void)fallocate(q->file.fd,
					FALLOC_FL_PUNCH_HOLE |
						FALLOC_FL_KEEP_SIZE,
					(off_t)(run->first << q->cluster_bits),
					q->cluster_size);
	}
	return 0;
}

static int settle_pending(struct qcow2 *q)
{
	int r = 0;

	while (r == 0 && q->pending_count > 0) {
		r = count_down(q, &q->pending[q->pending_count - 1]);
		if (r == 0)
			q->pending_count--;
	}
	return r;
}

int qcow2_write_metadata(struct qcow2 *q)
{
	int r = write_blocks(q);

	/* A refcount block is there before the table leads to it, */
	if (r == 0 && q->refcounts.dirty)
		r = qcow2_sync(q) ?: write_table(q, &q->refcounts);
	/* data and refcounts before an L2 table leads to data, */
	if (r == 0 && (q->l1.dirty || cache_is_dirty(&q->l2)))
		r = qcow2_sync(q) ?: write_l2s(q);
	/* and an L2 table before L1 leads to it. */
	if (r == 0 && q->l1.dirty)
		r = qcow2_sync(q) ?: write_table(q, &q->l1);
	if (r == 0 && q->pending_count > 0)
		r = qcow2_sync(q) ?: settle_pending(q) ?: write_blocks(q);
	return r;
}
