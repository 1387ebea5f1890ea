// SPDX-License-Identifier: MIT
/* The guest's consoles: what a line is, what matches it, what is found first. */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "watch.h"
#include "watch_linux.h"

static struct watch *w;
static struct error err;

static int setup(void **state)
{
	memset(&err, 0, sizeof(err));
	return watch_new(&w);
}

static int teardown(void **state)
{
	w = watch_free(w);
	return 0;
}

static void add(enum trapmap_rule rule, const char *regex)
{
	if (watch_add(w, rule, regex, &err) != 0)
		fail_msg("%s", err.text);
}

static bool feed_to(enum watch_stream stream, const void *buf, size_t len)
{
	return watch_feed(w, stream, buf, len);
}

static bool say(const char *text)
{
	return feed_to(WATCH_COM1, text, strlen(text));
}

/* The line that a rule for `regex` finds in `text`, or 0. */
static uint64_t line_of(const char *regex, const void *text, size_t len)
{
	const struct watch_hit *hit;
	uint64_t n = 0;

	w = watch_free(w);
	assert_int_equal(watch_new(&w), 0);
	add(TRAPMAP_RULE_FAIL, regex);
	feed_to(WATCH_COM1, text, len);
	watch_finish(w);
	hit = watch_failure(w);
	if (hit)
		n = hit->number;
	return n;
}

#define LINE_OF(regex, text) line_of(regex, text, sizeof(text) - 1)

/* ---- Linux's own lines -------------------------------------------------- */

