// SPDX-License-Identifier: MIT
/* --net. What the library itself refuses is test-net.c's. */
#include "test.h"
#include "opts_rig.h"

#include <errno.h>
#include <stdlib.h>

#include "cli/opts_net.h"

#define N W("-n")

static const struct opts_net *net(unsigned n)
{
	return (const struct opts_net *)opts.attached[n];
}

static void a_network_is_of_the_processs_own_or_a_tap(void **state)
{
	assert_good(N, W("user"), W("--net=tap=tap0,vhost,queues=16"), N,
		    W("fd=7,mac=52:54:00:12:34:56,iothread=net"));
	assert_int_equal(opts.attached_count, 3);
	assert_string_equal(net(0)->kind, "user");
	assert_int_equal(net(0)->fd, -1);
	assert_null(net(1)->kind);
	assert_string_equal(net(1)->tap, "tap0");
	assert_true(net(1)->vhost);
	assert_int_equal(net(1)->queues, 16);
	assert_null(net(2)->tap);
	assert_int_equal(net(2)->fd, 7);
	assert_string_equal(net(2)->mac, "52:54:00:12:34:56");
	assert_string_equal(net(2)->iothread, "net");
	assert_int_equal(net(2)->queues, 0);
	/* Any number of the first. */
	assert_good(N, W("user"), N, W("user,offline"));
	assert_true(net(1)->offline);
}

static void forwards_are_kept_in_their_order(void **state)
{
	assert_good(N, W("user,hostfwd=tcp:8080:80,hostfwd=udp:1.2.3.4:53:53"));
	assert_int_equal(net(0)->forward.count, 2);
	assert_string_equal(net(0)->forward.text[0], "tcp:8080:80");
	assert_string_equal(net(0)->forward.text[1], "udp:1.2.3.4:53:53");
}

static void none_is_no_network_and_stands_alone(void **state)
{
	static const char text[] =
		"--net none and another --net contradict each other";

	assert_good(N, W("none"));
	assert_true(net(0)->none);
	assert_bad(text, N, W("none"), N, W("user"));
	assert_bad(text, N, W("tap=tap0"), N, W("none"));
	assert_bad("--net: 'mac' does not go with 'none'", N,
		   W("none,mac=52:54:00:12:34:56"));
	assert_bad("--net: 'hostfwd' does not go with 'none'", N,
		   W("none,hostfwd=tcp:1:1"));
}

static void what_makes_no_network_is_refused(void **state)
{
	assert_bad("--net '': an empty item; KEY=VALUE[,KEY=VALUE] is expected "
		   "(a comma in a value is written twice)",
		   N, W(""));
	assert_bad("--net 'usr': user, tap=NAME, fd=N or none is expected first",
		   N, W("usr"));
	assert_bad("--net 'mac=52:54:00:12:34:56': one of user, tap=NAME, fd=N "
		   "or none is expected",
		   N, W("mac=52:54:00:12:34:56"));
	assert_bad("--net 'user,tap=tap0': one of user, tap=NAME, fd=N or none "
		   "is expected",
		   N, W("user,tap=tap0"));
	assert_bad("--net 'tap=tap0,fd=3': one of user, tap=NAME, fd=N or none "
		   "is expected",
		   N, W("tap=tap0,fd=3"));
	assert_bad("--net: unknown key 'hostfw'; did you mean 'hostfwd'?", N,
		   W("user,hostfw=tcp:1:1"));
	assert_bad("--net: unknown key 'x'; known: 'user', 'tap', 'fd', "
		   "'hostfwd', 'offline', 'vhost', 'queues', 'mac', 'iothread'",
		   N, W("user,x"));
	assert_bad("--net: 'tap' needs a value", N, W("tap="));
	assert_bad("--net: 'hostfwd' needs a value", N, W("user,hostfwd"));
	assert_bad("--net: 'offline' takes no value", N, W("user,offline=yes"));
	assert_bad("--net: 'mac' is given twice", N, W("user,mac=1,mac=2"));
}

static void a_key_goes_with_its_kind(void **state)
{
	assert_bad("--net: 'vhost' does not go with 'user'", N, W("user,vhost"));
	assert_bad("--net: 'queues' does not go with 'user'", N,
		   W("user,queues=1"));
	assert_bad("--net: 'hostfwd' does not go with 'tap'", N,
		   W("tap=t,hostfwd=tcp:1:1"));
	assert_bad("--net: 'offline' does not go with 'fd'", N,
		   W("fd=3,offline"));
	assert_bad("--net: 'queues' does not go with 'fd'", N,
		   W("fd=3,queues=2"));
}

static void numbers_are_numbers(void **state)
{
	assert_bad("--net fd 'x': the number of an open file descriptor is "
		   "expected",
		   N, W("fd=x"));
	assert_bad("--net fd '-1': the number of an open file descriptor is "
		   "expected",
		   N, W("fd=-1"));
	assert_bad("--net fd '2147483648': the number of an open file "
		   "descriptor is expected",
		   N, W("fd=2147483648"));
	assert_bad("--net queues '0': 1 to 16 is expected", N,
		   W("tap=t,queues=0"));
	assert_bad("--net queues '17': 1 to 16 is expected", N,
		   W("tap=t,queues=17"));
	assert_bad("--net queues '2x': 1 to 16 is expected", N,
		   W("tap=t,queues=2x"));
}

static void an_interface_is_given_once(void **state)
{
	assert_bad("--net tap=tap0 is given twice; an interface can have one "
		   "user",
		   N, W("tap=tap0"), N, W("tap=tap0,vhost"));
	assert_good(N, W("tap=tap0"), N, W("tap=tap1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_network_is_of_the_processs_own_or_a_tap),
		cmocka_unit_test(forwards_are_kept_in_their_order),
		cmocka_unit_test(none_is_no_network_and_stands_alone),
		cmocka_unit_test(what_makes_no_network_is_refused),
		cmocka_unit_test(a_key_goes_with_its_kind),
		cmocka_unit_test(numbers_are_numbers),
		cmocka_unit_test(an_interface_is_given_once),
	};
	int r = cmocka_run_group_tests(tests, NULL, NULL);

	run_opts_done(&opts);
	return r;
}
