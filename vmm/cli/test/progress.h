/* SPDX-License-Identifier: MIT */
/*
 * progress.h: a line for each case that is done; on a terminal also one below
 * them that tells what runs.
 */
#ifndef TRAPMAP_CLI_TEST_PROGRESS_H
#define TRAPMAP_CLI_TEST_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "test/result.h"

struct progress {
	FILE *out;
	const struct test_run *run;
	bool quiet; /* no line for what passed */
	bool color;
	bool live; /* out is a terminal that can redraw a line */
	bool drawn; /* the live line is on it */
	bool changed;
	int64_t start;
	int64_t drawn_at; /* second */
	size_t *running; /* the cases that run */
	size_t running_count;
};

/* Returns 0 or -ENOMEM. run must outlive it. */
int progress_init(struct progress *ret_progress, FILE *out,
		  const struct test_run *run, bool quiet);

void progress_started(struct progress *progress, size_t index);

/* The case's result is in the run. */
void progress_ended(struct progress *progress, size_t index);

/* Time has passed. */
void progress_tick(struct progress *progress);

/* Takes the live line away. */
void progress_clear(struct progress *progress);

void progress_done(struct progress *progress);

#endif
