// SPDX-License-Identifier: MIT
/* Pause and resume, looking inside, and the serial port. */
#include "api.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void a_pause_stops_the_guest_between_two_instructions(void **state)
{
	struct port port = { 0 };
	struct trapmap_vm *vm = new_vm(GUEST(guest_count), &port);
	uint32_t writes;
	uint64_t val;

	start_vm(vm);
	wait_writes(&port, 10);
	assert_int_equal(trapmap_vcpu_get_reg(vm, 0, "rax", &val), -EBUSY);
	assert_int_equal(trapmap_vm_pause(vm), 0);
	writes = atomic_load(&port.writes);
	usleep(20000);
	assert_int_equal(atomic_load(&port.writes), writes);

	/* EAX is what was written, or one more, and never between the two. */
	assert_int_equal(trapmap_vcpu_get_reg(vm, 0, "rax", &val), 0);
	assert_in_range(val, writes - 1, writes);
	assert_int_equal(trapmap_vcpu_get_reg(vm, 0, "rdx", &val), 0);
	assert_int_equal(val, 0x500);
	assert_int_equal(trapmap_vcpu_get_reg(vm, 0, "cs.base", &val), 0);
	assert_int_equal(val, 0x10000);
	assert_int_equal(trapmap_vcpu_get_reg(vm, 0, "cs", &val), 0);
	assert_int_equal(val, 0x1000);
	assert_int_equal(trapmap_vcpu_get_reg(vm, 0, "nix", &val), -ENOENT);
	assert_int_equal(trapmap_vcpu_get_reg(vm, 7, "rax", &val), -ENOENT);

	assert_int_equal(trapmap_vcpu_set_reg(vm, 0, "rax", 1000000), 0);
	assert_int_equal(trapmap_vm_resume(vm), 0);
	wait_writes(&port, writes + 10);
	assert_in_range(atomic_load(&port.got), 1000000, 2000000);
	trapmap_vm_free(vm);
}

static void pause_and_resume_many_times(void **state)
{
	struct trapmap_machine m = TRAPMAP_MACHINE_INIT;
	struct port port = { 0 };
	struct trapmap_vm *vm = new_vm(GUEST(guest_count), &port);
	int i;

	m.cpus = 4; /* three of them wait for a SIPI that never comes */
	assert_int_equal(trapmap_vm_set_machine(vm, &m), 0);
	start_vm(vm);
	for (i = 0; i < 100; i++) {
		assert_int_equal(trapmap_vm_pause(vm), 0);
		assert_int_equal(trapmap_vm_pause(vm), 0);
		assert_int_equal(trapmap_vm_resume(vm), 0);
	}
	wait_writes(&port, 5);
	trapmap_vm_free(vm);
}

struct resumer {
	struct trapmap_vm *vm;
	_Atomic int quit;
};

static void *keep_resuming(void *opaque)
{
	struct resumer *r = opaque;

	while (!atomic_load(&r->quit)) {
		trapmap_vm_resume(r->vm);
		usleep(50);
	}
	return NULL;
}

static void a_resume_from_another_thread_overtakes_a_pause(void **state)
{
	struct trapmap_machine m = TRAPMAP_MACHINE_INIT;
	struct port port = { 0 };
	struct trapmap_vm *vm = new_vm(GUEST(guest_pm_timer), &port);
	struct resumer resumer = { .vm = vm };
	uint32_t writes, ticks;
	pthread_t thread;
	int i;

	m.cpus = 2;
	assert_int_equal(trapmap_vm_set_machine(vm, &m), 0);
	start_vm(vm);
	assert_int_equal(pthread_create(&thread, NULL, keep_resuming, &resumer),
			 0);
	for (i = 0; i < 1000; i++)
		assert_int_equal(trapmap_vm_pause(vm), 0);
	atomic_store(&resumer.quit, 1);
	pthread_join(thread, NULL);
	assert_int_equal(trapmap_vm_resume(vm), 0);

	/* The guest runs, and so does its clock. */
	writes = atomic_load(&port.writes);
	wait_writes(&port, writes + 2);
	ticks = atomic_load(&port.got);
	usleep(5000);
	writes = atomic_load(&port.writes);
	wait_writes(&port, writes + 2);
	assert_int_not_equal(atomic_load(&port.got), ticks);
	trapmap_vm_free(vm);
}

static void the_power_button_is_for_the_guest(void **state)
{
	struct trapmap_vm *vm = new_vm(GUEST(guest_button), NULL);
	struct trapmap_end end;

	assert_int_equal(trapmap_vm_power_button(vm), -ESRCH);
	start_vm(vm);
	usleep(10000);
	assert_int_equal(trapmap_vm_wait(vm, 0, NULL), -ETIMEDOUT);
	assert_int_equal(trapmap_vm_power_button(vm), 0);
	end = wait_end(vm);
	assert_int_equal(end.kind, TRAPMAP_END_POWEROFF);
	assert_int_equal(trapmap_vm_power_button(vm), 0);
	trapmap_vm_free(vm);
}

