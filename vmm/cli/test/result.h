/* SPDX-License-Identifier: MIT */
/* result.h: what became of each case, and why. */
#ifndef TRAPMAP_CLI_TEST_RESULT_H
#define TRAPMAP_CLI_TEST_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "test/artifacts.h"
#include "test/ktap.h"
#include "test/runner.h"
#include "test/suite.h"

/* So much of the end of a console is kept for the outputs. */
#define RESULT_CONSOLE_MAX 8192

enum test_outcome {
	TEST_NOT_RUN, /* we were told to end before its turn came */
	TEST_STOPPED, /* and while it ran */
	TEST_PASSED,
	TEST_FAILED,
	TEST_SKIPPED,
	TEST_OUTCOMES,
};

struct test_result {
	enum test_outcome outcome;
	bool has_status;
	int status; /* of "trapmap run", as a shell has it */
	int64_t ms;
	char *reason; /* one sentence; NULL: passed */
	char *console; /* the end of it, any bytes; may be NULL */
	size_t console_len;
	struct ktap subs;
};

/* All that the outputs are made of. */
struct test_run {
	const struct test_suite *suite;
	const struct artifacts *artifacts;
	struct test_result *results; /* one a case */
	size_t done[TEST_OUTCOMES]; /* how many have which outcome */
	int64_t ms; /* in all */
	int signal; /* that we were told to end by; 0: none */
};

const char *outcome_name(enum test_outcome outcome);

/* The outcome of a case that is not run. Returns 0 or -ENOMEM. */
int result_skip(const struct test_case *test, struct test_result *ret_result);

/*
 * The outcome of a case that ran, out of how it ended and the files that it left.
 * Returns 0 or -ENOMEM.
 */
int result_judge(const struct test_run *run, size_t index,
		 const struct runner_end *end,
		 struct test_result *ret_result);

void result_done(struct test_result *result);

/* Puts a result in its place; it is the run's from then on. */
void run_put(struct test_run *run, size_t index,
	     const struct test_result *result);

/* The exit status for all of them (docs/test.md). */
int run_status(const struct test_run *run);

#endif
