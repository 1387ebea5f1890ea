// SPDX-License-Identifier: MIT
/* Sockets, cores and threads, and the APIC ids that they make. */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "x86/topology.h"

static char err[256];

static struct topology filled(unsigned cpus, unsigned sockets, unsigned cores,
			      unsigned threads)
{
	const struct topology asked = { sockets, cores, threads };
	struct topology t = { 0 };

	assert_int_equal(topology_fill(&asked, cpus, &t, err, sizeof(err)), 0);
	return t;
}

static void assert_filled(struct topology t, unsigned sockets, unsigned cores,
			  unsigned threads)
{
	assert_int_equal(t.sockets, sockets);
	assert_int_equal(t.cores, cores);
	assert_int_equal(t.threads, threads);
}

static void cores_take_what_is_left_then_sockets_then_threads(void **state)
{
	assert_filled(filled(1, 0, 0, 0), 1, 1, 1);
	assert_filled(filled(6, 0, 0, 0), 1, 6, 1);
	assert_filled(filled(8, 2, 0, 0), 2, 4, 1);
	assert_filled(filled(8, 0, 0, 2), 1, 4, 2);
	assert_filled(filled(8, 0, 2, 0), 4, 2, 1);
	assert_filled(filled(8, 0, 2, 2), 2, 2, 2);
	assert_filled(filled(8, 2, 2, 0), 2, 2, 2);
	assert_filled(filled(8, 2, 2, 2), 2, 2, 2);
	assert_filled(filled(8, 2, 0, 4), 2, 1, 4);
}

static void assert_refused(unsigned cpus, unsigned sockets, unsigned cores,
			   unsigned threads, const char *says)
{
	const struct topology asked = { sockets, cores, threads };
	struct topology t = { 7, 7, 7 };

	err[0] = '\0';
	assert_int_equal(topology_fill(&asked, cpus, &t, err, sizeof(err)),
			 -EINVAL);
	assert_filled(t, 7, 7, 7);
	if (!strstr(err, says))
		fail_msg("'%s' in: %s", says, err);
}

static void a_product_that_is_another_number_is_refused_with_its_factors(void **s)
{
	assert_refused(8, 3, 0, 0,
		       "3 sockets of 2 cores of 1 thread cannot be 8 ");
	assert_refused(8, 3, 2, 1, "3 sockets of 2 cores of 1 thread ");
	assert_refused(1, 2, 0, 0,
		       "2 sockets of 1 core of 1 thread cannot be 1 "
		       "processor:");
	assert_refused(4, 0, 8, 0, "1 socket of 8 cores of 1 thread ");
	/* Whose product would be 0 in 32 bits, or in 64. */
	assert_refused(4, 65536, 65536, 1, "65536 sockets");
	assert_refused(4, 4294967295, 4294967295, 4294967295, "4294967295");
	assert_refused(4294967295, 65536, 65536, 2, "65536");
}

/* SDM volume 3A, 9.9.3: the ids of what a shift makes equal share a core, a socket. */
static void a_shift_of_the_id_tells_what_is_shared(void **state)
{
	static const struct topology made[] = {
		{ 1, 1, 1 }, { 2, 2, 2 },   { 3, 3, 1 },  { 2, 3, 3 },
		{ 5, 1, 7 }, { 1, 255, 1 }, { 4, 64, 4 }, { 17, 17, 1 },
	};
	unsigned i, cpu;

	for (i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
		const struct topology *t = &made[i];
		unsigned core = topology_core_shift(t);
		unsigned socket = topology_socket_shift(t);
		uint32_t last = 0;

		assert_true(1u << core >= t->threads);
		assert_true(1u << (socket - core) >= t->cores);
		for (cpu = 0; cpu < t->sockets * t->cores * t->threads; cpu++) {
			uint32_t id = topology_apic_id(t, cpu);

			assert_true(cpu == 0 || id > last);
			assert_true(id >= cpu);
			assert_int_equal(id >> socket,
					 cpu / (t->cores * t->threads));
			assert_int_equal((id & ((1u << socket) - 1)) >> core,
					 cpu / t->threads % t->cores);
			assert_int_equal(id & ((1u << core) - 1),
					 cpu % t->threads);
			last = id;
		}
	}
}

static void without_an_arrangement_ids_are_the_numbers(void **state)
{
	const struct topology none = { 0 };

	assert_int_equal(topology_apic_id(&none, 0), 0);
	assert_int_equal(topology_apic_id(&none, 300), 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			cores_take_what_is_left_then_sockets_then_threads),
		cmocka_unit_test(
			a_product_that_is_another_number_is_refused_with_its_factors),
		cmocka_unit_test(a_shift_of_the_id_tells_what_is_shared),
		cmocka_unit_test(without_an_arrangement_ids_are_the_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
