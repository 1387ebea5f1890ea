// SPDX-License-Identifier: MIT
/* The manifests of docs/test.md, and the places that errors in them name. */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/test/suite.h"

static struct test_suite suite;
static char err[TEST_ERR_SIZE];

static int parse(const char *text)
{
	suite_done(&suite);
	*err = '\0';
	return manifest_parse("ci/tests.yaml", text, strlen(text), &suite, err);
}

#define assert_good(text)                                          \
	do {                                                       \
		if (parse(text))                                   \
			fail_msg("refused: %s", err);              \
	} while (0)

#define assert_bad(text, message)                                  \
	do {                                                       \
		assert_int_equal(parse(text), -EINVAL);            \
		assert_string_equal(err, "ci/tests.yaml:" message); \
		assert_int_equal(suite.count, 0);                  \
	} while (0)

/* The same where the words behind the place are libyaml's. */
#define assert_place(text, begin)                                    \
	do {                                                         \
		assert_int_equal(parse(text), -EINVAL);              \
		assert_ptr_equal(strstr(err, "ci/tests.yaml:" begin), err); \
	} while (0)

/* All words of a case, with a bar between. */
static const char *words(const struct test_case *test)
{
	static char all[4096];
	size_t i;

	*all = '\0';
	for (i = 0; i < test->argc; i++) {
		assert_true(strlen(all) + strlen(test->args[i]) + 2 <
			    sizeof(all));
		strcat(strcat(all, i ? "|" : ""), test->args[i]);
	}
	assert_null(test->args[test->argc]);
	return all;
}

#define HEAD "version: 1\ntests:\n"
#define TEST HEAD "- name: a\n  kernel: k\n"

static void every_key_becomes_what_trapmap_run_is_told(void **state)
{
	assert_good("version: 1\n"
		    "tests:\n"
		    "  - name: boots\n"
		    "    kernel: build/bzImage\n"
		    "    initrd: [a.cpio, /b.cpio]\n"
		    "    params: console=ttyS0 panic=-1\n"
		    "    expect: [\"login:\", 'x{2},y']\n"
		    "    fail-on: [panic, splat, 'a,b']\n"
		    "    status: 33\n"
		    "    skip-status: 77\n"
		    "    cpus: 2\n"
		    "    memory: 512M\n"
		    "    timeout: 2m\n"
		    "    options: [--strict-io, --watchdog, '5']\n"
		    "    skip: not today\n");
	assert_int_equal(suite.count, 1);
	assert_string_equal(suite.cases[0].name, "boots");
	assert_string_equal(words(&suite.cases[0]),
			    "-k|ci/build/bzImage|-i|ci/a.cpio|-i|/b.cpio|"
			    "-p|console=ttyS0 panic=-1|-c|2|-m|512M|"
			    "--expect|login:|--expect|x{2},y|"
			    "--fail-on|panic|--fail-on|splat|--fail-on|a,,b|"
			    "--strict-io|--watchdog|5");
	assert_int_equal(suite.cases[0].pass.status, 33);
	assert_int_equal(suite.cases[0].pass.skip_status, 77);
	assert_int_equal(suite.cases[0].cpus, 2);
	assert_true(suite.cases[0].mem == 512 << 20);
	assert_int_equal(suite.cases[0].timeout_ms, 120000);
	assert_string_equal(suite.cases[0].skip, "not today");
}

static void what_a_test_does_not_say_is_the_defaults(void **state)
{
	assert_good("version: 1\n"
		    "defaults: { kernel: /k, memory: 64M, fail-on: panic }\n"
		    "tests:\n"
		    "- { name: a }\n"
		    "- { name: b, memory: 32, fail-on: [splat], kernel: ./x }\n");
	assert_int_equal(suite.count, 2);
	assert_string_equal(words(&suite.cases[0]),
			    "-k|/k|-m|64M|--fail-on|panic");
	assert_true(suite.cases[0].mem == 64 << 20);
	assert_string_equal(words(&suite.cases[1]),
			    "-k|ci/./x|-m|32|--fail-on|splat");
	assert_true(suite.cases[1].mem == 32 << 20);
}

