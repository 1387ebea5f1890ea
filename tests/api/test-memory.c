// SPDX-License-Identifier: MIT
/*
 * Memory that the guest frees goes back to the host, which is seen by how much of
 * this process is resident. The guest, virtio-balloon.elf, is the argument; it does
 * what a letter on its serial port says, and prints a line when that is done.
 */
#include "api.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MIB (1024L * 1024)
#define LEN (64 * MIB) /* what the guest writes to, or reports */

static const char *guest;
static struct trapmap_vm *vm;
static int to_guest = -1;
static FILE *from_guest;

/* Bytes of this process that are in memory. */
static long resident(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	long size, pages = -1;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%ld %ld", &size, &pages), 2);
	fclose(f);
	return pages * sysconf(_SC_PAGESIZE);
}

static void expect(const char *want)
{
	char line[128];

	/* The test's own time limit ends a wait for ever. */
	do {
		if (!fgets(line, sizeof(line), from_guest))
			fail_msg("the guest did not say '%s'", want);
	} while (strncmp(line, want, strlen(want)) != 0);
}

static void tell(char what)
{
	assert_int_equal(write(to_guest, &what, 1), 1);
}

static void have(char what)
{
	tell(what);
	expect("done");
}

static int setup(void **state)
{
	struct trapmap_source kernel = { .size = sizeof(kernel) };
	struct trapmap_serial serial = TRAPMAP_SERIAL_INIT;
	struct trapmap_machine m = TRAPMAP_MACHINE_INIT;
	struct trapmap_balloon balloon = TRAPMAP_BALLOON_INIT;
	int in[2], out[2];

	kernel.path = guest;
	m.mem = 128 * MIB;
	m.transport = TRAPMAP_TRANSPORT_MMIO;
	balloon.reporting = 1;
	if (trapmap_vm_new(&vm) || pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		return -1;
	serial.in_fd = in[0];
	serial.out_fd = out[1];
	if (trapmap_vm_set_machine(vm, &m) ||
	    trapmap_vm_set_kernel(vm, &kernel) ||
	    trapmap_vm_set_cmdline(vm, "follow") ||
	    trapmap_vm_set_serial(vm, &serial) ||
	    trapmap_vm_set_balloon(vm, &balloon))
		return -1;
	close(in[0]);
	close(out[1]);
	to_guest = in[1];
	from_guest = fdopen(out[0], "r");
	start_vm(vm);
	expect("asked for 0 MiB");
	return 0;
}

static int teardown(void **state)
{
	close(to_guest);
	trapmap_vm_free(vm);
	fclose(from_guest);
	return 0;
}

static void what_the_guest_reports_is_no_longer_resident(void **state)
{
	struct trapmap_balloon_stats s = TRAPMAP_BALLOON_STATS_INIT;
	long before = resident(), full, empty;

	have('t');
	full = resident();
	assert_true(full - before >= LEN - MIB);
	have('r');
	empty = resident();
	assert_true(full - empty >= LEN - MIB);
	assert_int_equal(trapmap_vm_balloon_stats(vm, &s), 0);
	assert_int_equal(s.reported, LEN);
	assert_int_equal(s.actual, 0);
	/* It can be used again. */
	have('t');
	assert_true(resident() - empty >= LEN - MIB);
	tell('q');
	assert_int_equal(wait_end(vm).kind, TRAPMAP_END_POWEROFF);
}

static void what_the_guest_gives_up_is_no_longer_resident(void **state)
{
	struct trapmap_balloon_stats s = TRAPMAP_BALLOON_STATS_INIT;
	long full;

	have('t');
	full = resident();
	assert_int_equal(trapmap_vm_balloon_target(vm, LEN), 0);
	have('g');
	assert_true(full - resident() >= LEN - MIB);
	assert_int_equal(trapmap_vm_balloon_stats(vm, &s), 0);
	assert_int_equal(s.target, LEN);
	assert_int_equal(s.actual, LEN);
	assert_int_equal(s.reported, 0);
	assert_int_equal(trapmap_vm_balloon_target(vm, 129 * MIB), -EINVAL);
	tell('q');
	assert_int_equal(wait_end(vm).kind, TRAPMAP_END_POWEROFF);
	assert_int_equal(trapmap_vm_balloon_target(vm, 0), -ESRCH);
	assert_int_equal(trapmap_vm_balloon_stats(vm, &s), 0);
	assert_int_equal(s.actual, LEN);
}

/* It counts how often it was asked, as mebibytes that are free. */
static void the_guest_is_asked_for_its_statistics(void **state)
{
	struct trapmap_balloon_stats s = TRAPMAP_BALLOON_STATS_INIT;
	uint64_t told = 0;
	int i;

	for (i = 0; i < GIVE_UP_MS && told < 10; i++) {
		assert_int_equal(trapmap_vm_balloon_stats(vm, &s), 0);
		if (s.free != UINT64_MAX) {
			assert_true(s.free / MIB >= told);
			told = s.free / MIB;
			assert_int_equal(s.total, LEN);
			assert_true(s.caches == UINT64_MAX);
		}
		usleep(1000);
	}
	assert_int_equal(told, 10);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_the_guest_reports_is_no_longer_resident, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			what_the_guest_gives_up_is_no_longer_resident, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			the_guest_is_asked_for_its_statistics, setup, teardown),
	};

	guest = argc > 1 ? argv[1] : "virtio-balloon.elf";
	return api_main(tests, sizeof(tests) / sizeof(tests[0]));
}
