// SPDX-License-Identifier: MIT
#include "thread.h"

#include <signal.h>
#include <sys/prctl.h>

int thread_start(pthread_t *ret_thread, void *(*fn)(void *opaque),
		 void *opaque)
{
	sigset_t all, old;
	int r;

	/* The new thread inherits the mask. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(ret_thread, NULL, fn, opaque);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -r;
}

void thread_set_name(const char *name)
{
	/* Not pthread_setname_np(), which opens a file in /proc. */
	(void)prctl(PR_SET_NAME, name);
}
