// SPDX-License-Identifier: MIT
/*
 * Given a file's name, it writes a document there that has every byte in every
 * place, for junit-xmllint.sh.
 */
#include "test_run_rig.h"

#include "cli/test/junit.h"
#include "cli/test/text.h"

static char *text;

static const char *write_it(void)
{
	size_t len = 0;
	FILE *f;

	free(text);
	text = NULL;
	f = open_memstream(&text, &len);
	assert_non_null(f);
	junit_write(f, &rig);
	assert_int_equal(fclose(f), 0);
	return text;
}

static int done(void **state)
{
	free(text);
	text = NULL;
	return rig_done(state);
}

#define assert_has(part) assert_non_null(strstr(write_it(), part))

static void each_case_is_a_testcase(void **state)
{
	rig.ms = 61234;
	rig_add("boots", TEST_PASSED, NULL)->ms = 1005;
	rig_add("apic", TEST_SKIPPED, "needs 5 CPUs");
	rig_add("odd", TEST_FAILED, "a < b")->has_status = true;
	rig_results[2].status = 8;
	rig_add("later", TEST_NOT_RUN, NULL);
	rig_artifacts.temporary = false;
	assert_string_equal(
		write_it(),
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<testsuites name=\"trapmap test\" time=\"61.234\">\n"
		"  <testsuite name=\"trapmap\" tests=\"4\" failures=\"1\" errors=\"0\" skipped=\"2\" time=\"61.234\">\n"
		"    <testcase classname=\"trapmap\" name=\"boots\" time=\"1.005\">\n"
		"    </testcase>\n"
		"    <testcase classname=\"trapmap\" name=\"apic\" time=\"0.000\">\n"
		"      <skipped message=\"needs 5 CPUs\"/>\n"
		"    </testcase>\n"
		"    <testcase classname=\"trapmap\" name=\"odd\" time=\"0.000\">\n"
		"      <failure message=\"a &lt; b\">status 8, files: out/dir</failure>\n"
		"    </testcase>\n"
		"    <testcase classname=\"trapmap\" name=\"later\" time=\"0.000\">\n"
		"      <skipped message=\"not run\"/>\n"
		"    </testcase>\n"
		"  </testsuite>\n"
		"</testsuites>\n");
}

static void sub_results_are_a_suite(void **state)
{
	rig_subs(rig_add("kunit", TEST_FAILED, "failed"),
		 "1..4\nok 1 a\nnot ok 2 b # no memory\nok 3 c # SKIP\n"
		 "not ok 4 d # todo\n");
	assert_has(
		"  <testsuite name=\"kunit\" tests=\"4\" failures=\"1\" errors=\"0\" skipped=\"2\" time=\"0.000\">\n"
		"    <testcase classname=\"kunit\" name=\"a\"/>\n"
		"    <testcase classname=\"kunit\" name=\"b\">\n"
		"      <failure message=\"no memory\"/>\n"
		"    </testcase>\n"
		"    <testcase classname=\"kunit\" name=\"c\">\n"
		"      <skipped/>\n"
		"    </testcase>\n"
		"    <testcase classname=\"kunit\" name=\"d\">\n"
		"      <skipped message=\"failed, as expected\"/>\n"
		"    </testcase>\n"
		"  </testsuite>\n");
}

static void bytes_that_xml_does_not_allow_are_replaced(void **state)
{
	static const char console[] =
		"a\0b\033[0m\r\n\xff\xc0\xaf]]>\xed\xa0\x80 \xef\xbf\xbf & "
		"\xc3\xa9\xf0\x9f\x90\xa7\xe2\x82";

	rig_console(rig_add("a\"'\n<&>\t\001", TEST_PASSED, NULL), console,
		    sizeof(console) - 1);
	assert_has("name=\"a&quot;'&#10;&lt;&amp;&gt;&#9;\xef\xbf\xbd\"");
	/* Each byte that begins no character counts by itself. */
#define R "\xef\xbf\xbd"
	assert_has("<system-out>a" R "b" R "[0m\n" R R R "]]&gt;" R R R " " R
		   " &amp; \xc3\xa9\xf0\x9f\x90\xa7" R R "</system-out>");
}

