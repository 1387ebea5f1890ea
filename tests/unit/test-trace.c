// SPDX-License-Identifier: MIT
/* A trace's way out: to a file, a full disk, a slow reader, one that is gone. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "core/bus.h"
#include "flight.h"
#include "trace.h"
#include "trapmap/trapmap.h"
#include "tsc.h"

static uint64_t no_read(struct device *dev, uint64_t off, unsigned size)
{
	return 0;
}

static void no_write(struct device *dev, uint64_t off, unsigned size,
		     uint64_t val)
{
}

static struct device_ops ops = {
	.name = "uart", .sizes = 1, .read = no_read, .write = no_write,
};

static struct device dev;
static struct bus pio, mmio;
static struct trace *trace;
static _Atomic unsigned rooms, drains;

static void on_room(void *opaque)
{
	atomic_fetch_add(&rooms, 1);
}

static void on_drained(void *opaque)
{
	atomic_fetch_add(&drains, 1);
}

static const struct trace_hooks hooks = { .room = on_room,
					  .drained = on_drained };

static int setup(void **state)
{
	ops.name = "uart";
	device_init(&dev, &ops);
	bus_init(&pio, 0xffff);
	bus_init(&mmio, UINT64_MAX - 1);
	assert_int_equal(bus_add(&pio, 0x3f8, 8, &dev, 0), 0);
	atomic_store(&rooms, 0);
	atomic_store(&drains, 0);
	trace = NULL;
	return 0;
}

static int teardown(void **state)
{
	trace_free(trace);
	bus_done(&pio);
	bus_done(&mmio);
	device_done(&dev);
	return 0;
}

static void start(int fd, unsigned cpus, const struct trapmap_trace *config)
{
	struct trapmap_trace t = TRAPMAP_TRACE_INIT;

	if (config)
		t = *config;
	t.fd = fd;
	assert_int_equal(trace_new(&t, cpus, &pio, &mmio, &hooks, &trace), 0);
}

/* As vcpu.c does: stands while there is no room. */
static void put(unsigned cpu, uint32_t reason, uint64_t addr, uint8_t flags)
{
	const struct flight_record rec = {
		.tsc = tsc_read(), .addr = addr, .value = 0x41, .reason = reason,
		.count = 1, .size = 1, .flags = flags,
		.rip = UINT64_C(0xffffffff81000000),
	};

	if (!trace_put(trace, cpu, &rec, 10))
		return;
	while (trace_is_full(trace, cpu))
		nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
}

static json_t *read_json(int fd)
{
	json_error_t error;
	json_t *root;

	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	root = json_loadfd(fd, 0, &error);
	if (!root)
		fail_msg("line %d: %s", error.line, error.text);
	assert_true(json_is_array(root));
	return root;
}

static const char *text_of(const json_t *event, const char *key)
{
	return json_string_value(json_object_get(event, key));
}

static const json_t *args_of(const json_t *event)
{
	return json_object_get(event, "args");
}

