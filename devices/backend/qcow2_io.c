// SPDX-License-Identifier: MIT
/* What a guest may do with a qcow2 image: see qcow2.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend/qcow2_parts.h"
#include "core/base.h"

/* Of one step: so much is taken at once at most. */
#define STEP_MAX MIB(2)

static uint64_t min64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Bytes up to the end of the L2 table that leads to off, at most len. */
static uint64_t within_table(const struct qcow2 *q, uint64_t off, uint64_t len)
{
	uint64_t span = UINT64_C(1) << (q->cluster_bits + q->l2_bits);

	return min64(len, span - (off & (span - 1)));
}

static struct qcow2_claim claim_of(const struct qcow2 *q, uint64_t off,
				   uint64_t len, bool exclusive)
{
	return (struct qcow2_claim){
		.first = off >> q->cluster_bits,
		.last = (off + len - 1) >> q->cluster_bits,
		.exclusive = exclusive,
	};
}

/* ---- reading ------------------------------------------------------------ */

/* From what lies below: the backing file, and zeros beyond its end. */
static int read_below(struct qcow2 *q, struct qcow2_cursor *to, uint64_t off,
		      uint64_t len)
{
	uint64_t there = 0;
	int r = 0;

	if (q->backing && off < q->backing->size)
		there = min64(len, q->backing->size - off);
	if (there > 0)
		r = qcow2_read(q->backing, to, off, there);
	if (r == 0)
		qcow2_cursor_zero(to, len - there);
	return r;
}

/* Whether what an entry leads to is zeros, and one need not look. */
static bool is_zeros(const struct qcow2 *q, uint64_t entry, uint64_t off)
{
	if (entry & QCOW2_COMPRESSED)
		return false;
	if (entry & QCOW2_ZERO)
		return true;
	return !(entry & QCOW2_OFFSET) &&
	       (!q->backing || off >= q->backing->size);
}

/* len bytes at off, of a claimed cluster whose entry this is. Without the lock. */
static int read_entry(struct qcow2 *q, uint64_t entry, struct qcow2_cursor *to,
		      uint64_t off, uint64_t len)
{
	uint32_t in = (uint32_t)(off & (q->cluster_size - 1));

	if (entry & QCOW2_COMPRESSED)
		return qcow2_inflate(q, entry, to, in, (uint32_t)len);
	if (entry & QCOW2_ZERO) {
		qcow2_cursor_zero(to, len);
		return 0;
	}
	if (!(entry & QCOW2_OFFSET))
		return read_below(q, to, off, len);
	return qcow2_file_read(q, to, (entry & QCOW2_OFFSET) + in, len);
}

/*
 * How many of the bytes at off, at most len, can be read in one go by way of the
 * first one's entry. With the lock.
 */
static int read_run(struct qcow2 *q, uint64_t off, uint64_t len,
		    uint64_t *ret_entry, uint64_t *ret_len)
{
	uint64_t cluster = off >> q->cluster_bits, entry, next, want;
	uint64_t n = q->cluster_size - (off & (q->cluster_size - 1));
	int r = qcow2_entry(q, cluster, &entry);

	if (r < 0)
		return r;
	while (n < len && !(entry & QCOW2_COMPRESSED)) {
		want = entry;
		if ((entry & QCOW2_OFFSET) && !(entry & QCOW2_ZERO))
			want += (++cluster - (off >> q->cluster_bits))
				<< q->cluster_bits;
		else
			cluster++;
		/* What is wrong with the next is said when it is its turn. */
		if (qcow2_entry(q, cluster, &next) < 0 || next != want)
			break;
		n += q->cluster_size;
	}
	*ret_entry = entry;
	*ret_len = min64(n, len);
	return 0;
}

int qcow2_read(struct qcow2 *q, struct qcow2_cursor *to, uint64_t off,
	       uint64_t len)
{
	struct qcow2_claim claim;
	uint64_t entry = 0, n = 0;
	int r = 0;

	if (q->raw)
		return qcow2_file_read(q, to, off, len);
	for (; r == 0 && len > 0; off += n, len -= n) {
		n = within_table(q, off, min64(len, STEP_MAX));
		claim = claim_of(q, off, n, false);
		pthread_mutex_lock(&q->lock);
		qcow2_claim(q, &claim);
		r = read_run(q, off, n, &entry, &n);
		pthread_mutex_unlock(&q->lock);
		if (r == 0)
			r = read_entry(q, entry, to, off, n);
		pthread_mutex_lock(&q->lock);
		qcow2_release(q, &claim);
		pthread_mutex_unlock(&q->lock);
	}
	return r;
}