static void a_vm_stops_where_no_signal_can_be_queued(void **state)
{
	struct trapmap_vm *vm = new_vm(GUEST(guest_spin), NULL);
	struct rlimit old, none;

	assert_int_equal(getrlimit(RLIMIT_SIGPENDING, &old), 0);
	none = old;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_SIGPENDING, &none), 0);
	start_vm(vm);
	usleep(10000);
	assert_int_equal(trapmap_vm_stop(vm, TRAPMAP_END_TIMEOUT, 0), 0);
	assert_int_equal(wait_end(vm).status, 124);
	assert_int_equal(setrlimit(RLIMIT_SIGPENDING, &old), 0);
	trapmap_vm_free(vm);
}

static void do_nothing(int sig)
{
}

static void a_signal_that_the_embedder_lends_stops_vcpus_too(void **state)
{
	const struct sigaction action = { .sa_handler = do_nothing };
	struct trapmap_machine m = TRAPMAP_MACHINE_INIT;
	struct port port = { 0 };
	struct trapmap_vm *vm = new_vm(GUEST(guest_count), &port);
	struct sigaction old;
	uint32_t writes = 0;
	int i;

	assert_int_equal(sigaction(SIGUSR1, &action, &old), 0);
	m.cpus = 4;
	m.kick_signal = SIGUSR1;
	assert_int_equal(trapmap_vm_set_machine(vm, &m), 0);
	start_vm(vm);
	for (i = 0; i < 200; i++) {
		assert_int_equal(trapmap_vm_pause(vm), 0);
		writes = atomic_load(&port.writes);
		usleep(i % 7 * 100);
		assert_int_equal(atomic_load(&port.writes), writes);
		assert_int_equal(trapmap_vm_resume(vm), 0);
	}
	wait_writes(&port, writes + 5);
	assert_int_equal(trapmap_vm_stop(vm, TRAPMAP_END_STOPPED, 0), 0);
	assert_int_equal(wait_end(vm).kind, TRAPMAP_END_STOPPED);
	trapmap_vm_free(vm);
	sigaction(SIGUSR1, &old, NULL);
}

static void a_paused_vm_can_be_stopped(void **state)
{
	struct trapmap_vm *vm = new_vm(GUEST(guest_spin), NULL);

	assert_int_equal(trapmap_vm_pause(vm), -ESRCH);
	start_vm(vm);
	assert_int_equal(trapmap_vm_pause(vm), 0);
	assert_int_equal(trapmap_vm_stop(vm, TRAPMAP_END_TIMEOUT, 0), 0);
	assert_int_equal(wait_end(vm).status, 124);
	assert_non_null(strstr(trapmap_vm_postmortem(vm), "rip"));
	assert_int_equal(trapmap_vm_pause(vm), -ESRCH);
	trapmap_vm_free(vm);
}

static void guest_memory_can_be_read_and_written(void **state)
{
	struct port port = { 0 };
	struct trapmap_vm *vm = new_vm(GUEST(guest_memory), &port);
	uint8_t byte = 0;

	assert_int_equal(trapmap_vm_read_mem(vm, 0, &byte, 1), -ESRCH);
	start_vm(vm);
	wait_writes(&port, 1);
	assert_int_equal(port.got, 0xffffffff); /* no memory at 0xa0010 */
	assert_int_equal(trapmap_vm_read_mem(vm, 0x3000, &byte, 1), 0);
	assert_int_equal(byte, 0x5a);
	byte = 0x77;
	assert_int_equal(trapmap_vm_write_mem(vm, 0x3000, &byte, 1), 0);
	byte = 0;
	assert_int_equal(trapmap_vm_read_mem(vm, 0x3000, &byte, 1), 0);
	assert_int_equal(byte, 0x77);
	assert_int_equal(trapmap_vm_read_mem(vm, 0xa0000, &byte, 1), -EFAULT);
	assert_int_equal(trapmap_vm_read_mem(vm, UINT64_MAX, &byte, 2),
			 -EFAULT);
	trapmap_vm_free(vm);
}

static void set_serial(struct trapmap_vm *vm, int in, int out)
{
	struct trapmap_serial serial = TRAPMAP_SERIAL_INIT;

	serial.in_fd = in;
	serial.out_fd = out;
	assert_int_equal(trapmap_vm_set_serial(vm, &serial), 0);
}