static void a_trace_is_json_and_has_every_exit(void **state)
{
	int fd = memfd_create("trace", 0);
	double last[2] = { 0 };
	size_t i, exits = 0;
	uint64_t told = 0;
	json_t *root, *ev;

	start(fd, 2, NULL);
	for (i = 0; i < 10000; i++)
		put(i % 3 == 0, KVM_EXIT_IO, 0x3f8, FLIGHT_WRITE);
	assert_int_equal(trace_finish(trace, 0x1c000000, &told), 0);
	assert_int_equal(told, 10000);
	assert_int_equal(atomic_load(&drains), 1);

	root = read_json(fd);
	ev = json_array_get(root, 0);
	assert_string_equal(text_of(ev, "name"), "process_name");
	assert_string_equal(text_of(ev, "ph"), "M");
	ev = json_array_get(root, 1);
	assert_string_equal(text_of(ev, "name"), "trapmap_trace");
	assert_int_equal(json_integer_value(json_object_get(args_of(ev),
							    "version")),
			 1);
	ev = json_array_get(root, 3);
	assert_string_equal(text_of(ev, "name"), "thread_name");
	assert_string_equal(text_of(args_of(ev), "name"), "vCPU 1");
	json_array_foreach(root, i, ev) {
		double ts = json_number_value(json_object_get(ev, "ts"));
		json_int_t cpu = json_integer_value(json_object_get(ev, "tid"));

		if (strcmp(text_of(ev, "ph"), "X") != 0)
			continue;
		exits++;
		assert_in_range(cpu, 0, 1);
		assert_true(ts >= last[cpu] - 1e-6); /* a sum of decimals */
		last[cpu] = ts + json_number_value(json_object_get(ev, "dur"));
		assert_string_equal(text_of(ev, "name"), "out 0x3f8 uart");
		assert_string_equal(text_of(ev, "cat"), "pio");
		assert_string_equal(text_of(args_of(ev), "value"), "0x41");
		assert_string_equal(text_of(args_of(ev), "rip"),
				    "0xffffffff81000000");
	}
	assert_int_equal(exits, 10000);
	ev = json_array_get(root, json_array_size(root) - 1);
	assert_string_equal(text_of(ev, "name"), "trapmap_end");
	assert_int_equal(json_integer_value(json_object_get(args_of(ev),
							    "exits")),
			 10000);
	assert_string_equal(text_of(args_of(ev), "kernel_offset"),
			    "0x1c000000");
	json_decref(root);
	close(fd);
}

static void kinds_and_a_range_choose_exits(void **state)
{
	struct trapmap_trace config = TRAPMAP_TRACE_INIT;
	int fd = memfd_create("trace", 0);
	uint64_t told = 0;
	json_t *root;

	config.kinds = TRAPMAP_TRACE_PIO | TRAPMAP_TRACE_MSR |
		       TRAPMAP_TRACE_OTHER;
	config.first = 0x70;
	config.last = 0x71;
	start(fd, 1, &config);
	put(0, KVM_EXIT_IO, 0x6f, 0);
	put(0, KVM_EXIT_IO, 0x70, 0);
	put(0, KVM_EXIT_IO, 0x72, 0);
	put(0, KVM_EXIT_MMIO, 0x71, 0);
	put(0, KVM_EXIT_X86_RDMSR, 0x71, 0);
	put(0, KVM_EXIT_SHUTDOWN, 0, 0); /* has no address */
	assert_int_equal(trace_finish(trace, 0, &told), 0);
	assert_int_equal(told, 2);
	root = read_json(fd);
	assert_string_equal(text_of(json_array_get(root, 3), "name"),
			    "in 0x70 unclaimed");
	assert_string_equal(text_of(json_array_get(root, 4), "name"),
			    "rdmsr 0x71");
	json_decref(root);
	close(fd);
}

static void a_full_disk_ends_the_trace_and_holds_nobody(void **state)
{
	int i, fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	uint64_t told = 77;

	assert_true(fd >= 0);
	start(fd, 1, NULL);
	for (i = 0; i < 50000; i++)
		put(0, KVM_EXIT_IO, 0x3f8, 0);
	assert_int_equal(trace_finish(trace, 0, &told), -ENOSPC);
	assert_int_equal(told, 0);
	assert_true(trace_drain(trace, 0));
	close(fd);
}

static void a_reader_that_goes_away_ends_the_trace(void **state)
{
	uint64_t told;
	int i, fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	close(fds[0]);
	start(fds[1], 1, NULL);
	for (i = 0; i < 20000; i++)
		put(0, KVM_EXIT_IO, 0x3f8, 0);
	assert_int_equal(trace_finish(trace, 0, &told), -EPIPE);
	assert_int_equal(told, 0);
	close(fds[1]);
}