/* ---- writing ------------------------------------------------------------ */

/* A write to clusters that are not, or not ours alone, or not where they lie. */
struct fresh_write {
	uint64_t off, len; /* on the disk */
	uint64_t first, count; /* clusters of the file */
	uint64_t old_first, old_last; /* entries so far */
	bool reused; /* the one cluster has its place already */
	bool fresh; /* as qcow2_take() */
};

/* Clusters from off on that a write can or (in_place false) cannot go to. */
static int write_run(struct qcow2 *q, uint64_t off, uint64_t len, bool in_place,
		     uint64_t *ret_first_entry, uint64_t *ret_len)
{
	uint64_t cluster = off >> q->cluster_bits, entry, want = 0;
	uint64_t n = 0, step;
	int r;

	for (; n < len; n += step, cluster++) {
		step = q->cluster_size - ((off + n) & (q->cluster_size - 1));
		r = qcow2_entry(q, cluster, &entry);
		if (r < 0 && n == 0)
			return r;
		if (r < 0 || qcow2_in_place(entry) != in_place)
			break;
		if (n == 0)
			*ret_first_entry = entry;
		else if (in_place && entry != want)
			break;
		want = entry + q->cluster_size;
	}
	*ret_len = min64(n, len);
	return 0;
}

/* Zeros or what was there, for a part of a new cluster. Without the lock. */
static int fill(struct qcow2 *q, const struct fresh_write *fw, uint64_t entry,
		uint64_t off, uint64_t len)
{
	uint64_t base = align_down(fw->off, q->cluster_size);
	uint64_t at = (fw->first << q->cluster_bits) + (off - base);
	struct qcow2_cursor cur;
	struct iovec span;
	int r;

	if (len == 0 || (fw->fresh && is_zeros(q, entry, off)))
		return 0;
	span = (struct iovec){ qcow2_alloc((size_t)len), (size_t)len };
	if (!span.iov_base)
		return -ENOMEM;
	cur = (struct qcow2_cursor){ &(struct iovec){ span.iov_base, len }, 1 };
	r = read_entry(q, entry, &cur, off, len);
	if (r == 0)
		r = qcow2_pwrite(q, span.iov_base, (size_t)len, at);
	free(span.iov_base);
	return r;
}

/* The clusters' data, all of it. Without the lock. */
static int write_whole(struct qcow2 *q, const struct fresh_write *fw,
		       struct qcow2_cursor *from)
{
	uint64_t start = align_down(fw->off, q->cluster_size);
	uint64_t end = fw->off + fw->len;
	uint64_t tail = align_up(end, q->cluster_size) - end;
	int r;

	r = fill(q, fw, fw->old_first, start, fw->off - start);
	if (r == 0)
		r = fill(q, fw, fw->old_last, end, tail);
	if (r < 0)
		return r;
	return qcow2_file_write(q, from,
				(fw->first << q->cluster_bits) + fw->off - start,
				fw->len);
}

/* A place for some of the clusters, which shortens fw->len. With the lock. */
static int find_place(struct qcow2 *q, struct fresh_write *fw)
{
	uint64_t in = fw->off & (q->cluster_size - 1);
	uint64_t last, want = (in + fw->len + q->cluster_size - 1)
			      >> q->cluster_bits;
	int r;

	if ((fw->old_first & (QCOW2_ZERO | QCOW2_COPIED)) ==
		    (QCOW2_ZERO | QCOW2_COPIED) &&
	    !(fw->old_first & QCOW2_COMPRESSED) &&
	    (fw->old_first & QCOW2_OFFSET)) {
		fw->reused = true;
		fw->first = (fw->old_first & QCOW2_OFFSET) >> q->cluster_bits;
		fw->count = 1;
	} else {
		r = qcow2_take(q, want, &fw->first, &fw->count, &fw->fresh);
		if (r < 0)
			return r;
	}
	fw->len = min64(fw->len, (fw->count << q->cluster_bits) - in);
	last = (fw->off + fw->len - 1) >> q->cluster_bits;
	r = qcow2_entry(q, last, &fw->old_last);
	if (r < 0 && !fw->reused)
		qcow2_untake(q, fw->first, fw->count);
	return r;
}

