// SPDX-License-Identifier: MIT
#include "backend/workers.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>

#define NAME_LEN 16

struct workers {
	char name[NAME_LEN];
	pthread_mutex_t lock; /* for all below */
	pthread_cond_t work;
	struct workers_job *first, **last;
	bool quit;
	unsigned count;
	pthread_t thread[];
};

static void *worker(void *opaque)
{
	struct workers *w = opaque;
	struct workers_job *job;

	(void)prctl(PR_SET_NAME, w->name);
	pthread_mutex_lock(&w->lock);
	for (;;) {
		job = w->first;
		if (!job) {
			if (w->quit)
				break;
			pthread_cond_wait(&w->work, &w->lock);
			continue;
		}
		w->first = job->next;
		if (!w->first)
			w->last = &w->first;
		pthread_mutex_unlock(&w->lock);
		job->run(job);
		pthread_mutex_lock(&w->lock);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* With every signal blocked, from the first instruction on. */
static int start_threads(struct workers *w, unsigned count)
{
	sigset_t all, old;
	int r = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	for (; w->count < count && r == 0; w->count += r == 0)
		r = -pthread_create(&w->thread[w->count], NULL, worker, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return r;
}

int workers_new(unsigned count, const char *name, struct workers **ret_workers)
{
	struct workers *w = calloc(1, sizeof(*w) + count * sizeof(w->thread[0]));
	unsigned i;
	int r;

	if (!w)
		return -ENOMEM;
	for (i = 0; i < NAME_LEN - 1 && name[i]; i++)
		w->name[i] = name[i];
	w->last = &w->first;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->work, NULL);
	r = start_threads(w, count);
	if (r < 0) {
		workers_free(w);
		return r;
	}
	*ret_workers = w;
	return 0;
}

void workers_submit(struct workers *w, struct workers_job *job)
{
	job->next = NULL;
	pthread_mutex_lock(&w->lock);
	*w->last = job;
	w->last = &job->next;
	pthread_cond_signal(&w->work);
	pthread_mutex_unlock(&w->lock);
}

void *workers_free(struct workers *w)
{
	unsigned i;

	if (!w)
		return NULL;
	pthread_mutex_lock(&w->lock);
	w->quit = true;
	pthread_cond_broadcast(&w->work);
	pthread_mutex_unlock(&w->lock);
	for (i = 0; i < w->count; i++)
		pthread_join(w->thread[i], NULL);
	pthread_cond_destroy(&w->work);
	pthread_mutex_destroy(&w->lock);
	free(w);
	return NULL;
}
