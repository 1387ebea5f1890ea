// SPDX-License-Identifier: MIT
/*
 * Any bytes as a manifest. What is refused leaves nothing behind and has its
 * place named; what is taken can be run, each test under a folder of its own.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/test/suite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_case(const struct test_suite *suite, size_t i)
{
	const struct test_case *test = &suite->cases[i];
	size_t k;

	if (!*test->name || *test->name == '.' || strchr(test->name, '/'))
		abort();
	for (k = 0; k < i; k++)
		if (strcmp(suite->cases[k].name, test->name) == 0)
			abort();
	for (k = 0; k < test->argc; k++)
		if (!test->args[k])
			abort();
	if (test->argc < 2 || test->args[test->argc] ||
	    strcmp(test->args[0], "-k") != 0)
		abort();
	if (test->pass.status < 0 || test->pass.status > 255 ||
	    test->pass.status == test->pass.skip_status)
		abort();
	if (test->timeout_ms < 0 || !test->mem || !test->cpus)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct test_suite suite = { 0 };
	char err[TEST_ERR_SIZE] = "";
	size_t i;

	if (manifest_parse("d/f", (const char *)data, len, &suite, err)) {
		if (suite.count || strncmp(err, "d/f:", 4) != 0 ||
		    strlen(err) < 10)
			abort();
	} else if (suite.count == 0) {
		abort();
	}
	for (i = 0; i < suite.count; i++)
		check_case(&suite, i);
	suite_done(&suite);
	return 0;
}
