// SPDX-License-Identifier: MIT
/* Where a cluster of the disk is, and who is at work on it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend/qcow2_parts.h"
#include "core/base.h"

#define L1_RESERVED UINT64_C(0x7f000000000001ff)
#define L2_RESERVED UINT64_C(0x3f000000000001fe)

/* ---- claims ------------------------------------------------------------- */

static bool in_the_way(const struct qcow2 *q, const struct qcow2_claim *claim)
{
	const struct qcow2_claim *c;

	for (c = q->claims; c; c = c->next)
		if (c->first <= claim->last && claim->first <= c->last &&
		    (c->exclusive || claim->exclusive))
			return true;
	return false;
}

/*
 * Nobody has two, so no two can wait for each other. To move a cluster of the disk
 * to another place, or to give its place up, takes an exclusive one; so nobody
 * reads from or writes to a place that has become another's.
 */
void qcow2_claim(struct qcow2 *q, struct qcow2_claim *claim)
{
	while (in_the_way(q, claim))
		pthread_cond_wait(&q->released, &q->lock);
	claim->next = q->claims;
	q->claims = claim;
}

void qcow2_release(struct qcow2 *q, struct qcow2_claim *claim)
{
	struct qcow2_claim **at = &q->claims;

	while (*at != claim)
		at = &(*at)->next;
	*at = claim->next;
	pthread_cond_broadcast(&q->released);
}

/* ---- entries ------------------------------------------------------------ */

void qcow2_compressed_at(const struct qcow2 *q, uint64_t entry,
			 uint64_t *ret_off, uint64_t *ret_len)
{
	unsigned x = 62 - (q->cluster_bits - 8);
	uint64_t sectors = (entry & (QCOW2_COMPRESSED - 1)) >> x;

	*ret_off = entry & ((UINT64_C(1) << x) - 1);
	*ret_len = (sectors + 1) * 512 - (*ret_off & 511);
}

/* A place in the file, of an entry of the table at `table`. */
static int check_place(struct qcow2 *q, uint64_t table, uint64_t off)
{
	if (off & (q->cluster_size - 1))
		return qcow2_damaged(q, "the table at offset %#llx leads to "
				     "%#llx, which is no multiple of the "
				     "cluster size",
				     (unsigned long long)table,
				     (unsigned long long)off);
	if (off >= q->file.size)
		return qcow2_damaged(q, "the table at offset %#llx leads to "
				     "%#llx, and the file is only %#llx bytes "
				     "long",
				     (unsigned long long)table,
				     (unsigned long long)off,
				     (unsigned long long)q->file.size);
	return 0;
}

static int check_entry(struct qcow2 *q, uint64_t table, uint64_t entry)
{
	uint64_t off, len;

	if (entry & QCOW2_COMPRESSED) {
		qcow2_compressed_at(q, entry, &off, &len);
		if (off < q->file.size)
			return 0;
		return check_place(q, table, align_down(off, q->cluster_size));
	}
	if (entry & L2_RESERVED ||
	    (q->version < 3 && (entry & QCOW2_ZERO)))
		return qcow2_damaged(q, "the table at offset %#llx has an "
				     "entry with bits that mean nothing "
				     "(%#llx)",
				     (unsigned long long)table,
				     (unsigned long long)entry);
	off = entry & QCOW2_OFFSET;
	return off ? check_place(q, table, off) : 0;
}

static uint64_t l2_index(const struct qcow2 *q, uint64_t cluster)
{
	return cluster & ((UINT64_C(1) << q->l2_bits) - 1);
}

int qcow2_entry(struct qcow2 *q, uint64_t cluster, uint64_t *ret_entry)
{
	uint64_t number = cluster >> q->l2_bits, at;
	struct qcow2_slot *slot;
	int r;

	at = qcow2_get64(q->l1.data + number * 8) & QCOW2_OFFSET;
	if (at == 0) {
		*ret_entry = 0;
		return 0;
	}
	r = qcow2_l2_slot(q, number, true, &slot);
	if (r < 0)
		return r;
	*ret_entry = qcow2_get64(slot->table + l2_index(q, cluster) * 8);
	/* Of one without a place nothing else counts. */
	if (!(*ret_entry & (QCOW2_COMPRESSED | QCOW2_OFFSET | QCOW2_ZERO)))
		*ret_entry = 0;
	return check_entry(q, at, *ret_entry);
}

/* An L2 table for what has none, or for one that is not ours alone. */
static int own_table(struct qcow2 *q, uint64_t number)
{
	uint64_t old = qcow2_get64(q->l1.data + number * 8) & QCOW2_OFFSET;
	uint64_t first, count;
	struct qcow2_slot *slot;
	bool fresh;
	int r;

	r = qcow2_take(q, 1, &first, &count, &fresh);
	if (r < 0)
		return r;
	/* Afterwards: to take may write, and empty a slot. */
	r = qcow2_l2_slot(q, number, old != 0, &slot);
	if (r < 0) {
		qcow2_untake(q, first, 1);
		return r;
	}
	slot->dirty = true;
	qcow2_table_set(&q->l1, (uint32_t)number,
			first << q->cluster_bits | QCOW2_COPIED);
	if (old)
		qcow2_drop(q, old >> q->cluster_bits, 1);
	return 0;
}

int qcow2_entries_for_write(struct qcow2 *q, uint64_t cluster,
			    uint8_t **ret_entries)
{
	uint64_t number = cluster >> q->l2_bits;
	struct qcow2_slot *slot = NULL;
	int r = 0;

	if (q->pending_count > QCOW2_PENDING_MAX / 2)
		r = qcow2_write_metadata(q);
	if (r == 0 &&
	    !(qcow2_get64(q->l1.data + number * 8) & QCOW2_COPIED))
		r = own_table(q, number);
	if (r == 0)
		r = qcow2_l2_slot(q, number, true, &slot);
	if (r < 0 || !slot)
		return r;
	slot->dirty = true;
	*ret_entries = slot->table + l2_index(q, cluster) * 8;
	return 0;
}