/* The table leads to them from now on. With the lock. */
static int settle(struct qcow2 *q, const struct fresh_write *fw)
{
	uint64_t i, cluster = fw->off >> q->cluster_bits, old;
	uint8_t *entries;
	int r = qcow2_entries_for_write(q, cluster, &entries);

	if (r < 0)
		return r;
	for (i = 0; i < fw->count; i++) {
		old = qcow2_get64(entries + i * 8);
		qcow2_put64(entries + i * 8,
			    (fw->first + i) << q->cluster_bits | QCOW2_COPIED);
		if (!fw->reused)
			qcow2_drop_entry(q, old);
	}
	return 0;
}

/*
 * As much of a write as new clusters take in one go. Returns 0 with *ret_len 0 if
 * meanwhile it has become possible to write in place.
 */
static int write_new(struct qcow2 *q, struct qcow2_cursor *from, uint64_t off,
		     uint64_t len, uint64_t *ret_len)
{
	struct qcow2_claim claim = claim_of(q, off, len, true);
	struct fresh_write fw = { .off = off };
	int r;

	*ret_len = 0;
	pthread_mutex_lock(&q->lock);
	qcow2_claim(q, &claim);
	r = write_run(q, off, len, false, &fw.old_first, &fw.len);
	if (r == 0 && fw.len > 0) {
		r = find_place(q, &fw);
		pthread_mutex_unlock(&q->lock);
		if (r < 0) {
			pthread_mutex_lock(&q->lock);
			qcow2_release(q, &claim);
			pthread_mutex_unlock(&q->lock);
			return r;
		}
		r = write_whole(q, &fw, from);
		pthread_mutex_lock(&q->lock);
		if (r == 0)
			r = settle(q, &fw);
		if (r < 0 && !fw.reused)
			qcow2_untake(q, fw.first, fw.count);
		*ret_len = fw.len;
	}
	qcow2_release(q, &claim);
	pthread_mutex_unlock(&q->lock);
	return r;
}

/* As much of a write as goes where the disk's clusters lie; *ret_len 0: nothing. */
static int write_in_place(struct qcow2 *q, struct qcow2_cursor *from,
			  uint64_t off, uint64_t len, uint64_t *ret_len)
{
	struct qcow2_claim claim = claim_of(q, off, len, false);
	uint64_t entry = 0;
	int r;

	pthread_mutex_lock(&q->lock);
	qcow2_claim(q, &claim);
	r = write_run(q, off, len, true, &entry, ret_len);
	pthread_mutex_unlock(&q->lock);
	if (r == 0 && *ret_len > 0)
		r = qcow2_file_write(q, from,
				     (entry & QCOW2_OFFSET) +
					     (off & (q->cluster_size - 1)),
				     *ret_len);
	pthread_mutex_lock(&q->lock);
	qcow2_release(q, &claim);
	pthread_mutex_unlock(&q->lock);
	return r;
}

static int before_change(struct qcow2 *q)
{
	if (q->file.read_only)
		return -EROFS;
	return atomic_load(&q->autoclear) ? qcow2_clear_autoclear(q) : 0;
}

int qcow2_write(struct qcow2 *q, struct qcow2_cursor *from, uint64_t off,
		uint64_t len)
{
	uint64_t n = 0, most;
	int r = before_change(q);

	for (; r == 0 && len > 0; off += n, len -= n) {
		most = within_table(q, off, min64(len, STEP_MAX));
		r = write_in_place(q, from, off, most, &n);
		if (r == 0 && n == 0)
			r = write_new(q, from, off, most, &n);
	}
	return r;
}

int qcow2_flush(struct qcow2 *q)
{
	int r = 0;

	if (q->raw || q->file.read_only || q->temporary)
		return 0;
	pthread_mutex_lock(&q->lock);
	if (qcow2_is_dirty(q))
		r = qcow2_write_metadata(q);
	pthread_mutex_unlock(&q->lock);
	return r ?: qcow2_sync(q);
}

/* ---- giving up ---------------------------------------------------------- */

