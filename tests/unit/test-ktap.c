// SPDX-License-Identifier: MIT
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/test/ktap.h"

static struct ktap ktap;
static char text[4096];

static void read_all(const char *console)
{
	ktap_done(&ktap);
	ktap_feed(&ktap, console, strlen(console));
	ktap_finish(&ktap);
	assert_int_equal(ktap.error, 0);
}

/* The results as lines "RESULT NAME: DETAIL". */
static const char *results(const char *console)
{
	static const char *const words[] = { "pass", "fail", "skip", "xfail" };
	size_t i, n = 0;

	read_all(console);
	text[0] = '\0';
	for (i = 0; i < ktap.count; i++) {
		const struct ktap_sub *sub = &ktap.subs[i];

		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s %s%s%s\n",
				      words[sub->result], sub->name,
				      sub->detail ? ": " : "",
				      sub->detail ? sub->detail : "");
		assert_true(n < sizeof(text));
	}
	return text;
}

#define assert_results(console, expected) \
	assert_string_equal(results(console), expected)

static int done(void **state)
{
	ktap_done(&ktap);
	return 0;
}

/* ---- the examples of ktap.rst --------------------------------------------- */

static void a_nested_test_is_named_by_its_parents(void **state)
{
	assert_results("KTAP version 1\n"
		       "1..1\n"
		       "  KTAP version 1\n"
		       "  1..3\n"
		       "    KTAP version 1\n"
		       "    1..1\n"
		       "    # test_1: initializing test_1\n"
		       "    ok 1 test_1\n"
		       "  ok 1 example_test_1\n"
		       "    KTAP version 1\n"
		       "    1..2\n"
		       "    ok 1 test_1 # SKIP test_1 skipped\n"
		       "    ok 2 test_2\n"
		       "  ok 2 example_test_2\n"
		       "    KTAP version 1\n"
		       "    1..3\n"
		       "    ok 1 test_1\n"
		       "    # test_2: FAIL\n"
		       "    not ok 2 test_2\n"
		       "    ok 3 test_3 # SKIP test_3 skipped\n"
		       "  not ok 3 example_test_3\n"
		       "not ok 1 main_test\n",
		       "pass main_test.example_test_1.test_1\n"
		       "skip main_test.example_test_2.test_1: test_1 skipped\n"
		       "pass main_test.example_test_2.test_2\n"
		       "pass main_test.example_test_3.test_1\n"
		       "fail main_test.example_test_3.test_2: test_2: FAIL\n"
		       "skip main_test.example_test_3.test_3: test_3 skipped\n");
}

static void levels_may_be_mixed(void **state)
{
	assert_results("KTAP version 1\n"
		       "1..2\n"
		       "  KTAP version 1\n"
		       "  1..2\n"
		       "    KTAP version 1\n"
		       "    1..2\n"
		       "    not ok 1 test_1\n"
		       "    ok 2 test_2\n"
		       "  not ok 1 test_3\n"
		       "  ok 2 test_4 # SKIP\n"
		       "not ok 1 example_test_1\n"
		       "ok 2 example_test_2\n",
		       "fail example_test_1.test_3.test_1\n"
		       "pass example_test_1.test_3.test_2\n"
		       "skip example_test_1.test_4\n"
		       "pass example_test_2\n");
}

static void directives_are_those_of_the_specification(void **state)
{
	assert_results("TAP version 13\n"
		       "ok 1 test # SKIP necessary dependency unavailable\n"
		       "not ok 2 test # SKIP\n"
		       "not ok 3 test # todo is broken\n"
		       "ok 4 test # todo mended\n"
		       "not ok 5 test # XFAIL as ever\n"
		       "not ok 6 test # TIMEOUT 30 seconds\n"
		       "not ok 7 test # ERROR no memory\n"
		       "ok 8 test # TIMEOUT 45 seconds\n"
		       "ok 9 check return code # rcode=0\n"
		       "not ok 10 selftests: timers # exit=1\n"
		       "ok 11 issue#12 is mended\n"
		       "ok 12 # skip\n"
		       "not ok 13 # skipper is a word of its own\n"
		       "1..13\n",
		       "skip test: necessary dependency unavailable\n"
		       "skip test\n"
		       "xfail test: is broken\n"
		       "pass test: mended\n"
		       "xfail test: XFAIL as ever\n"
		       "fail test: TIMEOUT 30 seconds\n"
		       "fail test: ERROR no memory\n"
		       "fail test: TIMEOUT 45 seconds\n"
		       "pass check return code: rcode=0\n"
		       "fail selftests: timers: exit=1\n"
		       "pass issue#12 is mended\n"
		       "skip test 12\n"
		       "fail test 13: skipper is a word of its own\n");
}

