/* SPDX-License-Identifier: MIT */
/*
 * junit.h: the results as JUnit XML, in the dialect that Jenkins, GitLab and
 * GitHub's actions read: a testsuite of all cases, then one for each case that
 * has sub-results.
 */
#ifndef TRAPMAP_CLI_TEST_JUNIT_H
#define TRAPMAP_CLI_TEST_JUNIT_H

#include <stdio.h>

#include "test/result.h"

void junit_write(FILE *out, const struct test_run *run);

#endif
