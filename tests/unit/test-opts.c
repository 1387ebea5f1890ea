// SPDX-License-Identifier: MIT
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/kv.h"
#include "cli/nearest.h"
#include "cli/value.h"
#include "opts_rig.h"

static void no_word_asks_for_the_built_in_guest_and_all_defaults(void **state)
{
	assert_int_equal(parse((char *[]){ W("run"), NULL }), OPTS_RUN);
	assert_null(opts.kernel);
	assert_null(opts.params);
	assert_int_equal(opts.machine.size, sizeof(struct trapmap_machine));
	assert_int_equal(opts.machine.mem, 0);
	assert_int_equal(opts.machine.cpus, 0);
	assert_int_equal(opts.serial[0].kind, OPTS_SINK_STDIO);
	assert_int_equal(opts.serial_count, 0);
	assert_int_equal(opts.timeout_ms, 0);
}

static void a_value_comes_behind_an_equals_sign_or_as_the_next_word(void **state)
{
	assert_good(W("--mem=64"), W("--cpus"), W("3"), W("-p"), W("a=b c"),
		    W("-q"));
	assert_int_equal(opts.machine.mem, 64 << 20);
	assert_int_equal(opts.machine.cpus, 3);
	assert_string_equal(opts.params, "a=b c");
	assert_true(opts.quiet);
	assert_good(W("-qm64"));
	assert_int_equal(opts.machine.mem, 64 << 20);
	assert_true(opts.quiet);
}

static void the_kernel_may_stand_anywhere_whatever_posix_says(void **state)
{
	setenv("POSIXLY_CORRECT", "1", 1);
	assert_good(W("-m"), W("64"), W("bzImage"), W("-i"), W("one"),
		    W("--initrd=two"));
	unsetenv("POSIXLY_CORRECT");
	assert_string_equal(opts.kernel, "bzImage");
	assert_int_equal(opts.initrd_count, 2);
	assert_string_equal(opts.initrd[0], "one");
	assert_string_equal(opts.initrd[1], "two");
	assert_good(W("--"), W("-m"));
	assert_string_equal(opts.kernel, "-m");
}

static void familiar_names_are_taken_too(void **state)
{
	assert_good(W("--append"), W("quiet"), W("--smp=2"));
	assert_string_equal(opts.params, "quiet");
	assert_int_equal(opts.machine.cpus, 2);
	assert_good(W("--cmdline="));
	assert_string_equal(opts.params, "");
}

static void a_second_kernel_or_command_line_is_refused(void **state)
{
	assert_bad("'b' is a second kernel; one is expected, and 'a' came first",
		   W("a"), W("b"));
	assert_bad("'b' is a second kernel; one is expected, and 'a' came first",
		   W("-k"), W("a"), W("b"));
	assert_bad("the kernel's command line is given twice; one string is expected",
		   W("-p"), W("a"), W("--append=b"));
}

static void an_unknown_option_gets_the_nearest(void **state)
{
	assert_bad("unknown option '--inird'; did you mean '--initrd'?",
		   W("--inird"), W("x"));
	assert_bad("unknown option '--memory'; did you mean '--mem'?",
		   W("--memory=64"));
	assert_bad("unknown option '--tiemout'; did you mean '--timeout'?",
		   W("--tiemout"));
	assert_bad("unknown option '--frobnicate'; 'trapmap run --help' lists them",
		   W("--frobnicate"));
	assert_bad("unknown option '-z'; 'trapmap run --help' lists them",
		   W("-z"));
}

static void an_abbreviation_is_unknown(void **state)
{
	assert_bad("unknown option '--kern'; did you mean '--kernel'?",
		   W("--kern"), W("x"));
	assert_bad("unknown option '--quie'; did you mean '--quiet'?",
		   W("--quie"));
}

static void long_names_with_one_dash_are_not_read_as_clusters(void **state)
{
	assert_bad("unknown option '-kernel'; did you mean '--kernel'?",
		   W("-kernel"), W("x"));
	assert_bad("unknown option '-append'; did you mean '--append'?",
		   W("-append"), W("x"));
	assert_bad("unknown option '-smp'; did you mean '--smp'?", W("-smp"),
		   W("2"));
}

static void values_are_demanded_and_refused_by_name(void **state)
{
	assert_bad("'--mem' needs a value: SIZE[,KEY...]", W("--mem"));
	assert_bad("'-i' needs a value: FILE", W("-i"));
	assert_bad("'--quiet' takes no value", W("--quiet=yes"));
	assert_bad("the kernel's name is empty", W(""));
}

static void help_and_version_win_over_what_follows(void **state)
{
	assert_int_equal(parse(WORDS(W("-h"), W("--nonsense"))), OPTS_HELP);
	assert_int_equal(parse(WORDS(W("-m"), W("64"), W("--version"))),
			 OPTS_VERSION);
}

