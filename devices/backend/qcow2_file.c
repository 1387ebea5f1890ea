// SPDX-License-Identifier: MIT
/* The file of a qcow2 image: all of what is asked for, however it is aligned. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/qcow2_parts.h"
#include "core/base.h"
#include "core/notice.h"

#define SPANS 64
#define BOUNCE_LEN (256u * 1024)
#define ALIGN 4096u

void *qcow2_alloc(size_t len)
{
	void *p = NULL;

	if (posix_memalign(&p, ALIGN, len ? len : 1))
		return NULL;
	return p;
}

int qcow2_damaged(struct qcow2 *q, const char *fmt, ...)
{
	char text[QCOW2_WHY_MAX];
	va_list ap;
	int n;

	if (atomic_exchange(&q->told, true) || !q->notice)
		return -EIO;
	n = snprintf(text, sizeof(text), "%s%s%s is damaged: ",
		     q->name ? "'" : "", q->name ? q->name : "the image",
		     q->name ? "'" : "");
	if (n > 0 && (size_t)n < sizeof(text)) {
		va_start(ap, fmt);
		vsnprintf(text + n, sizeof(text) - (size_t)n, fmt, ap);
		va_end(ap);
	}
	notice_say(q->notice, text);
	return -EIO;
}

/* ---- cursors ------------------------------------------------------------ */

static void advance(struct qcow2_cursor *cur, size_t len)
{
	while (len > 0 && cur->count > 0 && len >= cur->iov->iov_len) {
		len -= cur->iov->iov_len;
		cur->iov++;
		cur->count--;
	}
	if (len > 0 && cur->count > 0) {
		cur->iov->iov_base = (uint8_t *)cur->iov->iov_base + len;
		cur->iov->iov_len -= len;
	}
}

/* The next of its bytes that lie in a row, at most len. */
static size_t next_span(struct qcow2_cursor *cur, uint64_t len, void **ret_p)
{
	while (cur->count > 1 && cur->iov->iov_len == 0) {
		cur->iov++;
		cur->count--;
	}
	*ret_p = cur->iov->iov_base;
	return cur->iov->iov_len < len ? cur->iov->iov_len : (size_t)len;
}

void qcow2_cursor_zero(struct qcow2_cursor *to, uint64_t len)
{
	size_t n;
	void *p;

	for (; len > 0 && to->count > 0; len -= n) {
		n = next_span(to, len, &p);
		memset(p, 0, n);
		advance(to, n);
	}
}

void qcow2_cursor_copy(struct qcow2_cursor *to, const void *buf, size_t len)
{
	const uint8_t *from = buf;
	size_t n;
	void *p;

	for (; len > 0 && to->count > 0; len -= n, from += n) {
		n = next_span(to, len, &p);
		memcpy(p, from, n);
		advance(to, n);
	}
}

static void copy_out(struct qcow2_cursor *from, void *buf, size_t len)
{
	uint8_t *to = buf;
	size_t n;
	void *p;

	for (; len > 0 && from->count > 0; len -= n, to += n) {
		n = next_span(from, len, &p);
		memcpy(to, p, n);
		advance(from, n);
	}
}

/* ---- transfers ---------------------------------------------------------- */

/*
 * The first of the cursor's spans, at most len bytes, in iov. Returns how many
 * spans; *ret_len: bytes, *ret_bits: addresses and lengths, or'ed.
 */
static unsigned gather(const struct qcow2_cursor *cur, uint64_t len,
		       struct iovec iov[SPANS], size_t *ret_len,
		       uintptr_t *ret_bits)
{
	uintptr_t bits = 0;
	unsigned i, n = 0;
	size_t sum = 0;

	for (i = 0; i < cur->count && n < SPANS && sum < len; i++) {
		iov[n] = cur->iov[i];
		if (iov[n].iov_len > len - sum)
			iov[n].iov_len = (size_t)(len - sum);
		bits |= (uintptr_t)iov[n].iov_base | iov[n].iov_len;
		sum += iov[n++].iov_len;
	}
	*ret_len = sum;
	*ret_bits = bits;
	return n;
}