/* ---- as kernels print it --------------------------------------------------- */

static void what_a_kernel_logs_between_is_passed_over(void **state)
{
	assert_results(
		"Linux version 6.1.0 (ok 1 of many)\r\n"
		"[    0.912345] KTAP version 1\r\n"
		"[    0.912399] 1..1\r\n"
		"[    1.000000][    T1]     KTAP version 1\r\n"
		"[    1.000001][    T1]     # Subtest: list\r\n"
		"<6>[    1.000002][   C0]     1..2\r\n"
		"[    1.100000] random: crng init done\r\n"
		"[    1.200000]     # a_test: EXPECTATION FAILED at lib/a.c:12\r\n"
		"[    1.200000]     Expected 1 == 2, but\r\n"
		"[    1.200001]     not ok 1 a_test\r\n"
		"[    1.200002] ------------[ cut here ]------------\r\n"
		"[    1.200003]     ok 2 b_test\r\n"
		"[    1.200004] # list: pass:1 fail:1 skip:0 total:2\r\n"
		"[    1.200005] # Totals: pass:1 fail:1 skip:0 total:2\r\n"
		"[    1.200006] not ok 1 list\r\n"
		"[    1.300000] reboot: Power down\r\n",
		"fail list.a_test: a_test: EXPECTATION FAILED at lib/a.c:12\n"
		"pass list.b_test\n");
}

static void older_kernels_name_the_subtest_without_a_version(void **state)
{
	assert_results("TAP version 14\n"
		       "1..2\n"
		       "    # Subtest: one\n"
		       "    1..1\n"
		       "    ok 1 - a\n"
		       "ok 1 - one\n"
		       "    # Subtest: two\n"
		       "    1..1\n"
		       "    ok 1 - a\n"
		       "ok 2 - two\n",
		       "pass one.a\npass two.a\n");
}

static void a_crash_leaves_a_plan_unfulfilled(void **state)
{
	assert_results("KTAP version 1\n"
		       "1..5\n"
		       "ok 1 a\n"
		       "ok 2 b\n"
		       "ok 3 c\n"
		       "[    2.0] BUG: kernel NULL pointer dereference\n",
		       "pass a\npass b\npass c\nfail plan: planned 5, saw 3\n");
	assert_results("KTAP version 1\n"
		       "1..1\n"
		       "    KTAP version 1\n"
		       "    # Subtest: suite\n"
		       "    1..2\n"
		       "    ok 1 a\n"
		       "Kernel panic - not syncing",
		       "pass suite.a\n"
		       "fail suite.plan: planned 2, saw 1\n"
		       "fail plan: planned 1, saw 0\n");
}

static void more_than_planned_is_a_failure_too(void **state)
{
	assert_results("1..1\nok 1 a\nok 2 b\n",
		       "pass a\npass b\nfail plan: planned 1, saw 2\n");
}

static void a_second_document_has_a_plan_of_its_own(void **state)
{
	assert_results("TAP version 13\n1..1\nok 1 a\n"
		       "TAP version 13\n1..2\nok 1 b\nok 2 c\n"
		       "1..1\nok 1 d\n",
		       "pass a\npass b\npass c\npass d\n");
}

/* ---- parents ---------------------------------------------------------------- */

static void a_parent_alone_can_fail(void **state)
{
	assert_results("KTAP version 1\n1..1\n"
		       "  KTAP version 1\n  1..1\n  ok 1 a\n"
		       "not ok 1 suite # ERROR its exit failed\n",
		       "pass suite.a\nfail suite: ERROR its exit failed\n");
}

