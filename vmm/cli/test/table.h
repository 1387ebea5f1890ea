/* SPDX-License-Identifier: MIT */
/* table.h: results as people read them. */
#ifndef TRAPMAP_CLI_TEST_TABLE_H
#define TRAPMAP_CLI_TEST_TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "test/result.h"

/* One case's line, and below it what a failure left behind. */
void table_line(FILE *out, const struct test_run *run, size_t index,
		bool color);

/* All cases in the suite's order; those that passed only if asked for. */
void table_print(FILE *out, const struct test_run *run, bool with_passed,
		 bool color);

/* "N passed, N failed, N skipped in T s", and which were not run. */
void table_summary(FILE *out, const struct test_run *run, bool color);

#endif
