// SPDX-License-Identifier: MIT
#include "iothreads.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop.h"

struct iothread {
	char name[16]; /* as threads are called: "io-NAME" */
	struct loop *loop;
	struct iothread *next;
};

int iothreads_get(struct iothreads *io, const char *name, struct loop **ret_loop)
{
	struct iothread *t, **end;
	int r;

	for (end = &io->first; (t = *end); end = &t->next) {
		if (strcmp(t->name + strlen("io-"), name) == 0) {
			*ret_loop = t->loop;
			return 0;
		}
	}
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	snprintf(t->name, sizeof(t->name), "io-%s", name);
	r = vm_loop_new(&t->loop);
	if (r < 0) {
		free(t);
		return r;
	}
	*end = t;
	*ret_loop = t->loop;
	return 0;
}

int iothreads_start(struct iothreads *io)
{
	struct iothread *t;
	int r = 0;

	for (t = io->first; t && r == 0; t = t->next)
		r = vm_loop_start(t->loop, t->name);
	return r;
}

void iothreads_stop(struct iothreads *io)
{
	struct iothread *t;

	for (t = io->first; t; t = t->next)
		vm_loop_stop(t->loop);
}

void iothreads_clock_run(struct iothreads *io)
{
	struct iothread *t;

	for (t = io->first; t; t = t->next)
		vm_loop_clock_run(t->loop);
}

void iothreads_clock_hold(struct iothreads *io)
{
	struct iothread *t;

	for (t = io->first; t; t = t->next)
		vm_loop_clock_hold(t->loop);
}

void iothreads_done(struct iothreads *io)
{
	struct iothread *t;

	while ((t = io->first)) {
		io->first = t->next;
		vm_loop_free(t->loop);
		free(t);
	}
}