static void a_parent_that_is_expected_to_fail_excuses_its_children(void **state)
{
	assert_results("TAP version 14\n1..1\n"
		       "    1..2\n    ok 1 a\n    not ok 2 b\n"
		       "not ok 1 suite # todo\n",
		       "pass suite.a\nxfail suite.b\n");
	assert_null(ktap_first_failure(&ktap));
}

static void a_parent_that_says_ok_hides_no_failure(void **state)
{
	assert_results("TAP version 14\n1..1\n    1..1\n    not ok 1 a\nok 1 b\n",
		       "fail b.a\n");
}

/* ---- TAP ------------------------------------------------------------------- */

static void a_reason_may_follow_in_yaml_or_a_comment(void **state)
{
	assert_results("TAP version 13\n"
		       "1..3\n"
		       "not ok 1 - a\n"
		       "  ---\n"
		       "  message: \"wrong sum\"\n"
		       "  got: |\n"
		       "    not ok 7 - of no meaning here\n"
		       "  ...\n"
		       "not ok 2 - b\n"
		       "# at line 7\n"
		       "# and more\n"
		       "ok 3 - c\n",
		       "fail a: wrong sum\nfail b: at line 7\npass c\n");
}

static void a_block_that_never_ends_swallows_nothing(void **state)
{
	assert_results("TAP version 13\nnot ok 1 a\n  ---\n  x: y\nnot ok 2 b\n",
		       "fail a\nfail b\n");
}

static void tests_need_neither_numbers_nor_names(void **state)
{
	assert_results("1..3\nok\nnot ok - b\nok c\n",
		       "pass test 1\nfail b\npass c\n");
}

static void a_skipped_document_is_skipped(void **state)
{
	assert_results("TAP version 13\n1..0 # SKIP no such device\n",
		       "skip all: no such device\n");
}

static void bailing_out_is_a_failure(void **state)
{
	assert_results("TAP version 13\nok 1 a\nBail out! no memory\n",
		       "pass a\nfail Bail out!: no memory\n");
}

static void the_word_ok_alone_is_no_test(void **state)
{
	assert_results("ok\nok, now the disk\nok computer\nnot okay 1\n"
		       "okay 1\nFine, ok 1\n1..x\n1...5\nok 1st\n# ok 1\n",
		       "");
	assert_results("1..1\nok 1 a\nok then\nok\n", "pass a\n");
}

/* ---- kvm-unit-tests --------------------------------------------------------- */

static void lines_of_kvm_unit_tests_count(void **state)
{
	assert_results("enabling apic\n"
		       "PASS: apic: version\n"
		       "FAIL: apic: self ipi\n"
		       "SKIP: x2apic not detected\n"
		       "XFAIL: known to fail\n"
		       "XPASS: known to fail\n"
		       "INFO: PASS: of no meaning\n"
		       "SUMMARY: 5 tests, 2 unexpected failures, 1 expected failures, 1 skipped\n",
		       "pass apic: version\n"
		       "fail apic: self ipi\n"
		       "skip x2apic not detected\n"
		       "xfail known to fail\n"
		       "fail known to fail: passed, which was not expected\n");
}

static void a_summary_that_tells_of_lost_failures_counts(void **state)
{
	assert_results("PASS: a\nSUMMARY: 3 tests, 2 unexpected failures\n",
		       "pass a\nfail SUMMARY: 2 unexpected failures\n");
	assert_results("PASS: a\nSUMMARY: 1 tests\n", "pass a\n");
	assert_results("SUMMARY: 2 tests, 1 expected failures\n", "");
}

static void they_do_not_count_beside_tap(void **state)
{
	assert_results("PASS: a\nTAP version 13\n1..1\nFAIL: b\nok 1 c\n",
		       "pass c\n");
}

/* ---- any input --------------------------------------------------------------- */

static void pieces_make_no_difference(void **state)
{
	static const char console[] =
		"KTAP version 1\n1..2\n  1..1\n  not ok 1 a # why\n"
		"not ok 1 b\nok 2 c\n";
	char whole[sizeof(text)];
	size_t i, piece;

	memcpy(whole, results(console), sizeof(whole));
	for (piece = 1; piece < sizeof(console); piece++) {
		ktap_done(&ktap);
		for (i = 0; i < sizeof(console) - 1; i += piece)
			ktap_feed(&ktap, console + i,
				  i + piece < sizeof(console) - 1 ?
					  piece :
					  sizeof(console) - 1 - i);
		ktap_finish(&ktap);
		assert_int_equal(ktap.count, 2);
		assert_string_equal(ktap.subs[0].name, "b.a");
		assert_string_equal(ktap.subs[0].detail, "why");
		assert_string_equal(ktap.subs[1].name, "c");
	}
}