/* Zeros, written; where it is zeros already nothing is. */
static int write_zeros(struct qcow2 *q, uint64_t off, uint64_t len)
{
	size_t room = (size_t)min64(len, KIB(256));
	struct qcow2_cursor cur;
	struct iovec span;
	uint64_t entry, n;
	uint8_t *zeros;
	int r = 0;

	zeros = qcow2_alloc(room);
	if (!zeros)
		return -ENOMEM;
	memset(zeros, 0, room);
	for (; r == 0 && len > 0; off += n, len -= n) {
		n = min64(min64(len, room),
			  q->cluster_size - (off & (q->cluster_size - 1)));
		pthread_mutex_lock(&q->lock);
		r = qcow2_entry(q, off >> q->cluster_bits, &entry);
		pthread_mutex_unlock(&q->lock);
		if (r < 0 || is_zeros(q, entry, off))
			continue;
		span = (struct iovec){ zeros, (size_t)n };
		cur = (struct qcow2_cursor){ &span, 1 };
		r = qcow2_write(q, &cur, off, n);
	}
	free(zeros);
	return r;
}

/*
 * The entry that a cluster gets which is to read as zeros. Returns false: there is
 * none, in version 2 over a backing file.
 */
static bool zero_entry(const struct qcow2 *q, uint64_t old, uint64_t off,
		       bool may_unmap, uint64_t *ret_entry)
{
	bool keep = !may_unmap && (old & QCOW2_OFFSET) &&
		    (old & QCOW2_COPIED) && !(old & QCOW2_COMPRESSED);

	if (q->version >= 3 && keep)
		*ret_entry = old | QCOW2_ZERO;
	else if (keep)
		return false;
	else if (is_zeros(q, 0, off))
		*ret_entry = 0;
	else
		*ret_entry = QCOW2_ZERO;
	return q->version >= 3 || !(*ret_entry & QCOW2_ZERO);
}

/*
 * Has whole clusters, of one L2 table, read as zeros. *ret_len: how many of the
 * bytes it has done, 0: that of the first has to be written.
 */
static int zero_clusters(struct qcow2 *q, uint64_t off, uint64_t len,
			 bool may_unmap, uint64_t *ret_len)
{
	struct qcow2_claim claim = claim_of(q, off, len, true);
	uint64_t cluster = claim.first, old, entry;
	uint8_t *entries;
	int r = 0;

	*ret_len = 0;
	pthread_mutex_lock(&q->lock);
	qcow2_claim(q, &claim);
	for (; r == 0 && cluster <= claim.last; cluster++) {
		r = qcow2_entry(q, cluster, &old);
		if (r < 0 ||
		    !zero_entry(q, old, cluster << q->cluster_bits, may_unmap,
				&entry))
			break;
		if (entry != old) {
			r = qcow2_entries_for_write(q, cluster, &entries);
			if (r < 0)
				break;
			qcow2_put64(entries, entry);
			if (!(entry & QCOW2_OFFSET))
				qcow2_drop_entry(q, old);
		}
		*ret_len += q->cluster_size;
	}
	qcow2_release(q, &claim);
	pthread_mutex_unlock(&q->lock);
	return r;
}

int qcow2_write_zeroes(struct qcow2 *q, uint64_t off, uint64_t len,
		       bool may_unmap)
{
	uint32_t size = q->cluster_size;
	uint64_t n = 0, in;
	int r = before_change(q);

	for (; r == 0 && len > 0; off += n, len -= n) {
		in = off & (size - 1);
		n = 0;
		/* The last cluster of the disk counts as whole. */
		if (in == 0 && (len >= size || off + len == q->size))
			r = zero_clusters(q, off,
					  within_table(q, off, len >= size ?
							       align_down(len, size) :
							       len),
					  may_unmap, &n);
		n = min64(n, len);
		if (r == 0 && n == 0) {
			n = min64(len, size - in);
			r = write_zeros(q, off, n);
		}
	}
	return r;
}

int qcow2_discard(struct qcow2 *q, uint64_t off, uint64_t len)
{
	uint64_t end = off + len, n;
	int r = before_change(q);

	off = align_up(off, q->cluster_size);
	if (end < q->size)
		end = align_down(end, q->cluster_size);
	for (; r == 0 && off < end; off += n) {
		r = zero_clusters(q, off, within_table(q, off, end - off), true,
				  &n);
		/* Not what is below would come to light: it stays as it is. */
		if (r == 0 && n == 0)
			n = q->cluster_size;
	}
	return r;
}
