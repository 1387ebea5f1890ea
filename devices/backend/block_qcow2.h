/* SPDX-License-Identifier: MIT */
/*
 * block_qcow2.h: a qcow2 image (qcow2.h) as what is behind a disk: its requests are
 * carried out by a few threads.
 */
#ifndef TRAPMAP_BACKEND_BLOCK_QCOW2_H
#define TRAPMAP_BACKEND_BLOCK_QCOW2_H

struct block;
struct loop;
struct qcow2;

/*
 * q is taken over, after a failure too; loop outlives the result. Returns 0,
 * -ENODATA: the disk is shorter than a sector, or -errno.
 */
int block_qcow2_new(struct loop *loop, struct qcow2 *q, struct block **ret_blk);

#endif