static const struct {
	const char *name, *line;
} faults[] = {
	{ "panic", "[    1.234567] Kernel panic - not syncing: Attempted to "
		   "kill init! exitcode=0x00000100" },
	{ "panic", "<0>[    2.1][    T1] Kernel panic - not syncing: x" },
	{ "panic", "[    1.2] ---[ end Kernel panic - not syncing: x ]---" },
	{ "BUG", "[   12.000001] BUG: kernel NULL pointer dereference, address: "
		 "0000000000000008" },
	{ "BUG", "BUG: unable to handle page fault for address: ffffc90000" },
	{ "BUG", "[    3.1] BUG: scheduling while atomic: sh/91/0x00000002" },
	{ "BUG", "kernel BUG at mm/slub.c:4023!" },
	{ "BUG", "[  9.9][  T77] BUG: sleeping function called from invalid "
		 "context at kernel/locking/mutex.c:585" },
	{ "KASAN", "BUG: KASAN: slab-use-after-free in f+0x1c/0x40 [m]" },
	{ "KASAN", "KASAN: null-ptr-deref in range [0x0008-0x000f]" },
	{ "KCSAN", "BUG: KCSAN: data-race in a / b" },
	{ "KMSAN", "BUG: KMSAN: uninit-value in f+0x10/0x20" },
	{ "KFENCE", "BUG: KFENCE: out-of-bounds read in f+0xa/0x20" },
	{ "UBSAN", "UBSAN: shift-out-of-bounds in lib/x.c:7:12" },
	{ "CFI failure", "CFI failure at f+0x1/0x2 (target: g; expected type: "
			 "0x1)" },
	{ "Oops", "[    4.5] Oops: 0002 [#1] PREEMPT SMP NOPTI" },
	{ "Oops", "invalid opcode: 0000 [#1] SMP" },
	{ "Oops", "Oops: general protection fault, kernel NULL pointer "
		  "dereference 0x8: 0000 [#1] SMP" },
	{ "Oops", "general protection fault, probably for non-canonical "
		  "address 0xdead000000000100: 0000 [#1]" },
	{ "Oops", "stack segment: 0000 [#12] SMP" },
	{ "Oops", "Unable to handle kernel paging request at virtual address "
		  "0000000000000010" },
	{ "double fault", "traps: PANIC: double fault, error_code: 0x0" },
	{ "WARNING", "WARNING: CPU: 0 PID: 1 at kernel/fork.c:123 f+0x1/0x2" },
	{ "WARNING", "[  1.0][    T1] WARNING: kernel/fork.c:123 at "
		     "f+0x1/0x2, CPU#0: swapper/0/1" },
	{ "WARNING", "WARNING: at f+0x1/0x2, CPU#3: sh/99" },
	{ "lockdep", "WARNING: possible circular locking dependency detected" },
	{ "lockdep", "[ 5.5] WARNING: possible recursive locking detected" },
	{ "lockdep", "WARNING: suspicious RCU usage" },
	{ "lockdep", "WARNING: inconsistent lock state" },
	{ "lockdep", "WARNING: HARDIRQ-safe -> HARDIRQ-unsafe lock order "
		     "detected" },
	{ "lockdep", "WARNING: bad unlock balance detected!" },
	{ "lockdep", "WARNING: lock held when returning to user space!" },
	{ "lockdep", "[ INFO: possible circular locking dependency detected ]" },
	{ "lockdep", "[ BUG: Invalid wait context ]" },
	{ "lockdep", "INFO: trying to register non-static key." },
	{ "lockdep", "DEBUG_LOCKS_WARN_ON(lock->magic != lock)" },
	{ "RCU stall", "rcu: INFO: rcu_sched self-detected stall on CPU" },
	{ "RCU stall", "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:" },
	{ "RCU stall", "rcu: INFO: rcu_preempt detected expedited stalls on "
		       "CPUs/tasks: { 0-.... } 21 jiffies s: 37 root: 0x1/." },
	{ "RCU stall", "rcu: rcu_sched kthread starved for 2502 jiffies! g5" },
	{ "hung task", "INFO: task kworker/0:1:11 blocked for more than 120 "
		       "seconds." },
	{ "hung task", "INFO: task my prog:77 blocked for more than 10 s" },
	{ "soft lockup", "watchdog: BUG: soft lockup - CPU#0 stuck for 22s!" },
	{ "hard lockup", "NMI watchdog: Watchdog detected hard LOCKUP on cpu 1" },
	{ "workqueue lockup", "BUG: workqueue lockup - pool cpus=0 stuck" },
	{ "slab corruption", "BUG kmalloc-64 (Not tainted): Redzone "
			     "overwritten" },
	{ "slab corruption", "BUG dentry (Tainted: G    B): Poison overwritten" },
	{ "list corruption", "list_del corruption. prev->next should be "
			     "ffff888003, but was 0" },
	{ "list corruption", "list_add corruption. next->prev should be prev" },
	{ "refcount", "refcount_t: underflow; use-after-free." },
	{ "sysfs duplicate", "sysfs: cannot create duplicate filename '/a/b'" },
	{ "memory leak", "unreferenced object 0xffff888003a1b000 (size 64):" },
	{ "memory leak", "kmemleak: 3 new suspected memory leaks (see "
			 "/sys/kernel/debug/kmemleak)" },
};

static const char *const chatter[] = {
	"",
	":",
	"BUG",
	"BUGS fixed: 12",
	"DEBUG: probing port 0x60",
	"[    0.1] Memory: 1G available, page alloc debugging: off",
	"systemd[1]: WARNING about things that may come",
	"WARNING: Failed to connect to lvmetad. Falling back.",
	"WARNING: Your password has expired.",
	"warning: CPU: 0 PID: 1 at x",
	"lvm: WARNING: lock file not found",
	"Oops: did I do that?",
	"panic: no such thing",
	"kernel panics are rare",
	"[    0.0] Kernel command line: panic=-1 oops=panic",
	"Kernel panic counter: 0",
	"kasan: KernelAddressSanitizer initialized",
	"kfence: initialized - using 2097152 bytes for 255 objects",
	"ubsan: off",
	"rcu: Hierarchical RCU implementation.",
	"rcu: \tRCU restricting CPUs from NR_CPUS=64 to nr_cpu_ids=1.",
	"INFO: task list is empty",
	"INFO: rcu is fine",
	"traps: prog[91] general protection fault ip:401000 sp:7ffc error:0",
	"prog[91]: segfault at 0 ip 0000 sp 0000 error 4 in prog[400000+1000]",
	"Spectre V2 : Mitigation: Retpolines",
	"x86/mm: Memory block size: 128MB [#]",
	"issue: see dead [#x]",
	"my_refcount_t: 1",
	"watchdog: Delayed init of the lockup detector failed: -19",
	"NMI watchdog: Enabled. Permanently consumes one hw-PMU counter.",
	("clocksource: timekeeping watchdog on CPU0: Marking clocksource 'tsc' "
	 "as unstable because the skew is too large:"),
	"Call Trace:",
	"SMEBUG: not one of the kernel's",
	"INFO: task x blocked",
	"WARNING: file.c: 12 at least",
};