static void memory_has_a_unit_a_floor_and_a_grain(void **state)
{
	const char *why;
	uint64_t val;

	assert_int_equal(value_mem("512", &val, &why), 0);
	assert_true(val == 512ull << 20);
	assert_int_equal(value_mem("1024K", &val, &why), 0);
	assert_true(val == 1 << 20);
	assert_int_equal(value_mem("3g", &val, &why), 0);
	assert_true(val == 3ull << 30);
	assert_int_equal(value_mem("2T", &val, &why), 0);
	assert_true(val == 2ull << 40);

	val = 77;
	assert_int_equal(value_mem("16777216T", &val, &why), -EINVAL);
	assert_string_equal(why, "more than 64 bits can count");
	assert_int_equal(value_mem("99999999999999999999", &val, &why),
			 -EINVAL);
	assert_string_equal(why, "more than 64 bits can count");
	assert_true(val == 77);
}

static void bad_memory_is_refused_with_what_was_expected(void **state)
{
	assert_bad("--mem '0': too little memory; at least 1M is needed",
		   W("-m"), W("0"));
	assert_bad("--mem '1023K': too little memory; at least 1M is needed",
		   W("-m1023K"));
	assert_bad("--mem '-5': memory cannot be negative", W("-m"), W("-5"));
	assert_bad("--mem '1.5G': fractions are not taken; use a smaller unit (1536M for 1.5G)",
		   W("-m"), W("1.5G"));
	assert_bad("--mem '1026K': not a multiple of 4K, the size of a page",
		   W("-m"), W("1026K"));
	assert_bad("--mem '1GB': unknown unit; K, M, G, T or nothing (MiB) is expected",
		   W("-m"), W("1GB"));
	assert_bad("--mem 'lots': not a size; a whole number with K, M, G or T is expected (without one: MiB)",
		   W("-m"), W("lots"));
	assert_bad("--mem ' 64': not a size; a whole number with K, M, G or T is expected (without one: MiB)",
		   W("-m"), W(" 64"));
}

static void bad_counts_are_refused(void **state)
{
	assert_bad("--cpus '0': at least 1 is needed", W("-c0"));
	assert_bad("--cpus '-1': a whole number above 0 is expected", W("-c"),
		   W("-1"));
	assert_bad("--cpus '2x': a whole number above 0 is expected", W("-c"),
		   W("2x"));
	assert_bad("--cpus '4294967296': far too many", W("-c"),
		   W("4294967296"));
	assert_bad("--cpus '99999999999999999999': far too many", W("-c"),
		   W("99999999999999999999"));
}

static void a_time_limit_is_in_seconds_or_names_its_unit(void **state)
{
	assert_good(W("--timeout=2"));
	assert_int_equal(opts.timeout_ms, 2000);
	assert_good(W("--timeout=2s"));
	assert_int_equal(opts.timeout_ms, 2000);
	assert_good(W("--timeout=250ms"));
	assert_int_equal(opts.timeout_ms, 250);
	assert_good(W("--timeout=3m"));
	assert_int_equal(opts.timeout_ms, 180000);
	assert_bad("--timeout '0': a whole number above 0 is expected, in seconds or with ms, s or m",
		   W("--timeout=0"));
	assert_bad("--timeout '2h': a whole number above 0 is expected, in seconds or with ms, s or m",
		   W("--timeout=2h"));
	assert_bad("--timeout '9999999999999': longer than a hundred years",
		   W("--timeout=9999999999999"));
}

static int64_t date(const char *text)
{
	const char *why;
	int64_t epoch = INT64_MIN;

	assert_int_equal(value_date(text, &epoch, &why), 0);
	return epoch;
}

/* The expected values are those of "date -u -d TEXT +%s". */
static void dates_are_utc_and_gregorian(void **state)
{
	assert_true(date("1970-01-01") == 0);
	assert_true(date("2024-02-29T23:59:58Z") == 1709251198);
	assert_true(date("2000-03-01T00:00") == 951868800);
	assert_true(date("1969-12-31T23:59:59") == -1);
	assert_true(date("2100-03-01") == 4107542400);
	assert_true(date("9999-12-31T23:59:59") == 253402300799);
	assert_true(date("0001-01-01Z") == -62135596800);
	assert_true(date("@1700000000") == 1700000000);
	assert_true(date("@-1") == -1);
}

