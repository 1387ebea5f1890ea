// SPDX-License-Identifier: MIT
#include "test.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/test/artifacts.h"
#include "cli/test/report_read.h"
#include "cli/test/result.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* As wait(2) has them. */
#define EXITED(status) ((status) << 8)
#define SIGNALLED(sig) (sig)

static char root[] = "/tmp/trapmap-test-result-XXXXXX";
static char err[TEST_ERR_SIZE];
static struct test_case cases[4];
static struct test_suite suite = { .cases = cases };
static struct artifacts artifacts;
static struct test_result result;
static struct test_run run = { .suite = &suite, .artifacts = &artifacts };

static char *str(const char *text)
{
	return (char *)(uintptr_t)text;
}

static int fresh(void **state)
{
	size_t i;

	memset(cases, 0, sizeof(cases));
	for (i = 0; i < COUNT(cases); i++)
		cases[i].pass.skip_status = -1;
	cases[0].name = str("case");
	suite.count = 1;
	return artifacts_open(&artifacts, NULL, &suite, err);
}

static int done(void **state)
{
	result_done(&result);
	artifacts_done(&artifacts);
	return 0;
}

static void leave(const char *name, const char *text)
{
	char *path = artifacts_path(&artifacts, 0, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	free(path);
}

static void judge(int wait_status)
{
	const struct runner_end end = { .wait_status = wait_status, .ms = 5 };

	result_done(&result);
	assert_int_equal(result_judge(&run, 0, &end, &result), 0);
	assert_int_equal(result.ms, 5);
}

#define assert_failed(text)                                   \
	do {                                                  \
		assert_int_equal(result.outcome, TEST_FAILED); \
		assert_string_equal(result.reason, text);     \
	} while (0)

/* ---- outcomes -------------------------------------------------------------- */

static void the_status_asked_for_is_a_pass(void **state)
{
	leave(ARTIFACT_CONSOLE, "hello\n");
	judge(EXITED(0));
	assert_int_equal(result.outcome, TEST_PASSED);
	assert_null(result.reason);
	assert_int_equal(result.console_len, 6);
	assert_memory_equal(result.console, "hello\n", 6);
	cases[0].pass.status = 33;
	judge(EXITED(33));
	assert_int_equal(result.outcome, TEST_PASSED);
	assert_int_equal(result.status, 33);
}

static void a_failure_has_the_sentence_of_the_report(void **state)
{
	leave(ARTIFACT_ERRORS, "trapmap: something else\n");
	leave(ARTIFACT_REPORT,
	      "{\"schema\": 1, \"verdict\": {\"status\": 8, \"text\": \"vCPU 0 triple-faulted\"}}");
	judge(EXITED(8));
	assert_failed("vCPU 0 triple-faulted");
	cases[0].pass.status = 33;
	judge(EXITED(8));
	assert_failed("vCPU 0 triple-faulted (status 8, expected 33)");
	/* Once is enough. */
	leave(ARTIFACT_REPORT,
	      "{\"schema\": 1, \"verdict\": {\"status\": 35, \"text\": \"the guest ended with status 35 (debug-exit port, value 0x11)\"}}");
	judge(EXITED(35));
	assert_failed("the guest ended with status 35 (debug-exit port, value 0x11), expected 33");
}

static void without_a_report_it_has_the_last_words(void **state)
{
	leave(ARTIFACT_ERRORS, "trapmap: one\ntrapmap: cannot read 'x'\n\n");
	judge(EXITED(2));
	assert_failed("cannot read 'x'");
	leave(ARTIFACT_REPORT, "{\"verdict\": {");
	judge(EXITED(2));
	assert_failed("cannot read 'x'");
	leave(ARTIFACT_ERRORS, "");
	judge(EXITED(4));
	assert_failed("trapmap left neither a report nor a word");
}

static void a_guest_may_say_that_it_skips(void **state)
{
	leave(ARTIFACT_ERRORS, "trapmap: status 77\n");
	judge(EXITED(77));
	assert_int_equal(result.outcome, TEST_FAILED);
	cases[0].pass.skip_status = 77;
	judge(EXITED(77));
	assert_int_equal(result.outcome, TEST_SKIPPED);
	/* What failed before it says so was not skipped. */
	leave(ARTIFACT_CONSOLE, "FAIL: a\n");
	judge(EXITED(77));
	assert_failed("1 of 1 sub-results failed: 'a'");
}

static void a_sub_result_that_failed_fails_a_good_end(void **state)
{
	leave(ARTIFACT_CONSOLE,
	      "1..3\nok 1 a\nnot ok 2 b # too slow\nnot ok 3 c\n");
	judge(EXITED(0));
	assert_failed("2 of 3 sub-results failed, first 'b': too slow");
	leave(ARTIFACT_ERRORS, "trapmap: the guest ended with status 3\n");
	judge(EXITED(3));
	assert_failed("the guest ended with status 3; 2 of 3 sub-results failed, first 'b': too slow");
	leave(ARTIFACT_CONSOLE, "1..1\nnot ok 1 b # todo\n");
	judge(EXITED(0));
	assert_int_equal(result.outcome, TEST_PASSED);
}

static void trouble_with_trapmap_itself_is_a_failure(void **state)
{
	struct runner_end end = { .error = -ENOSPC };

	judge(SIGNALLED(SIGSEGV));
	assert_failed("trapmap was ended by signal 11 (Segmentation fault)");
	assert_int_equal(result.status, 128 + SIGSEGV);
	result_done(&result);
	assert_int_equal(result_judge(&run, 0, &end, &result), 0);
	assert_failed("trapmap could not be started: No space left on device");
	assert_false(result.has_status);
	end = (struct runner_end){ .overdue = true };
	result_done(&result);
	assert_int_equal(result_judge(&run, 0, &end, &result), 0);
	assert_int_equal(result.outcome, TEST_FAILED);
	assert_non_null(strstr(result.reason, "trapmap itself hung"));
}

static void one_that_was_stopped_neither_passed_nor_failed(void **state)
{
	const struct runner_end end = { .stopped = true,
					.wait_status = EXITED(143) };

	assert_int_equal(result_judge(&run, 0, &end, &result), 0);
	assert_int_equal(result.outcome, TEST_STOPPED);
}

static void of_a_long_console_the_last_lines_are_kept(void **state)
{
	char *path = artifacts_path(&artifacts, 0, ARTIFACT_CONSOLE);
	FILE *f = fopen(path, "w");
	int i;

	for (i = 0; i < 5000; i++)
		fprintf(f, "line %d\n", i);
	fclose(f);
	free(path);
	judge(EXITED(0));
	assert_true(result.console_len <= RESULT_CONSOLE_MAX);
	assert_true(result.console_len > RESULT_CONSOLE_MAX - 20);
	assert_memory_equal(result.console, "line ", 5);
	assert_memory_equal(result.console + result.console_len - 10,
			    "line 4999\n", 10);
}

static void the_whole_has_one_status(void **state)
{
	struct test_run all = { .done[TEST_PASSED] = 1,
				.done[TEST_SKIPPED] = 1 };

	assert_int_equal(run_status(&all), 0);
	all.done[TEST_FAILED] = 1;
	assert_int_equal(run_status(&all), 1);
	all.signal = SIGINT;
	assert_int_equal(run_status(&all), 130);
	all = (struct test_run){ .done[TEST_SKIPPED] = 2 };
	assert_int_equal(run_status(&all), 77);
}

static void a_host_that_fails_every_guest_is_not_their_failure(void **state)
{
	struct test_case two[2] = { 0 };
	const struct test_suite pair = { .cases = two, .count = 2 };
	struct test_result results[2] = {
		{ .outcome = TEST_FAILED, .has_status = true, .status = 4 },
		{ .outcome = TEST_SKIPPED },
	};
	struct test_run all = { .suite = &pair,
				.results = results,
				.done[TEST_FAILED] = 1,
				.done[TEST_SKIPPED] = 1 };

	assert_int_equal(run_status(&all), 4);
	results[0].status = 8;
	assert_int_equal(run_status(&all), 1);
	results[0].has_status = false;
	assert_int_equal(run_status(&all), 1);
}

/* ---- reports ---------------------------------------------------------------- */

static void what_is_no_report_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"{}",
		"[]",
		"null",
		"{\"verdict\": 8}",
		"{\"verdict\": {}}",
		"{\"verdict\": {\"text\": 8}}",
		"{\"verdict\": {\"text\": \"\"}}",
		"{\"verdict\": {\"text\": \"a\\u0000b\"}}",
		"{\"verdict\": {\"text\": \"\xff\"}}",
		"{\"verdict\": {\"text\": \"a\"}} more",
	};
	char *text = NULL;
	size_t i;

	for (i = 0; i < COUNT(bad); i++)
		assert_int_equal(report_parse(bad[i], strlen(bad[i]), &text),
				 -EBADMSG);
	assert_null(text);
	assert_int_equal(report_read("/no/such/file", &text), -ENOENT);
	assert_int_equal(report_read("/dev/zero", &text), -EFBIG);
	assert_int_equal(report_read("/tmp", &text), -EFBIG);
}

