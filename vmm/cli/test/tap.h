/* SPDX-License-Identifier: MIT */
/*
 * tap.h: the results as TAP (testanything.org). The version is 13, which all
 * readers know; sub-results are subtests in the manner of version 14, which
 * readers of 13 pass over.
 */
#ifndef TRAPMAP_CLI_TEST_TAP_H
#define TRAPMAP_CLI_TEST_TAP_H

#include <stdio.h>

#include "test/result.h"

struct tap {
	FILE *out;
	const struct test_run *run;
	size_t next; /* the case to be written next: they come in order */
};

/* Version and plan. */
void tap_begin(struct tap *ret_tap, FILE *out, const struct test_run *run);

/* Writes what is done and has nothing undone before it. */
void tap_update(struct tap *tap);

/* No more will be done. */
void tap_end(struct tap *tap);

#endif