static void dates_that_never_were_are_refused(void **state)
{
	static const char *const wrong[] = {
		"2023-02-29",	  "2100-02-29",	      "2024-04-31",
		"2024-00-10",	  "2024-13-01",	      "2024-01-00",
		"0000-01-01",	  "2024-01-01T24:00", "2024-01-01T23:60",
		"2024-1-1",	  "2024-01-01T1:00",  "2024-01-01 10:00",
		"2024-01-01T10",  "2024-01-01ZZ",     "24-01-01",
		"@",		  "@1x",	      "@99999999999999999999",
		"@253402300800",  "@-62135596801",    "",
		"2024-01-01T00:00:60",
	};
	const char *why;
	int64_t epoch;
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(value_date(wrong[i], &epoch, &why), -EINVAL);
}

static void the_clock_takes_a_list_whose_first_key_can_be_left_out(void **state)
{
	assert_good(W("--rtc=localtime,clock=vm"));
	assert_int_equal(opts.machine.rtc_base, TRAPMAP_RTC_BASE_LOCALTIME);
	assert_int_equal(opts.machine.rtc_clock, TRAPMAP_RTC_CLOCK_VM);
	assert_good(W("--rtc"), W("clock=vm,base=@5"));
	assert_int_equal(opts.machine.rtc_base, TRAPMAP_RTC_BASE_EPOCH);
	assert_int_equal(opts.machine.rtc_epoch, 5);
	assert_bad("--rtc: unknown key 'clok'; did you mean 'clock'?",
		   W("--rtc=utc,clok=vm"));
	assert_bad("--rtc: unknown key 'zone'; known: 'base', 'clock', 'nvram'",
		   W("--rtc=zone=1"));
	assert_bad("--rtc: 'clock' needs a value", W("--rtc=utc,clock"));
	assert_bad("--rtc: 'nvram' needs a file", W("--rtc=nvram="));
	assert_good(W("--rtc=nvram=a,,b"));
	assert_string_equal(opts.nvram.path, "a,b");
	assert_false(opts.nvram.set_clock);
	assert_good(W("--rtc=utc,nvram=x"));
	assert_true(opts.nvram.set_clock);
	assert_bad("--rtc nvram and --report both write 'x'; each needs a file "
		   "of its own",
		   W("--rtc=nvram=x"), W("--report=x"));
	assert_good(W("--on-sigterm=powerbutton"));
	assert_true(opts.sigterm_button);
	assert_bad("--on-sigterm 'ask': 'end' or 'powerbutton' is expected",
		   W("--on-sigterm=ask"));
	assert_bad("--rtc: 'base' is given twice", W("--rtc=utc,base=utc"));
	assert_bad("--rtc clock 'guest': 'host' or 'vm' is expected",
		   W("--rtc=clock=guest"));
	assert_bad("--rtc '2023-02-29': there is no such day",
		   W("--rtc=2023-02-29"));
	assert_bad("--rtc 'now': 'utc', 'localtime' or a time as 2024-02-29T23:59:58 is expected",
		   W("--rtc=now"));
	assert_bad("--rtc 'utc,': an empty item; KEY=VALUE[,KEY=VALUE] is expected (a comma in a value is written twice)",
		   W("--rtc=utc,"));
}

static void the_boot_protocol_is_one_that_there_is(void **state)
{
	static const char *const names[] = { "auto", "linux64", "linux32",
					     "linux16", "pvh", "multiboot",
					     "sector", "flat", "unpack" };
	char word[32];
	unsigned i;

	assert_good(W("-q"));
	assert_int_equal(opts.boot, TRAPMAP_BOOT_AUTO);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(word, sizeof(word), "--boot=%s", names[i]);
		assert_good(word);
		assert_int_equal(opts.boot, i);
	}
	assert_bad("--boot 'linux': 'auto', 'linux64', 'linux32', 'linux16', "
		   "'pvh', 'multiboot', 'sector', 'flat' or 'unpack' is "
		   "expected",
		   W("--boot=linux"));
}

static void choices_list_themselves(void **state)
{
	assert_good(W("--on-reset=reboot"), W("--debug-exit"), W("plain"));
	assert_int_equal(opts.machine.on_reset, TRAPMAP_ON_RESET_REBOOT);
	assert_int_equal(opts.machine.debug_exit, TRAPMAP_DEBUG_EXIT_PLAIN);
	assert_int_equal(opts.machine.transport, TRAPMAP_TRANSPORT_DEFAULT);
	assert_good(W("--transport=pci"));
	assert_int_equal(opts.machine.transport, TRAPMAP_TRANSPORT_PCI);
	assert_good(W("--transport"), W("mmio-cmdline"));
	assert_int_equal(opts.machine.transport, TRAPMAP_TRANSPORT_MMIO_CMDLINE);
	assert_good(W("--transport"), W("mmio"));
	assert_int_equal(opts.machine.transport, TRAPMAP_TRANSPORT_MMIO);
	assert_bad("--transport 'isa': 'mmio', 'mmio-cmdline' or 'pci' is "
		   "expected",
		   W("--transport=isa"));
	assert_bad("--on-reset 'halt': 'end', 'reboot' or 'poweroff' is expected",
		   W("--on-reset=halt"));
	assert_bad("--debug-exit '': 'qemu' or 'plain' is expected",
		   W("--debug-exit="));
}