static void what_goes_in_comes_out(void **state)
{
	struct trapmap_vm *vm = new_vm(GUEST(guest_echo), NULL);
	int in[2], out[2];
	char buf[64] = "";
	size_t n = 0;

	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	set_serial(vm, in[0], out[1]);
	/* Longer than the UART's FIFO, and there before the guest is. */
	assert_int_equal(write(in[1], "the quick brown fox jumps q", 27), 27);
	start_vm(vm);
	assert_int_equal(wait_end(vm).status, 0);
	/* "quick" has the first q: the guest ends there. */
	while (n < 5) {
		ssize_t got = read(out[0], buf + n, sizeof(buf) - n);

		assert_true(got > 0);
		n += (size_t)got;
	}
	assert_string_equal(buf, "the q");
	trapmap_vm_free(vm);
	close(in[0]);
	close(in[1]);
	close(out[0]);
	close(out[1]);
}

struct reader {
	int fd;
	size_t total;
	int wrong;
};

/* Takes its time, and checks every byte. */
static void *read_slowly(void *opaque)
{
	static const char line[] = "0123456789abcde\n";
	struct reader *r = opaque;
	char buf[512];
	ssize_t n, i;

	while ((n = read(r->fd, buf, sizeof(buf))) > 0) {
		for (i = 0; i < n; i++)
			r->wrong += buf[i] != line[(r->total + (size_t)i) % 16];
		r->total += (size_t)n;
		usleep(500);
	}
	return NULL;
}

static void a_slow_reader_loses_nothing(void **state)
{
	struct trapmap_vm *vm = new_vm(GUEST(guest_flood), NULL);
	struct reader reader = { 0 };
	pthread_t thread;
	int out[2];

	assert_int_equal(pipe(out), 0);
	fcntl(out[1], F_SETPIPE_SZ, 4096);
	reader.fd = out[0];
	set_serial(vm, -1, out[1]);
	close(out[1]);
	assert_int_equal(pthread_create(&thread, NULL, read_slowly, &reader), 0);
	start_vm(vm);
	assert_int_equal(wait_end(vm).status, 0);
	trapmap_vm_free(vm);
	pthread_join(thread, NULL);
	assert_int_equal(reader.total, 65536);
	assert_int_equal(reader.wrong, 0);
	close(out[0]);
}

static void a_reader_that_stops_reading_can_be_given_up(void **state)
{
	struct trapmap_vm *vm = new_vm(GUEST(guest_flood), NULL);
	int out[2];

	assert_int_equal(pipe(out), 0);
	fcntl(out[1], F_SETPIPE_SZ, 4096);
	set_serial(vm, -1, out[1]);
	start_vm(vm);
	assert_int_equal(trapmap_vm_wait(vm, 500, NULL), -ETIMEDOUT);
	assert_int_equal(trapmap_vm_stop(vm, TRAPMAP_END_TIMEOUT, 0), 0);
	assert_int_equal(trapmap_vm_wait(vm, 100, NULL), -ETIMEDOUT);
	assert_true(trapmap_vm_discard_output(vm) > 0);
	wait_end(vm);
	trapmap_vm_free(vm);
	close(out[0]);
	close(out[1]);
}

static void a_reader_that_goes_away_is_the_hosts_failure(void **state)
{
	struct trapmap_vm *vm = new_vm(GUEST(guest_flood), NULL);
	struct trapmap_end end;
	int out[2];

	assert_int_equal(pipe(out), 0);
	set_serial(vm, -1, out[1]);
	close(out[0]);
	close(out[1]);
	start_vm(vm);
	end = wait_end(vm);
	assert_int_equal(end.kind, TRAPMAP_END_HOST_FAILURE);
	assert_int_equal(end.status, 4);
	assert_non_null(strstr(end.text, "Broken pipe"));
	trapmap_vm_free(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_pause_stops_the_guest_between_two_instructions),
		cmocka_unit_test(pause_and_resume_many_times),
		cmocka_unit_test(a_resume_from_another_thread_overtakes_a_pause),
		cmocka_unit_test(the_power_button_is_for_the_guest),
		cmocka_unit_test(a_vm_stops_where_no_signal_can_be_queued),
		cmocka_unit_test(
			a_signal_that_the_embedder_lends_stops_vcpus_too),
		cmocka_unit_test(a_paused_vm_can_be_stopped),
		cmocka_unit_test(guest_memory_can_be_read_and_written),
		cmocka_unit_test(what_goes_in_comes_out),
		cmocka_unit_test(a_slow_reader_loses_nothing),
		cmocka_unit_test(a_reader_that_stops_reading_can_be_given_up),
		cmocka_unit_test(a_reader_that_goes_away_is_the_hosts_failure),
	};

	return api_main(tests, sizeof(tests) / sizeof(tests[0]));
}
