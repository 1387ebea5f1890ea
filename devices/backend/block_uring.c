// SPDX-License-Identifier: MIT
/*
 * File input and output by io_uring (io_uring(7), liburing). The ring's own
 * descriptor is what the loop watches: it is readable while there are completions,
 * which spares an eventfd and the reading of it.
 *
 * A ring belongs to whoever holds the device's lock, so it has no lock itself. It
 * is set up without the options that would tie it to one thread.
 *
 * Registered buffers serve calls with one span that lies in one of them: fixed calls
 * with several are newer than what Debian has.
 *
 * Not used: polling.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "backend/block_engine.h"

#ifdef TRAPMAP_IO_URING

#include <liburing.h>
#include <limits.h>
#include <time.h>

#include "core/base.h"

/* How often a kernel that is short of memory is asked again, a ms apart. */
#define KICK_TRIES 1000

struct uring_engine {
	struct block_engine engine;
	struct io_uring ring;
	int fd; /* of the file, or its index among the registered ones */
	unsigned flags; /* of every entry */
	bool unsubmitted;
	struct iovec *fixed; /* registered; the index is the kernel's too */
	unsigned fixed_count;
};

static struct uring_engine *to_uring(struct block_engine *engine)
{
	return container_of(engine, struct uring_engine, engine);
}

/* The registered buffer that holds all of a call's, or -1. */
static int find_fixed(const struct uring_engine *ue,
		      const struct block_task *task)
{
	const struct iovec *span = task->iov;
	unsigned i;

	if (task->iov_count != 1)
		return -1;
	for (i = 0; i < ue->fixed_count; i++) {
		uintptr_t off = (uintptr_t)span->iov_base -
				(uintptr_t)ue->fixed[i].iov_base;

		if (off <= ue->fixed[i].iov_len &&
		    span->iov_len <= ue->fixed[i].iov_len - off)
			return (int)i;
	}
	return -1;
}

static void prepare_read(struct uring_engine *ue, struct io_uring_sqe *sqe,
			 const struct block_task *task)
{
	int fixed = find_fixed(ue, task);

	if (fixed >= 0)
		io_uring_prep_read_fixed(sqe, ue->fd, task->iov->iov_base,
					 (unsigned)task->iov->iov_len,
					 task->offset, fixed);
	else
		io_uring_prep_readv(sqe, ue->fd, task->iov, task->iov_count,
				    task->offset);
}

static void prepare_write(struct uring_engine *ue, struct io_uring_sqe *sqe,
			  const struct block_task *task)
{
	int fixed = find_fixed(ue, task);

	if (fixed >= 0)
		io_uring_prep_write_fixed(sqe, ue->fd, task->iov->iov_base,
					  (unsigned)task->iov->iov_len,
					  task->offset, fixed);
	else
		io_uring_prep_writev(sqe, ue->fd, task->iov, task->iov_count,
				     task->offset);
}

/* There is an entry: as many as there may be tasks, and more. */
static void uring_start(struct block_engine *engine, struct block_task *task)
{
	struct uring_engine *ue = to_uring(engine);
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ue->ring);

	switch (task->call) {
	case BLOCK_CALL_READ: prepare_read(ue, sqe, task); break;
	case BLOCK_CALL_WRITE: prepare_write(ue, sqe, task); break;
	case BLOCK_CALL_SYNC:
		io_uring_prep_fsync(sqe, ue->fd, IORING_FSYNC_DATASYNC);
		break;
	case BLOCK_CALL_FALLOCATE:
		io_uring_prep_fallocate(sqe, ue->fd, task->mode,
					(off_t)task->offset, (off_t)task->len);
		break;
	}
	io_uring_sqe_set_flags(sqe, ue->flags);
	io_uring_sqe_set_data(sqe, task);
	ue->unsubmitted = true;
}

/* Hands over what is prepared. Returns whether the kernel was short of memory. */
static bool submit(struct uring_engine *ue, unsigned wait_for)
{
	int r = io_uring_submit_and_wait(&ue->ring, wait_for);

	ue->unsubmitted = io_uring_sq_ready(&ue->ring) > 0;
	return r < 0 && r != -EINTR;
}

static void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = NSEC_PER_MSEC }, NULL);
}

