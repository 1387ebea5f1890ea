// SPDX-License-Identifier: MIT
/* unittests.cfg, in the forms that docs/unittests.txt of kvm-unit-tests tells. */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/test/shell.h"
#include "cli/test/suite.h"

static struct test_suite suite;
static char err[TEST_ERR_SIZE];

static int fake_line(const char *path, char *buf, size_t size)
{
	if (strcmp(path, "/sys/module/kvm/parameters/enable_pmu") != 0)
		return -ENOENT;
	snprintf(buf, size, "Y");
	return 0;
}

static const struct unittests_host host = { .cpus = 6,
					    .read_line = fake_line };

static int parse_group(const char *text, const char *group)
{
	suite_done(&suite);
	*err = '\0';
	return unittests_parse("kut/x86/unittests.cfg", text, strlen(text),
			       group, &host, &suite, err);
}

static int parse(const char *text)
{
	return parse_group(text, NULL);
}

#define assert_bad(text, message)                                          \
	do {                                                               \
		assert_int_equal(parse(text), -EINVAL);                    \
		assert_string_equal(err, "kut/x86/unittests.cfg:" message); \
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

/* One test with these lines, and the words it came to. */
static const char *words_of(const char *lines)
{
	char text[1024];

	snprintf(text, sizeof(text), "[x]\nfile = x.flat\n%s\n", lines);
	if (parse(text))
		fail_msg("refused: %s", err);
	assert_int_equal(suite.count, 1);
	if (suite.cases[0].skip)
		fail_msg("skipped: %s", suite.cases[0].skip);
	return words(&suite.cases[0]);
}

static const char *skip_of(const char *lines)
{
	char text[1024];

	snprintf(text, sizeof(text), "[x]\nfile = x.flat\n%s\n", lines);
	if (parse(text))
		fail_msg("refused: %s", err);
	assert_int_equal(suite.count, 1);
	assert_non_null(suite.cases[0].skip);
	return suite.cases[0].skip;
}

#define PLAIN "-k|kut/x86/x.flat|-c|1|-m|128M"

static void a_plain_test_gets_qemus_memory_and_the_test_device(void **state)
{
	assert_string_equal(words_of(""), PLAIN "|--testdev");
	assert_string_equal(suite.cases[0].name, "x");
	assert_int_equal(suite.cases[0].cpus, 1);
	assert_true(suite.cases[0].mem == 128 << 20);
	assert_int_equal(suite.cases[0].timeout_ms, 0);
}

/* exit(0) and exit(77) write that to port 0xf4; the status is 2n + 1. */
static void a_guests_exit_codes_0_and_77_pass_and_skip(void **state)
{
	words_of("");
	assert_int_equal(suite.cases[0].pass.status, 1);
	assert_int_equal(suite.cases[0].pass.skip_status, 155);
	assert_string_equal(words_of("qemu_params = -m 65540K"),
			    "-k|kut/x86/x.flat|-c|1|-m|65540K|--testdev");
	words_of("groups = a panic");
	assert_int_equal(suite.cases[0].pass.status, 10);
}

static void old_and_new_keys_mean_the_same(void **state)
{
	assert_string_equal(
		words_of("extra_params = -m 2048 -append 'a b' -cpu max"),
		"-k|kut/x86/x.flat|-c|1|-m|2048M|-p|a b|--testdev");
	assert_string_equal(
		words_of("qemu_params = -m 2g -cpu host\ntest_args = \"a b\""),
		"-k|kut/x86/x.flat|-c|1|-m|2048M|-p|a b|--testdev");
	assert_string_equal(words_of("test_args = tsc deadline"),
			    PLAIN "|-p|tsc deadline|--testdev");
	assert_string_equal(words_of("test_args = a\nqemu_params = -append b"),
			    PLAIN "|-p|b|--testdev");
	assert_string_equal(words_of("kvmtool_params = --whatever"),
			    PLAIN "|--testdev");
}

static void a_value_goes_on_between_three_quotes(void **state)
{
	assert_string_equal(words_of("extra_params = \"\"\"-m 256 \\\n"
				     "   -append 'a\n"
				     "b' \"\"\"\n"
				     "smp = 2"),
			    "-k|kut/x86/x.flat|-c|2|-m|256M|-p|a\nb|"
			    "--testdev");
	assert_string_equal(words_of("qemu_params = \"\"\"-m 64\"\"\""),
			    "-k|kut/x86/x.flat|-c|1|-m|64M|--testdev");
	assert_bad("[x]\nfile = x\nqemu_params = \"\"\"-m 64\n\n",
		   "3:15: a value that begins with \"\"\" has no end");
}

static void processors_are_counted_as_the_shell_would(void **state)
{
	words_of("smp = 3");
	assert_int_equal(suite.cases[0].cpus, 3);
	words_of("smp = $MAX_SMP");
	assert_int_equal(suite.cases[0].cpus, 6);
	words_of("smp = $(($MAX_SMP < 4?$MAX_SMP:4))");
	assert_int_equal(suite.cases[0].cpus, 4);
	words_of("smp = \"$((MAX_SMP < 8 ? MAX_SMP : 8))\"");
	assert_int_equal(suite.cases[0].cpus, 6);
	words_of("qemu_params = -smp 5");
	assert_int_equal(suite.cases[0].cpus, 5);
	assert_string_equal(skip_of("qemu_params = -smp 2,cores=2"),
			    "needs QEMU's '-smp 2,cores=2'");
	assert_string_equal(skip_of("smp = 1,maxcpus=256"),
			    "smp = '1,maxcpus=256': a number of processors is "
			    "expected");
	assert_string_equal(skip_of("smp = $(nproc)"),
			    "smp = '$(nproc)': a number of processors is "
			    "expected");
}

static void arithmetic_has_its_precedence_and_its_limits(void **state)
{
	int64_t val = 7;

	assert_int_equal(shell_number("$((1 + 2 * 3 - -4))", 1, &val), 0);
	assert_int_equal(val, 11);
	assert_int_equal(shell_number("$(((1 + 2) * 3 % 5))", 1, &val), 0);
	assert_int_equal(val, 4);
	assert_int_equal(shell_number("$((8 - 4 - 2))", 1, &val), 0);
	assert_int_equal(val, 2);
	assert_int_equal(shell_number("$((1 > 2 ? 3 : 1 <= 1 ? 4 : 5))", 1,
				      &val),
			 0);
	assert_int_equal(val, 4);
	assert_int_equal(shell_number("${MAX_SMP}", 9, &val), 0);
	assert_int_equal(val, 9);

	assert_int_equal(shell_number("$((1 / 0))", 1, &val), -EINVAL);
	assert_int_equal(shell_number("$((9223372036854775807 + 1))", 1, &val),
			 -EINVAL);
	assert_int_equal(shell_number("99999999999999999999", 1, &val),
			 -EINVAL);
	assert_int_equal(shell_number("$((1)", 1, &val), -EINVAL);
	assert_int_equal(shell_number("1 2", 1, &val), -EINVAL);
	assert_int_equal(shell_number("$OTHER", 1, &val), -EINVAL);
	assert_int_equal(shell_number("", 1, &val), -EINVAL);
	assert_int_equal(val, 9);
}

static void words_are_split_as_sh_does_and_nothing_is_run(void **state)
{
	struct shell_words w;
	const char *why;

	assert_int_equal(shell_split(" a'b c'\"d\\\"$MAX_SMP\"\\ e '' # f", 3,
				     &w, &why),
			 0);
	assert_int_equal(w.count, 2);
	assert_string_equal(w.words[0], "ab cd\"3 e");
	assert_string_equal(w.words[1], "");
	shell_words_done(&w);

	assert_int_equal(shell_split("a 'b", 3, &w, &why), -EINVAL);
	assert_string_equal(why, "a quote is not closed");
	assert_int_equal(shell_split("`date`", 3, &w, &why), -EINVAL);
	assert_string_equal(why, "'`' asks for a shell command");
	assert_int_equal(shell_split("\"$(date)\"", 3, &w, &why), -EINVAL);
	assert_string_equal(why, "'$' asks for a shell's expansion");
	assert_int_equal(shell_split("$MAX_SMPS", 3, &w, &why), -EINVAL);
	assert_int_equal(shell_split("a; b", 3, &w, &why), -EINVAL);
}

static void the_hosts_processor_loses_what_a_test_takes_away(void **state)
{
	assert_string_equal(
		words_of("qemu_params = -cpu max,+svm,-rdtscp,-sse4.1,host-phys-bits"),
		PLAIN "|--testdev|--cpu|host,-rdtscp,-sse4_1");
	assert_string_equal(words_of("qemu_params = -cpu host,migratable=no"),
			    PLAIN "|--testdev");
	assert_string_equal(skip_of("qemu_params = -cpu qemu64,+x2apic"),
			    "'-cpu qemu64,+x2apic': a model with a name; there "
			    "is only the host's processor");
	assert_string_equal(skip_of("qemu_params = -cpu max,vendor=GenuineIntel"),
			    "'-cpu max,vendor=GenuineIntel': "
			    "'vendor=GenuineIntel' cannot be honoured");
	assert_string_equal(skip_of("qemu_params = -cpu max,-vmx-mbec"),
			    "'-cpu max,-vmx-mbec': '-vmx-mbec' cannot be "
			    "honoured");
}

static void what_only_qemu_has_is_the_reason_to_skip(void **state)
{
	assert_string_equal(skip_of("qemu_params = -machine pit=off -m 64"),
			    "needs QEMU's '-machine pit=off'");
	assert_string_equal(skip_of("extra_params = -cpu max -device edu"),
			    "needs QEMU's '-device edu'");
	assert_string_equal(skip_of("qemu_params = -S -m 64"),
			    "needs QEMU's '-S'");
	assert_string_equal(skip_of("qemu_params = -m lots"),
			    "'-m lots': not a size; a whole number with K, M, G "
			    "or T is expected (without one: MiB)");
	assert_string_equal(skip_of("test_args = \"1 `date +%s`\""),
			    "test_args: '`' asks for a shell command");
	assert_string_equal(words_of("qemu_params = -device isa-debug-exit,iobase=0xf4"
				     " -device pc-testdev -no-reboot -display none"),
			    PLAIN "|--testdev");
}

static void what_a_test_is_not_for_is_the_reason_to_skip(void **state)
{
	assert_string_equal(skip_of("arch = i386"), "for i386");
	words_of("arch = x86_64");
	assert_string_equal(skip_of("accel = tcg"), "for accel = tcg");
	words_of("accel = kvm");
	assert_string_equal(skip_of("groups = a migration"),
			    "would be migrated while it runs");
	assert_string_equal(skip_of("disabled_if = [ x ]"),
			    "line 3: 'disabled_if' is not known here");
	assert_string_equal(skip_of("timeout = soon"),
			    "timeout = 'soon': a whole number above 0 is "
			    "expected, in seconds or with ms, s or m");
}

static void files_of_the_host_are_looked_at_before_a_test(void **state)
{
#define PMU "/sys/module/kvm/parameters/enable_pmu"
	words_of("check = " PMU "=Y");
	assert_string_equal(skip_of("check = " PMU "=N"),
			    PMU " is 'Y'; 'N' is needed");
	assert_string_equal(skip_of("check = " PMU "=Y /proc/none=0"),
			    "/proc/none is not there; '0' is needed");
	assert_string_equal(skip_of("check = /etc/passwd=x"),
			    "check = '/etc/passwd': only files of /sys and "
			    "/proc are looked at");
	skip_of("check = /proc/../etc/passwd=x");
}

static void timeouts_are_in_seconds_or_as_timeout_1_takes_them(void **state)
{
	words_of("timeout = 180");
	assert_int_equal(suite.cases[0].timeout_ms, 180000);
	words_of("timeout = 90s");
	assert_int_equal(suite.cases[0].timeout_ms, 90000);
	words_of("timeout = 0");
	assert_int_equal(suite.cases[0].timeout_ms, 0);
}

static void groups_choose_and_nodefault_stays_out(void **state)
{
	static const char text[] = "# a comment\n"
				   "[a]\nfile = a\ngroups = vmexit slow\n"
				   "  [b]  \r\nfile=b\ngroups = nodefault vmexit\n"
				   "#[c]\n\n[d]\nfile = d\n";

	assert_int_equal(parse(text), 0);
	assert_int_equal(suite.count, 2);
	assert_string_equal(suite.cases[0].name, "a");
	assert_string_equal(suite.cases[1].name, "d");
	assert_int_equal(parse_group(text, "vmexit"), 0);
	assert_int_equal(suite.count, 2);
	assert_string_equal(suite.cases[1].name, "b");
	assert_int_equal(parse_group(text, "vm"), -EINVAL);
	assert_string_equal(err,
			    "kut/x86/unittests.cfg:1:1: no test is in the group "
			    "'vm'; groups: vmexit slow nodefault");
}

static void names_are_made_fit_for_folders_and_unique(void **state)
{
	assert_int_equal(parse("[a/b]\nfile = a\n[a_b]\nfile = a\n[..]\nfile=a\n"),
			 0);
	assert_string_equal(suite.cases[0].name, "a_b");
	assert_string_equal(suite.cases[1].name, "a_b-2");
	assert_string_equal(suite.cases[2].name, "_.");
}

static void what_is_no_unittests_cfg_is_named_with_its_place(void **state)
{
	assert_bad("", "1:1: no tests");
	assert_bad("\n  file = x\n", "2:3: a key before the first [NAME]");
	assert_bad("[x\nfile = x\n", "1:1: [NAME] is expected");
	assert_bad("[]\nfile = x\n", "1:1: [NAME] is expected");
	assert_bad("[x]\nfile = x\n\twhat\n",
		   "3:2: KEY = VALUE, [NAME] or # is expected");
	assert_bad("[x]\n= x\n", "2:1: KEY = VALUE, [NAME] or # is expected");
	assert_bad("[x]\nsmp = 1\n[y]\nfile = y\n",
		   "1:1: the test 'x' has no 'file'");
	assert_int_equal(unittests_parse("f", "\0", 1, NULL, &host, &suite,
					 err),
			 -EINVAL);
	assert_string_equal(err, "f:1:1: not a text file");
}

static void a_tree_is_found_by_its_folder_or_its_file(void **state)
{
	char dir[] = "/tmp/test-unittests-XXXXXX", path[128], x86[64];
	FILE *out;

	assert_non_null(mkdtemp(dir));
	assert_int_equal(unittests_read(dir, NULL, &suite, err), -ENOTDIR);
	assert_non_null(strstr(err, ": no x86/unittests.cfg in it; "));
	snprintf(x86, sizeof(x86), "%s/x86", dir);
	assert_int_equal(mkdir(x86, 0700), 0);
	snprintf(path, sizeof(path), "%s/unittests.cfg", x86);
	out = fopen(path, "w");
	fputs("[x]\nfile = x.flat\n", out);
	fclose(out);
	suite_done(&suite);
	assert_int_equal(unittests_read(dir, NULL, &suite, err), 0);
	assert_int_equal(unittests_read(x86, NULL, &suite, err), 0);
	assert_int_equal(unittests_read(path, NULL, &suite, err), 0);
	assert_int_equal(suite.count, 3);
	assert_string_equal(suite.cases[2].name, "x-3");
	strcat(x86, "/x.flat");
	assert_string_equal(suite.cases[0].args[1], x86);
	assert_string_equal(suite.cases[2].args[1], x86);
	unlink(path);
	*strrchr(x86, '/') = '\0';
	rmdir(x86);
	rmdir(dir);
	assert_int_equal(unittests_read(dir, NULL, &suite, err), -ENOENT);
}

static int clean(void **state)
{
	suite_done(&suite);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_test_gets_qemus_memory_and_the_test_device),
		cmocka_unit_test(a_guests_exit_codes_0_and_77_pass_and_skip),
		cmocka_unit_test(old_and_new_keys_mean_the_same),
		cmocka_unit_test(a_value_goes_on_between_three_quotes),
		cmocka_unit_test(processors_are_counted_as_the_shell_would),
		cmocka_unit_test(arithmetic_has_its_precedence_and_its_limits),
		cmocka_unit_test(words_are_split_as_sh_does_and_nothing_is_run),
		cmocka_unit_test(the_hosts_processor_loses_what_a_test_takes_away),
		cmocka_unit_test(what_only_qemu_has_is_the_reason_to_skip),
		cmocka_unit_test(what_a_test_is_not_for_is_the_reason_to_skip),
		cmocka_unit_test(files_of_the_host_are_looked_at_before_a_test),
		cmocka_unit_test(timeouts_are_in_seconds_or_as_timeout_1_takes_them),
		cmocka_unit_test(groups_choose_and_nodefault_stays_out),
		cmocka_unit_test(names_are_made_fit_for_folders_and_unique),
		cmocka_unit_test(what_is_no_unittests_cfg_is_named_with_its_place),
		cmocka_unit_test(a_tree_is_found_by_its_folder_or_its_file),
	};

	return cmocka_run_group_tests(tests, NULL, clean);
}
