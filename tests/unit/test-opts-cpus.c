// SPDX-License-Identifier: MIT
/* --cpus: the number alone, the arrangement, and where they run. */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "opts_rig.h"

static void one_number_says_how_many(void **state)
{
	assert_good(W("--cpus=12"));
	assert_int_equal(opts.machine.cpus, 12);
	assert_int_equal(opts.cpus.topology.cores, 0);
	assert_null(opts.cpus.affinity);
}

static void the_arrangement_goes_with_it(void **state)
{
	assert_good(W("-c"), W("8,sockets=2,threads=2"));
	assert_int_equal(opts.machine.cpus, 8);
	assert_int_equal(opts.cpus.topology.size, sizeof(opts.cpus.topology));
	assert_int_equal(opts.cpus.topology.sockets, 2);
	assert_int_equal(opts.cpus.topology.cores, 0); /* the library's part */
	assert_int_equal(opts.cpus.topology.threads, 2);
}

static void the_arrangement_alone_says_how_many(void **state)
{
	assert_good(W("--smp=sockets=3,cores=5"));
	assert_int_equal(opts.machine.cpus, 15);
	assert_good(W("--cpus=affinity=0"));
	assert_int_equal(opts.machine.cpus, 1);
}

static void a_list_of_host_processors_is_taken_in_its_order(void **state)
{
	static const uint32_t want[] = { 7, 0, 4, 5, 6, 0 };

	assert_good(W("-c2,affinity=7+0+4-6+0"));
	assert_int_equal(opts.cpus.affinity_count, 6);
	assert_memory_equal(opts.cpus.affinity, want, sizeof(want));
}

static void the_last_one_of_several_holds(void **state)
{
	assert_good(W("-c8,sockets=2,affinity=0"), W("-c2"));
	assert_int_equal(opts.machine.cpus, 2);
	assert_int_equal(opts.cpus.topology.sockets, 0);
	assert_int_equal(opts.cpus.affinity_count, 0);
}

static void what_is_no_number_is_refused(void **state)
{
	assert_bad("--cpus '0': at least 1 is needed", W("-c0,cores=2"));
	assert_bad("--cpus sockets 'two': a whole number above 0 is expected",
		   W("-c4,sockets=two"));
	assert_bad("--cpus cores '0': at least 1 is needed", W("-c4,cores=0"));
	assert_bad("--cpus: 'threads' needs a value", W("-c4,threads"));
	assert_bad("--cpus: 'cores' is given twice", W("-c4,cores=1,cores=2"));
	assert_bad("--cpus: far too many",
		   W("-csockets=65536,cores=65536,threads=2"));
}

static void a_list_that_is_none_is_refused(void **state)
{
	static const char *const bad[] = {
		"x",  "1+",   "+1",  "3-1",   "-1",
		"1-", "1--2", "1;2", "65536", "99999999999999999999"
	};
	char word[64], says[160];
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(word, sizeof(word), "-c2,affinity=%s", bad[i]);
		snprintf(says, sizeof(says),
			 "--cpus affinity '%s': numbers of the host's "
			 "processors are expected, as 0+2+4-7",
			 bad[i]);
		assert_bad(says, word);
	}
	assert_bad("--cpus affinity '0-9999': more than 8192 processors",
		   W("-c2,affinity=0-9999"));
	assert_bad("--cpus affinity '0-8191+0': more than 8192 processors",
		   W("-c2,affinity=0-8191+0"));
}

static void a_key_that_is_none_is_met_with_the_nearest(void **state)
{
	assert_bad("--cpus: unknown key 'socket'; did you mean 'sockets'?",
		   W("-c4,socket=2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_number_says_how_many),
		cmocka_unit_test(the_arrangement_goes_with_it),
		cmocka_unit_test(the_arrangement_alone_says_how_many),
		cmocka_unit_test(a_list_of_host_processors_is_taken_in_its_order),
		cmocka_unit_test(the_last_one_of_several_holds),
		cmocka_unit_test(what_is_no_number_is_refused),
		cmocka_unit_test(a_list_that_is_none_is_refused),
		cmocka_unit_test(a_key_that_is_none_is_met_with_the_nearest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
