/* SPDX-License-Identifier: MIT */
/*
 * notice.h: how what devices have to say (core/notice.h) reaches the embedder: with
 * the device's name before it, and no more of it than a person can read.
 */
#ifndef TRAPMAP_NOTICE_H
#define TRAPMAP_NOTICE_H

#include <pthread.h>
#include <stdint.h>

#include "core/notice.h"

struct notices {
	void (*tell)(void *opaque, const char *text); /* NULL: nobody */
	void *opaque;
	pthread_mutex_t lock;
	int64_t full; /* when, by the coarse monotonic clock, all may be said */
	uint64_t withheld; /* since the last that was said */
};

/* One who has something to say. */
struct notice_source {
	struct notices *to;
	const char *name; /* "disk 'root.img'"; stays the caller's */
};

void notices_init(struct notices *notices);
void notices_done(struct notices *notices);

/* source stays where it is as long as the result is used. */
struct notice notice_from(struct notice_source *source, struct notices *to,
			  const char *name);

#endif
