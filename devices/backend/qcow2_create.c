// SPDX-License-Identifier: MIT
/*
 * An empty image: header, refcount table, one refcount block, L1 table, in that
 * order, at the front of a file that is empty.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/qcow2_parts.h"
#include "core/base.h"

#define CLUSTER_BITS 16
#define CLUSTER (UINT64_C(1) << CLUSTER_BITS)
#define REFCOUNT_ORDER 4 /* 16 bits */
#define HEADER_LEN 104

static int put(int fd, const uint8_t *buf, size_t len, uint64_t at)
{
	ssize_t n = pwrite(fd, buf, len, (off_t)at);

	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -ENOSPC;
}

int qcow2_create(struct block_opened *file, uint64_t size)
{
	uint64_t l1 = (size + CLUSTER * CLUSTER / 8 - 1) / (CLUSTER * CLUSTER / 8);
	uint64_t l1_clusters = (l1 * 8 + CLUSTER - 1) / CLUSTER, i;
	uint64_t clusters = 3 + (l1 ? l1_clusters : 1);
	uint8_t header[HEADER_LEN + 8] = { 'Q', 'F', 'I', 0xfb };
	uint8_t *block;
	int r;

	if (l1 > UINT32_MAX / 8 || clusters > CLUSTER / 2)
		return -EFBIG;
	qcow2_put32(header + 4, 3);
	qcow2_put32(header + 20, CLUSTER_BITS);
	qcow2_put64(header + 24, size);
	qcow2_put32(header + 36, (uint32_t)(l1 ? l1 : 1));
	qcow2_put64(header + 40, 3 * CLUSTER);
	qcow2_put64(header + 48, CLUSTER);
	qcow2_put32(header + 56, 1);
	qcow2_put32(header + 96, REFCOUNT_ORDER);
	qcow2_put32(header + 100, HEADER_LEN);

	block = calloc(1, CLUSTER);
	if (!block)
		return -ENOMEM;
	for (i = 0; i < clusters; i++)
		block[i * 2 + 1] = 1;
	r = ftruncate(file->fd, (off_t)(clusters * CLUSTER)) < 0 ? -errno : 0;
	if (r == 0)
		r = put(file->fd, block, CLUSTER, 2 * CLUSTER);
	memset(block, 0, 8);
	qcow2_put64(block, 2 * CLUSTER);
	if (r == 0)
		r = put(file->fd, block, 8, CLUSTER);
	if (r == 0)
		r = put(file->fd, header, sizeof(header), 0);
	free(block);
	if (r == 0)
		file->size = clusters * CLUSTER;
	return r;
}
