// SPDX-License-Identifier: MIT
/* How a run ends, as the embedder is told. */
#include "api.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct trapmap_end run(struct trapmap_source guest,
			      const struct trapmap_machine *machine)
{
	struct trapmap_vm *vm = new_vm(guest, NULL);
	struct trapmap_end end;

	if (machine)
		assert_int_equal(trapmap_vm_set_machine(vm, machine), 0);
	start_vm(vm);
	end = wait_end(vm);
	if (end.kind == TRAPMAP_END_CRASH)
		assert_non_null(strstr(trapmap_vm_postmortem(vm), "rip"));
	else if (end.kind == TRAPMAP_END_POWEROFF)
		assert_string_equal(trapmap_vm_postmortem(vm), "");
	else /* these guests say nothing */
		assert_non_null(strstr(trapmap_vm_postmortem(vm), "silent"));
	assert_non_null(strstr(trapmap_vm_report(vm), "\"verdict\""));
	assert_ptr_equal(trapmap_vm_report(vm), trapmap_vm_report(vm));
	assert_true(strlen(end.text) > 0);
	trapmap_vm_free(vm);
	end.text = NULL; /* went with the VM */
	return end;
}

static void power_off_is_status_0(void **state)
{
	struct trapmap_end end = run(GUEST(guest_poweroff), NULL);

	assert_int_equal(end.kind, TRAPMAP_END_POWEROFF);
	assert_int_equal(end.status, 0);
}

static void debug_exit_is_odd(void **state)
{
	struct trapmap_end end = run(GUEST(guest_debug_exit), NULL);

	assert_int_equal(end.kind, TRAPMAP_END_GUEST_STATUS);
	assert_int_equal(end.status, 33);
}

static void debug_exit_can_be_plain(void **state)
{
	struct trapmap_machine m = TRAPMAP_MACHINE_INIT;

	m.debug_exit = TRAPMAP_DEBUG_EXIT_PLAIN;
	assert_int_equal(run(GUEST(guest_debug_exit), &m).status, 0x10);
}

static void a_reset_is_status_6(void **state)
{
	struct trapmap_end end = run(GUEST(guest_reset), NULL);

	assert_int_equal(end.kind, TRAPMAP_END_RESET);
	assert_int_equal(end.status, 6);
}

static void a_reset_can_count_as_power_off(void **state)
{
	struct trapmap_machine m = TRAPMAP_MACHINE_INIT;

	m.on_reset = TRAPMAP_ON_RESET_POWEROFF;
	assert_int_equal(run(GUEST(guest_reset), &m).status, 0);
}

static void a_triple_fault_is_status_8_with_a_post_mortem(void **state)
{
	struct trapmap_end end = run(GUEST(guest_triple_fault), NULL);

	assert_int_equal(end.kind, TRAPMAP_END_CRASH);
	assert_int_equal(end.status, 8);
	assert_int_equal(end.vcpu, 0);
}

static void a_reboot_keeps_the_nvram_and_starts_afresh(void **state)
{
	struct trapmap_machine m = TRAPMAP_MACHINE_INIT;
	struct port port = { 0 };
	struct trapmap_vm *vm = new_vm(GUEST(guest_boots), &port);

	m.on_reset = TRAPMAP_ON_RESET_REBOOT;
	m.cpus = 2;
	assert_int_equal(trapmap_vm_set_machine(vm, &m), 0);
	start_vm(vm);
	assert_int_equal(wait_end(vm).status, 0);
	assert_int_equal(port.writes, 3);
	assert_int_equal(port.got, 3);
	trapmap_vm_free(vm);
}

static void stop_says_why(void **state)
{
	static const struct {
		enum trapmap_end_kind kind;
		int signal, status;
		const char *text;
	} cases[] = {
		{ TRAPMAP_END_TIMEOUT, 0, 124, "time limit" },
		{ TRAPMAP_END_STOPPED, SIGTERM, 128 + SIGTERM, "Terminated" },
		{ TRAPMAP_END_STOPPED, 0, 128, "stopped" },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct trapmap_vm *vm = new_vm(GUEST(guest_spin), NULL);
		struct trapmap_end end;

		start_vm(vm);
		assert_int_equal(trapmap_vm_wait(vm, 20, NULL), -ETIMEDOUT);
		assert_int_equal(trapmap_vm_stop(vm, cases[i].kind,
						 cases[i].signal),
				 0);
		end = wait_end(vm);
		assert_int_equal(end.kind, cases[i].kind);
		assert_int_equal(end.status, cases[i].status);
		assert_non_null(strstr(end.text, cases[i].text));
		trapmap_vm_free(vm);
	}
}

static void the_first_end_counts(void **state)
{
	struct trapmap_vm *vm = new_vm(GUEST(guest_sleep), NULL);

	start_vm(vm);
	assert_int_equal(trapmap_vm_stop(vm, TRAPMAP_END_TIMEOUT, 0), 0);
	assert_int_equal(trapmap_vm_stop(vm, TRAPMAP_END_STOPPED, SIGINT), 0);
	assert_int_equal(wait_end(vm).status, 124);
	assert_int_equal(trapmap_vm_stop(vm, TRAPMAP_END_STOPPED, SIGINT), 0);
	assert_int_equal(wait_end(vm).status, 124);
	trapmap_vm_free(vm);
}