static void the_kernels_faults_are_known_by_name(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		const char *name = watch_linux_splat(faults[i].line);

		if (!name || strcmp(name, faults[i].name) != 0)
			fail_msg("\"%s\": %s, not %s", faults[i].line,
				 name ? name : "nothing", faults[i].name);
	}
}

static void only_a_panic_is_a_panic(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(faults); i++)
		if (watch_linux_panic(faults[i].line) !=
		    !strcmp(faults[i].name, "panic"))
			fail_msg("\"%s\"", faults[i].line);
}

static void ordinary_chatter_is_no_fault(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(chatter); i++) {
		const char *name = watch_linux_splat(chatter[i]);

		if (name)
			fail_msg("\"%s\": %s", chatter[i], name);
	}
}

/* ---- lines -------------------------------------------------------------- */

static void lines_are_counted_from_one(void **state)
{
	assert_int_equal(LINE_OF("^x$", "x\nx\n"), 1);
	assert_int_equal(LINE_OF("^x$", "a\n\nx\n"), 3);
	assert_int_equal(LINE_OF("^x$", "a\nxx\n"), 0);
	assert_int_equal(LINE_OF("^$", "a\nb\n"), 0);
	assert_int_equal(LINE_OF("^$", "a\n\n"), 2);
}

static void a_carriage_return_is_no_part_of_a_line(void **state)
{
	assert_int_equal(LINE_OF("^x$", "a\r\nx\r\n"), 2);
	assert_int_equal(LINE_OF("^xy$", "x\ry\n"), 1);
}

static void an_unfinished_line_counts_at_the_end_only(void **state)
{
	add(TRAPMAP_RULE_EXPECT, "login: $");
	say("one\nhost login: ");
	assert_string_equal(watch_missing(w), "login: $");
	watch_finish(w);
	assert_null(watch_missing(w));
	watch_finish(w);
}

static void a_line_may_come_in_pieces(void **state)
{
	add(TRAPMAP_RULE_PANIC, NULL);
	assert_false(say("[ 1.0] Kernel pa"));
	assert_false(say("nic - not sync"));
	assert_false(say("ing: x"));
	assert_null(watch_panic(w));
	assert_true(say("\nmore\n"));
	assert_int_equal(watch_panic(w)->number, 1);
}

static void a_nul_does_not_end_a_line_early(void **state)
{
	assert_int_equal(LINE_OF("a.b", "a\0b\n"), 1);
	assert_int_equal(LINE_OF("b$", "\0\0b\n"), 1);
}

static void escape_sequences_are_taken_out(void **state)
{
	static const char boot[] =
		"\033[2J\033[01;32m[    1.0] \033[1;31mBU\033[0mG: x\033[m\n";

	assert_int_equal(LINE_OF("^\\[    1.0\\] BUG: x$", boot), 1);
	/* A character set, a window title (BEL and ST end it), a reset. */
	assert_int_equal(LINE_OF("^abcd$", "\033(Ba\033]0;t\ab\033]0;t\033\\c"
					   "\033cd\n"),
			 1);
	/* One that is cut short by another, and one by a control character. */
	assert_int_equal(LINE_OF("^ab$", "a\033[1;\033[0mb\n"), 1);
	assert_int_equal(LINE_OF("^a.b$", "a\033[1;\tb\n"), 1);
}