/* ---- folders ---------------------------------------------------------------- */

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static void a_temporary_folder_leaves_nothing_behind(void **state)
{
	char *old_root = strdup(artifacts.root);

	leave(ARTIFACT_REPORT, "{}");
	leave(ARTIFACT_REPORT ".half", "{");
	assert_true(is_folder(old_root));
	artifacts_done(&artifacts);
	assert_false(is_folder(old_root));
	free(old_root);
}

static void folders_have_names_that_are_safe_and_unique(void **state)
{
	struct artifacts kept;
	char deep[64];
	size_t i;

	snprintf(deep, sizeof(deep), "%s/deep/er", root);
	cases[0].name = str("../a b/\n$x");
	cases[1].name = str(".._a_b___x");
	cases[2].name = str("");
	cases[3].name = str("skipped");
	cases[3].skip = str("no");
	suite.count = 4;
	assert_int_equal(artifacts_open(&kept, deep, &suite, err), 0);
	assert_non_null(strstr(kept.dirs[0], "/deep/er/_._a_b___x"));
	assert_non_null(strstr(kept.dirs[1], "/deep/er/_._a_b___x-2"));
	assert_non_null(strstr(kept.dirs[2], "/deep/er/unnamed"));
	assert_null(kept.dirs[3]);
	for (i = 0; i < 3; i++)
		assert_true(is_folder(kept.dirs[i]));
	artifacts_done(&kept);
	assert_true(is_folder(deep));
}

