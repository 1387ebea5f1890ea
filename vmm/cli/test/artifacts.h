/* SPDX-License-Identifier: MIT */
/*
 * artifacts.h: where each test's files are: a folder a case, below the one of
 * --artifacts, or below one that is gone at the end.
 */
#ifndef TRAPMAP_CLI_TEST_ARTIFACTS_H
#define TRAPMAP_CLI_TEST_ARTIFACTS_H

#include <stdbool.h>
#include <stddef.h>

#include "test/suite.h"

/* The files of a folder. */
#define ARTIFACT_CONSOLE "console.log"
#define ARTIFACT_ERRORS "stderr.log"
#define ARTIFACT_REPORT "report.json"

struct artifacts {
	char *root;
	bool temporary;
	char **dirs; /* of each case; NULL: it has none, as it is skipped */
	size_t count;
};

/*
 * Makes the folders of all cases that can be run, and sees that files can be
 * made there. What an earlier run left in them is removed. root NULL: a
 * temporary folder. Returns 0, or -errno with one line in err. Released by
 * artifacts_done() in any case.
 */
int artifacts_open(struct artifacts *ret_artifacts, const char *root,
		   const struct test_suite *suite, char err[TEST_ERR_SIZE]);

/* A file of a case's, by its name: the caller's to free(), or NULL. */
char *artifacts_path(const struct artifacts *artifacts, size_t index,
		     const char *name);

/* Whether the disk that they are on has no room left. */
bool artifacts_are_full(const struct artifacts *artifacts);

/* Removes what is temporary. */
void artifacts_done(struct artifacts *artifacts);

#endif
