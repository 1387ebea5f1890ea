// SPDX-License-Identifier: MIT
/* Statistics and traces, as an embedder gets them. */
#include "api.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <jansson.h>

static struct trapmap_vm *builtin_vm(void)
{
	struct trapmap_vm *vm;

	assert_int_equal(trapmap_vm_new(&vm), 0);
	return vm;
}

static void trace_to(struct trapmap_vm *vm, int fd)
{
	struct trapmap_trace trace = TRAPMAP_TRACE_INIT;

	trace.fd = fd;
	assert_int_equal(trapmap_vm_set_trace(vm, &trace), 0);
	close(fd);
}

/* A descriptor of the same file; its offset is shared. */
static int another(int fd)
{
	fd = dup(fd);
	assert_true(fd >= 0);
	return fd;
}

static void statistics_name_the_devices(void **state)
{
	struct trapmap_vm *vm = builtin_vm();
	const char *text;

	assert_int_equal(trapmap_vm_set_stats(vm, 1), 0);
	start_vm(vm);
	assert_int_equal(wait_end(vm).kind, TRAPMAP_END_POWEROFF);
	text = trapmap_vm_stats(vm);
	assert_non_null(strstr(text, "16550A"));
	assert_non_null(strstr(text, "0x3f8-0x3ff"));
	assert_non_null(strstr(text, "Wall time"));
	assert_int_equal(text[strlen(text) - 1], '\n');
	assert_int_equal(trapmap_vm_set_stats(vm, 0), -EBUSY);
	trapmap_vm_free(vm);
}

static void nobody_asked_nothing_is_there(void **state)
{
	struct trapmap_vm *vm = builtin_vm();
	uint64_t exits = 5;

	assert_string_equal(trapmap_vm_stats(vm), "");
	start_vm(vm);
	wait_end(vm);
	assert_string_equal(trapmap_vm_stats(vm), "");
	assert_int_equal(trapmap_vm_trace_status(vm, &exits), -ESRCH);
	assert_int_equal(exits, 5);
	trapmap_vm_free(vm);
}

static void a_trace_is_json_and_tells_how_many_exits_it_has(void **state)
{
	struct trapmap_machine m = TRAPMAP_MACHINE_INIT;
	struct trapmap_vm *vm = builtin_vm();
	int fd = memfd_create("trace", MFD_CLOEXEC);
	uint64_t exits = 0, seen = 0;
	json_t *root, *event;
	json_error_t error;
	bool uart = false;
	size_t i;

	m.cpus = 4;
	assert_int_equal(trapmap_vm_set_machine(vm, &m), 0);
	trace_to(vm, another(fd));
	start_vm(vm);
	assert_int_equal(wait_end(vm).kind, TRAPMAP_END_POWEROFF);
	assert_int_equal(trapmap_vm_trace_status(vm, &exits), 0);
	trapmap_vm_free(vm);

	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	root = json_loadfd(fd, 0, &error);
	if (!root)
		fail_msg("line %d: %s", error.line, error.text);
	json_array_foreach(root, i, event) {
		const char *name = json_string_value(
			json_object_get(event, "name"));

		seen += strcmp(json_string_value(json_object_get(event, "ph")),
			       "X") == 0;
		uart |= strcmp(name, "out 0x3f8 16550A") == 0;
	}
	assert_true(uart);
	assert_in_range(exits, 100, 10000000);
	assert_true(seen == exits);
	json_decref(root);
	close(fd);
}

static void a_full_disk_is_not_the_guests_affair(void **state)
{
	struct trapmap_vm *vm = builtin_vm();
	uint64_t exits = 5;

	trace_to(vm, open("/dev/full", O_WRONLY | O_CLOEXEC));
	start_vm(vm);
	assert_int_equal(wait_end(vm).kind, TRAPMAP_END_POWEROFF);
	assert_int_equal(trapmap_vm_trace_status(vm, &exits), -ENOSPC);
	assert_int_equal(exits, 0);
	trapmap_vm_free(vm);
}

static void a_vcpu_that_waits_for_its_trace_can_be_paused_and_stopped(
	void **state)
{
	struct port port = { 0 };
	struct trapmap_vm *vm = new_vm(GUEST(guest_count), &port);
	uint32_t writes, before;
	uint64_t exits, rip;
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	trace_to(vm, fds[1]);
	start_vm(vm);
	do {
		before = atomic_load(&port.writes);
		usleep(200000);
		writes = atomic_load(&port.writes);
	} while (writes == 0 || writes != before);
	assert_int_equal(trapmap_vm_pause(vm), 0);
	assert_int_equal(trapmap_vcpu_get_reg(vm, 0, "rip", &rip), 0);
	assert_int_equal(trapmap_vm_resume(vm), 0);
	assert_int_equal(trapmap_vm_pause(vm), 0);
	assert_int_equal(trapmap_vm_resume(vm), 0);
	assert_int_equal(trapmap_vm_stop(vm, TRAPMAP_END_TIMEOUT, 0), 0);
	assert_int_equal(wait_end(vm).kind, TRAPMAP_END_TIMEOUT);
	assert_int_equal(trapmap_vm_trace_status(vm, &exits), -ETIMEDOUT);
	assert_in_range(exits, 1, writes);
	trapmap_vm_free(vm);
	close(fds[0]);
}

/* A reader that takes little, but goes on taking it. */
static void *sip(void *opaque)
{
	int fd = *(int *)opaque;
	char buf[64];

	while (read(fd, buf, sizeof(buf)) > 0)
		usleep(100000);
	return NULL;
}

static void freeing_a_vm_does_not_wait_for_a_slow_reader_of_its_trace(
	void **state)
{
	struct port port = { 0 };
	struct trapmap_vm *vm = new_vm(GUEST(guest_count), &port);
	pthread_t reader;
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	trace_to(vm, fds[1]);
	start_vm(vm);
	assert_int_equal(pthread_create(&reader, NULL, sip, &fds[0]), 0);
	usleep(300000);
	/* The pipe alone would last it for minutes. */
	trapmap_vm_free(vm);
	pthread_cancel(reader);
	pthread_join(reader, NULL);
	close(fds[0]);
}

static void a_refused_msr_is_a_fault_for_the_guest_and_on_record(void **state)
{
	struct trapmap_vm *vm = new_vm(GUEST(guest_bad_msr), NULL);
	int fd = memfd_create("trace", MFD_CLOEXEC);
	char buf[8192] = "";
	uint64_t exits;

	trace_to(vm, another(fd));
	start_vm(vm);
	assert_int_equal(wait_end(vm).status, 33);
	assert_int_equal(trapmap_vm_trace_status(vm, &exits), 0);
	assert_true(pread(fd, buf, sizeof(buf) - 1, 0) > 0);
	/* Linux 5.10 and later: an older KVM keeps it to itself. */
	if (exits > 1)
		assert_non_null(strstr(buf, "rdmsr 0x12345678"));
	trapmap_vm_free(vm);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statistics_name_the_devices),
		cmocka_unit_test(nobody_asked_nothing_is_there),
		cmocka_unit_test(
			a_trace_is_json_and_tells_how_many_exits_it_has),
		cmocka_unit_test(a_full_disk_is_not_the_guests_affair),
		cmocka_unit_test(
			a_vcpu_that_waits_for_its_trace_can_be_paused_and_stopped),
		cmocka_unit_test(
			freeing_a_vm_does_not_wait_for_a_slow_reader_of_its_trace),
		cmocka_unit_test(
			a_refused_msr_is_a_fault_for_the_guest_and_on_record),
	};

	return api_main(tests, sizeof(tests) / sizeof(tests[0]));
}
