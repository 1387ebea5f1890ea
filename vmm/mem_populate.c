// SPDX-License-Identifier: MIT
/*
 * mem_populate.c: pages taken before anybody needs them. The kernel clears each, which
 * a few threads do faster than one; more than a few only wait for each other.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base.h"
#include "mem_room.h"
#include "thread.h"

#ifndef MADV_POPULATE_WRITE /* Linux 5.14 */
#define MADV_POPULATE_WRITE 23
#endif

#define THREADS_MAX 8
#define STEP MIB(64) /* or a page, where that is larger */

struct work {
	uint8_t *host;
	uint64_t len, step, page_size;
	_Atomic uint64_t next; /* the first byte that nobody has taken on */
	_Atomic uint64_t done;
	_Atomic int error;
};

/* Before Linux 5.14; of zeroes that nobody has used yet. A page that cannot be had ends the process, then. */
static void touch(const struct work *w, uint8_t *from, uint64_t len)
{
	uint64_t at;

	for (at = 0; at < len; at += w->page_size)
		*(volatile uint8_t *)(from + at) = 0;
}

static int take(const struct work *w, uint8_t *from, uint64_t len)
{
	int r;

	do
		r = madvise(from, len, MADV_POPULATE_WRITE) < 0 ? -errno : 0;
	while (r == -EINTR);
	if (r != -EINVAL)
		return r;
	touch(w, from, len);
	return 0;
}

static void *populate(void *opaque)
{
	struct work *w = opaque;

	while (!atomic_load(&w->error)) {
		uint64_t off = atomic_fetch_add(&w->next, w->step), len;
		int r;

		if (off >= w->len)
			break;
		len = w->len - off < w->step ? w->len - off : w->step;
		r = take(w, w->host + off, len);
		if (r < 0)
			atomic_store(&w->error, r);
		else
			atomic_fetch_add(&w->done, len);
	}
	return NULL;
}

static void *helper(void *opaque)
{
	thread_set_name("trapmap-mem");
	return populate(opaque);
}

int mem_populate(uint8_t *host, uint64_t len, uint64_t page_size,
		 uint64_t *ret_done)
{
	struct work w = {
		.host = host,
		.len = len,
		.step = page_size > STEP ? page_size : STEP,
		.page_size = page_size,
	};
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t want = (len + w.step - 1) / w.step;
	pthread_t thread[THREADS_MAX];
	unsigned n = 0;

	if (cpus > 0 && want > (uint64_t)cpus)
		want = (uint64_t)cpus;
	if (want > THREADS_MAX)
		want = THREADS_MAX;
	/* This one works, too, and does it all where there are no others. */
	while (n + 1 < want &&
	       thread_start(&thread[n], helper, &w) == 0)
		n++;
	(void)populate(&w);
	while (n > 0)
		pthread_join(thread[--n], NULL);
	*ret_done = w.done;
	return w.error;
}
