// SPDX-License-Identifier: MIT
#include "test.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "cli/value.h"
#include "opts_rig.h"

static void nothing_is_watched_unless_asked_for(void **state)
{
	assert_int_equal(parse((char *[]){ W("run"), NULL }), OPTS_RUN);
	assert_int_equal(opts.debugcon.kind, OPTS_SINK_NULL);
	assert_int_equal(opts.rule_count, 0);
	assert_null(opts.report);
	assert_null(opts.trace.path);
	assert_null(opts.symbols);
	assert_false(opts.stats);
	assert_int_equal(opts.machine.strict_io, 0);
	assert_int_equal(opts.machine.watchdog_ms, 0);
	assert_int_equal(opts.machine.test_device, 0);
}

static void switches_and_files_are_taken(void **state)
{
	assert_good(W("--stats"), W("--strict-io"), W("--testdev"),
		    W("--report=r.json"), W("--symbols"), W("System.map"));
	assert_true(opts.stats);
	assert_int_equal(opts.machine.strict_io, 1);
	assert_int_equal(opts.machine.test_device, 1);
	assert_string_equal(opts.report, "r.json");
	assert_string_equal(opts.symbols, "System.map");
	assert_bad("--report '': a path is expected", W("--report="));
	assert_bad("--symbols '': a path is expected", W("--symbols="));
	assert_bad("'--stats' takes no value", W("--stats=1"));
}

static void a_watchdog_takes_durations_that_fit(void **state)
{
	assert_good(W("--watchdog=5"));
	assert_int_equal(opts.machine.watchdog_ms, 5000);
	assert_good(W("--watchdog=200ms"));
	assert_int_equal(opts.machine.watchdog_ms, 200);
	assert_bad("--watchdog '0': a whole number above 0 is expected, in seconds or with ms, s or m",
		   W("--watchdog=0"));
	/* 2^32 milliseconds, and one second less. */
	assert_bad("--watchdog '4294968': too long; 4294967 s at most",
		   W("--watchdog=4294968"));
	assert_good(W("--watchdog=4294967"));
	assert_true(opts.machine.watchdog_ms == 4294967000u);
}

static void the_debug_console_leads_somewhere_known(void **state)
{
	assert_good(W("--debugcon=stdio"));
	assert_int_equal(opts.debugcon.kind, OPTS_SINK_STDIO);
	assert_good(W("--debugcon=stderr"));
	assert_int_equal(opts.debugcon.kind, OPTS_SINK_STDERR);
	assert_good(W("--debugcon=file=a"), W("--debugcon"), W("file=b,,c"));
	assert_int_equal(opts.debugcon.kind, OPTS_SINK_FILE);
	assert_string_equal(opts.debugcon.path, "b,c");
	assert_good(W("--debugcon=file=a"), W("--debugcon=null"));
	assert_int_equal(opts.debugcon.kind, OPTS_SINK_NULL);
	assert_null(opts.debugcon.path);
	assert_bad("--debugcon 'tty': 'stdio', 'stderr', 'null' or 'file=PATH' is expected",
		   W("--debugcon=tty"));
	assert_bad("--debugcon 'stdrr': did you mean 'stderr'?",
		   W("--debugcon=stdrr"));
	/* The serial port's input could not be there. */
	assert_bad("--serial 'stderr': 'stdio', 'null', 'pty', "
		   "'file=PATH' or 'socket=PATH' is expected",
		   W("--serial=stderr"));
}

static void assert_rule(unsigned i, enum trapmap_rule rule, const char *regex)
{
	assert_true(i < opts.rule_count);
	assert_int_equal(opts.rules[i].rule, rule);
	if (regex)
		assert_string_equal(opts.rules[i].regex, regex);
	else
		assert_null(opts.rules[i].regex);
}

static void what_is_a_failure_comes_in_lists_and_again(void **state)
{
	assert_good(W("--fail-on"), W("panic,splat,^E(A|B)=[0-9]{1,,3}$"),
		    W("--fail-on=panics"));
	assert_int_equal(opts.rule_count, 4);
	assert_rule(0, TRAPMAP_RULE_PANIC, NULL);
	assert_rule(1, TRAPMAP_RULE_SPLAT, NULL);
	assert_rule(2, TRAPMAP_RULE_FAIL, "^E(A|B)=[0-9]{1,3}$");
	assert_rule(3, TRAPMAP_RULE_FAIL, "panics");
	assert_bad("--fail-on 'panic,': an empty item; 'panic', 'splat' or a regular expression is expected (a comma in it is written twice)",
		   W("--fail-on=panic,"));
	assert_bad("--fail-on '': an empty item; 'panic', 'splat' or a regular expression is expected (a comma in it is written twice)",
		   W("--fail-on="));
}

static void an_expected_line_is_one_whole_expression(void **state)
{
	assert_good(W("--expect"), W("all passed, none failed"),
		    W("--expect=a=b,,c"), W("--fail-on=x"));
	assert_int_equal(opts.rule_count, 3);
	assert_rule(0, TRAPMAP_RULE_EXPECT, "all passed, none failed");
	assert_rule(1, TRAPMAP_RULE_EXPECT, "a=b,,c");
	assert_rule(2, TRAPMAP_RULE_FAIL, "x");
	assert_bad("--expect '': a regular expression is expected, which one line must match",
		   W("--expect="));
}

