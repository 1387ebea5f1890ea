// SPDX-License-Identifier: MIT
/* The words behind "trapmap test", and the cases that come of them. */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/manual.h"
#include "cli/test/test_opts.h"

#define W(word) ((char *)(uintptr_t)(word))
#define WORDS(...) ((char *[]){ W("test"), __VA_ARGS__, NULL })

static struct test_opts opts;
static struct test_suite suite;
static char err[TEST_ERR_SIZE];

static int parse(char **argv)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	test_opts_done(&opts);
	*err = '\0';
	return test_opts_parse(argc, argv, &opts, err);
}

/* Parses, then makes the cases. */
static int make(char **argv)
{
	int r = parse(argv);

	suite_done(&suite);
	return r ? r : test_opts_suite(&opts, &suite, err);
}

#define assert_good(...)                                   \
	do {                                               \
		if (parse(WORDS(__VA_ARGS__)))             \
			fail_msg("refused: %s", err);      \
	} while (0)

#define assert_made(...)                                   \
	do {                                               \
		if (make(WORDS(__VA_ARGS__)))              \
			fail_msg("refused: %s", err);      \
	} while (0)

#define assert_bad(text, ...)                                        \
	do {                                                         \
		assert_int_equal(make(WORDS(__VA_ARGS__)), -EINVAL); \
		assert_string_equal(err, text);                      \
	} while (0)

static const char *words(const struct test_case *test)
{
	static char all[4096];
	size_t i;

	*all = '\0';
	for (i = 0; i < test->argc; i++)
		strcat(strcat(all, i ? "|" : ""), test->args[i]);
	return all;
}

static void a_kernel_alone_has_all_defaults(void **state)
{
	assert_good(W("k"));
	assert_int_equal(opts.kernels.count, 1);
	assert_int_equal(opts.run_args.count, 0);
	assert_int_equal(opts.jobs, 0);
	assert_int_equal(opts.timeout_ms, 60000);
	assert_int_equal(opts.pass.status, 0);
	assert_int_equal(opts.pass.skip_status, -1);
	assert_false(opts.tap || opts.list || opts.quiet || opts.fail_fast);
	assert_null(opts.artifacts);
	assert_null(opts.junit);
}

static void every_option_is_taken(void **state)
{
	assert_good(W("k"), W("-f"), W("m"), W("--manifest=n"),
		    W("--kvm-unit-tests"), W("d"), W("--group=g"), W("-t"),
		    W("a*"), W("--filter=b"), W("--list"), W("-j3"),
		    W("--timeout=5m"), W("--fail-fast"), W("--pass-status=33"),
		    W("--skip-status"), W("35"), W("--artifacts=out"),
		    W("--tap"), W("--junit=j.xml"), W("-q"), W("l"), W("--"),
		    W("-m"), W("64"));
	assert_int_equal(opts.kernels.count, 2);
	assert_string_equal(opts.kernels.words[1], "l");
	assert_int_equal(opts.manifests.count, 2);
	assert_string_equal(opts.manifests.words[1], "n");
	assert_string_equal(opts.trees.words[0], "d");
	assert_string_equal(opts.group, "g");
	assert_int_equal(opts.filters.count, 2);
	assert_true(opts.list && opts.fail_fast && opts.tap && opts.quiet);
	assert_int_equal(opts.jobs, 3);
	assert_int_equal(opts.timeout_ms, 300000);
	assert_int_equal(opts.pass.status, 33);
	assert_int_equal(opts.pass.skip_status, 35);
	assert_string_equal(opts.artifacts, "out");
	assert_string_equal(opts.junit, "j.xml");
	assert_int_equal(opts.run_args.count, 2);
	assert_string_equal(opts.run_args.words[1], "64");
}

static void each_kernel_is_a_test_with_the_words_behind_the_dashes(void **state)
{
	assert_made(W("--pass-status=33"), W("out/a.elf"), W("b/a.elf"),
		    W("c/"), W("--"), W("-m"), W("1G"), W("-c"), W("2"));
	assert_int_equal(suite.count, 3);
	assert_string_equal(suite.cases[0].name, "a.elf");
	assert_string_equal(words(&suite.cases[0]), "-k|out/a.elf|-m|1G|-c|2");
	assert_int_equal(suite.cases[0].pass.status, 33);
	assert_true(suite.cases[0].mem == 1 << 30);
	assert_int_equal(suite.cases[0].cpus, 2);
	assert_string_equal(suite.cases[1].name, "a.elf-2");
	assert_string_equal(suite.cases[2].name, "c_");
}

