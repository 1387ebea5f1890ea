// SPDX-License-Identifier: MIT
/* I/O threads by name; waits are bounded, none is a measurement. */
#include "test.h"

#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "core/loop.h"
#include "iothreads.h"

static struct iothreads io;

static int setup(void **state)
{
	memset(&io, 0, sizeof(io));
	return 0;
}

static int teardown(void **state)
{
	iothreads_done(&io);
	iothreads_done(&io);
	return 0;
}

static struct loop *get(const char *name)
{
	struct loop *loop = NULL;

	assert_int_equal(iothreads_get(&io, name, &loop), 0);
	assert_non_null(loop);
	return loop;
}

struct seen {
	char name[16];
	int done; /* eventfd */
};

static void look(void *opaque)
{
	struct seen *seen = opaque;
	uint64_t one = 1;

	prctl(PR_GET_NAME, seen->name);
	(void)!write(seen->done, &one, sizeof(one));
}

/* Runs look() on the loop's thread. */
static void look_from(struct loop *loop, struct seen *seen,
		      struct loop_timer **ret_timer)
{
	seen->done = eventfd(0, EFD_CLOEXEC);
	assert_true(seen->done >= 0);
	assert_int_equal(
		loop_timer_new(loop, LOOP_CLOCK_HOST, look, seen, ret_timer), 0);
	loop_timer_set(loop, *ret_timer, 0);
}

static void wait_seen(struct seen *seen)
{
	struct pollfd p = { .fd = seen->done, .events = POLLIN };
	uint64_t n;

	assert_int_equal(poll(&p, 1, 10000), 1);
	assert_int_equal(read(seen->done, &n, sizeof(n)), sizeof(n));
	close(seen->done);
}

static void those_of_one_name_share_a_loop(void **state)
{
	struct loop *a = get("a"), *b = get("b");

	assert_ptr_not_equal(a, b);
	assert_ptr_equal(get("a"), a);
	assert_ptr_equal(get("b"), b);
	assert_ptr_not_equal(get("longname"), get("longnam"));
}

static void each_is_a_thread_that_bears_its_name(void **state)
{
	struct loop *a = get("a"), *b = get("longname");
	struct loop_timer *ta, *tb;
	struct seen in_a, in_b;

	look_from(a, &in_a, &ta);
	look_from(b, &in_b, &tb);
	assert_int_equal(iothreads_start(&io), 0);
	wait_seen(&in_a);
	wait_seen(&in_b);
	assert_string_equal(in_a.name, "io-a");
	assert_string_equal(in_b.name, "io-longname");
	iothreads_stop(&io);
	iothreads_stop(&io);
	loop_timer_free(a, ta);
	loop_timer_free(b, tb);
}

static void the_vms_clock_runs_and_stands_on_all_of_them(void **state)
{
	struct loop *loop[] = { get("a"), get("b") };
	int64_t held[2];
	unsigned i;

	for (i = 0; i < 2; i++)
		assert_int_equal(loop_now(loop[i], LOOP_CLOCK_VM), 0);
	iothreads_clock_run(&io);
	usleep(1000);
	iothreads_clock_hold(&io);
	for (i = 0; i < 2; i++) {
		held[i] = loop_now(loop[i], LOOP_CLOCK_VM);
		assert_true(held[i] >= 1000000);
	}
	usleep(1000);
	for (i = 0; i < 2; i++)
		assert_true(loop_now(loop[i], LOOP_CLOCK_VM) == held[i]);
}

static void none_at_all_is_fine(void **state)
{
	assert_int_equal(iothreads_start(&io), 0);
	iothreads_clock_run(&io);
	iothreads_clock_hold(&io);
	iothreads_stop(&io);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(those_of_one_name_share_a_loop),
		T(each_is_a_thread_that_bears_its_name),
		T(the_vms_clock_runs_and_stands_on_all_of_them),
		T(none_at_all_is_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