static void more_rules_than_a_vm_takes_are_refused(void **state)
{
	char *argv[TRAPMAP_RULES_MAX + 3];
	int n = 0;

	argv[n++] = W("run");
	while (n < TRAPMAP_RULES_MAX + 2)
		argv[n++] = W("--expect=x");
	argv[n] = NULL;
	assert_int_equal(parse(argv), -EINVAL);
	assert_string_equal(err, "more than 64 rules by --fail-on and --expect");
	argv[n - 1] = NULL;
	assert_int_equal(parse(argv), OPTS_RUN);
	assert_int_equal(opts.rule_count, TRAPMAP_RULES_MAX);
}

static void a_trace_is_of_all_or_of_some_exits(void **state)
{
	assert_good(W("--trace=t.json"));
	assert_string_equal(opts.trace.path, "t.json");
	assert_int_equal(opts.trace.kinds, 0);
	assert_int_equal(opts.trace.last, 0);
	assert_good(W("--trace=old"), W("--trace"),
		    W("range=0x3f8-1023,only=pio+msr,file=a,,b"));
	assert_string_equal(opts.trace.path, "a,b");
	assert_int_equal(opts.trace.kinds,
			 TRAPMAP_TRACE_PIO | TRAPMAP_TRACE_MSR);
	assert_int_equal(opts.trace.first, 0x3f8);
	assert_int_equal(opts.trace.last, 1023);
	assert_good(W("--trace=t,only=mmio|hypercall|other"));
	assert_int_equal(opts.trace.kinds, TRAPMAP_TRACE_MMIO |
						   TRAPMAP_TRACE_HYPERCALL |
						   TRAPMAP_TRACE_OTHER);
}

static void a_bad_trace_is_refused_with_what_was_expected(void **state)
{
	assert_bad("--trace only 'ports': 'pio', 'mmio', 'msr', 'hypercall' or 'other' is expected",
		   W("--trace=t,only=ports"));
	assert_bad("--trace only '': 'pio', 'mmio', 'msr', 'hypercall' or 'other' is expected",
		   W("--trace=t,only=pio+"));
	assert_bad("--trace only 'a-word-that-is-longe...': not a kind of exit",
		   W("--trace=t,only=a-word-that-is-longer-than-any-of-the-kinds"));
	assert_bad("--trace: unknown key 'onyl'; did you mean 'only'?",
		   W("--trace=t,onyl=pio"));
	assert_bad("--trace: 'range' needs a value", W("--trace=t,range"));
	assert_bad("--trace: 'only' is given twice",
		   W("--trace=t,only=pio,only=msr"));
	assert_bad("--trace 'only=pio': a file is expected: FILE[,only=...][,range=FIRST-LAST]",
		   W("--trace=only=pio"));
	assert_bad("--trace range '5-2': the first address is above the last",
		   W("--trace=t,range=5-2"));
	assert_bad("--trace '': a path is expected",
		   W("--trace="));
}

static void ranges_are_decimal_or_hexadecimal(void **state)
{
	static const char *const wrong[] = {
		"",    "-",   "0x",   "5-",	"-5",
		"1-2x", "0xg", "1--2", "1-2-3", "+1",
		" 1",  "0",   "0-0",  "18446744073709551616",
		"0x10000000000000000",
	};
	uint64_t first = 77, last = 77;
	const char *why;
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(value_range(wrong[i], &first, &last, &why),
				 -EINVAL);
	assert_int_equal(first, 77);
	assert_int_equal(value_range("0X3F8", &first, &last, &why), 0);
	assert_int_equal(first, 0x3f8);
	assert_int_equal(last, 0x3f8);
	assert_int_equal(value_range("0-0xffffffffffffffff", &first, &last,
				     &why),
			 0);
	assert_true(first == 0 && last == UINT64_MAX);
}

static void one_file_for_two_uses_is_refused(void **state)
{
	assert_bad("--serial and --report both write 'x'; each needs a file of its own",
		   W("--report=x"), W("--serial=file=x"));
	assert_bad("--debugcon and --trace both write 'x'; each needs a file of its own",
		   W("--trace=x"), W("--debugcon=file=x"));
	assert_bad("--report would overwrite 'k', which is the kernel",
		   W("k"), W("--report=k"));
	assert_bad("--trace would overwrite 'i', which is an initrd", W("-i"),
		   W("i"), W("--trace=i"));
	assert_bad("--dump-dtb would overwrite 's', which is what --symbols reads",
		   W("--symbols=s"), W("--dump-dtb=s"));
	assert_good(W("--trace=/dev/null"), W("--report=/dev/null"));
}

#define T(f) cmocka_unit_test(f)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(nothing_is_watched_unless_asked_for),
		T(switches_and_files_are_taken),
		T(a_watchdog_takes_durations_that_fit),
		T(the_debug_console_leads_somewhere_known),
		T(what_is_a_failure_comes_in_lists_and_again),
		T(an_expected_line_is_one_whole_expression),
		T(more_rules_than_a_vm_takes_are_refused),
		T(a_trace_is_of_all_or_of_some_exits),
		T(a_bad_trace_is_refused_with_what_was_expected),
		T(ranges_are_decimal_or_hexadecimal),
		T(one_file_for_two_uses_is_refused),
	};
	int r = cmocka_run_group_tests(tests, NULL, NULL);

	run_opts_done(&opts);
	return r;
}
