// SPDX-License-Identifier: MIT
/* What a guest says on its consoles decides how its run ends. */
#include "api.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COM1 0x3f8
#define DEBUGCON 0xe9

struct rule {
	enum trapmap_rule rule;
	const char *regex;
};

static struct trapmap_vm *vm;
static struct trapmap_end end;
static uint8_t image[2048]; /* the VM reads it in start */

/* guest_say with what it is to say; see guests.S. */
static struct trapmap_source saying(uint16_t port, const char *text, char then)
{
	struct trapmap_source guest = GUEST(guest_say);
	size_t n = guest.len;

	assert_true(n + strlen(text) + 4 <= sizeof(image));
	memcpy(image, guest.data, n);
	image[n++] = port & 0xff;
	image[n++] = (uint8_t)(port >> 8);
	memcpy(image + n, text, strlen(text) + 1);
	n += strlen(text) + 1;
	image[n++] = (uint8_t)then;
	guest.data = image;
	guest.len = n;
	return guest;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Runs it to its end, with up to two rules; the VM is left for its text. */
static int64_t run(struct trapmap_source guest,
		   const struct trapmap_machine *machine, struct rule a,
		   struct rule b)
{
	int64_t begin;

	vm = new_vm(guest, NULL);
	if (machine)
		assert_int_equal(trapmap_vm_set_machine(vm, machine), 0);
	assert_int_equal(trapmap_vm_add_rule(vm, a.rule, a.regex), 0);
	assert_int_equal(trapmap_vm_add_rule(vm, b.rule, b.regex), 0);
	start_vm(vm);
	begin = now_ms();
	end = wait_end(vm);
	return now_ms() - begin;
}

static int teardown(void **state)
{
	vm = trapmap_vm_free(vm);
	return 0;
}

static const struct rule panic = { TRAPMAP_RULE_PANIC, NULL };
static const struct rule splat = { TRAPMAP_RULE_SPLAT, NULL };

static struct rule expect(const char *regex)
{
	return (struct rule){ TRAPMAP_RULE_EXPECT, regex };
}

static void assert_end(int status, const char *text)
{
	if (end.status != status || !strstr(end.text, text))
		fail_msg("status %d: %s", end.status, end.text);
}

static void a_panic_ends_a_guest_that_spins_after_it(void **state)
{
	int64_t ms = run(saying(COM1,
				"up\n[ 0.1] Kernel panic - not syncing: x\n",
				's'),
			 NULL, panic, splat);

	assert_int_equal(end.kind, TRAPMAP_END_PANIC);
	assert_end(10, "the guest panicked: console line 2: \"[ 0.1] Kernel "
		       "panic - not syncing: x\"");
	assert_true(ms >= 900 && ms < 10000);
}

static void a_panic_and_a_halt_for_good_are_a_panic(void **state)
{
	run(saying(COM1, "Kernel panic - not syncing: x\n", 'h'), NULL, panic,
	    splat);
	assert_end(10, "Kernel panic");
}

static void a_panic_and_a_reset_are_a_panic_at_once(void **state)
{
	struct trapmap_machine m = TRAPMAP_MACHINE_INIT;

	m.on_reset = TRAPMAP_ON_RESET_REBOOT;
	run(saying(COM1, "Kernel panic - not syncing: x\n", 'r'), &m, panic,
	    splat);
	assert_end(10, "the guest asked for a reset");
}

static void a_splat_turns_a_power_off_into_status_10(void **state)
{
	run(saying(COM1, "one\ntwo\r\nBUG: unable to handle page fault\nx", 'p'),
	    NULL, splat, expect("one"));
	assert_end(10, "console said, line 3: \"BUG: unable to handle page "
		       "fault\" (splat: BUG)");
}

static void the_debug_console_counts_too(void **state)
{
	run(saying(DEBUGCON, "BUG: x\n", 'p'), NULL, splat, panic);
	assert_end(10, "debug console said, line 1");
}

static void what_came_is_well_and_what_did_not_is_status_16(void **state)
{
	run(saying(COM1, "1..3\nlogin: ", 'p'), NULL, expect("^1\\.\\.[0-9]$"),
	    expect("login: $"));
	assert_end(0, "powered off");
	trapmap_vm_free(vm);

	run(saying(COM1, "1..3\n", 'p'), NULL, expect("^1\\.\\.[0-9]$"),
	    expect("^ok"));
	assert_int_equal(end.kind, TRAPMAP_END_EXPECT);
	assert_end(16, "no line of its console matched '^ok'");
}

static void a_time_limit_tells_what_the_console_said(void **state)
{
	vm = new_vm(saying(COM1, "BUG: soft lockup - CPU#0\n", 's'), NULL);
	assert_int_equal(trapmap_vm_add_rule(vm, TRAPMAP_RULE_SPLAT, NULL), 0);
	start_vm(vm);
	assert_int_equal(trapmap_vm_wait(vm, 200, NULL), -ETIMEDOUT);
	assert_int_equal(trapmap_vm_stop(vm, TRAPMAP_END_TIMEOUT, 0), 0);
	end = wait_end(vm);
	assert_end(124, "said, line 1: \"BUG: soft lockup - CPU#0\"");
}

static void without_rules_a_guest_may_say_anything(void **state)
{
	vm = new_vm(saying(COM1, "Kernel panic - not syncing: x\nBUG: y\n",
			   'p'),
		    NULL);
	start_vm(vm);
	end = wait_end(vm);
	assert_int_equal(end.status, 0);
}

static void rules_are_checked(void **state)
{
	vm = new_vm(saying(COM1, "", 'p'), NULL);
	assert_int_equal(trapmap_vm_add_rule(vm, TRAPMAP_RULE_FAIL, "a(b"),
			 -EINVAL);
	assert_non_null(strstr(trapmap_vm_error(vm), "'a(b'"));
	start_vm(vm);
	assert_int_equal(trapmap_vm_add_rule(vm, TRAPMAP_RULE_FAIL, "ab"),
			 -EBUSY);
	assert_int_equal(wait_end(vm).status, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_teardown(name, teardown)
	const struct CMUnitTest tests[] = {
		T(a_panic_ends_a_guest_that_spins_after_it),
		T(a_panic_and_a_halt_for_good_are_a_panic),
		T(a_panic_and_a_reset_are_a_panic_at_once),
		T(a_splat_turns_a_power_off_into_status_10),
		T(the_debug_console_counts_too),
		T(what_came_is_well_and_what_did_not_is_status_16),
		T(a_time_limit_tells_what_the_console_said),
		T(without_rules_a_guest_may_say_anything),
		T(rules_are_checked),
	};

	return api_main(tests, sizeof(tests) / sizeof(tests[0]));
}