static ssize_t call(int fd, bool write, const struct iovec *iov, unsigned count,
		    uint64_t off)
{
	ssize_t n;

	do
		n = write ? pwritev(fd, iov, (int)count, (off_t)off)
			  : preadv(fd, iov, (int)count, (off_t)off);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/*
 * One piece by way of a buffer of our own. A piece to be read may begin and end
 * anywhere, one to be written only where the file's alignment has it.
 */
static int bounce(struct qcow2 *q, bool write, struct qcow2_cursor *cur,
		  uint64_t off, uint64_t len, size_t *ret_done)
{
	uint32_t align = q->file.align;
	uint64_t from = align_down(off, align), want;
	size_t skip = (size_t)(off - from);
	struct iovec span;
	ssize_t n;
	int r = 0;

	if (len > BOUNCE_LEN - skip)
		len = BOUNCE_LEN - skip;
	want = align_up(skip + len, align);
	if (write && (skip || want != len))
		return -EINVAL;
	span.iov_base = qcow2_alloc(want);
	span.iov_len = (size_t)want;
	if (!span.iov_base)
		return -ENOMEM;
	if (write)
		copy_out(cur, span.iov_base, (size_t)len);
	n = call(q->file.fd, write, &span, 1, from);
	if (n < 0 || (write && (uint64_t)n != want)) {
		/* Of what is written short, the rest shows what is wrong. */
		r = n < 0 ? (int)n : -ENOSPC;
	} else if (!write) {
		memset((uint8_t *)span.iov_base + n, 0, (size_t)want - (size_t)n);
		qcow2_cursor_copy(cur, (uint8_t *)span.iov_base + skip,
				  (size_t)len);
	}
	free(span.iov_base);
	*ret_done = (size_t)len;
	return r;
}

static int transfer(struct qcow2 *q, bool write, struct qcow2_cursor *cur,
		    uint64_t off, uint64_t len)
{
	uint32_t align = q->file.align;
	struct iovec iov[SPANS];
	uintptr_t bits;
	unsigned count;
	size_t want;
	ssize_t n;
	int r;

	for (; len > 0; off += want, len -= want) {
		count = gather(cur, len, iov, &want, &bits);
		if (align > 1 && ((off | bits) & (align - 1))) {
			r = bounce(q, write, cur, off, len, &want);
			if (r < 0)
				return r;
			continue;
		}
		n = call(q->file.fd, write, iov, count, off);
		if (n < 0)
			return (int)n;
		if (n == 0 && write)
			return -EIO;
		if (n == 0) {
			qcow2_cursor_zero(cur, len);
			return 0;
		}
		want = (size_t)n;
		advance(cur, want);
	}
	return 0;
}

int qcow2_file_read(struct qcow2 *q, struct qcow2_cursor *to, uint64_t off,
		    uint64_t len)
{
	return transfer(q, false, to, off, len);
}

int qcow2_file_write(struct qcow2 *q, struct qcow2_cursor *from, uint64_t off,
		     uint64_t len)
{
	return transfer(q, true, from, off, len);
}

int qcow2_pread(struct qcow2 *q, void *buf, size_t len, uint64_t off)
{
	struct iovec span = { buf, len };
	struct qcow2_cursor cur = { &span, 1 };

	return transfer(q, false, &cur, off, len);
}

int qcow2_pwrite(struct qcow2 *q, const void *buf, size_t len, uint64_t off)
{
	struct iovec span = { (void *)(uintptr_t)buf, len };
	struct qcow2_cursor cur = { &span, 1 };

	return transfer(q, true, &cur, off, len);
}

int qcow2_patch(struct qcow2 *q, const void *buf, size_t len, uint64_t off)
{
	uint64_t from = align_down(off, q->file.align);
	uint64_t all = align_up(off + len, q->file.align) - from;
	uint8_t *sectors = qcow2_alloc((size_t)all);
	int r;

	if (!sectors)
		return -ENOMEM;
	r = qcow2_pread(q, sectors, (size_t)all, from);
	if (r == 0) {
		memcpy(sectors + (off - from), buf, len);
		r = qcow2_pwrite(q, sectors, (size_t)all, from);
	}
	free(sectors);
	return r;
}

int qcow2_sync(struct qcow2 *q)
{
	int r;

	if (q->temporary || q->file.read_only)
		return 0;
	do
		r = fdatasync(q->file.fd);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}