static void list_items_are_cut_at_single_commas(void **state)
{
	struct kv_list list = kv_list("one,,two,three,four=4,,=5");
	struct kv kv;

	assert_int_equal(kv_next(&list, &kv), 1);
	assert_null(kv.key);
	assert_string_equal(kv.value, "one,two");
	assert_int_equal(kv_next(&list, &kv), 1);
	assert_string_equal(kv.key, "three");
	assert_null(kv.value);
	assert_int_equal(kv_next(&list, &kv), 1);
	assert_string_equal(kv.key, "four");
	assert_string_equal(kv.value, "4,=5");
	assert_int_equal(kv_next(&list, &kv), 0);
	assert_int_equal(kv_next(&list, &kv), 0);

	list = kv_list("");
	assert_int_equal(kv_next(&list, &kv), -EINVAL);
	list = kv_list("=x");
	assert_int_equal(kv_next(&list, &kv), -EINVAL);
	list = kv_list("a,");
	assert_int_equal(kv_next(&list, &kv), 1);
	assert_int_equal(kv_next(&list, &kv), -EINVAL);
}

static void a_list_item_longer_than_any_path_is_refused(void **state)
{
	char text[KV_ITEM_MAX + 100];

	memset(text, 'a', sizeof(text));
	memcpy(text, "--serial=file=", 14);
	text[sizeof(text) - 1] = '\0';
	assert_bad("--serial: a value is longer than any path", W(text));
}

static void the_nearest_is_a_slip_or_a_beginning_away(void **state)
{
	static const char *const names[] = { "kernel", "initrd", "mem", "cpus",
					     "cpu", "run" };

#define NEAR(word) nearest(word, names, sizeof(names) / sizeof(names[0]))
	assert_string_equal(NEAR("kernle"), "kernel");
	assert_string_equal(NEAR("kernal"), "kernel");
	assert_string_equal(NEAR("init"), "initrd");
	assert_string_equal(NEAR("meme"), "mem");
	assert_string_equal(NEAR("cpsu"), "cpus");
	assert_string_equal(NEAR("rnu"), "run");
	assert_null(NEAR("disk"));
	assert_null(NEAR("x"));
	assert_null(NEAR(""));
	assert_null(NEAR("a-word-that-is-longer-than-any-name-there-is"));
}

static void more_initrds_than_a_guest_takes_are_refused(void **state)
{
	char *argv[2 * (OPTS_INITRD_MAX + 1) + 2];
	int n = 0;

	argv[n++] = W("run");
	while (n < 2 * (OPTS_INITRD_MAX + 1)) {
		argv[n++] = W("-i");
		argv[n++] = W("f");
	}
	argv[n] = NULL;
	assert_int_equal(parse(argv), -EINVAL);
	assert_string_equal(err, "more than 64 initrds");
	argv[n - 2] = NULL;
	assert_int_equal(parse(argv), OPTS_RUN);
	assert_int_equal(opts.initrd_count, OPTS_INITRD_MAX);
}

#define T(f) cmocka_unit_test(f)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(no_word_asks_for_the_built_in_guest_and_all_defaults),
		T(a_value_comes_behind_an_equals_sign_or_as_the_next_word),
		T(the_kernel_may_stand_anywhere_whatever_posix_says),
		T(familiar_names_are_taken_too),
		T(a_second_kernel_or_command_line_is_refused),
		T(an_unknown_option_gets_the_nearest),
		T(an_abbreviation_is_unknown),
		T(long_names_with_one_dash_are_not_read_as_clusters),
		T(values_are_demanded_and_refused_by_name),
		T(help_and_version_win_over_what_follows),
		T(memory_has_a_unit_a_floor_and_a_grain),
		T(bad_memory_is_refused_with_what_was_expected),
		T(bad_counts_are_refused),
		T(a_time_limit_is_in_seconds_or_names_its_unit),
		T(dates_are_utc_and_gregorian),
		T(dates_that_never_were_are_refused),
		T(the_clock_takes_a_list_whose_first_key_can_be_left_out),
		T(the_boot_protocol_is_one_that_there_is),
		T(choices_list_themselves),
		T(list_items_are_cut_at_single_commas),
		T(a_list_item_longer_than_any_path_is_refused),
		T(the_nearest_is_a_slip_or_a_beginning_away),
		T(more_initrds_than_a_guest_takes_are_refused),
	};
	int r = cmocka_run_group_tests(tests, NULL, NULL);

	run_opts_done(&opts);
	return r;
}
