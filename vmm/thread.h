/* SPDX-License-Identifier: MIT */
/* thread.h: a thread as the library makes them: with every signal blocked. */
#ifndef TRAPMAP_THREAD_H
#define TRAPMAP_THREAD_H

#include <pthread.h>

/* Returns 0 or -errno. */
int thread_start(pthread_t *ret_thread, void *(*fn)(void *opaque),
		 void *opaque);

/* The same on one of the host's processors only; -1: on any. */
int thread_start_on(pthread_t *ret_thread, int host_cpu,
		    void *(*fn)(void *opaque), void *opaque);

/* Names the calling thread, for ps and gdb; at most 15 bytes are kept. */
void thread_set_name(const char *name);

#endif
