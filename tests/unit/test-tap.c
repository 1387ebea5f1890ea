// SPDX-License-Identifier: MIT
#include "test_run_rig.h"

#include <signal.h>

#include "cli/test/tap.h"

static char *text;
static size_t len;
static FILE *out;
static struct tap tap;

static int fresh(void **state)
{
	out = open_memstream(&text, &len);
	return out ? rig_fresh(state) : -1;
}

static int done(void **state)
{
	fclose(out);
	free(text);
	return rig_done(state);
}

static void each_outcome_has_its_line(void **state)
{
	rig_add("boots", TEST_PASSED, NULL);
	rig_add("apic", TEST_SKIPPED, "needs 5 CPUs");
	rig_add("odd", TEST_FAILED, "it said \"no\"")->ms = 1500;
	rig_results[2].has_status = true;
	rig_results[2].status = 8;
	rig_add("later", TEST_NOT_RUN, NULL);
	tap_begin(&tap, out, &rig);
	tap_end(&tap);
	assert_string_equal(text, "TAP version 13\n"
				  "1..4\n"
				  "ok 1 - boots\n"
				  "ok 2 - apic # SKIP needs 5 CPUs\n"
				  "not ok 3 - odd\n"
				  "  ---\n"
				  "  message: \"it said \\\"no\\\"\"\n"
				  "  severity: fail\n"
				  "  status: 8\n"
				  "  duration_ms: 1500\n"
				  "  ...\n"
				  "ok 4 - later # SKIP not run\n");
}

static void lines_come_in_order_as_soon_as_they_can(void **state)
{
	rig_add("a", TEST_NOT_RUN, NULL);
	rig_add("b", TEST_PASSED, NULL);
	tap_begin(&tap, out, &rig);
	tap_update(&tap);
	assert_string_equal(text, "TAP version 13\n1..2\n");
	rig_results[0].outcome = TEST_PASSED;
	tap_update(&tap);
	assert_string_equal(text,
			    "TAP version 13\n1..2\nok 1 - a\nok 2 - b\n");
	tap_end(&tap);
	assert_string_equal(text,
			    "TAP version 13\n1..2\nok 1 - a\nok 2 - b\n");
}

static void a_signal_bails_out(void **state)
{
	rig_add("a", TEST_STOPPED, "stopped while it ran");
	rig_add("b", TEST_PASSED, NULL);
	rig_add("c", TEST_NOT_RUN, NULL);
	rig.signal = SIGINT;
	tap_begin(&tap, out, &rig);
	tap_end(&tap);
	assert_string_equal(text, "TAP version 13\n1..3\nok 2 - b\n"
				  "Bail out! signal 2 (Interrupt)\n");
}

static void nothing_in_a_name_or_reason_is_taken_for_tap(void **state)
{
	rig_add("a # todo b\\\nok 9", TEST_SKIPPED, "no # sign\033[2J");
	tap_begin(&tap, out, &rig);
	tap_end(&tap);
	assert_string_equal(
		text,
		"TAP version 13\n1..1\n"
		"ok 1 - a \\# todo b\\\\\\\\x0aok 9 # SKIP no \\# sign\\\\x1b[2J\n");
}

static void sub_results_are_subtests(void **state)
{
	rig_subs(rig_add("kunit", TEST_FAILED, "1 of 4 sub-results failed"),
		 "KTAP version 1\n1..4\nok 1 a\nnot ok 2 b # ERROR no memory\n"
		 "ok 3 c # SKIP not here\nnot ok 4 d # XFAIL\n");
	tap_begin(&tap, out, &rig);
	tap_update(&tap);
	assert_string_equal(text, "TAP version 13\n1..1\n"
				  "# Subtest: kunit\n"
				  "    1..4\n"
				  "    ok 1 - a\n"
				  "    not ok 2 - b\n"
				  "    # ERROR no memory\n"
				  "    ok 3 - c # SKIP not here\n"
				  "    not ok 4 - d # " KTAP_TO_DO " XFAIL\n"
				  "not ok 1 - kunit\n"
				  "  ---\n"
				  "  message: \"1 of 4 sub-results failed\"\n"
				  "  severity: fail\n"
				  "  duration_ms: 0\n"
				  "  ...\n");
}

static void a_failure_has_the_end_of_the_console_and_its_files(void **state)
{
	static const char console[] = "first\r\n\tsecond\0\377\n\nfourth";

	rig_console(rig_add("a", TEST_FAILED, "it failed"), console,
		    sizeof(console) - 1);
	rig_artifacts.temporary = false;
	tap_begin(&tap, out, &rig);
	tap_update(&tap);
	assert_non_null(strstr(text, "  artifacts: \"out/dir\"\n"
				     "  console:\n"
				     "    - \"first\"\n"
				     "    - \"\\tsecond\\u0000\\ufffd\"\n"
				     "    - \"\"\n"
				     "    - \"fourth\"\n"
				     "  ...\n"));
}

static void a_long_console_is_cut_to_its_last_lines(void **state)
{
	char console[6000];
	size_t n = 0;
	int i;

	for (i = 0; i < 1000; i++)
		n += (size_t)snprintf(console + n, sizeof(console) - n, "%d\n",
				      1000 + i);
	rig_console(rig_add("a", TEST_FAILED, "it failed"), console, n);
	tap_begin(&tap, out, &rig);
	tap_update(&tap);
	assert_null(strstr(text, "\"1979\""));
	assert_non_null(strstr(text, "    - \"1980\"\n"));
	assert_non_null(strstr(text, "    - \"1999\"\n  ...\n"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_outcome_has_its_line),
		TEST(lines_come_in_order_as_soon_as_they_can),
		TEST(a_signal_bails_out),
		TEST(nothing_in_a_name_or_reason_is_taken_for_tap),
		TEST(sub_results_are_subtests),
		TEST(a_failure_has_the_end_of_the_console_and_its_files),
		TEST(a_long_console_is_cut_to_its_last_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