static void utf8_is_read_as_the_rfc_has_it(void **state)
{
	/* RFC 3629, 3 and 4: the first and last of each length, and beyond. */
	static const struct {
		const char *bytes;
		size_t len;
		int32_t c;
		size_t takes;
	} cases[] = {
		{ "\0", 1, 0, 1 },
		{ "\x7f", 1, 0x7f, 1 },
		{ "\xc2\x80", 2, 0x80, 2 },
		{ "\xdf\xbf", 2, 0x7ff, 2 },
		{ "\xe0\xa0\x80", 3, 0x800, 3 },
		{ "\xef\xbf\xbf", 3, 0xffff, 3 },
		{ "\xf0\x90\x80\x80", 4, 0x10000, 4 },
		{ "\xf4\x8f\xbf\xbf", 4, 0x10ffff, 4 },
		{ "\x80", 1, TEXT_BAD, 1 },
		{ "\xc1\xbf", 2, TEXT_BAD, 1 }, /* overlong */
		{ "\xe0\x9f\xbf", 3, TEXT_BAD, 1 },
		{ "\xf0\x8f\xbf\xbf", 4, TEXT_BAD, 1 },
		{ "\xed\xa0\x80", 3, TEXT_BAD, 1 }, /* a surrogate */
		{ "\xf4\x90\x80\x80", 4, TEXT_BAD, 1 }, /* above U+10FFFF */
		{ "\xe2\x82", 2, TEXT_BAD, 1 }, /* cut short */
		{ "\xe2(\xac", 3, TEXT_BAD, 1 },
		{ "\xff", 1, TEXT_BAD, 1 },
	};
	size_t i, n;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(text_char(cases[i].bytes, cases[i].len, &n),
				 cases[i].c);
		assert_int_equal(n, cases[i].takes);
	}
}

static void lines_are_found_from_either_end(void **state)
{
	static const char three[] = "a\r\nb\n\n";
	const char *rest = three;
	size_t left = sizeof(three) - 1, len = 9;

	assert_int_equal(text_last_lines(three, left, 1), 5);
	assert_int_equal(text_last_lines(three, left, 2), 3);
	assert_int_equal(text_last_lines(three, left, 9), 0);
	assert_int_equal(text_last_lines("", 0, 1), 0);
	assert_ptr_equal(text_line(&rest, &left, &len), three);
	assert_int_equal(len, 1);
	assert_ptr_equal(text_line(&rest, &left, &len), three + 3);
	assert_ptr_equal(text_line(&rest, &left, &len), three + 5);
	assert_int_equal(len, 0);
	assert_null(text_line(&rest, &left, &len));
}

/* ---- for xmllint ------------------------------------------------------------ */

static int write_every_byte(const char *path)
{
	char all[256], name[256], console[1024];
	FILE *f = fopen(path, "w");
	int i;

	if (!f)
		return 1;
	rig_fresh(NULL);
	for (i = 0; i < 256; i++) {
		all[i] = (char)i;
		name[i] = (char)(i < 255 ? i + 1 : 0);
	}
	for (i = 0; i < 4; i++)
		memcpy(console + 256 * i, all, 256);
	rig_console(rig_add(name, TEST_FAILED, name), console, sizeof(console));
	rig_subs(&rig_results[0], "1..2\nok 1 \xff\xfe<&\n");
	rig_add("skipped", TEST_SKIPPED, name);
	rig_artifacts.temporary = false;
	rig_dirs[0] = name;
	junit_write(f, &rig);
	rig_done(NULL);
	return fclose(f) != 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_fresh, done)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(each_case_is_a_testcase),
		TEST(sub_results_are_a_suite),
		TEST(bytes_that_xml_does_not_allow_are_replaced),
		TEST(utf8_is_read_as_the_rfc_has_it),
		TEST(lines_are_found_from_either_end),
	};

	if (argc > 1)
		return write_every_byte(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