static void a_small_test_passes_with_0_and_never_skips(void **state)
{
	assert_good(TEST);
	assert_int_equal(suite.cases[0].pass.status, 0);
	assert_int_equal(suite.cases[0].pass.skip_status, -1);
	assert_int_equal(suite.cases[0].timeout_ms, 0);
	assert_int_equal(suite.cases[0].cpus, 1);
	assert_true(suite.cases[0].mem == 256 << 20);
	assert_null(suite.cases[0].skip);
}

static void the_options_decide_about_memory_and_processors(void **state)
{
	assert_good(TEST "  memory: 64M\n  options: [-m, 1G, --smp=3]\n");
	assert_true(suite.cases[0].mem == 1 << 30);
	assert_int_equal(suite.cases[0].cpus, 3);
}

static void anchors_stand_for_what_they_name(void **state)
{
	assert_good(HEAD "- name: a\n  kernel: k\n  initrd: &i [x, y]\n"
			 "- name: b\n  kernel: k\n  initrd: *i\n");
	assert_string_equal(words(&suite.cases[1]), "-k|ci/k|-i|ci/x|-i|ci/y");
}

static void a_name_of_another_file_makes_way(void **state)
{
	assert_good(TEST);
	assert_int_equal(manifest_parse("x", TEST, strlen(TEST), &suite, err),
			 0);
	assert_int_equal(suite.count, 2);
	assert_string_equal(suite.cases[1].name, "a-2");
	assert_string_equal(words(&suite.cases[1]), "-k|k");
}

static void what_is_not_yaml_is_named_with_its_place(void **state)
{
	assert_bad("", "1:1: an empty file; a mapping with 'version' and "
		       "'tests' is expected");
	assert_place("version: 1\ntests: [\n", "3:1: not YAML: ");
	assert_bad("version: 1\n\ttests: x\n",
		   "2:1: a tab; YAML indents with blanks only");
	assert_bad("version: 1\ntests:\n- name: gr\xc3\xbcn\n \tkernel: k\n",
		   "4:2: a tab; YAML indents with blanks only");
	assert_place(HEAD "- name: a\n  kernel: k\n params: x\n",
		     "5:2: not YAML: ");
	assert_place("a: 1\nb: \"x\xff\"\n", "2:6: not text in UTF-8: ");
	assert_bad("tests: *nobody\n", "1:8: found undefined alias");
	assert_bad(TEST "---\nversion: 1\n",
		   "6:1: a second document; one is expected");
}

static void the_frame_of_a_manifest_is_demanded(void **state)
{
	assert_bad("- a\n", "1:1: a list; a manifest is a mapping, KEY: VALUE "
			    "in each line");
	assert_bad("tests: []\n",
		   "1:1: no 'version'; 'version: 1' is expected");
	assert_bad("version: 2\n", "1:10: 'version': '2' is not known; 1 is "
				   "expected");
	assert_bad("version: [1]\n", "1:10: 'version' is a list; 1 is expected");
	assert_bad("version: 1\n", "1:1: no 'tests'; a list is expected");
	assert_bad("version: 1\ntests: []\n", "2:8: 'tests' is an empty list");
	assert_bad("version: 1\ntests: x\n",
		   "2:8: 'tests' is text; a list is expected, '- name: NAME' "
		   "for each test");
	assert_bad("version: 1\ntests:\n",
		   "2:1: 'tests' has no value; a list of tests is expected");
	assert_bad("version: 1\ntest: []\n",
		   "2:1: unknown key 'test' of a manifest; did you mean "
		   "'tests'?");
	assert_bad("version: 1\ndefaults: x\ntests: [x]\n",
		   "2:11: text; the defaults is a mapping, KEY: VALUE in each "
		   "line");
	assert_bad("version: 1\ndefaults: { name: x }\ntests: [x]\n",
		   "2:13: unknown key 'name' of the defaults; known: kernel, "
		   "initrd, params, cpus, memory, timeout, expect, fail-on, "
		   "status, skip-status, options");
}

