// SPDX-License-Identifier: MIT
/* What the consoles make of an end: a VM with no vCPU, and time by hand. */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "core/base.h"
#include "fake_loop.h"
#include "vm.h"

static struct trapmap_vm vm;
static struct fake_loop fl;
static struct machine_host host;

#define MS NSEC_PER_MSEC
#define PANIC_LINE "Kernel panic - not syncing: Attempted to kill init!"

static int setup(void **state)
{
	memset(&vm, 0, sizeof(vm));
	fake_loop_init(&fl, 5 * NSEC_PER_SEC);
	vm.loop = &fl.loop;
	vm.progress_fd = -1;
	vm.state = VM_RUNNING;
	pthread_mutex_init(&vm.control.lock, NULL);
	pthread_cond_init(&vm.control.changed, NULL);
	vm_hooks(&vm, &host);
	return watch_new(&vm.config.watch) ?: settle_init(&vm);
}

static int teardown(void **state)
{
	settle_done(&vm);
	assert_int_equal(fl.timer[0].used, 0);
	watch_free(vm.config.watch);
	pthread_cond_destroy(&vm.control.changed);
	pthread_mutex_destroy(&vm.control.lock);
	return 0;
}

static void rule(enum trapmap_rule what, const char *regex)
{
	struct error err;

	assert_int_equal(watch_add(vm.config.watch, what, regex, &err), 0);
}

static void say(const char *text)
{
	host.console_output(host.opaque, WATCH_COM1, (const uint8_t *)text,
			    strlen(text));
}

static void request(enum end_request kind, uint32_t value)
{
	host.end.request(host.end.opaque, kind, value, "a device");
}

static void assert_end(enum trapmap_end_kind kind, int status)
{
	assert_true(vm.ending);
	vm_settle(&vm);
	if (vm.end.kind != kind || vm.end.status != status)
		fail_msg("%d, status %d: %s", vm.end.kind, vm.end.status,
			 vm.end_text);
}

static void assert_text(const char *text)
{
	assert_string_equal(vm.end.text, text);
}

/* ---- the last second ---------------------------------------------------- */

static void a_silent_guest_has_a_second_after_its_panic(void **state)
{
	rule(TRAPMAP_RULE_PANIC, NULL);
	say("one\n" PANIC_LINE "\n");
	fake_loop_advance(&fl, 999 * MS);
	assert_false(vm.ending);
	fake_loop_advance(&fl, 1 * MS);
	assert_end(TRAPMAP_END_PANIC, 10);
	assert_text("the guest panicked: console line 2: \"" PANIC_LINE "\"");
}

static void one_that_talks_on_has_five(void **state)
{
	int i;

	rule(TRAPMAP_RULE_PANIC, NULL);
	say(PANIC_LINE "\n");
	for (i = 0; i < 49; i++) {
		fake_loop_advance(&fl, 100 * MS);
		say("more\n");
	}
	assert_false(vm.ending);
	fake_loop_advance(&fl, 100 * MS);
	assert_end(TRAPMAP_END_PANIC, 10);
}

static void silence_counts_from_the_last_word(void **state)
{
	rule(TRAPMAP_RULE_PANIC, NULL);
	say(PANIC_LINE "\n");
	fake_loop_advance(&fl, 900 * MS);
	say("x");
	fake_loop_advance(&fl, 999 * MS);
	assert_false(vm.ending);
	fake_loop_advance(&fl, 1 * MS);
	assert_true(vm.ending);
}

static void a_slow_reader_does_not_cut_the_last_words_short(void **state)
{
	rule(TRAPMAP_RULE_PANIC, NULL);
	host.throttle(&vm, true);
	say(PANIC_LINE "\n");
	fake_loop_advance(&fl, 20 * NSEC_PER_SEC);
	assert_false(vm.ending);
	host.throttle(&vm, false);
	fake_loop_advance(&fl, NSEC_PER_SEC);
	assert_true(vm.ending);
}

static void without_the_rule_a_panic_line_is_only_a_line(void **state)
{
	say(PANIC_LINE "\n");
	assert_int_equal(fake_loop_armed(&fl), 0);
	rule(TRAPMAP_RULE_SPLAT, NULL);
	say(PANIC_LINE "\n");
	assert_int_equal(fake_loop_armed(&fl), 0);
}

