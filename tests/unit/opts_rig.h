/* SPDX-License-Identifier: MIT */
/* opts_rig.h: the words of a command line, read as "trapmap run" reads them. */
#ifndef TRAPMAP_TEST_OPTS_RIG_H
#define TRAPMAP_TEST_OPTS_RIG_H

#include <string.h>

#include "cli/opts.h"

/* The words behind "run", up to a NULL. */
#define WORDS(...) ((char *[]){ (char *)"run", __VA_ARGS__, NULL })
#define W(word) ((char *)(uintptr_t)(word))

static struct run_opts opts;
static char err[OPTS_ERR_SIZE];

static inline int parse(char **argv)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	run_opts_done(&opts);
	memset(&opts, 0, sizeof(opts));
	*err = '\0';
	return run_opts_parse(argc, argv, &opts, err);
}

#define assert_good(...) assert_int_equal(parse(WORDS(__VA_ARGS__)), OPTS_RUN)

#define assert_bad(text, ...)                                         \
	do {                                                          \
		assert_int_equal(parse(WORDS(__VA_ARGS__)), -EINVAL); \
		assert_string_equal(err, text);                       \
	} while (0)

#endif