static void *count_lines_slowly(void *opaque)
{
	size_t lines = 0, i;
	char buf[16384];
	ssize_t n;

	while ((n = read(*(int *)opaque, buf, sizeof(buf))) > 0) {
		for (i = 0; i < (size_t)n; i++)
			lines += buf[i] == '\n';
		nanosleep(&(struct timespec){ .tv_nsec = 200000 }, NULL);
	}
	return (void *)lines;
}

static void a_slow_reader_loses_nothing(void **state)
{
	pthread_t thread;
	uint64_t told;
	int i, fds[2];
	void *lines;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(pthread_create(&thread, NULL, count_lines_slowly,
					&fds[0]),
			 0);
	start(fds[1], 1, NULL);
	for (i = 0; i < 30000; i++)
		put(0, KVM_EXIT_IO, 0x3f8, 0);
	assert_int_equal(trace_finish(trace, 0, &told), 0);
	assert_int_equal(told, 30000);
	assert_true(atomic_load(&rooms) > 0);
	trace = trace_free(trace);
	close(fds[1]);
	assert_int_equal(pthread_join(thread, &lines), 0);
	/* "[", three lines of metadata, the end, "]" */
	assert_int_equal((size_t)lines, 30000 + 6);
	close(fds[0]);
}

/* Up to when a vCPU would have to stand. */
static unsigned fill(void)
{
	struct flight_record rec = { .tsc = tsc_read(), .reason = KVM_EXIT_HLT };
	unsigned n = 0;

	while (!trace_put(trace, 0, &rec, 1) && n < 100000)
		n++;
	return n;
}

static void a_stuck_reader_does_not_hold_the_end(void **state)
{
	struct timespec before, after;
	uint64_t told;
	int i, fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	start(fds[1], 1, NULL);
	do {
		nanosleep(&(struct timespec){ .tv_nsec = 30000000 }, NULL);
	} while (fill() > 0);
	assert_true(trace_is_full(trace, 0));
	/* What finishes an instruction has room all the same. */
	for (i = 0; i < 2048; i++)
		(void)trace_put(trace, 0,
				&(struct flight_record){
					.reason = KVM_EXIT_IO },
				1);
	clock_gettime(CLOCK_MONOTONIC, &before);
	assert_int_equal(trace_finish(trace, 0, &told), -ETIMEDOUT);
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_in_range(after.tv_sec - before.tv_sec, 0, 5);
	assert_false(trace_is_full(trace, 0));
	close(fds[0]);
	close(fds[1]);
}

static void a_trace_is_given_up_at_once_when_it_is_freed(void **state)
{
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	start(fds[1], 1, NULL);
	do {
		nanosleep(&(struct timespec){ .tv_nsec = 30000000 }, NULL);
	} while (fill() > 0);
	trace = trace_free(trace);
	close(fds[0]);
	close(fds[1]);
}

static void names_are_escaped(void **state)
{
	int fd = memfd_create("trace", 0);
	uint64_t told;
	json_t *root;

	ops.name = "a\"b\\c\n\x1b\xff \xc3\xa4 \xed\xa0\x80";
	start(fd, 1, NULL);
	put(0, KVM_EXIT_IO, 0x3f8, 0);
	assert_int_equal(trace_finish(trace, 0, &told), 0);
	root = read_json(fd);
	assert_string_equal(text_of(json_array_get(root, 3), "name"),
			    "in 0x3f8 a\"b\\c\n\x1b? \xc3\xa4 ???");
	json_decref(root);
	close(fd);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_trace_is_json_and_has_every_exit),
		T(kinds_and_a_range_choose_exits),
		T(a_full_disk_ends_the_trace_and_holds_nobody),
		T(a_reader_that_goes_away_ends_the_trace),
		T(a_slow_reader_loses_nothing),
		T(a_stuck_reader_does_not_hold_the_end),
		T(a_trace_is_given_up_at_once_when_it_is_freed),
		T(names_are_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
