// SPDX-License-Identifier: MIT
#include "test/test_opts.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manual.h"
#include "nearest.h"
#include "optscan.h"
#include "test/test_manual.h"
#include "value.h"

__attribute__((format(printf, 2, 3))) static int fail(char *err,
						      const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err, TEST_ERR_SIZE, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static int no_memory(char *err)
{
	fail(err, "out of memory");
	return -ENOMEM;
}

static int add_word(struct test_words *list, const char *word, char *err)
{
	char **words = reallocarray(list->words, list->count + 1,
				    sizeof(*words));

	if (!words)
		return no_memory(err);
	/* Of argv, which is not const either. */
	words[list->count++] = (char *)(uintptr_t)word;
	list->words = words;
	return 0;
}

static int add_path(struct test_words *list, const char *option,
		    const char *path, char *err)
{
	if (!*path)
		return fail(err, "%s '': a path is expected", option);
	return add_word(list, path, err);
}

static int set_path(const char **where, const char *option, const char *path,
		    char *err)
{
	if (!*path)
		return fail(err, "%s '': a path is expected", option);
	*where = path;
	return 0;
}

static int add_kernel(struct test_opts *opts, const char *path, char *err)
{
	const char *dot = strrchr(path, '.');

	if (!*path)
		return fail(err, "the kernel's name is empty");
	if (dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0))
		return fail(err,
			    "'%s' is given as a kernel; for a manifest: "
			    "--manifest %s",
			    path, path);
	return add_word(&opts->kernels, path, err);
}

static int set_status(int *where, const char *option, const char *text,
		      char *err)
{
	char *end;
	long val;

	errno = 0;
	val = strtol(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || val > 255)
		return fail(err,
			    "%s '%s': an exit status, 0 to 255, is expected",
			    option, text);
	*where = (int)val;
	return 0;
}

static int apply(struct test_opts *opts, int id, const char *text, char *err)
{
	const char *why;

	switch (id) {
	case OPTSCAN_WORD: return add_kernel(opts, text, err);
	case 'f': return add_path(&opts->manifests, "--manifest", text, err);
	case OPT_TREE:
		return add_path(&opts->trees, "--kvm-unit-tests", text, err);
	case OPT_GROUP: opts->group = text; return 0;
	case 't': return add_word(&opts->filters, text, err);
	case OPT_LIST: opts->list = true; return 0;
	case 'j':
		if (value_count(text, &opts->jobs, &why))
			return fail(err, "--jobs '%s': %s", text, why);
		return 0;
	case OPT_TIMEOUT:
		if (value_duration(text, &opts->timeout_ms, &why))
			return fail(err, "--timeout '%s': %s", text, why);
		return 0;
	case OPT_FAIL_FAST: opts->fail_fast = true; return 0;
	case OPT_PASS_STATUS:
		return set_status(&opts->pass.status, "--pass-status", text,
				  err);
	case OPT_SKIP_STATUS:
		return set_status(&opts->pass.skip_status, "--skip-status",
				  text, err);
	case OPT_ARTIFACTS:
		return set_path(&opts->artifacts, "--artifacts", text, err);
	case OPT_TAP: opts->tap = true; return 0;
	case OPT_JUNIT: return set_path(&opts->junit, "--junit", text, err);
	case 'q': opts->quiet = true; return 0;
	}
	return 0;
}

/* What fits together, once all is known. */
static int check(const struct test_opts *opts, bool pass_given, char *err)
{
	if (!opts->kernels.count && !opts->manifests.count && !opts->trees.count)
		return fail(err, "nothing to test; a KERNEL, --manifest or "
				 "--kvm-unit-tests is expected");
	if (opts->group && !opts->trees.count)
		return fail(err, "--group is for --kvm-unit-tests, which is "
				 "not given");
	if (pass_given && !opts->kernels.count)
		return fail(err, "--pass-status and --skip-status are for a "
				 "KERNEL given as a word; a manifest has "
				 "'status' and 'skip-status'");
	if (opts->pass.status == opts->pass.skip_status)
		return fail(err, "--skip-status %d is what counts as passed too",
			    opts->pass.status);
	return 0;
}

int test_opts_parse(int argc, char **argv, struct test_opts *ret_opts,
		    char err[TEST_ERR_SIZE])
{
	struct test_opts opts = { .timeout_ms = TEST_TIMEOUT_MS,
				  .pass.skip_status = -1 };
	struct optscan scan;
	const char *text = NULL;
	bool pass_given = false;
	int id, r = 0;

	optscan_init(&scan, test_manual.table, test_manual.count,
		     "trapmap test", argc, argv, err, TEST_ERR_SIZE);
	while (r == 0 && (id = optscan_next(&scan, &text)) != OPTSCAN_END) {
		if (id < 0)
			r = id;
		else if (id == 'h')
			r = TEST_OPTS_HELP;
		else if (id == 'V')
			r = TEST_OPTS_VERSION;
		else if (id == OPTSCAN_WORD && scan.only_words)
			r = add_word(&opts.run_args, text, err);
		else
			r = apply(&opts, id, text, err);
		pass_given |= id == OPT_PASS_STATUS || id == OPT_SKIP_STATUS;
	}
	if (r == 0)
		r = check(&opts, pass_given, err);
	if (r) {
		test_opts_done(&opts);
		return r;
	}
	*ret_opts = opts;
	return TEST_OPTS_RUN;
}

