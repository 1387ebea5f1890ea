// SPDX-License-Identifier: MIT
/* The real loop on its thread. Waits are bounded; none is a measurement. */
#include "test.h"

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/base.h"
#include "loop.h"

static struct loop *loop;
static int done_fd; /* a callback says that it ran */
static atomic_int calls;

static int setup(void **state)
{
	atomic_store(&calls, 0);
	done_fd = eventfd(0, EFD_SEMAPHORE | EFD_CLOEXEC);
	assert_true(done_fd >= 0);
	assert_int_equal(vm_loop_new(&loop), 0);
	assert_int_equal(vm_loop_start(loop, "test-loop"), 0);
	return 0;
}

static int teardown(void **state)
{
	vm_loop_free(loop);
	close(done_fd);
	return 0;
}

static void say_done(void)
{
	uint64_t one = 1;

	atomic_fetch_add(&calls, 1);
	assert_int_equal(write(done_fd, &one, sizeof(one)), sizeof(one));
}

/* Whether a callback ran within ten seconds. */
static bool wait_done(int timeout_ms)
{
	struct pollfd p = { .fd = done_fd, .events = POLLIN };
	uint64_t n;

	if (poll(&p, 1, timeout_ms) != 1)
		return false;
	return read(done_fd, &n, sizeof(n)) == sizeof(n);
}

static void on_timer(void *opaque)
{
	say_done();
}

static void a_timer_fires_once_at_its_time(void **state)
{
	struct loop_timer *t;
	int64_t at = loop_now(loop, LOOP_CLOCK_HOST) + 20 * NSEC_PER_MSEC;

	assert_int_equal(
		loop_timer_new(loop, LOOP_CLOCK_HOST, on_timer, NULL, &t), 0);
	loop_timer_set(loop, t, at);
	assert_true(wait_done(10000));
	assert_true(loop_now(loop, LOOP_CLOCK_HOST) >= at);
	assert_false(wait_done(50));
	loop_timer_free(loop, t);
}

static void a_deadline_that_has_passed_fires_at_once(void **state)
{
	struct loop_timer *t;

	assert_int_equal(
		loop_timer_new(loop, LOOP_CLOCK_HOST, on_timer, NULL, &t), 0);
	loop_timer_set(loop, t, -5);
	assert_true(wait_done(10000));
	loop_timer_free(loop, t);
}

static void a_disarmed_timer_does_not_fire(void **state)
{
	struct loop_timer *t;

	assert_int_equal(
		loop_timer_new(loop, LOOP_CLOCK_HOST, on_timer, NULL, &t), 0);
	loop_timer_set(loop, t,
		       loop_now(loop, LOOP_CLOCK_HOST) + 30 * NSEC_PER_MSEC);
	loop_timer_set(loop, t, LOOP_NEVER);
	assert_false(wait_done(80));
	loop_timer_free(loop, t);
}

static void the_vms_clock_stands_until_it_runs_and_while_it_is_held(void **state)
{
	struct loop_timer *t;
	int64_t held;

	assert_int_equal(loop_now(loop, LOOP_CLOCK_VM), 0);
	assert_int_equal(
		loop_timer_new(loop, LOOP_CLOCK_VM, on_timer, NULL, &t), 0);
	loop_timer_set(loop, t, NSEC_PER_MSEC);
	assert_false(wait_done(30));

	vm_loop_clock_run(loop);
	assert_true(wait_done(10000));
	assert_true(loop_now(loop, LOOP_CLOCK_VM) >= NSEC_PER_MSEC);

	vm_loop_clock_hold(loop);
	held = loop_now(loop, LOOP_CLOCK_VM);
	loop_timer_set(loop, t, held + 1);
	assert_false(wait_done(30));
	assert_true(loop_now(loop, LOOP_CLOCK_VM) == held);

	vm_loop_clock_run(loop);
	assert_true(wait_done(10000));
	assert_true(loop_now(loop, LOOP_CLOCK_VM) - held < 5 * NSEC_PER_SEC);
	loop_timer_free(loop, t);
}

static void take_byte(void *opaque, unsigned events)
{
	const int *fd = opaque;
	char c;

	assert_int_equal(events, LOOP_IN);
	assert_int_equal(read(*fd, &c, 1), 1);
	say_done();
}

static void a_watch_follows_its_events(void **state)
{
	struct loop_watch *w;
	int fd[2];

	assert_int_equal(pipe(fd), 0);
	assert_int_equal(
		loop_watch_new(loop, fd[0], 0, take_byte, &fd[0], &w), 0);
	assert_int_equal(write(fd[1], "ab", 2), 2);
	assert_false(wait_done(30));
	loop_watch_set(loop, w, LOOP_IN);
	assert_true(wait_done(10000));
	assert_true(wait_done(10000));
	loop_watch_set(loop, w, 0);
	assert_int_equal(write(fd[1], "c", 1), 1);
	assert_false(wait_done(30));
	loop_watch_free(loop, w);
	close(fd[0]);
	close(fd[1]);
}

