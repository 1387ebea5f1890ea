/* SPDX-License-Identifier: MIT */
/* test_run_rig.h: a run of "trapmap test" that is made up, result by result. */
#ifndef TRAPMAP_TEST_RUN_RIG_H
#define TRAPMAP_TEST_RUN_RIG_H

#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/test/result.h"

#define RIG_CASES 8

static struct test_case rig_cases[RIG_CASES];
static struct test_result rig_results[RIG_CASES];
static char *rig_dirs[RIG_CASES];
static struct test_suite rig_suite;
static struct artifacts rig_artifacts;
static struct test_run rig;

static inline char *rig_str(const char *text)
{
	return (char *)(uintptr_t)text;
}

static inline int rig_fresh(void **state)
{
	memset(rig_cases, 0, sizeof(rig_cases));
	memset(rig_results, 0, sizeof(rig_results));
	rig_suite = (struct test_suite){ .cases = rig_cases };
	rig_artifacts = (struct artifacts){ .temporary = true,
					    .dirs = rig_dirs };
	rig = (struct test_run){ .suite = &rig_suite,
				 .artifacts = &rig_artifacts,
				 .results = rig_results };
	return 0;
}

/* A case with its result. */
static inline struct test_result *rig_add(const char *name,
					  enum test_outcome outcome,
					  const char *reason)
{
	struct test_result *result = &rig_results[rig_suite.count];

	assert_true(rig_suite.count < RIG_CASES);
	rig_dirs[rig_suite.count] = rig_str("out/dir");
	rig_cases[rig_suite.count++].name = rig_str(name);
	*result = (struct test_result){ .outcome = outcome,
					.reason = reason ? rig_str(reason) :
							   NULL };
	rig.done[outcome]++;
	return result;
}

static inline void rig_console(struct test_result *result, const char *text,
			       size_t len)
{
	result->console = rig_str(text);
	result->console_len = len;
}

static inline void rig_subs(struct test_result *result, const char *console)
{
	ktap_feed(&result->subs, console, strlen(console));
	ktap_finish(&result->subs);
}

static inline int rig_done(void **state)
{
	size_t i;

	for (i = 0; i < RIG_CASES; i++)
		ktap_done(&rig_results[i].subs);
	return 0;
}

#endif