static void a_guest_that_ends_by_itself_is_not_waited_for(void **state)
{
	rule(TRAPMAP_RULE_PANIC, NULL);
	say(PANIC_LINE "\n");
	request(END_RESET, 0);
	assert_end(TRAPMAP_END_PANIC, 10);
	assert_text("the guest asked for a reset (a device), but its console "
		    "said, line 1: \"" PANIC_LINE "\" (panic)");
	fake_loop_advance(&fl, 9 * NSEC_PER_SEC);
	assert_int_equal(vm.end.kind, TRAPMAP_END_PANIC);
}

static void a_panicked_guest_does_not_start_again(void **state)
{
	vm.config.on_reset = TRAPMAP_ON_RESET_REBOOT;
	rule(TRAPMAP_RULE_PANIC, NULL);
	say("fine\n");
	request(END_RESET, 0);
	assert_false(vm.ending);
	assert_true(vm.reboot);
	say(PANIC_LINE "\n");
	request(END_RESET, 0);
	assert_end(TRAPMAP_END_PANIC, 10);
}

/* ---- an end of the guest's own choice ------------------------------------ */

static void without_rules_ends_stay_as_they_are(void **state)
{
	say("BUG: x\n");
	request(END_POWEROFF, 0);
	assert_end(TRAPMAP_END_POWEROFF, 0);
	assert_text("the guest powered off (a device)");
}

static void a_splat_spoils_a_power_off(void **state)
{
	rule(TRAPMAP_RULE_SPLAT, NULL);
	say("one\ntwo\n[ 1.0] BUG: KASAN: bad\nfour\n");
	request(END_POWEROFF, 0);
	assert_end(TRAPMAP_END_PANIC, 10);
	assert_text("the guest powered off (a device), but its console said, "
		    "line 3: \"[ 1.0] BUG: KASAN: bad\" (splat: KASAN)");
}

static void an_expression_spoils_a_status(void **state)
{
	rule(TRAPMAP_RULE_FAIL, "^not ok");
	say("ok 1\nnot ok 2");
	request(END_DEBUG_EXIT, 16);
	assert_end(TRAPMAP_END_PANIC, 10);
	assert_text("the guest ended with status 33 (a device, value 0x10), "
		    "but its console said, line 2: \"not ok 2\" "
		    "(matches '^not ok')");
}

static void the_debug_console_is_named(void **state)
{
	rule(TRAPMAP_RULE_FAIL, "x");
	host.console_output(host.opaque, WATCH_DEBUGCON, (uint8_t *)"x\n", 2);
	request(END_POWEROFF, 0);
	assert_end(TRAPMAP_END_PANIC, 10);
	assert_non_null(strstr(vm.end.text,
			       "but its debug console said, line 1: \"x\""));
}

static void what_never_came_is_status_16(void **state)
{
	rule(TRAPMAP_RULE_EXPECT, "^all well$");
	say("all well\n");
	rule(TRAPMAP_RULE_EXPECT, "^1\\.\\.9$");
	request(END_POWEROFF, 0);
	assert_end(TRAPMAP_END_EXPECT, 16);
	assert_text("the guest powered off (a device), but no line of its "
		    "console matched '^1\\.\\.9$'");
}

static void what_failed_outdoes_what_never_came(void **state)
{
	rule(TRAPMAP_RULE_EXPECT, "well");
	rule(TRAPMAP_RULE_SPLAT, NULL);
	say("BUG: x\n");
	request(END_POWEROFF, 0);
	assert_end(TRAPMAP_END_PANIC, 10);
}

static void a_crash_kernel_spoils_a_power_off(void **state)
{
	rule(TRAPMAP_RULE_EXPECT, "never");
	vm.crashloaded = true;
	request(END_POWEROFF, 0);
	assert_end(TRAPMAP_END_PANIC, 10);
	assert_non_null(strstr(vm.end.text, "pvpanic"));
}

static void a_long_line_and_a_long_expression_are_cut(void **state)
{
	char text[400], regex[400];

	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	memset(regex, 'a', 200);
	regex[200] = '\0';
	rule(TRAPMAP_RULE_FAIL, regex);
	say(text);
	request(END_POWEROFF, 0);
	assert_end(TRAPMAP_END_PANIC, 10);
	assert_non_null(strstr(vm.end.text, "aaa...\" (matches 'aaa"));
	assert_non_null(strstr(vm.end.text, "aaa...')"));
}

