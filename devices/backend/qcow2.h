/* SPDX-License-Identifier: MIT */
/*
 * qcow2.h: an image in QEMU's copy-on-write format, by its specification
 * (docs/interop/qcow2.txt of QEMU): versions 2 and 3.
 *
 * The disk is cut into clusters. A two-level table (L1, L2) says where each lies in
 * the file, or that it reads as zeros, or that the backing file has it; another (the
 * refcount table, refcount blocks) counts who refers to each cluster of the file.
 *
 * What a kill at any moment leaves is sound, at worst with clusters that nobody
 * refers to ("leaks"): L2 tables change in memory only, until a flush writes, with
 * an fdatasync() between any two of them,
 *
 *	data and refcounts (which had to grow), L2 tables, L1, and then what
 *	refcounts had to shrink.
 *
 * Any thread, several at a time: these calls wait for the file. q->lock covers the
 * metadata and is not held while data is moved; what keeps a cluster in its place
 * meanwhile is a claim (qcow2_map.c).
 *
 * Not modelled: encryption, external data files, extended L2 entries (each is
 * refused at open), internal snapshots as something to choose (they stay intact),
 * dirty bitmaps (a change invalidates them, as the specification has it), lazy
 * refcounts, images that grow.
 */
#ifndef TRAPMAP_BACKEND_QCOW2_H
#define TRAPMAP_BACKEND_QCOW2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define QCOW2_WHY_MAX 512 /* as BLOCK_WHY_MAX */

struct block_opened;
struct notice;
struct qcow2;

struct qcow2_config {
	struct block_opened *file; /* taken over, after a failure too */
	/*
	 * Where the image is, which its backing file's name is relative to; NULL:
	 * nobody knows.
	 */
	const char *path;
	const struct notice *notice; /* NULL: nobody listens. Outlives the image */
};

/*
 * Opens the image, and its chain of backing files for reading. Returns 0, or -errno
 * with a sentence in why (QCOW2_WHY_MAX bytes) of what is wrong with it, where, and
 * what to do.
 */
int qcow2_open(const struct qcow2_config *config, struct qcow2 **ret_q,
	       char *why);

/* A raw image as a layer; file is taken over. Returns 0 or -ENOMEM. */
int qcow2_open_raw(struct block_opened *file, struct qcow2 **ret_q);

/*
 * A new image in file, an empty one, over the layer `backing`, for as long as it is
 * open: flushing it makes nothing durable. Both are taken over, after a failure
 * too. Returns 0, or -errno with a sentence in why.
 */
int qcow2_open_overlay(struct block_opened *file, struct qcow2 *backing,
		       struct qcow2 **ret_q, char *why);

/* Flushes. Accepts NULL. */
void qcow2_close(struct qcow2 *q);

uint64_t qcow2_size(const struct qcow2 *q);
uint32_t qcow2_cluster_size(const struct qcow2 *q);
/* Of requests' offsets and lengths, as struct block_opened. */
uint32_t qcow2_align(const struct qcow2 *q);
bool qcow2_read_only(const struct qcow2 *q);

/* Some of a request's spans, which moving data uses up. */
struct qcow2_cursor {
	struct iovec *iov;
	unsigned count;
};

/*
 * What a guest may do; all within qcow2_size(). Return 0 or -errno: -EIO where the
 * image is damaged, and a notice then says so.
 */
int qcow2_read(struct qcow2 *q, struct qcow2_cursor *to, uint64_t off,
	       uint64_t len);
int qcow2_write(struct qcow2 *q, struct qcow2_cursor *from, uint64_t off,
		uint64_t len);
int qcow2_discard(struct qcow2 *q, uint64_t off, uint64_t len);
/* may_unmap: room on the host may be given up for it. */
int qcow2_write_zeroes(struct qcow2 *q, uint64_t off, uint64_t len,
		       bool may_unmap);
int qcow2_flush(struct qcow2 *q);

#endif
