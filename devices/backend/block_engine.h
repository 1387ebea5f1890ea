/* SPDX-License-Identifier: MIT */
/*
 * block_engine.h: how an image asks the kernel to do something with its file and
 * does not wait. One contract, two engines: io_uring where the kernel permits it,
 * else a few threads.
 *
 * Thread: as block.h: one at a time. The engine's descriptor is readable while
 * block_engine_reap() has something to give.
 */
#ifndef TRAPMAP_BACKEND_BLOCK_ENGINE_H
#define TRAPMAP_BACKEND_BLOCK_ENGINE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct block_engine;

enum block_call {
	BLOCK_CALL_READ,      /* preadv(2) */
	BLOCK_CALL_WRITE,     /* pwritev(2) */
	BLOCK_CALL_SYNC,      /* fdatasync(2) */
	BLOCK_CALL_FALLOCATE, /* fallocate(2) */
};

/* One system call. The image's memory. */
struct block_task {
	enum block_call call;
	const struct iovec *iov; /* stays until reaped */
	unsigned iov_count; /* at most IOV_MAX */
	int mode; /* of fallocate() */
	uint64_t offset, len;
	int64_t result; /* what it returned, or -errno */
	struct block_task *next; /* the engine's */
};

struct block_engine_ops {
	const char *name;
	/* At most `depth` at a time. */
	void (*start)(struct block_engine *engine, struct block_task *task);
	void (*kick)(struct block_engine *engine);
	struct block_task *(*reap)(struct block_engine *engine);
	/* Kicks, and returns when there is one to reap. One is in progress. */
	void (*wait)(struct block_engine *engine);
	/*
	 * Registers memory that stays until free(), so that calls whose buffer
	 * lies in it cost less. Returns 0 or -errno. NULL: it would be no use.
	 */
	int (*pin)(struct block_engine *engine, const struct iovec *memory,
		   unsigned count);
	/* None is in progress. */
	void (*free)(struct block_engine *engine);
};

struct block_engine {
	const struct block_engine_ops *ops;
	int ready_fd; /* the engine's own */
};

/*
 * fd stays the caller's, and open. depth: how many tasks at a time. Returns 0 or
 * -errno; -EPERM, -ENOSYS and -EOPNOTSUPP of the first: this kernel does not let
 * us, or is too old, or the library was built without it.
 */
int block_uring_new(int fd, unsigned depth, struct block_engine **ret_engine);
int block_threads_new(int fd, unsigned depth, struct block_engine **ret_engine);

/*
 * Threads whose tasks run() carries out, several at a time; it returns a task's
 * result and is the only one to look at its other fields.
 */
int block_workers_new(int64_t (*run)(void *opaque, struct block_task *task),
		      void *opaque, unsigned depth,
		      struct block_engine **ret_engine);

static inline void block_engine_start(struct block_engine *engine,
				      struct block_task *task)
{
	engine->ops->start(engine, task);
}

static inline void block_engine_kick(struct block_engine *engine)
{
	engine->ops->kick(engine);
}

static inline struct block_task *block_engine_reap(struct block_engine *engine)
{
	return engine->ops->reap(engine);
}

static inline void block_engine_wait(struct block_engine *engine)
{
	engine->ops->wait(engine);
}

static inline void *block_engine_free(struct block_engine *engine)
{
	if (engine)
		engine->ops->free(engine);
	return NULL;
}

#endif
