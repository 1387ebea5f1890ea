/* SPDX-License-Identifier: MIT */
/*
 * workers.h: a few threads for what may wait in the host's kernel, so that no I/O
 * thread does.
 */
#ifndef TRAPMAP_BACKEND_WORKERS_H
#define TRAPMAP_BACKEND_WORKERS_H

struct workers;

/* The caller's memory, from submission to the end of run(), which may free it. */
struct workers_job {
	/* On one of the threads, with every signal blocked and no lock held. */
	void (*run)(struct workers_job *job);
	struct workers_job *next; /* the pool's */
};

/* name: of the threads, up to 15 bytes. Returns 0 or -errno. */
int workers_new(unsigned count, const char *name, struct workers **ret_workers);

/* Never waits. Any thread. Jobs are begun in the order in which they come. */
void workers_submit(struct workers *workers, struct workers_job *job);

/* After all that was submitted has been run. Accepts NULL, returns NULL. */
void *workers_free(struct workers *workers);

#endif