static void keys_are_known_and_come_once(void **state)
{
	assert_bad(TEST "  kernal: x\n",
		   "5:3: unknown key 'kernal' of a test; did you mean 'kernel'?");
	assert_bad(TEST "  kernel: x\n",
		   "5:3: 'kernel' is given twice; it is in line 4 already");
	assert_bad(TEST "  [x]: y\n",
		   "5:3: a list as a key; a name is expected");
	assert_bad(TEST "  <<: { cpus: 2 }\n",
		   "5:3: '<<' does not merge here; values for all tests go "
		   "under 'defaults'");
	assert_bad(HEAD "- x\n", "3:3: text; a test is a mapping, KEY: VALUE in "
				 "each line");
	assert_bad(HEAD "- kernel: x\n", "3:3: a test without a 'name'");
	assert_bad(HEAD "- name: x\n",
		   "3:3: the test 'x' has no 'kernel', and the defaults have "
		   "none");
	assert_bad(TEST "- name: a\n  kernel: k\n",
		   "5:9: a second test with the name 'a'");
}

static void values_are_of_their_kind(void **state)
{
	assert_bad(TEST "  memory: [1]\n",
		   "5:11: 'memory' is a list; a size, as 512M is expected");
	assert_bad(TEST "  memory: 1.5G\n",
		   "5:11: 'memory': '1.5G': fractions are not taken; use a "
		   "smaller unit (1536M for 1.5G)");
	assert_bad(TEST "  cpus: 0\n",
		   "5:9: 'cpus': '0': at least 1 is needed");
	assert_bad(TEST "  timeout: soon\n",
		   "5:12: 'timeout': 'soon': a whole number above 0 is "
		   "expected, in seconds or with ms, s or m");
	assert_bad(TEST "  params:\n  cpus: 1\n",
		   "5:3: 'params' has no value; the kernel's command line is "
		   "expected");
	assert_bad(TEST "  status: 256\n",
		   "5:11: 'status': '256': an exit status, 0 to 255 is expected");
	assert_bad(TEST "  skip-status: 0\n",
		   "5:16: 'skip-status' 0 is what counts as passed too");
	assert_bad(TEST "  initrd: []\n",
		   "5:11: 'initrd' is an empty list; a path, or a list of "
		   "paths is expected");
	assert_bad(TEST "  initrd: [a, {}]\n",
		   "5:15: 'initrd' is a mapping; a path, or a list of paths is "
		   "expected");
	assert_bad(TEST "  initrd: ['']\n",
		   "5:12: 'initrd' is empty; a path, or a list of paths is "
		   "expected");
	assert_bad(TEST "  params: !!binary eA==\n",
		   "5:11: the tag 'tag:yaml.org,2002:binary' is not taken; "
		   "leave it out");
	assert_bad(TEST "  params: \"a\\0b\"\n",
		   "5:11: 'params' has a NUL in it");
	assert_bad(HEAD "- name: a/b\n  kernel: k\n",
		   "3:9: 'name' names a folder too: no '/', no control "
		   "characters and no '.' at its beginning");
	assert_bad(HEAD "- name: a\n  kernel: [k, l]\n",
		   "4:11: 'kernel' has 2 items; a test has one kernel");
}

static void expressions_are_tried_where_their_place_is_known(void **state)
{
	assert_bad(TEST "  expect: [ok, 'a(b']\n",
		   "5:16: 'expect': 'a(b' is no regular expression: Unmatched ( "
		   "or \\(");
	assert_bad(TEST "  fail-on: panic,splat\n",
		   "5:12: 'fail-on': a list is expected for more than one: "
		   "[panic, ...]");
}

