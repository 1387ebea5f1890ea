/* SPDX-License-Identifier: MIT */
/*
 * blk_real_rig.h: a block device between a driver and a real image, of each kind
 * that there is.
 */
#ifndef TRAPMAP_TEST_BLK_REAL_RIG_H
#define TRAPMAP_TEST_BLK_REAL_RIG_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "backend/block_image.h"
#include "backend/block_open.h"
#include "backend/block_qcow2.h"
#include "backend/qcow2_parts.h"
#include "fake_loop.h"
#include "virtio_blk_rig.h"

enum kind { RAW_URING, RAW_THREADS, QCOW2 };

static const char *const kind_names[] = { "raw, io_uring", "raw, threads",
					  "qcow2" };

struct real {
	struct rig rig;
	struct fake_loop fl;
};

/* A new image of size bytes, empty. */
static inline void real_create(const char *path, enum kind kind, uint64_t size)
{
	struct block_opened file = { .fd = -1 };

	file.fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(file.fd >= 0);
	if (kind == QCOW2)
		assert_int_equal(qcow2_create(&file, size), 0);
	else
		assert_int_equal(ftruncate(file.fd, (off_t)size), 0);
	close(file.fd);
}

/* Returns 0, or -errno of the image. */
static inline int real_open(struct real *real, const char *path, enum kind kind)
{
	struct block_file_config raw = {
		.loop = &real->fl.loop,
		.path = path,
		.engine = kind == RAW_URING ? BLOCK_FILE_URING
					    : BLOCK_FILE_THREADS,
	};
	struct block_image_config image = { .loop = &real->fl.loop,
					    .path = path };
	char why[BLOCK_WHY_MAX];

	memset(real, 0, sizeof(*real));
	fake_loop_init(&real->fl, 0);
	rig_prepare(&real->rig);
	return kind == QCOW2 ? block_image_new(&image, &real->rig.blk, why)
			     : block_file_new(&raw, &real->rig.blk);
}

static inline void real_done(struct real *real)
{
	if (real->rig.blk) {
		rig_done(&real->rig);
		return;
	}
	free(real->rig.mem);
	free(real->rig.disk);
}

/* Some request is back, or ms have passed. */
static inline void real_wait(struct real *real, int ms)
{
	struct pollfd p = { .fd = real->fl.watch[0].fd, .events = POLLIN };

	if (poll(&p, 1, ms) > 0)
		fake_loop_ready(&real->fl, p.fd, LOOP_IN);
}

/* Waits until n requests of queue 0 are back. */
static inline void real_take(struct real *real, unsigned n)
{
	uint32_t id, len;
	unsigned tries;

	for (tries = 0; n > 0 && tries < 5000; tries++) {
		while (n > 0 && vdrv_take(&real->rig.drv[0], &id, &len))
			n--;
		if (n > 0)
			real_wait(real, 10);
	}
	assert_int_equal(n, 0);
}

#endif
