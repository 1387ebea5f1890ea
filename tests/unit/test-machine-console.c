// SPDX-License-Identifier: MIT
/* The board without KVM: its consoles, and what a slow reader does. */
#include "test.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "core/base.h"
#include "fake_loop.h"
#include "machine.h"

static struct machine m;
static struct machine_config config;
static struct machine_host host;
static struct fake_loop fl;
static struct error err;
static const int no_vm = -1;
static int throttled; /* how many consoles hold the vCPUs */

static void on_throttle(void *opaque, bool on)
{
	*(int *)opaque += on ? 1 : -1;
}

static int setup(void **state)
{
	config = (struct machine_config){
		.platform = platform_pc(MIB(16), 1, TRAPMAP_TRANSPORT_MMIO),
		.debugcon_fd = -1
	};
	host = (struct machine_host){ .throttle = on_throttle,
				      .opaque = &throttled };
	throttled = 0;
	fake_loop_init(&fl, 0);
	return 0;
}

static int teardown(void **state)
{
	unsigned i;

	machine_done(&m);
	/* Whatever the consoles had of the loop they gave back. */
	for (i = 0; i < FAKE_LOOP_MAX; i++)
		assert_false(fl.timer[i].used || fl.watch[i].used);
	return 0;
}

static void assert_builds(void)
{
	if (machine_init(&m, &config, &host, &fl.loop, &no_vm, &err) < 0)
		fail_msg("%s", err.text);
}

static uint64_t in(uint16_t port, unsigned size)
{
	uint64_t val;

	assert_true(bus_read(&m.pio, port, size, &val));
	return val;
}

static void out(uint16_t port, unsigned size, uint64_t val)
{
	assert_true(bus_write(&m.pio, port, size, val));
}

/* What a loop does within a few milliseconds. */
static void pump(void)
{
	unsigned i, round;

	for (round = 0; round < 20; round++) {
		for (i = 0; i < FAKE_LOOP_MAX; i++) {
			struct loop_watch *w = &fl.watch[i];
			struct pollfd p = { .fd = w->fd };

			if (!w->used || !w->events)
				continue;
			p.events = (short)((w->events & LOOP_IN ? POLLIN : 0) |
					   (w->events & LOOP_OUT ? POLLOUT : 0));
			if (poll(&p, 1, 0) == 1)
				w->ready(w->opaque, w->events);
		}
		fake_loop_advance(&fl, NSEC_PER_MSEC);
		usleep(1000);
	}
}

static void com1_speaks_to_the_descriptors(void **state)
{
	int to[2], from[2];
	char c = 0;

	assert_int_equal(pipe2(to, O_NONBLOCK), 0);
	assert_int_equal(pipe2(from, O_NONBLOCK), 0);
	config.serial[0] = (struct machine_serial){ .asked = true,
						    .in_fd = to[0],
						    .out_fd = from[1] };
	assert_builds();
	/* As a driver does: DTR, RTS, the receiver's interrupt. */
	out(0x3fc, 1, 0x03);
	out(0x3f9, 1, 0x01);

	out(0x3f8, 1, 'A');
	pump();
	assert_int_equal(read(from[0], &c, 1), 1);
	assert_int_equal(c, 'A');

	assert_int_equal(write(to[1], "z", 1), 1);
	pump();
	assert_int_equal(in(0x3fd, 1) & 1, 1); /* LSR: data ready */
	assert_int_equal(in(0x3f8, 1), 'z');

	/* The descriptors stay the caller's. */
	machine_done(&m);
	assert_int_equal(close(to[0]) | close(to[1]), 0);
	assert_int_equal(close(from[0]) | close(from[1]), 0);
}

static void a_slow_reader_of_com1_holds_the_vcpus(void **state)
{
	unsigned i;
	int p[2];

	assert_int_equal(pipe(p), 0);
	config.serial[0] = (struct machine_serial){ .asked = true,
						    .in_fd = -1,
						    .out_fd = p[1] };
	assert_builds();
	/* No loop runs meanwhile, so nothing goes out. */
	for (i = 0; i < 70000 && !throttled; i++)
		out(0x3f8, 1, 'x');
	assert_in_range(i, 65000, 66000);
	machine_done(&m);
	close(p[0]);
	close(p[1]);
}

static void both_debug_consoles_speak_to_one_descriptor(void **state)
{
	char text[4] = "";
	int from[2];

	assert_int_equal(pipe2(from, O_NONBLOCK), 0);
	config.debugcon_fd = from[1];
	assert_builds();
	assert_int_equal(in(0xe9, 1), 0xe9);
	assert_int_equal(in(0x402, 1), 0xe9);
	out(0xe9, 1, 'a');
	out(0x402, 1, 'b');
	assert_int_equal(machine_output_pending(&m), 2);
	pump();
	assert_int_equal(machine_output_pending(&m), 0);
	assert_int_equal(read(from[0], text, 3), 2);
	assert_string_equal(text, "ab");

	out(0xe9, 1, 'c');
	out(0x3f8, 1, 'd'); /* nobody is at COM1's other end */
	assert_int_equal(machine_output_discard(&m), 1);
	assert_int_equal(machine_output_pending(&m), 0);
	machine_done(&m);
	assert_int_equal(close(from[0]) | close(from[1]), 0);
}

/* The board hears of each of them, so that the last one to catch up counts. */
static void each_slow_reader_holds_the_vcpus_by_itself(void **state)
{
	int com1[2], debugcon[2];
	unsigned i;

	assert_int_equal(pipe(com1), 0);
	assert_int_equal(pipe(debugcon), 0);
	config.serial[0] = (struct machine_serial){ .asked = true,
						    .in_fd = -1,
						    .out_fd = com1[1] };
	config.debugcon_fd = debugcon[1];
	assert_builds();
	for (i = 0; i < 70000 && throttled < 1; i++)
		out(0xe9, 1, 'x');
	assert_in_range(i, 65000, 66000);
	for (i = 0; i < 70000 && throttled < 2; i++)
		out(0x3f8, 1, 'x');
	assert_in_range(i, 65000, 66000);
	assert_true(machine_output_discard(&m) > 130000);
	assert_int_equal(throttled, 0);
	machine_done(&m);
	close(com1[0]);
	close(com1[1]);
	close(debugcon[0]);
	close(debugcon[1]);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(com1_speaks_to_the_descriptors),
		T(a_slow_reader_of_com1_holds_the_vcpus),
		T(both_debug_consoles_speak_to_one_descriptor),
		T(each_slow_reader_holds_the_vcpus_by_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