static void options_are_read_as_trapmap_run_reads_them(void **state)
{
	assert_bad(TEST "  options: [--strict-oi]\n",
		   "5:12: unknown option '--strict-oi'; did you mean "
		   "'--strict-io'?");
	assert_bad(TEST "  options: other\n",
		   "5:12: 'other' is a second kernel; one is expected, and "
		   "'ci/k' came first");
	assert_bad(TEST "  options: [--timeout, 5]\n",
		   "5:12: '--timeout' cannot be given here: the time limit is "
		   "the test's own: --timeout before '--', 'timeout' in a "
		   "manifest");
	assert_bad(TEST "  options: -h\n",
		   "5:12: '-h' and '-V' cannot be given here: it would run "
		   "nothing");
}

/* A text made of n copies of one, behind a beginning and before an end. */
static char *many(const char *begin, const char *text, size_t n,
		  const char *end)
{
	char *all = NULL;
	size_t size;
	FILE *out = open_memstream(&all, &size);

	fputs(begin, out);
	while (n--)
		fputs(text, out);
	fputs(end, out);
	fclose(out);
	return all;
}

static void a_small_file_cannot_grow_without_bound(void **state)
{
	/* 256 items of 60 kB from a file of 62 kB. */
	char *big = many("", "x", 60000, "");
	char *begin, *text;

	assert_true(asprintf(&begin,
			     HEAD "- name: a\n  kernel: k\n  params: &a %s\n"
				  "  initrd: [",
			     big) > 0);
	text = many(begin, "*a,", 256, "]\n");
	assert_int_equal(parse(text), -EINVAL);
	assert_non_null(strstr(err, "aliases have grown to more than 8 MiB"));
	free(text);
	free(begin);
	free(big);

	text = many(TEST "  initrd: [", "a,", 257, "]\n");
	assert_int_equal(parse(text), -EINVAL);
	assert_non_null(strstr(err, ":5:11: 'initrd' has 257 items"));
	free(text);

	text = many("a: ", "[", 1000000, "");
	assert_bad(text, "1:19: nested deeper than any manifest is");
	free(text);
	text = many("a: [", "&x y,", 200000, "]");
	assert_bad(text, "1:5005: more than 1000 anchors and aliases");
	free(text);
}

static void an_alias_to_what_it_is_in_is_no_endless_list(void **state)
{
	assert_int_equal(parse(HEAD "- &a\n  name: a\n  kernel: *a\n"), -EINVAL);
	assert_non_null(strstr(err, "'kernel' is a mapping"));
	assert_int_equal(parse(HEAD "- name: a\n  kernel: k\n"
				    "  initrd: &a [*a]\n"),
			 -EINVAL);
	assert_non_null(strstr(err, "'initrd' is a list"));
	assert_int_equal(parse("version: 1\ntests: &a [*a]\n"), -EINVAL);
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
	assert_int_equal(manifest_read("/nowhere/t.yaml", &suite, err), -ENOENT);
	assert_string_equal(err, "/nowhere/t.yaml: No such file or directory");
	assert_int_equal(manifest_read("/", &suite, err), -EISDIR);
	assert_int_equal(manifest_read("/dev/zero", &suite, err), -EFBIG);
}

static int clean(void **state)
{
	suite_done(&suite);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_becomes_what_trapmap_run_is_told),
		cmocka_unit_test(what_a_test_does_not_say_is_the_defaults),
		cmocka_unit_test(a_small_test_passes_with_0_and_never_skips),
		cmocka_unit_test(the_options_decide_about_memory_and_processors),
		cmocka_unit_test(anchors_stand_for_what_they_name),
		cmocka_unit_test(a_name_of_another_file_makes_way),
		cmocka_unit_test(what_is_not_yaml_is_named_with_its_place),
		cmocka_unit_test(the_frame_of_a_manifest_is_demanded),
		cmocka_unit_test(keys_are_known_and_come_once),
		cmocka_unit_test(values_are_of_their_kind),
		cmocka_unit_test(expressions_are_tried_where_their_place_is_known),
		cmocka_unit_test(options_are_read_as_trapmap_run_reads_them),
		cmocka_unit_test(a_small_file_cannot_grow_without_bound),
		cmocka_unit_test(an_alias_to_what_it_is_in_is_no_endless_list),
		cmocka_unit_test(a_file_that_cannot_be_read_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, clean);
}