static void no_escape_sequence_swallows_the_next_line(void **state)
{
	assert_int_equal(LINE_OF("^x$", "\033]0;never ends\nx\n"), 2);
	assert_int_equal(LINE_OF("^x$", "\033[1;2\nx\n"), 2);
	assert_int_equal(LINE_OF("^x$", "\033\nx\n"), 2);
	assert_int_equal(LINE_OF("^\\[x$", "\033\n[x\n"), 2);
}

static void a_line_counts_up_to_its_limit(void **state)
{
	static char text[WATCH_LINE_MAX + 16];

	memset(text, 'a', sizeof(text));
	text[WATCH_LINE_MAX - 1] = 'b';
	text[WATCH_LINE_MAX] = 'c';
	text[sizeof(text) - 2] = '\n';
	text[sizeof(text) - 1] = 'd';
	assert_int_equal(line_of("b$", text, sizeof(text)), 1);
	assert_int_equal(line_of("c", text, sizeof(text)), 0);
	assert_int_equal(line_of("^d$", text, sizeof(text)), 2);
}

static void the_streams_do_not_mix(void **state)
{
	const struct watch_hit *hit;

	add(TRAPMAP_RULE_FAIL, "^ac$");
	feed_to(WATCH_DEBUGCON, "a", 1);
	feed_to(WATCH_COM1, "b\n", 2);
	feed_to(WATCH_DEBUGCON, "c\n", 2);
	watch_finish(w);
	hit = watch_failure(w);
	assert_non_null(hit);
	assert_int_equal(hit->stream, WATCH_DEBUGCON);
	assert_int_equal(hit->number, 1);
}

static void bytes_are_counted_with_and_without_rules(void **state)
{
	assert_false(watch_has_rules(w));
	assert_false(say("Kernel panic - not syncing: x\n"));
	assert_null(watch_panic(w));
	assert_int_equal(watch_bytes(w, WATCH_COM1), 30);
	assert_int_equal(watch_bytes(w, WATCH_DEBUGCON), 0);
	add(TRAPMAP_RULE_PANIC, NULL);
	assert_true(watch_has_rules(w));
	feed_to(WATCH_DEBUGCON, "\0\0\0", 3);
	assert_int_equal(watch_bytes(w, WATCH_DEBUGCON), 3);
}

/* ---- rules -------------------------------------------------------------- */

static void a_malformed_expression_is_refused_by_name(void **state)
{
	assert_int_equal(watch_add(w, TRAPMAP_RULE_FAIL, "a(b\033", &err),
			 -EINVAL);
	assert_non_null(strstr(err.text, "'a(b?': "));
	assert_null(strchr(err.text, '\n'));
	assert_int_equal(err.status, ERROR_INPUT);
	assert_int_equal(watch_add(w, TRAPMAP_RULE_EXPECT, "[a", &err),
			 -EINVAL);
	assert_non_null(strstr(err.text, "'[a': "));
	assert_false(watch_has_rules(w));
}

static void what_is_no_rule_is_refused(void **state)
{
	assert_int_equal(watch_add(w, (enum trapmap_rule)4, "x", &err),
			 -EINVAL);
	assert_int_equal(watch_add(w, TRAPMAP_RULE_PANIC, "x", &err), -EINVAL);
	assert_int_equal(watch_add(w, TRAPMAP_RULE_FAIL, NULL, &err), -EINVAL);
	assert_int_equal(watch_add(w, TRAPMAP_RULE_EXPECT, "", &err), -EINVAL);
	assert_false(watch_has_rules(w));
}

static void there_is_a_limit_to_rules(void **state)
{
	unsigned i;

	for (i = 0; i < TRAPMAP_RULES_MAX; i++)
		add(TRAPMAP_RULE_EXPECT, "x");
	assert_int_equal(watch_add(w, TRAPMAP_RULE_FAIL, "x", &err), -E2BIG);
	say("x\n");
	assert_null(watch_missing(w));
}

