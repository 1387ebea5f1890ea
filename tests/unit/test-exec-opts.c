// SPDX-License-Identifier: MIT
/* "trapmap exec": its words. */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "cli/exec/exec_opts.h"

static struct exec_opts opts;
static char err[OPTS_ERR_SIZE];

#define W(word) ((char *)(uintptr_t)(word))
#define WORDS(...) ((char *[]){ W("exec"), __VA_ARGS__, NULL })

static int parse(char **argv)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	*err = '\0';
	return exec_opts_parse(argc, argv, &opts, err);
}

#define assert_bad(text, ...)                                         \
	do {                                                          \
		assert_int_equal(parse(WORDS(__VA_ARGS__)), -EINVAL); \
		assert_string_equal(err, text);                       \
	} while (0)

static void what_is_behind_the_dashes_is_the_commands(void **state)
{
	assert_int_equal(parse(WORDS(W("-k"), W("bz"), W("-c"), W("3"),
				     W("--share=a"), W("--share"), W("b"),
				     W("--"), W("ls"), W("-k"), W("--"),
				     W("--help"))),
			 OPTS_RUN);
	assert_string_equal(opts.run.kernel, "bz");
	assert_int_equal(opts.run.machine.cpus, 3);
	assert_true(opts.run.machine.mem == UINT64_C(1) << 30);
	assert_int_equal(opts.shares, 2);
	assert_string_equal(opts.share[1], "b");
	assert_string_equal(opts.command[0], "ls");
	assert_string_equal(opts.command[3], "--help");
	assert_null(opts.command[4]);
	exec_opts_done(&opts);
}

static void help_needs_no_command(void **state)
{
	assert_int_equal(parse(WORDS(W("--help"))), OPTS_HELP);
}

static void what_is_missing_or_wrong_is_said(void **state)
{
	assert_bad("a command is expected behind '--': trapmap exec -k KERNEL "
		   "-- COMMAND",
		   W("-k"), W("bz"));
	assert_bad("a command is expected behind '--': trapmap exec -k KERNEL "
		   "-- COMMAND",
		   W("-k"), W("bz"), W("--"));
	assert_bad("'ls': the command comes behind '--': trapmap exec -k KERNEL "
		   "-- COMMAND",
		   W("-k"), W("bz"), W("ls"), W("--"), W("x"));
	assert_bad("a kernel is expected: -k FILE", W("--"), W("ls"));
	assert_bad("--copy: with --root 9p all files are there already", W("-k"),
		   W("bz"), W("--root=9p"), W("--copy=x"), W("--"), W("ls"));
	assert_bad("--share '': a path is expected", W("--share="), W("--"),
		   W("ls"));
	/* Of "trapmap run", but not of this. */
	assert_int_equal(parse(WORDS(W("--watchdog=3"), W("--"), W("ls"))),
			 -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_behind_the_dashes_is_the_commands),
		cmocka_unit_test(help_needs_no_command),
		cmocka_unit_test(what_is_missing_or_wrong_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