static void an_old_report_is_not_taken_for_a_new_one(void **state)
{
	struct artifacts kept;
	char *path;
	FILE *f;

	assert_int_equal(artifacts_open(&kept, root, &suite, err), 0);
	path = artifacts_path(&kept, 0, ARTIFACT_REPORT);
	f = fopen(path, "w");
	assert_non_null(f);
	fclose(f);
	artifacts_done(&kept);
	assert_int_equal(artifacts_open(&kept, root, &suite, err), 0);
	assert_int_equal(access(path, F_OK), -1);
	artifacts_done(&kept);
	free(path);
}

static void a_folder_that_cannot_be_made_is_refused_by_name(void **state)
{
	struct artifacts kept;

	assert_int_equal(artifacts_open(&kept, "/dev/null/x", &suite, err),
			 -ENOTDIR);
	assert_string_equal(
		err,
		"--artifacts: cannot make '/dev/null/x': Not a directory");
	artifacts_done(&kept);
	assert_int_equal(artifacts_open(&kept, "/dev/null", &suite, err),
			 -ENOTDIR);
	artifacts_done(&kept);
	assert_int_equal(artifacts_open(&kept, "", &suite, err), -ENOENT);
	artifacts_done(&kept);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_status_asked_for_is_a_pass),
		TEST(a_failure_has_the_sentence_of_the_report),
		TEST(without_a_report_it_has_the_last_words),
		TEST(a_guest_may_say_that_it_skips),
		TEST(a_sub_result_that_failed_fails_a_good_end),
		TEST(trouble_with_trapmap_itself_is_a_failure),
		TEST(one_that_was_stopped_neither_passed_nor_failed),
		TEST(of_a_long_console_the_last_lines_are_kept),
		TEST(the_whole_has_one_status),
		TEST(a_host_that_fails_every_guest_is_not_their_failure),
		TEST(what_is_no_report_is_refused),
		TEST(a_temporary_folder_leaves_nothing_behind),
		TEST(folders_have_names_that_are_safe_and_unique),
		TEST(an_old_report_is_not_taken_for_a_new_one),
		TEST(a_folder_that_cannot_be_made_is_refused_by_name),
	};
	char command[64];
	int failed;

	if (!mkdtemp(root))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command) || failed;
}