/* What the kernel does not take even now goes with the next kick. */
static void uring_kick(struct block_engine *engine)
{
	struct uring_engine *ue = to_uring(engine);
	unsigned tries;

	for (tries = 0; ue->unsubmitted && tries < KICK_TRIES; tries++)
		if (submit(ue, 0))
			nap();
}

static struct block_task *uring_reap(struct block_engine *engine)
{
	struct uring_engine *ue = to_uring(engine);
	struct io_uring_cqe *cqe;
	struct block_task *task;

	if (io_uring_peek_cqe(&ue->ring, &cqe) < 0)
		return NULL;
	task = io_uring_cqe_get_data(cqe);
	task->result = cqe->res;
	io_uring_cqe_seen(&ue->ring, cqe);
	return task;
}

static void uring_wait(struct block_engine *engine)
{
	struct uring_engine *ue = to_uring(engine);

	while (io_uring_cq_ready(&ue->ring) == 0)
		if (submit(ue, 1))
			nap();
}

/* io_uring_register(2): of one buffer. */
#define FIXED_LEN_MAX ((size_t)1 << 30)

static int uring_pin(struct block_engine *engine, const struct iovec *memory,
		     unsigned count)
{
	struct uring_engine *ue = to_uring(engine);
	struct iovec *fixed;
	unsigned i, n = 0;
	size_t at, len;
	int r;

	for (i = 0; i < count; i++)
		n += (unsigned)((memory[i].iov_len + FIXED_LEN_MAX - 1) /
				FIXED_LEN_MAX);
	if (n == 0 || n > IOV_MAX)
		return -E2BIG;
	fixed = calloc(n, sizeof(*fixed));
	if (!fixed)
		return -ENOMEM;
	for (i = n = 0; i < count; i++) {
		for (at = 0; at < memory[i].iov_len; at += len) {
			len = memory[i].iov_len - at;
			len = len < FIXED_LEN_MAX ? len : FIXED_LEN_MAX;
			fixed[n].iov_base = (uint8_t *)memory[i].iov_base + at;
			fixed[n++].iov_len = len;
		}
	}
	r = io_uring_register_buffers(&ue->ring, fixed, n);
	if (r < 0) {
		free(fixed);
		return r;
	}
	ue->fixed = fixed;
	ue->fixed_count = n;
	return 0;
}

static void uring_free(struct block_engine *engine)
{
	struct uring_engine *ue = to_uring(engine);

	/* Now, not when the kernel comes to it: the file may be opened anew. */
	if (ue->flags & IOSQE_FIXED_FILE)
		(void)io_uring_unregister_files(&ue->ring);
	if (ue->fixed)
		(void)io_uring_unregister_buffers(&ue->ring);
	io_uring_queue_exit(&ue->ring);
	free(ue->fixed);
	free(ue);
}

static const struct block_engine_ops uring_ops = {
	.name = "io_uring",
	.start = uring_start,
	.kick = uring_kick,
	.reap = uring_reap,
	.wait = uring_wait,
	.pin = uring_pin,
	.free = uring_free,
};

/* Linux 5.6 has all the calls at once, and says so. */
static int probe(struct io_uring *ring)
{
	struct io_uring_probe *can = io_uring_get_probe_ring(ring);
	int r = -EOPNOTSUPP;

	if (can && io_uring_opcode_supported(can, IORING_OP_FALLOCATE))
		r = 0;
	io_uring_free_probe(can);
	return r;
}

int block_uring_new(int fd, unsigned depth, struct block_engine **ret_engine)
{
	struct uring_engine *ue = calloc(1, sizeof(*ue));
	int r;

	if (!ue)
		return -ENOMEM;
	r = io_uring_queue_init(depth, &ue->ring, IORING_SETUP_CLAMP);
	if (r < 0) {
		free(ue);
		return r;
	}
	ue->engine.ops = &uring_ops;
	ue->engine.ready_fd = ue->ring.ring_fd;
	r = probe(&ue->ring);
	if (r < 0) {
		uring_free(&ue->engine);
		return r;
	}
	ue->fd = fd;
	if (io_uring_register_files(&ue->ring, &fd, 1) == 0) {
		ue->fd = 0;
		ue->flags = IOSQE_FIXED_FILE;
	}
	*ret_engine = &ue->engine;
	return 0;
}

#else

int block_uring_new(int fd, unsigned depth, struct block_engine **ret_engine)
{
	return -EOPNOTSUPP;
}

#endif
