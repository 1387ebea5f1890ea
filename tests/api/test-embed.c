// SPDX-License-Identifier: MIT
/* What an embedder may rely on: no surprises in its process. */
#include "api.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static unsigned count_entries(const char *path)
{
	unsigned n = 0;
	DIR *dir = opendir(path);

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void two_vms_at_once_set_their_clocks_differently(void **state)
{
	struct port port[2] = { { .give = 0x71 }, { .give = 0x98 } };
	struct trapmap_vm *vm[2];
	time_t before = time(NULL);
	int i;

	for (i = 0; i < 2; i++)
		vm[i] = new_vm(GUEST(guest_clock), &port[i]);
	for (i = 0; i < 2; i++)
		start_vm(vm[i]);
	for (i = 0; i < 2; i++)
		wait_writes(&port[i], 1);
	assert_int_equal(port[0].got, 0x71);
	assert_int_equal(port[1].got, 0x98);
	/* The host's clock went on as ever. */
	assert_in_range(time(NULL) - before, 0, 60);
	for (i = 0; i < 2; i++)
		trapmap_vm_free(vm[i]);
}

static void an_index_is_never_torn_by_another_vm(void **state)
{
	struct port port[3] = { { .give = 0x11 }, { .give = 0x22 },
				{ .give = 0x44 } };
	struct trapmap_vm *vm[3];
	int i;

	for (i = 0; i < 3; i++)
		vm[i] = new_vm(GUEST(guest_index), &port[i]);
	for (i = 0; i < 3; i++)
		start_vm(vm[i]);
	for (i = 0; i < 3; i++) {
		wait_writes(&port[i], 1);
		assert_int_equal(port[i].got, 0);
	}
	for (i = 0; i < 3; i++)
		trapmap_vm_free(vm[i]);
}

static void nothing_is_left_behind(void **state)
{
	unsigned fds = 0, tasks = 0;
	int i;

	for (i = 0; i < 10; i++) {
		struct trapmap_machine m = TRAPMAP_MACHINE_INIT;
		struct trapmap_vm *vm;

		if (i == 1) {
			fds = count_entries("/proc/self/fd");
			tasks = count_entries("/proc/self/task");
		}
		m.cpus = 3;
		vm = new_vm(i % 2 ? GUEST(guest_spin) : GUEST(guest_poweroff),
			    NULL);
		assert_int_equal(trapmap_vm_set_machine(vm, &m), 0);
		start_vm(vm);
		trapmap_vm_free(vm); /* while it runs, or has just ended */
	}
	assert_int_equal(count_entries("/proc/self/fd"), fds);
	assert_int_equal(count_entries("/proc/self/task"), tasks);
}

static void a_quiet_guest_costs_no_more_descriptors(void **state)
{
	struct trapmap_vm *vm = new_vm(GUEST(guest_quiet), NULL);
	unsigned fds;

	start_vm(vm);
	assert_int_equal(trapmap_vm_wait(vm, 50, NULL), -ETIMEDOUT);
	fds = count_entries("/proc/self/fd");
	/* Long enough for it to be looked at. */
	assert_int_equal(trapmap_vm_wait(vm, 700, NULL), -ETIMEDOUT);
	assert_int_equal(count_entries("/proc/self/fd"), fds);
	trapmap_vm_free(vm);
}

static void no_signal_is_touched(void **state)
{
	struct trapmap_vm *vm = new_vm(GUEST(guest_spin), NULL);
	struct sigaction before[65], after;
	sigset_t mask_before, mask_after;
	int sig;

	for (sig = 1; sig <= 64; sig++)
		sigaction(sig, NULL, &before[sig]);
	pthread_sigmask(SIG_SETMASK, NULL, &mask_before);
	start_vm(vm);
	assert_int_equal(trapmap_vm_pause(vm), 0);
	assert_int_equal(trapmap_vm_resume(vm), 0);
	for (sig = 1; sig <= 64; sig++) {
		if (sigaction(sig, NULL, &after) == 0)
			assert_true(after.sa_handler ==
				    before[sig].sa_handler);
	}
	trapmap_vm_free(vm);
	pthread_sigmask(SIG_SETMASK, NULL, &mask_after);
	for (sig = 1; sig <= 64; sig++)
		assert_int_equal(sigismember(&mask_before, sig),
				 sigismember(&mask_after, sig));
}

static void options_are_fixed_once_it_runs(void **state)
{
	struct trapmap_machine m = TRAPMAP_MACHINE_INIT;
	struct trapmap_source guest = GUEST(guest_sleep);
	struct trapmap_vm *vm = new_vm(guest, NULL);

	start_vm(vm);
	assert_int_equal(trapmap_vm_set_machine(vm, &m), -EBUSY);
	assert_int_equal(trapmap_vm_set_kernel(vm, &guest), -EBUSY);
	assert_int_equal(trapmap_vm_add_initrd(vm, &guest), -EBUSY);
	assert_int_equal(trapmap_vm_set_cmdline(vm, "x"), -EBUSY);
	assert_int_equal(trapmap_vm_start(vm), -EBUSY);
	assert_true(strlen(trapmap_vm_error(vm)) > 0);
	trapmap_vm_free(vm);
}

static void bad_options_are_refused_by_name(void **state)
{
	struct trapmap_machine m = TRAPMAP_MACHINE_INIT;
	struct trapmap_vm *vm;

	assert_int_equal(trapmap_vm_new(&vm), 0);
	m.mem = 4096;
	assert_int_equal(trapmap_vm_set_machine(vm, &m), -EINVAL);
	assert_non_null(strstr(trapmap_vm_error(vm), "4096"));
	m.mem = (1 << 20) + 1;
	assert_int_equal(trapmap_vm_set_machine(vm, &m), -EINVAL);
	m = (struct trapmap_machine)TRAPMAP_MACHINE_INIT;
	m.kick_signal = 1000;
	assert_int_equal(trapmap_vm_set_machine(vm, &m), -EINVAL);
	m = (struct trapmap_machine)TRAPMAP_MACHINE_INIT;
	m.size = 3;
	assert_int_equal(trapmap_vm_set_machine(vm, &m), -EINVAL);
	m = (struct trapmap_machine)TRAPMAP_MACHINE_INIT;
	m.rtc_base = TRAPMAP_RTC_BASE_EPOCH;
	m.rtc_epoch = INT64_C(253402300800); /* the year 10000 */
	assert_int_equal(trapmap_vm_set_machine(vm, &m), -EINVAL);
	m.rtc_epoch = INT64_MIN;
	assert_int_equal(trapmap_vm_set_machine(vm, &m), -EINVAL);
	m = (struct trapmap_machine)TRAPMAP_MACHINE_INIT;
	m.cpu = "host,-nonsense";
	assert_int_equal(trapmap_vm_set_machine(vm, &m), -EINVAL);
	assert_non_null(strstr(trapmap_vm_error(vm), "nonsense"));
	/* What no KVM offers is known once it is asked. */
	m.cpu = "host,+ia64";
	assert_int_equal(trapmap_vm_set_machine(vm, &m), 0);
	assert_true(trapmap_vm_start(vm) < 0);
	assert_int_equal(trapmap_vm_start_status(vm), 2);
	assert_non_null(strstr(trapmap_vm_error(vm), "ia64"));
	trapmap_vm_free(vm);
}

static void too_much_is_refused_with_the_limit(void **state)
{
	struct trapmap_machine m = TRAPMAP_MACHINE_INIT;
	struct trapmap_vm *vm;

	m.cpus = 100000;
	assert_int_equal(trapmap_vm_new(&vm), 0);
	assert_int_equal(trapmap_vm_set_machine(vm, &m), 0);
	assert_true(trapmap_vm_start(vm) < 0);
	assert_int_equal(trapmap_vm_start_status(vm), 2);
	assert_non_null(strstr(trapmap_vm_error(vm), "100000"));
	trapmap_vm_free(vm);

	m.cpus = 1;
	m.mem = UINT64_C(1) << 60;
	assert_int_equal(trapmap_vm_new(&vm), 0);
	assert_int_equal(trapmap_vm_set_machine(vm, &m), 0);
	assert_true(trapmap_vm_start(vm) < 0);
	assert_int_equal(trapmap_vm_start_status(vm), 2);
	trapmap_vm_free(vm);
}

static void a_host_without_kvm_is_status_4(void **state)
{
	struct trapmap_machine m = TRAPMAP_MACHINE_INIT;
	struct trapmap_vm *vm = new_vm(GUEST(guest_poweroff), NULL);

	m.kvm_path = "/nonexistent/kvm";
	assert_int_equal(trapmap_vm_set_machine(vm, &m), 0);
	assert_int_equal(trapmap_vm_start(vm), -ENOENT);
	assert_int_equal(trapmap_vm_start_status(vm), 4);
	assert_non_null(strstr(trapmap_vm_error(vm), "/nonexistent/kvm"));
	trapmap_vm_free(vm);
}

static uint64_t never_read(void *opaque, uint64_t off, unsigned size)
{
	return 0;
}

static void never_write(void *opaque, uint64_t off, unsigned size, uint64_t val)
{
}

static void devices_that_clash_are_refused(void **state)
{
	struct port port = { 0 };
	struct trapmap_vm *vm = new_vm(GUEST(guest_poweroff), &port);
	struct trapmap_device dev = {
		.size = sizeof(dev),
		.name = "second",
		.base = 0x502,
		.len = 1,
		.read = never_read,
		.write = never_write,
	};

	assert_int_equal(trapmap_vm_add_device(vm, &dev), -EEXIST);
	assert_non_null(strstr(trapmap_vm_error(vm), "test port"));
	dev.base = 0xffff;
	dev.len = 2;
	assert_int_equal(trapmap_vm_add_device(vm, &dev), -EINVAL);
	dev.base = 0x71;
	dev.len = 1;
	assert_int_equal(trapmap_vm_add_device(vm, &dev), 0);
	assert_int_equal(trapmap_vm_start(vm), -EEXIST);
	assert_non_null(strstr(trapmap_vm_error(vm), "second"));
	trapmap_vm_free(vm);
}

static void a_device_where_ram_or_kvm_answers_is_refused_by_start(void **state)
{
	static const struct {
		enum trapmap_space space;
		uint64_t base;
		const char *what;
	} places[] = {
		{ TRAPMAP_SPACE_MMIO, 0x9fffc, "memory" },
		{ TRAPMAP_SPACE_MMIO, 0x100000, "memory" },
		{ TRAPMAP_SPACE_MMIO, 0xfec00010, "IOAPIC" },
		{ TRAPMAP_SPACE_MMIO, 0xfee00ffc, "local APIC" },
		{ TRAPMAP_SPACE_PIO, 0x1e, "interrupt controller" },
		{ TRAPMAP_SPACE_PIO, 0x43, "timer" },
	};
	size_t i;

	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct trapmap_vm *vm = new_vm(GUEST(guest_poweroff), NULL);
		const struct trapmap_device dev = {
			.size = sizeof(dev),
			.name = "mine",
			.space = places[i].space,
			.base = places[i].base,
			.len = 4,
			.read = never_read,
			.write = never_write,
		};

		assert_int_equal(trapmap_vm_add_device(vm, &dev), 0);
		assert_int_equal(trapmap_vm_start(vm), -EEXIST);
		assert_int_equal(trapmap_vm_start_status(vm), 2);
		assert_non_null(strstr(trapmap_vm_error(vm), "'mine'"));
		assert_non_null(strstr(trapmap_vm_error(vm), places[i].what));
		trapmap_vm_free(vm);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_vms_at_once_set_their_clocks_differently),
		cmocka_unit_test(an_index_is_never_torn_by_another_vm),
		cmocka_unit_test(nothing_is_left_behind),
		cmocka_unit_test(a_quiet_guest_costs_no_more_descriptors),
		cmocka_unit_test(no_signal_is_touched),
		cmocka_unit_test(options_are_fixed_once_it_runs),
		cmocka_unit_test(bad_options_are_refused_by_name),
		cmocka_unit_test(too_much_is_refused_with_the_limit),
		cmocka_unit_test(a_host_without_kvm_is_status_4),
		cmocka_unit_test(devices_that_clash_are_refused),
		cmocka_unit_test(
			a_device_where_ram_or_kvm_answers_is_refused_by_start),
	};

	return api_main(tests, sizeof(tests) / sizeof(tests[0]));
}
