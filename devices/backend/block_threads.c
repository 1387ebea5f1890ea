// SPDX-License-Identifier: MIT
/*
 * A few threads that wait in the system calls: for kernels and containers where
 * io_uring is refused, and for images whose requests are more than one call.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "backend/block_engine.h"
#include "core/base.h"

/* As many calls as wait at a time; a disk gains little from more. */
#define THREADS 4

struct list {
	struct block_task *first, **last;
};

struct threads_engine {
	struct block_engine engine;
	int64_t (*run)(void *opaque, struct block_task *task);
	void *opaque;
	int fd; /* of run_call() */
	pthread_t thread[THREADS];
	unsigned count;

	pthread_mutex_t lock; /* for all below */
	pthread_cond_t work, result;
	struct list todo, done;
	bool quit;
};

static void list_init(struct list *list)
{
	list->first = NULL;
	list->last = &list->first;
}

static void list_add(struct list *list, struct block_task *task)
{
	task->next = NULL;
	*list->last = task;
	list->last = &task->next;
}

static struct block_task *list_take(struct list *list)
{
	struct block_task *task = list->first;

	if (!task)
		return NULL;
	list->first = task->next;
	if (!list->first)
		list->last = &list->first;
	return task;
}

static struct threads_engine *to_threads(struct block_engine *engine)
{
	return container_of(engine, struct threads_engine, engine);
}

static int64_t run_call(void *opaque, struct block_task *task)
{
	int fd = ((struct threads_engine *)opaque)->fd;
	int64_t r = -1;

	switch (task->call) {
	case BLOCK_CALL_READ:
		r = preadv(fd, task->iov, (int)task->iov_count,
			   (off_t)task->offset);
		break;
	case BLOCK_CALL_WRITE:
		r = pwritev(fd, task->iov, (int)task->iov_count,
			    (off_t)task->offset);
		break;
	case BLOCK_CALL_SYNC: r = fdatasync(fd); break;
	case BLOCK_CALL_FALLOCATE:
		r = fallocate(fd, task->mode, (off_t)task->offset,
			      (off_t)task->len);
		break;
	}
	return r < 0 ? -errno : r;
}

static void *worker(void *opaque)
{
	struct threads_engine *te = opaque;
	struct block_task *task;
	uint64_t one = 1;

	(void)prctl(PR_SET_NAME, "trapmap-disk");
	pthread_mutex_lock(&te->lock);
	for (;;) {
		task = list_take(&te->todo);
		if (!task) {
			if (te->quit)
				break;
			pthread_cond_wait(&te->work, &te->lock);
			continue;
		}
		pthread_mutex_unlock(&te->lock);
		task->result = te->run(te->opaque, task);
		pthread_mutex_lock(&te->lock);
		/* Readable from the first result to the last: see reap. */
		if (!te->done.first)
			(void)!write(te->engine.ready_fd, &one, sizeof(one));
		list_add(&te->done, task);
		pthread_cond_signal(&te->result);
	}
	pthread_mutex_unlock(&te->lock);
	return NULL;
}

static void threads_start(struct block_engine *engine, struct block_task *task)
{
	struct threads_engine *te = to_threads(engine);

	pthread_mutex_lock(&te->lock);
	list_add(&te->todo, task);
	pthread_cond_signal(&te->work);
	pthread_mutex_unlock(&te->lock);
}

static void threads_kick(struct block_engine *engine)
{
}

static struct block_task *threads_reap(struct block_engine *engine)
{
	struct threads_engine *te = to_threads(engine);
	struct block_task *task;
	uint64_t count;

	pthread_mutex_lock(&te->lock);
	task = list_take(&te->done);
	if (task && !te->done.first)
		(void)!read(engine->ready_fd, &count, sizeof(count));
	pthread_mutex_unlock(&te->lock);
	return task;
}

static void threads_wait(struct block_engine *engine)
{
	struct threads_engine *te = to_threads(engine);

	pthread_mutex_lock(&te->lock);
	while (!te->done.first)
		pthread_cond_wait(&te->result, &te->lock);
	pthread_mutex_unlock(&te->lock);
}

static void threads_free(struct block_engine *engine)
{
	struct threads_engine *te = to_threads(engine);
	unsigned i;

	pthread_mutex_lock(&te->lock);
	te->quit = true;
	pthread_cond_broadcast(&te->work);
	pthread_mutex_unlock(&te->lock);
	for (i = 0; i < te->count; i++)
		pthread_join(te->thread[i], NULL);
	if (engine->ready_fd >= 0)
		close(engine->ready_fd);
	pthread_cond_destroy(&te->result);
	pthread_cond_destroy(&te->work);
	pthread_mutex_destroy(&te->lock);
	free(te);
}

static const struct block_engine_ops threads_ops = {
	.name = "threads",
	.start = threads_start,
	.kick = threads_kick,
	.reap = threads_reap,
	.wait = threads_wait,
	.free = threads_free,
};

/* With every signal blocked, from the first instruction on. */
static int start_threads(struct threads_engine *te, unsigned count)
{
	sigset_t all, old;
	int r = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	for (; te->count < count && r == 0; te->count += r == 0)
		r = -pthread_create(&te->thread[te->count], NULL, worker, te);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return r;
}

static int threads_new(unsigned depth, struct threads_engine **ret_te)
{
	struct threads_engine *te = calloc(1, sizeof(*te));
	int r;

	if (!te)
		return -ENOMEM;
	te->engine.ops = &threads_ops;
	list_init(&te->todo);
	list_init(&te->done);
	pthread_mutex_init(&te->lock, NULL);
	pthread_cond_init(&te->work, NULL);
	pthread_cond_init(&te->result, NULL);
	te->engine.ready_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	r = te->engine.ready_fd < 0
		    ? -errno
		    : start_threads(te, depth < THREADS ? depth : THREADS);
	if (r < 0) {
		threads_free(&te->engine);
		return r;
	}
	*ret_te = te;
	return 0;
}

int block_threads_new(int fd, unsigned depth, struct block_engine **ret_engine)
{
	struct threads_engine *te;
	int r = threads_new(depth, &te);

	if (r < 0)
		return r;
	/* Before the first task, which the lock hands over. */
	te->run = run_call;
	te->opaque = te;
	te->fd = fd;
	*ret_engine = &te->engine;
	return 0;
}

int block_workers_new(int64_t (*run)(void *opaque, struct block_task *task),
		      void *opaque, unsigned depth,
		      struct block_engine **ret_engine)
{
	struct threads_engine *te;
	int r = threads_new(depth, &te);

	if (r < 0)
		return r;
	te->run = run;
	te->opaque = opaque;
	*ret_engine = &te->engine;
	return 0;
}