void test_opts_done(struct test_opts *opts)
{
	free(opts->kernels.words);
	free(opts->manifests.words);
	free(opts->trees.words);
	free(opts->filters.words);
	free(opts->run_args.words);
	memset(opts, 0, sizeof(*opts));
}

static int add_kernels(const struct test_opts *opts, struct test_suite *suite)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < opts->kernels.count; i++) {
		const char *path = opts->kernels.words[i];
		const char *slash = strrchr(path, '/');
		struct test_case *test = suite_add(suite);

		if (!test)
			return -ENOMEM;
		test->pass = opts->pass;
		r = suite_name(suite, test,
			       slash && slash[1] ? slash + 1 : path);
		if (r == 0)
			r = suite_arg(test, "-k");
		if (r == 0)
			r = suite_arg(test, "%s", path);
	}
	return r;
}

static int add_files(const struct test_opts *opts, struct test_suite *suite,
		     char *err)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < opts->manifests.count; i++)
		r = manifest_read(opts->manifests.words[i], suite, err);
	for (i = 0; r == 0 && i < opts->trees.count; i++)
		r = unittests_read(opts->trees.words[i], opts->group, suite,
				   err);
	return r;
}

/* Gives each case the words behind "--". */
static int add_run_args(const struct test_opts *opts, struct test_suite *suite,
			char *err)
{
	size_t i, j;
	int r = 0;

	for (i = 0; i < suite->count; i++) {
		struct test_case *test = &suite->cases[i];
		size_t own = test->argc;
		char why[TEST_ERR_SIZE];

		for (j = 0; r == 0 && j < opts->run_args.count; j++)
			r = suite_arg(test, "%s", opts->run_args.words[j]);
		if (r)
			return no_memory(err);
		/* One that is skipped may lack what it could not be given. */
		if (test->skip)
			continue;
		r = suite_check(test, own, why);
		if (r)
			return fail(err, "%s, for the test '%.200s': %.700s",
				    opts->run_args.count ? "behind '--'"
							 : "options",
				    test->name, why);
	}
	return 0;
}

static int no_match(const char *filter, const struct test_suite *suite,
		    char *err)
{
	const char *name, *known = NULL;
	size_t i;

	for (i = 0; !known && i < suite->count; i++) {
		name = suite->cases[i].name;
		known = nearest(filter, &name, 1);
	}
	if (known)
		return fail(err, "no test matches '%.200s'; did you mean '%s'?",
			    filter, known);
	return fail(err,
		    "no test matches '%.200s'; --list shows the %zu that "
		    "there are",
		    filter, suite->count);
}

static int filter(const struct test_opts *opts, struct test_suite *suite,
		  char *err)
{
	size_t count = opts->filters.count, i, j, kept = 0;
	bool *wanted;

	if (!count || !suite->count)
		return 0;
	wanted = calloc(suite->count, sizeof(*wanted));
	if (!wanted)
		return no_memory(err);
	for (j = 0; j < count; j++) {
		bool any = false;

		for (i = 0; i < suite->count; i++) {
			bool hit = fnmatch(opts->filters.words[j],
					   suite->cases[i].name, 0) == 0;

			wanted[i] |= hit;
			any |= hit;
		}
		if (!any) {
			free(wanted);
			return no_match(opts->filters.words[j], suite, err);
		}
	}
	/* Swapped, not copied: those behind the last kept are still whole. */
	for (i = 0; i < suite->count; i++) {
		struct test_case test = suite->cases[i];

		if (!wanted[i])
			continue;
		suite->cases[i] = suite->cases[kept];
		suite->cases[kept++] = test;
	}
	free(wanted);
	while (suite->count > kept)
		suite_drop(suite);
	return 0;
}

int test_opts_suite(const struct test_opts *opts, struct test_suite *ret_suite,
		    char err[TEST_ERR_SIZE])
{
	struct test_suite suite = { 0 };
	int r = add_kernels(opts, &suite);

	if (r)
		r = no_memory(err);
	if (r == 0)
		r = add_files(opts, &suite, err);
	if (r == 0)
		r = add_run_args(opts, &suite, err);
	if (r == 0)
		r = filter(opts, &suite, err);
	if (r) {
		suite_done(&suite);
		return r;
	}
	*ret_suite = suite;
	return 0;
}
