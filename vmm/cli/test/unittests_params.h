/* SPDX-License-Identifier: MIT */
/*
 * unittests_params.h: a test's QEMU options, as options of "trapmap run" where
 * there are such, and as a reason to skip it where there are none.
 */
#ifndef TRAPMAP_CLI_TEST_UNITTESTS_PARAMS_H
#define TRAPMAP_CLI_TEST_UNITTESTS_PARAMS_H

#include "test/shell.h"
#include "test/suite.h"

/* What a QEMU command line comes to. Strings point into the words. */
struct unittests_params {
	const char *append; /* NULL: none */
	const char *cpu; /* "max,+x2apic"; NULL: QEMU's default */
	uint64_t mem;
	int64_t cpus; /* 0: it does not say */
};

/*
 * Reads the words; what cannot be honoured makes test skipped. Returns 0 or
 * -ENOMEM.
 */
int unittests_params(const struct shell_words *words, struct test_case *test,
		     struct unittests_params *params);

/*
 * Adds --cpu for the value of -cpu, or a reason to skip the test. Returns 0 or
 * -ENOMEM.
 */
int unittests_cpu(const char *cpu, struct test_case *test);

#endif
