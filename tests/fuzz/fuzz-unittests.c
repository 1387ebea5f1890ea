// SPDX-License-Identifier: MIT
/*
 * Any bytes as a unittests.cfg. Nothing of the host is read; what is taken is a
 * list of tests that can be run, or say why not.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/test/suite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int fake_line(const char *path, char *buf, size_t size)
{
	if (strncmp(path, "/sys/", 5) && strncmp(path, "/proc/", 6))
		abort();
	snprintf(buf, size, "Y");
	return path[5] == 'n' ? -ENOENT : 0;
}

static void check_case(const struct test_suite *suite, size_t i)
{
	const struct test_case *test = &suite->cases[i];
	size_t k;

	if (!*test->name || *test->name == '.' || strchr(test->name, '/'))
		abort();
	for (k = 0; k < i; k++)
		if (strcmp(suite->cases[k].name, test->name) == 0)
			abort();
	if (test->argc < 7 || test->args[test->argc] ||
	    strcmp(test->args[0], "-k") != 0)
		abort();
	if (test->skip ? !*test->skip : !test->mem || !test->cpus)
		abort();
	if (test->timeout_ms < 0)
		abort();
}

static void run(const char *text, size_t len, const char *group)
{
	static const struct unittests_host host = { .cpus = 3,
						    .read_line = fake_line };
	struct test_suite suite = { 0 };
	char err[TEST_ERR_SIZE] = "";
	size_t i;

	if (unittests_parse("d/f", text, len, group, &host, &suite, err)) {
		if (suite.count || strncmp(err, "d/f:", 4) != 0)
			abort();
	} else if (suite.count == 0) {
		abort();
	}
	for (i = 0; i < suite.count; i++)
		check_case(&suite, i);
	suite_done(&suite);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	run((const char *)data, len, NULL);
	run((const char *)data, len, "vmexit");
	return 0;
}