static void filters_choose_by_name_in_the_old_order(void **state)
{
	assert_made(W("a1"), W("b1"), W("a2"), W("c"), W("b2"), W("-t"),
		    W("b*"), W("-t"), W("c"));
	assert_int_equal(suite.count, 3);
	assert_string_equal(suite.cases[0].name, "b1");
	assert_string_equal(suite.cases[1].name, "c");
	assert_string_equal(suite.cases[2].name, "b2");
	assert_bad("no test matches 'boot'; did you mean 'boots'?", W("boots"),
		   W("-t"), W("boot"));
	assert_bad("no test matches 'x*'; --list shows the 1 that there are",
		   W("boots"), W("-t"), W("x*"));
}

static void manifests_and_words_go_together(void **state)
{
	char path[] = "/tmp/test-test-opts-XXXXXX";
	int fd = mkstemp(path);
	FILE *out = fdopen(fd, "w");

	assert_non_null(out);
	fputs("version: 1\n"
	      "tests: [{ name: a, kernel: /k, memory: 64M, skip: no }]\n",
	      out);
	fclose(out);
	assert_made(W("a"), W("-f"), path, W("--"), W("-q"));
	assert_int_equal(suite.count, 2);
	assert_string_equal(suite.cases[1].name, "a-2");
	assert_string_equal(words(&suite.cases[1]), "-k|/k|-m|64M|-q");
	unlink(path);
	assert_int_equal(make(WORDS(W("-f"), path)), -ENOENT);
}

static void mistakes_are_told_before_anything_runs(void **state)
{
	assert_bad("nothing to test; a KERNEL, --manifest or --kvm-unit-tests "
		   "is expected",
		   W("--tap"));
	assert_bad("unknown option '--manfest'; did you mean '--manifest'?",
		   W("--manfest=x"));
	assert_bad("--jobs '0': at least 1 is needed", W("k"), W("-j0"));
	assert_bad("--timeout 'x': a whole number above 0 is expected, in "
		   "seconds or with ms, s or m",
		   W("k"), W("--timeout=x"));
	assert_bad("--pass-status '256': an exit status, 0 to 255, is expected",
		   W("k"), W("--pass-status=256"));
	assert_bad("--pass-status '-1': an exit status, 0 to 255, is expected",
		   W("k"), W("--pass-status=-1"));
	assert_bad("--skip-status 0 is what counts as passed too", W("k"),
		   W("--skip-status=0"));
	assert_bad("--pass-status and --skip-status are for a KERNEL given as "
		   "a word; a manifest has 'status' and 'skip-status'",
		   W("-f"), W("x"), W("--pass-status=1"));
	assert_bad("--group is for --kvm-unit-tests, which is not given",
		   W("k"), W("--group=x"));
	assert_bad("'ci.yaml' is given as a kernel; for a manifest: --manifest "
		   "ci.yaml",
		   W("ci.yaml"));
	assert_bad("--artifacts '': a path is expected", W("k"),
		   W("--artifacts="));
	assert_bad("behind '--', for the test 'k': unknown option '--men'; did "
		   "you mean '--mem'?",
		   W("k"), W("--"), W("--men=1"));
	assert_bad("behind '--', for the test 'k': '--report' cannot be given "
		   "here: the report is kept by --artifacts",
		   W("k"), W("--"), W("--report"), W("x"));
	assert_bad("behind '--', for the test 'k': '-h' and '-V' cannot be "
		   "given here: it would run nothing",
		   W("k"), W("--"), W("-h"));
}

static void help_and_version_win_over_what_follows(void **state)
{
	assert_int_equal(parse(WORDS(W("-h"), W("--nonsense"))),
			 TEST_OPTS_HELP);
	assert_int_equal(parse(WORDS(W("-V"))), TEST_OPTS_VERSION);
}

static void the_manual_fits_the_limits_of_what_reads_it(void **state)
{
	assert_true(test_manual.count <= OPT_MAX);
	assert_string_equal(test_manual.name, "test");
	assert_string_equal(test_manual.sections[1].title, "Exit status");
}

static int clean(void **state)
{
	suite_done(&suite);
	test_opts_done(&opts);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kernel_alone_has_all_defaults),
		cmocka_unit_test(every_option_is_taken),
		cmocka_unit_test(each_kernel_is_a_test_with_the_words_behind_the_dashes),
		cmocka_unit_test(filters_choose_by_name_in_the_old_order),
		cmocka_unit_test(manifests_and_words_go_together),
		cmocka_unit_test(mistakes_are_told_before_anything_runs),
		cmocka_unit_test(help_and_version_win_over_what_follows),
		cmocka_unit_test(the_manual_fits_the_limits_of_what_reads_it),
	};

	return cmocka_run_group_tests(tests, NULL, clean);
}
