/* SPDX-License-Identifier: MIT */
/*
 * test_opts.h: what "trapmap test" was asked to do, and the cases that come of
 * it.
 */
#ifndef TRAPMAP_CLI_TEST_OPTS_H
#define TRAPMAP_CLI_TEST_OPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "test/suite.h"

#define TEST_TIMEOUT_MS INT64_C(60000)

/* Words of the command line; they live as long as it. */
struct test_words {
	char **words;
	size_t count;
};

struct test_opts {
	struct test_words kernels;
	struct test_words manifests;
	struct test_words trees; /* of kvm-unit-tests */
	const char *group; /* of a tree's tests; NULL: all but "nodefault" */
	struct test_words filters; /* shell patterns for names; none: all */
	struct test_words run_args; /* for "trapmap run", in each case */
	struct test_pass pass; /* of the kernels given as words */

	uint32_t jobs; /* 0: by cores and memory */
	int64_t timeout_ms; /* of a case that has none of its own */
	bool fail_fast; /* start no more once one has failed */
	bool list; /* show the cases, run nothing */
	const char *artifacts; /* a folder; NULL: keep nothing */
	bool tap; /* TAP on stdout, not a table */
	const char *junit; /* a file; NULL: none */
	bool quiet; /* no line for what passed */
};

enum {
	TEST_OPTS_RUN = 0,
	TEST_OPTS_HELP = 1,
	TEST_OPTS_VERSION = 2,
};

/*
 * Reads the words behind "test"; argv[0] is not looked at. Returns TEST_OPTS_RUN
 * with *ret_opts filled (it points into argv; released by test_opts_done()),
 * TEST_OPTS_HELP, TEST_OPTS_VERSION, or -EINVAL or -ENOMEM with a line in err.
 */
int test_opts_parse(int argc, char **argv, struct test_opts *ret_opts,
		    char err[TEST_ERR_SIZE]);

void test_opts_done(struct test_opts *opts);

/*
 * Makes the cases: reads the manifests and the trees, adds run_args to each, and
 * leaves out what no filter wants. Returns 0 with at least one case (released by
 * suite_done()), or -errno with a line in err. Reads files, starts nothing. Not
 * while options are being read.
 */
int test_opts_suite(const struct test_opts *opts, struct test_suite *ret_suite,
		    char err[TEST_ERR_SIZE]);

#endif