static void a_guest_that_prints_without_end_is_bounded(void **state)
{
	char line[64];
	int i, n;

	ktap_done(&ktap);
	for (i = 1; i <= 30000; i++) {
		n = snprintf(line, sizeof(line), "ok %d test\n", i);
		ktap_feed(&ktap, line, (size_t)n);
	}
	ktap_feed(&ktap, "not ok 30001 late\n", 18);
	ktap_finish(&ktap);
	assert_int_equal(ktap.count, KTAP_SUBS + 1);
	assert_int_equal(ktap_total(&ktap), 30001);
	assert_int_equal(ktap_count(&ktap, KTAP_PASS), 30000);
	assert_string_equal(ktap_first_failure(&ktap)->name, "late");
}

static void a_long_line_counts_by_its_beginning(void **state)
{
	char line[4 * KTAP_LINE];

	memset(line, 'x', sizeof(line));
	memcpy(line, "ok 1 ", 5);
	memcpy(line + sizeof(line) - 12, "\nnot ok 2 y\n", 12);
	ktap_done(&ktap);
	ktap_feed(&ktap, line, sizeof(line));
	ktap_finish(&ktap);
	assert_int_equal(ktap.count, 2);
	assert_int_equal(strlen(ktap.subs[0].name), KTAP_NAME);
	assert_int_equal(ktap.subs[1].result, KTAP_FAIL);
}

static void depth_has_a_limit(void **state)
{
	char line[128];
	int i;

	ktap_done(&ktap);
	for (i = 0; i < 40; i++) {
		snprintf(line, sizeof(line), "%*s1..1\n", 2 * i, "");
		ktap_feed(&ktap, line, strlen(line));
	}
	for (i = 39; i >= 0; i--) {
		snprintf(line, sizeof(line), "%*snot ok 1 level%d\n", 2 * i, "",
			 i);
		ktap_feed(&ktap, line, strlen(line));
	}
	ktap_finish(&ktap);
	assert_non_null(ktap_first_failure(&ktap));
	assert_true(ktap.count < 64);
}

static void control_characters_do_not_get_into_names(void **state)
{
	static const char console[] = "ok 1 a\033[2Jb\0c\n";

	ktap_done(&ktap);
	ktap_feed(&ktap, console, sizeof(console) - 1);
	ktap_finish(&ktap);
	assert_string_equal(ktap.subs[0].name, "a?[2Jb?c");
}

#define TEST(name) cmocka_unit_test_teardown(name, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_nested_test_is_named_by_its_parents),
		TEST(levels_may_be_mixed),
		TEST(directives_are_those_of_the_specification),
		TEST(what_a_kernel_logs_between_is_passed_over),
		TEST(older_kernels_name_the_subtest_without_a_version),
		TEST(a_crash_leaves_a_plan_unfulfilled),
		TEST(more_than_planned_is_a_failure_too),
		TEST(a_second_document_has_a_plan_of_its_own),
		TEST(a_parent_alone_can_fail),
		TEST(a_parent_that_is_expected_to_fail_excuses_its_children),
		TEST(a_parent_that_says_ok_hides_no_failure),
		TEST(a_reason_may_follow_in_yaml_or_a_comment),
		TEST(a_block_that_never_ends_swallows_nothing),
		TEST(tests_need_neither_numbers_nor_names),
		TEST(a_skipped_document_is_skipped),
		TEST(bailing_out_is_a_failure),
		TEST(the_word_ok_alone_is_no_test),
		TEST(lines_of_kvm_unit_tests_count),
		TEST(a_summary_that_tells_of_lost_failures_counts),
		TEST(they_do_not_count_beside_tap),
		TEST(pieces_make_no_difference),
		TEST(a_guest_that_prints_without_end_is_bounded),
		TEST(a_long_line_counts_by_its_beginning),
		TEST(depth_has_a_limit),
		TEST(control_characters_do_not_get_into_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
