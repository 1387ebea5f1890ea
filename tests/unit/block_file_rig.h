/* SPDX-License-Identifier: MIT */
/*
 * block_file_rig.h: a raw image on a real file, for tests that run once for each
 * engine; the test's initial state is which.
 */
#ifndef TRAPMAP_TEST_BLOCK_FILE_RIG_H
#define TRAPMAP_TEST_BLOCK_FILE_RIG_H

#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "backend/block.h"
#include "backend/block_file.h"
#include "core/base.h"
#include "fake_loop.h"
#include "test.h"

#define IMAGE_LEN KIB(256)

struct rig {
	char path[64];
	int fd; /* the test's own look at the image */
	struct fake_loop fl;
	struct block *blk;
	unsigned ready; /* calls */
};

static inline void on_ready(void *opaque)
{
	struct rig *rig = opaque;

	rig->ready++;
}

static inline int open_image(struct rig *rig, void **state,
		      struct block_file_config *config)
{
	int r;

	config->loop = &rig->fl.loop;
	if (!config->path)
		config->path = rig->path;
	config->engine = *(const enum block_file_engine *)*state;
	r = block_file_new(config, &rig->blk);
	if (r == 0)
		block_attach(rig->blk, on_ready, rig);
	return r;
}

static inline uint8_t pattern(uint64_t at)
{
	return (uint8_t)(at * 7 + (at >> 9) * 13 + 1);
}

static inline void rig_init(struct rig *rig, uint64_t len)
{
	uint64_t i;
	uint8_t *buf;

	*rig = (struct rig){ .path = "/tmp/test-block-file-XXXXXX" };
	fake_loop_init(&rig->fl, 0);
	rig->fd = mkstemp(rig->path);
	assert_true(rig->fd >= 0);
	buf = malloc(len + 1);
	assert_non_null(buf);
	for (i = 0; i < len; i++)
		buf[i] = pattern(i);
	assert_int_equal(pwrite(rig->fd, buf, len, 0), len);
	free(buf);
}

static inline void rig_done(struct rig *rig)
{
	block_free(rig->blk);
	close(rig->fd);
	unlink(rig->path);
}

/* Waits on the descriptor that the loop watches, as the loop would. */
static inline struct block_request *next_finished(struct rig *rig)
{
	struct pollfd p = { .fd = rig->fl.watch[0].fd, .events = POLLIN };
	struct block_request *req;

	while (!(req = block_reap(rig->blk))) {
		assert_int_equal(poll(&p, 1, 10000), 1);
		assert_int_equal(fake_loop_ready(&rig->fl, p.fd, LOOP_IN), 1);
	}
	return req;
}

static inline int run(struct rig *rig, struct block_request *req)
{
	block_submit(rig->blk, req);
	block_kick(rig->blk);
	assert_ptr_equal(next_finished(rig), req);
	return req->err;
}

static inline int transfer(struct rig *rig, enum block_op op, void *buf, size_t len,
		    uint64_t offset)
{
	struct iovec iov = { buf, len };
	struct block_request req = {
		.op = op, .iov = &iov, .iov_count = 1,
		.offset = offset, .len = len,
	};

	return run(rig, &req);
}

static enum block_file_engine uring = BLOCK_FILE_URING;
static enum block_file_engine threads = BLOCK_FILE_THREADS;

static inline bool have_uring(void)
{
	void *state = &uring;
	struct rig rig;
	int r;

	rig_init(&rig, 4096);
	r = open_image(&rig, &state, &(struct block_file_config){ 0 });
	rig_done(&rig);
	return r == 0;
}

#define BY(engine, f) { #f " (" #engine ")", f, NULL, NULL, &engine }

/* Runs both tables; that of io_uring where there is one. */
#define RUN_BOTH(by_threads, by_uring)                                      \
	(cmocka_run_group_tests(by_threads, NULL, NULL) +                   \
	 (have_uring() ? cmocka_run_group_tests(by_uring, NULL, NULL) :     \
			 (puts("# no io_uring here: its half is left out"), \
			  0)))

#endif