static void a_built_in_rule_is_there_once(void **state)
{
	const struct watch_hit *hits;

	add(TRAPMAP_RULE_SPLAT, NULL);
	add(TRAPMAP_RULE_SPLAT, NULL);
	say("BUG: x\nBUG: y\n");
	watch_finish(w);
	assert_int_equal(watch_hits(w, &hits), 1);
	assert_string_equal(hits[0].line, "BUG: x");
}

static void a_panic_comes_before_all_others(void **state)
{
	const struct watch_hit *hits;

	add(TRAPMAP_RULE_EXPECT, "BUG");
	add(TRAPMAP_RULE_FAIL, "not syncing");
	add(TRAPMAP_RULE_SPLAT, NULL);
	add(TRAPMAP_RULE_PANIC, NULL);
	assert_false(say("a\nBUG: KASAN: x\n"));
	assert_true(say("Kernel panic - not syncing: y\n"));
	assert_false(say("---[ end Kernel panic - not syncing: y ]---\n"));
	watch_finish(w);
	assert_int_equal(watch_failure(w)->rule, TRAPMAP_RULE_PANIC);
	assert_int_equal(watch_failure(w)->number, 3);
	assert_string_equal(watch_failure(w)->what, "panic");

	assert_int_equal(watch_hits(w, &hits), 4);
	assert_int_equal(hits[0].rule, TRAPMAP_RULE_EXPECT);
	assert_int_equal(hits[1].rule, TRAPMAP_RULE_SPLAT);
	assert_string_equal(hits[1].what, "KASAN");
	assert_int_equal(hits[2].rule, TRAPMAP_RULE_FAIL);
	assert_string_equal(hits[2].what, "not syncing");
}

static void what_was_expected_is_no_failure(void **state)
{
	add(TRAPMAP_RULE_EXPECT, "^1\\.\\.[0-9]+$");
	add(TRAPMAP_RULE_EXPECT, "done|finished");
	say("1..12\n");
	watch_finish(w);
	assert_null(watch_failure(w));
	assert_string_equal(watch_missing(w), "done|finished");
}

static void a_splat_alone_finds_a_panic_too(void **state)
{
	add(TRAPMAP_RULE_SPLAT, NULL);
	assert_false(say("Kernel panic - not syncing: x\n"));
	watch_finish(w);
	assert_string_equal(watch_failure(w)->what, "panic");
	assert_null(watch_panic(w));
}

static void a_line_is_shown_without_control_characters(void **state)
{
	char text[600];
	const char *line;

	add(TRAPMAP_RULE_FAIL, "bad");
	memset(text, 'z', sizeof(text));
	memcpy(text, "bad\t\x01\x7f\x9b\xff", 8);
	text[sizeof(text) - 1] = '\n';
	feed_to(WATCH_COM1, text, sizeof(text));
	watch_finish(w);
	line = watch_failure(w)->line;
	assert_memory_equal(line, "bad ????zzz", 11);
	assert_int_equal(strlen(line), sizeof(watch_failure(w)->line) - 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(the_kernels_faults_are_known_by_name),
		T(only_a_panic_is_a_panic),
		T(ordinary_chatter_is_no_fault),
		T(lines_are_counted_from_one),
		T(a_carriage_return_is_no_part_of_a_line),
		T(an_unfinished_line_counts_at_the_end_only),
		T(a_line_may_come_in_pieces),
		T(a_nul_does_not_end_a_line_early),
		T(escape_sequences_are_taken_out),
		T(no_escape_sequence_swallows_the_next_line),
		T(a_line_counts_up_to_its_limit),
		T(the_streams_do_not_mix),
		T(bytes_are_counted_with_and_without_rules),
		T(a_malformed_expression_is_refused_by_name),
		T(what_is_no_rule_is_refused),
		T(there_is_a_limit_to_rules),
		T(a_built_in_rule_is_there_once),
		T(a_panic_comes_before_all_others),
		T(what_was_expected_is_no_failure),
		T(a_splat_alone_finds_a_panic_too),
		T(a_line_is_shown_without_control_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