static void stop_refuses_what_is_not_its_own(void **state)
{
	struct trapmap_vm *vm = new_vm(GUEST(guest_sleep), NULL);

	assert_int_equal(trapmap_vm_stop(vm, TRAPMAP_END_TIMEOUT, 0), -ESRCH);
	start_vm(vm);
	assert_int_equal(trapmap_vm_stop(vm, TRAPMAP_END_CRASH, 0), -EINVAL);
	assert_int_equal(trapmap_vm_stop(vm, TRAPMAP_END_STOPPED, -1), -EINVAL);
	assert_int_equal(trapmap_vm_stop(vm, TRAPMAP_END_STOPPED, 1000),
			 -EINVAL);
	trapmap_vm_free(vm);
}

static void the_event_fd_tells_of_the_end(void **state)
{
	struct trapmap_vm *vm = new_vm(GUEST(guest_sleep), NULL);
	struct pollfd p = { .fd = trapmap_vm_event_fd(vm), .events = POLLIN };

	start_vm(vm);
	assert_int_equal(poll(&p, 1, 20), 0);
	trapmap_vm_stop(vm, TRAPMAP_END_STOPPED, 0);
	assert_int_equal(poll(&p, 1, GIVE_UP_MS), 1);
	assert_int_equal(trapmap_vm_wait(vm, 0, NULL), 0);
	trapmap_vm_free(vm);
}

static void an_end_without_a_size_is_refused(void **state)
{
	struct trapmap_vm *vm = new_vm(GUEST(guest_poweroff), NULL);
	struct trapmap_end end = { 0 };

	start_vm(vm);
	wait_end(vm);
	assert_int_equal(trapmap_vm_wait(vm, 0, &end), -EINVAL);
	trapmap_vm_free(vm);
}

/* Stops this process, and lets it go on after so long. */
static void be_stopped(unsigned ms)
{
	pid_t us = getpid(), pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		kill(us, SIGSTOP);
		usleep(ms * 1000);
		kill(us, SIGCONT);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void the_watchdog_counts_no_time_in_which_we_were_stopped(void **state)
{
	struct trapmap_vm *vm = new_vm(GUEST(guest_spin), NULL);
	struct trapmap_machine m = TRAPMAP_MACHINE_INIT;
	struct trapmap_end end;

	m.watchdog_ms = 2000;
	assert_int_equal(trapmap_vm_set_machine(vm, &m), 0);
	start_vm(vm);
	assert_int_equal(trapmap_vm_wait(vm, 300, NULL), -ETIMEDOUT);
	be_stopped(2500);
	assert_int_equal(trapmap_vm_wait(vm, 500, NULL), -ETIMEDOUT);
	end = wait_end(vm);
	assert_int_equal(end.kind, TRAPMAP_END_STUCK);
	trapmap_vm_free(vm);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Whenever it dies: a look for signs of life may have been just before. */
static void a_dead_guest_is_found_within_a_second(void **state)
{
	struct trapmap_machine m = TRAPMAP_MACHINE_INIT;
	static const uint32_t ticks[] = { 5, 8, 15, 19, 23 };
	unsigned i;

	m.cpus = 2;
	for (i = 0; i < sizeof(ticks) / sizeof(ticks[0]); i++) {
		struct port port = { .give = ticks[i] };
		struct trapmap_vm *vm = new_vm(GUEST(guest_dies_later), &port);
		int64_t died;

		assert_int_equal(trapmap_vm_set_machine(vm, &m), 0);
		start_vm(vm);
		wait_writes(&port, 1);
		died = now_ms();
		assert_int_equal(wait_end(vm).kind, TRAPMAP_END_STUCK);
		assert_true(now_ms() - died <= 1000);
		trapmap_vm_free(vm);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(power_off_is_status_0),
		cmocka_unit_test(debug_exit_is_odd),
		cmocka_unit_test(debug_exit_can_be_plain),
		cmocka_unit_test(a_reset_is_status_6),
		cmocka_unit_test(a_reset_can_count_as_power_off),
		cmocka_unit_test(a_triple_fault_is_status_8_with_a_post_mortem),
		cmocka_unit_test(a_reboot_keeps_the_nvram_and_starts_afresh),
		cmocka_unit_test(stop_says_why),
		cmocka_unit_test(the_first_end_counts),
		cmocka_unit_test(stop_refuses_what_is_not_its_own),
		cmocka_unit_test(the_event_fd_tells_of_the_end),
		cmocka_unit_test(an_end_without_a_size_is_refused),
		cmocka_unit_test(a_dead_guest_is_found_within_a_second),
		cmocka_unit_test(
			the_watchdog_counts_no_time_in_which_we_were_stopped),
	};

	return api_main(tests, sizeof(tests) / sizeof(tests[0]));
}