/* ---- ends that the guest did not choose ---------------------------------- */

static void other_ends_keep_their_kind(void **state)
{
	static const enum trapmap_end_kind kinds[] = {
		TRAPMAP_END_HOST_FAILURE, TRAPMAP_END_CRASH,
		TRAPMAP_END_UNCLAIMED,	  TRAPMAP_END_TIMEOUT,
		TRAPMAP_END_STOPPED,
	};
	size_t i;

	rule(TRAPMAP_RULE_EXPECT, "never");
	rule(TRAPMAP_RULE_PANIC, NULL);
	say(PANIC_LINE "\n");
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		bool said = kinds[i] == TRAPMAP_END_CRASH ||
			    kinds[i] == TRAPMAP_END_TIMEOUT;

		vm.ending = vm.settle.done = false;
		vm_end(&vm, kinds[i], (int)kinds[i], -1, "an end");
		assert_end(kinds[i], (int)kinds[i]);
		assert_string_equal(vm.end.text,
				    said ? "an end; its console said, line 1: \""
					   PANIC_LINE "\" (panic)"
					 : "an end");
	}
}

static void a_stuck_guest_that_panicked_has_panicked(void **state)
{
	rule(TRAPMAP_RULE_PANIC, NULL);
	say(PANIC_LINE "\n");
	vm_end(&vm, TRAPMAP_END_STUCK, 12, -1, "all vCPUs halted");
	assert_end(TRAPMAP_END_PANIC, 10);
	assert_text("all vCPUs halted; its console said, line 1: \"" PANIC_LINE
		    "\" (panic)");
}

static void a_stuck_guest_with_a_splat_is_stuck(void **state)
{
	rule(TRAPMAP_RULE_SPLAT, NULL);
	say("BUG: x\n");
	vm_end(&vm, TRAPMAP_END_STUCK, 12, -1, "all vCPUs halted");
	assert_end(TRAPMAP_END_STUCK, 12);
	assert_text("all vCPUs halted; its console said, line 1: \"BUG: x\" "
		    "(splat: BUG)");
}

static void pvpanic_and_the_console_agree(void **state)
{
	rule(TRAPMAP_RULE_PANIC, NULL);
	say(PANIC_LINE "\n");
	vm_end(&vm, TRAPMAP_END_PANIC, 10, -1, "the guest panicked (pvpanic)");
	assert_end(TRAPMAP_END_PANIC, 10);
	assert_text("the guest panicked (pvpanic); its console said, line 1: "
		    "\"" PANIC_LINE "\" (panic)");
}

static void lost_output_does_not_excuse_a_failure(void **state)
{
	rule(TRAPMAP_RULE_SPLAT, NULL);
	say("BUG: x\n");
	request(END_POWEROFF, 0);
	assert_end(TRAPMAP_END_PANIC, 10);
	host.console_failed(&vm, 28);
	assert_int_equal(vm.end.kind, TRAPMAP_END_PANIC);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_silent_guest_has_a_second_after_its_panic),
		T(one_that_talks_on_has_five),
		T(silence_counts_from_the_last_word),
		T(a_slow_reader_does_not_cut_the_last_words_short),
		T(without_the_rule_a_panic_line_is_only_a_line),
		T(a_guest_that_ends_by_itself_is_not_waited_for),
		T(a_panicked_guest_does_not_start_again),
		T(without_rules_ends_stay_as_they_are),
		T(a_splat_spoils_a_power_off),
		T(an_expression_spoils_a_status),
		T(the_debug_console_is_named),
		T(what_never_came_is_status_16),
		T(what_failed_outdoes_what_never_came),
		T(a_crash_kernel_spoils_a_power_off),
		T(a_long_line_and_a_long_expression_are_cut),
		T(other_ends_keep_their_kind),
		T(a_stuck_guest_that_panicked_has_panicked),
		T(a_stuck_guest_with_a_splat_is_stuck),
		T(pvpanic_and_the_console_agree),
		T(lost_output_does_not_excuse_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