static void count_hangup(void *opaque, unsigned events)
{
	struct loop_watch **w = opaque;

	loop_watch_set(loop, *w, 0);
	say_done();
}

static void a_hang_up_counts_as_an_event_but_not_when_none_is_wanted(void **state)
{
	struct loop_watch *w = NULL;
	int fd[2];

	assert_int_equal(pipe(fd), 0);
	assert_int_equal(loop_watch_new(loop, fd[0], 0, count_hangup, &w, &w),
			 0);
	close(fd[1]);
	assert_false(wait_done(30));
	loop_watch_set(loop, w, LOOP_IN);
	assert_true(wait_done(10000));
	assert_false(wait_done(50));
	assert_int_equal(atomic_load(&calls), 1);
	loop_watch_free(loop, w);
	close(fd[0]);
}

struct drain {
	int fd;
	struct loop_watch *watch;
	char got[8];
	ssize_t len;
};

static void drain_file(void *opaque, unsigned events)
{
	struct drain *d = opaque;
	ssize_t n = read(d->fd, d->got + d->len, 1);

	if (n == 1) {
		d->len++;
		return;
	}
	loop_watch_set(loop, d->watch, 0);
	say_done();
}

static void a_file_that_cannot_be_polled_is_always_ready(void **state)
{
	char path[] = "/tmp/trapmap-loop-XXXXXX";
	struct drain d = { .fd = mkstemp(path) };

	unlink(path);
	assert_int_equal(write(d.fd, "xyz", 3), 3);
	assert_int_equal(lseek(d.fd, 0, SEEK_SET), 0);
	assert_int_equal(
		loop_watch_new(loop, d.fd, 0, drain_file, &d, &d.watch), 0);
	assert_false(wait_done(30));
	loop_watch_set(loop, d.watch, LOOP_IN);
	assert_true(wait_done(10000));
	assert_false(wait_done(30));
	assert_memory_equal(d.got, "xyz", 3);
	loop_watch_free(loop, d.watch);
	close(d.fd);
}

static struct loop_timer *self;

static void free_self(void *opaque)
{
	loop_timer_free(loop, self);
	say_done();
}

static void a_callback_may_free_its_own_timer(void **state)
{
	assert_int_equal(
		loop_timer_new(loop, LOOP_CLOCK_HOST, free_self, NULL, &self),
		0);
	loop_timer_set(loop, self, 0);
	assert_true(wait_done(10000));
}

static atomic_bool entered, left;

static void slow(void *opaque)
{
	atomic_store(&entered, true);
	usleep(30000);
	atomic_store(&left, true);
}

static void free_waits_for_a_callback_that_runs(void **state)
{
	struct loop_timer *t;
	int i;

	assert_int_equal(loop_timer_new(loop, LOOP_CLOCK_HOST, slow, NULL, &t),
			 0);
	loop_timer_set(loop, t, 0);
	for (i = 0; i < 10000 && !atomic_load(&entered); i++)
		usleep(1000);
	assert_true(atomic_load(&entered));
	loop_timer_free(loop, t);
	assert_true(atomic_load(&left));
}

static void read_mask(void *opaque)
{
	sigset_t *mask = opaque;

	pthread_sigmask(SIG_SETMASK, NULL, mask);
	say_done();
}

static void the_thread_has_every_signal_blocked(void **state)
{
	struct loop_timer *t;
	sigset_t mask;

	assert_int_equal(
		loop_timer_new(loop, LOOP_CLOCK_HOST, read_mask, &mask, &t), 0);
	loop_timer_set(loop, t, 0);
	assert_true(wait_done(10000));
	assert_true(sigismember(&mask, SIGINT));
	assert_true(sigismember(&mask, SIGPIPE));
	assert_true(sigismember(&mask, SIGRTMIN));
	loop_timer_free(loop, t);
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	assert_false(sigismember(&mask, SIGINT));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_timer_fires_once_at_its_time),
		T(a_deadline_that_has_passed_fires_at_once),
		T(a_disarmed_timer_does_not_fire),
		T(the_vms_clock_stands_until_it_runs_and_while_it_is_held),
		T(a_watch_follows_its_events),
		T(a_hang_up_counts_as_an_event_but_not_when_none_is_wanted),
		T(a_file_that_cannot_be_polled_is_always_ready),
		T(a_callback_may_free_its_own_timer),
		T(free_waits_for_a_callback_that_runs),
		T(the_thread_has_every_signal_blocked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
