// SPDX-License-Identifier: MIT
#include "thread.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>

/* As thread_start(), with attributes or NULL. */
static int start(pthread_t *ret_thread, const pthread_attr_t *attr,
		 void *(*fn)(void *opaque), void *opaque)
{
	sigset_t all, old;
	int r;

	/* The new thread inherits the mask. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(ret_thread, attr, fn, opaque);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -r;
}

int thread_start(pthread_t *ret_thread, void *(*fn)(void *opaque),
		 void *opaque)
{
	return start(ret_thread, NULL, fn, opaque);
}

int thread_start_on(pthread_t *ret_thread, int host_cpu,
		    void *(*fn)(void *opaque), void *opaque)
{
	pthread_attr_t attr;
	cpu_set_t *set;
	size_t len;
	int r;

	if (host_cpu < 0)
		return thread_start(ret_thread, fn, opaque);
	len = CPU_ALLOC_SIZE(host_cpu + 1);
	set = CPU_ALLOC(host_cpu + 1);
	if (!set)
		return -ENOMEM;
	CPU_ZERO_S(len, set);
	CPU_SET_S(host_cpu, len, set);
	r = -pthread_attr_init(&attr);
	if (r == 0) {
		r = -pthread_attr_setaffinity_np(&attr, len, set) ?:
		    start(ret_thread, &attr, fn, opaque);
		pthread_attr_destroy(&attr);
	}
	CPU_FREE(set);
	return r;
}

void thread_set_name(const char *name)
{
	/* Not pthread_setname_np(), which opens a file in /proc. */
	(void)prctl(PR_SET_NAME, name);
}
