// SPDX-License-Identifier: MIT
/* The leaves that are made for each vCPU, on made-up hosts. */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "cpuid_tables.h"
#include "core/base.h"
#include "x86/cpuid.h"

static const unsigned cpu_counts[] = { 1, 2, 3, 64, 255 };

static struct kvm_cpuid2 *finish(const struct kvm_cpuid_entry2 *host,
				 size_t count,
				 struct topology topology, unsigned cpu,
				 uint32_t tsc_khz)
{
	const struct cpuid_params p = {
		.topology = topology,
		.apic_id = topology_apic_id(&topology, cpu),
		.tsc_khz = tsc_khz,
		.apic_khz = 1000000,
		.x2apic = true,
		.tsc_deadline = true,
		.brand = "A processor",
	};
	struct kvm_cpuid2 *t = cpuid_table(host, count);
	char err[160];

	assert_int_equal(cpuid_finish(t, (unsigned)count + CPUID_SPARE, &p,
				      NULL, err, sizeof(err)),
			 0);
	return t;
}

#define ONE_SOCKET(cpus) ((struct topology){ 1, cpus, 1 })
#define FINISH(host, cpus, id) \
	finish(host, ARRAY_SIZE(host), ONE_SOCKET(cpus), id, 2500000)
#define ARRANGED(host, cpu, ...) \
	finish(host, ARRAY_SIZE(host), (struct topology){ __VA_ARGS__ }, cpu, \
	       2500000)

static const struct kvm_cpuid_entry2 *leaf(struct kvm_cpuid2 *t, uint32_t fn,
					   uint32_t index)
{
	const struct kvm_cpuid_entry2 *e = cpuid_find(t, fn, index);

	if (!e)
		fail_msg("no leaf %x.%x", fn, index);
	return e;
}

/*
 * SDM volume 2A: EBX[23:16] is a count of ids, which Linux rounds up to a power of
 * two; there are eight bits for it.
 */
static void leaf_1_has_this_vcpus_apic_id_and_the_count(void **state)
{
	static const uint32_t ids[] = { 1, 2, 4, 64, 255 };
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(cpu_counts); i++) {
		unsigned n = cpu_counts[i];
		struct kvm_cpuid2 *t = FINISH(intel_host, n, n - 1);
		const struct kvm_cpuid_entry2 *e = leaf(t, 1, 0);

		assert_int_equal(e->ebx >> 24, n - 1);
		assert_int_equal(e->ebx >> 16 & 0xff, ids[i]);
		assert_int_equal(e->ebx & 0xffff, 0x0800); /* CLFLUSH */
		assert_int_equal(e->edx >> 28 & 1, n > 1); /* HTT */
		cpuid_table_free(t);
	}
}

static void leaf_1_says_what_kvms_apic_offers(void **state)
{
	struct cpuid_params p = { .topology = { 1, 1, 1 },
				  .apic_khz = 1000000 };
	struct kvm_cpuid2 *t = cpuid_table(intel_host, ARRAY_SIZE(intel_host));
	char err[160];

	p.x2apic = p.tsc_deadline = true;
	assert_int_equal(cpuid_finish(t, 99, &p, NULL, err, sizeof(err)), 0);
	assert_true(cpuid_feature(t, "x2apic"));
	assert_true(cpuid_feature(t, "tsc_deadline_timer"));
	assert_true(cpuid_feature(t, "hypervisor"));
	assert_false(leaf(t, 1, 0)->ecx & BIT(27)); /* OSXSAVE is CR4's */

	p.x2apic = p.tsc_deadline = false;
	assert_int_equal(cpuid_finish(t, 99, &p, NULL, err, sizeof(err)), 0);
	assert_false(cpuid_feature(t, "x2apic"));
	assert_false(cpuid_feature(t, "tsc_deadline_timer"));
	cpuid_table_free(t);
}

/* How Linux reads leaf 0xb: shift the id right to get the next level's id. */
static void leaf_b_has_one_thread_per_core_in_one_package(void **state)
{
	static const uint32_t leaves[] = { 0xb, 0x1f };
	unsigned i, l, id;

	for (i = 0; i < ARRAY_SIZE(cpu_counts); i++) {
		unsigned n = cpu_counts[i];
		struct kvm_cpuid2 *t = FINISH(intel_host, n, n - 1);

		for (l = 0; l < ARRAY_SIZE(leaves); l++) {
			const struct kvm_cpuid_entry2 *smt, *core, *end;

			smt = leaf(t, leaves[l], 0);
			core = leaf(t, leaves[l], 1);
			end = leaf(t, leaves[l], 2);
			assert_int_equal(smt->eax, 0);
			assert_int_equal(smt->ebx, 1);
			assert_int_equal(smt->ecx, 0x100);
			assert_int_equal(core->ebx, n);
			assert_int_equal(core->ecx, 0x201);
			for (id = 0; id < n; id++) /* one package */
				assert_int_equal(id >> core->eax, 0);
			assert_true(n == 1 || n > 1u << (core->eax - 1));
			assert_int_equal(end->eax | end->ebx, 0);
			assert_int_equal(end->ecx, 2);
			assert_int_equal(smt->edx, n - 1);
			assert_int_equal(core->edx, n - 1);
			assert_int_equal(end->edx, n - 1);
			/* The host's fourth level is gone. */
			assert_null(cpuid_find(t, leaves[l], 3));
		}
		cpuid_table_free(t);
	}
}

static void a_host_without_leaf_1f_gets_none(void **state)
{
	struct kvm_cpuid2 *t = FINISH(amd_host, 4, 0);

	assert_non_null(cpuid_find(t, 0xb, 1));
	assert_null(cpuid_find(t, 0x1f, 0));
	cpuid_table_free(t);
}

static void intel_caches_up_to_l2_are_private_and_l3_is_shared(void **state)
{
	static const uint32_t l3_ids[] = { 1, 2, 4, 64, 256 };
	static const uint32_t cores[] = { 1, 2, 4, 64, 64 };
	unsigned i, sub;

	for (i = 0; i < ARRAY_SIZE(cpu_counts); i++) {
		struct kvm_cpuid2 *t = FINISH(intel_host, cpu_counts[i], 0);

		for (sub = 0; sub < 4; sub++) {
			uint32_t eax = leaf(t, 4, sub)->eax;

			assert_int_equal((eax >> 14 & 0xfff) + 1,
					 sub == 3 ? l3_ids[i] : 1);
			assert_int_equal((eax >> 26) + 1, cores[i]);
			assert_int_equal(leaf(t, 4, sub)->ebx, 0x01c0003f);
		}
		assert_int_equal(leaf(t, 4, 3)->eax & 0x3fff, 0x163);
		assert_int_equal(leaf(t, 4, 4)->eax, 0);
		cpuid_table_free(t);
	}
}

static void amd_leaves_count_cores_and_share_l3(void **state)
{
	static const uint32_t id_bits[] = { 0, 1, 2, 6, 8 };
	static const uint32_t l3_ids[] = { 1, 2, 4, 64, 256 };
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(cpu_counts); i++) {
		unsigned n = cpu_counts[i];
		struct kvm_cpuid2 *t = FINISH(amd_host, n, n - 1);
		const struct kvm_cpuid_entry2 *e = leaf(t, 0x80000008, 0);

		assert_int_equal(e->ecx & 0xff, n - 1); /* NC */
		assert_int_equal(e->ecx >> 12 & 0xf, id_bits[i]);
		assert_int_equal(e->ecx >> 16, 1); /* PerfTscSize is kept */
		assert_int_equal(e->eax, 0x3030);
		assert_int_equal(cpuid_feature(t, "cmp_legacy"), n > 1);

		e = leaf(t, 0x8000001e, 0);
		assert_int_equal(e->eax, n - 1);
		assert_int_equal(e->ebx, n - 1); /* core id, one thread */
		assert_int_equal(e->ecx, 0); /* one node */

		e = leaf(t, 0x8000001d, 2);
		assert_int_equal(e->eax, 0x143);
		e = leaf(t, 0x8000001d, 3);
		assert_int_equal(e->eax, 0x163 | (l3_ids[i] - 1) << 14);
		assert_int_equal(leaf(t, 0x8000001d, 4)->eax, 0);
		cpuid_table_free(t);
	}
}

/* Two sockets of three cores of two threads: thread, then two bits, then socket. */
static void fields_of_the_id_tell_thread_core_and_socket(void **state)
{
	static const uint32_t id[] = { 0, 1, 2,	 3,  4,	 5,
				       8, 9, 10, 11, 12, 13 };
	unsigned cpu;

	for (cpu = 0; cpu < ARRAY_SIZE(id); cpu++) {
		struct kvm_cpuid2 *t = ARRANGED(intel_host, cpu, 2, 3, 2);
		const struct kvm_cpuid_entry2 *e = leaf(t, 0x1f, 0);

		assert_int_equal(e->edx, id[cpu]);
		assert_int_equal(e->eax, 1);
		assert_int_equal(e->ebx, 2);
		e = leaf(t, 0xb, 1);
		assert_int_equal(e->eax, 3);
		assert_int_equal(e->ebx, 6);
		e = leaf(t, 1, 0);
		assert_int_equal(e->ebx >> 24, id[cpu]);
		assert_int_equal(e->ebx >> 16 & 0xff, 8); /* ids, not threads */
		assert_true(e->edx & BIT(28));
		/* L2 for a core's two ids, L3 for a socket's eight, four cores. */
		assert_int_equal(leaf(t, 4, 2)->eax >> 14, 3 << 12 | 1);
		assert_int_equal(leaf(t, 4, 3)->eax >> 14, 3 << 12 | 7);
		cpuid_table_free(t);
	}
}

static void amd_has_the_same_in_leaves_of_its_own(void **state)
{
	struct kvm_cpuid2 *t = ARRANGED(amd_host, 9, 2, 3, 2);
	const struct kvm_cpuid_entry2 *e = leaf(t, 0x8000001e, 0);

	/* CPU 9 is thread 1 of core 1 of socket 1: 1 01 1. */
	assert_int_equal(e->eax, 0xb);
	assert_int_equal(e->ebx, 1 << 8 | 1); /* two threads, core 1 */
	assert_int_equal(e->ecx, 1); /* node 1, one to a socket */
	assert_int_equal(leaf(t, 0x80000008, 0)->ecx, 1 << 16 | 3 << 12 | 5);
	assert_int_equal(leaf(t, 1, 0)->ebx >> 16 & 0xff, 6);
	assert_int_equal(leaf(t, 0x8000001d, 2)->eax >> 14, 1);
	assert_int_equal(leaf(t, 0x8000001d, 3)->eax >> 14, 7);
	assert_true(cpuid_feature(t, "cmp_legacy"));
	cpuid_table_free(t);
}

/* Linux: amd_get_topology() asks for no thread without TopologyExtensions. */
static void threads_show_on_an_amd_host_that_knows_none(void **state)
{
	struct kvm_cpuid_entry2 host[ARRAY_SIZE(amd_host)];
	struct kvm_cpuid2 *t;
	unsigned i;

	memcpy(host, amd_host, sizeof(host));
	for (i = 0; i < ARRAY_SIZE(host); i++) {
		if (host[i].function == 0x80000000)
			host[i].eax = 0x8000000a;
		if (host[i].function == 0x80000001)
			host[i].ecx &= ~BIT(22);
	}
	t = ARRANGED(host, 1, 1, 2, 2);
	assert_true(cpuid_feature(t, "topoext"));
	assert_int_equal(leaf(t, 0x80000000, 0)->eax, 0x8000001e);
	assert_int_equal(leaf(t, 0x8000001e, 0)->ebx, 1 << 8);
	cpuid_table_free(t);

	t = ARRANGED(host, 1, 1, 4, 1);
	assert_false(cpuid_feature(t, "topoext"));
	assert_int_equal(leaf(t, 0x80000000, 0)->eax, 0x8000000a);
	cpuid_table_free(t);
}

static void sockets_of_one_processor_are_not_multithreaded(void **state)
{
	struct kvm_cpuid2 *t = ARRANGED(amd_host, 3, 4, 1, 1);

	assert_int_equal(leaf(t, 0xb, 0)->edx, 3);
	assert_int_equal(leaf(t, 0xb, 1)->eax, 0);
	assert_int_equal(leaf(t, 1, 0)->ebx >> 16, 3 << 8 | 1);
	assert_false(leaf(t, 1, 0)->edx & BIT(28));
	assert_false(cpuid_feature(t, "cmp_legacy"));
	assert_int_equal(leaf(t, 0x8000001e, 0)->ecx, 3);
	cpuid_table_free(t);
}

/* Leaf 1 and the caches have too few bits; leaf 0xb does not. */
static void more_than_fit_in_the_old_leaves_are_in_the_new_ones(void **state)
{
	struct kvm_cpuid2 *t = ARRANGED(amd_host, 999, 1, 1000, 1);

	assert_int_equal(leaf(t, 0xb, 1)->edx, 999);
	assert_int_equal(leaf(t, 0xb, 1)->ebx, 1000);
	assert_int_equal(leaf(t, 0xb, 1)->eax, 10);
	assert_int_equal(leaf(t, 1, 0)->ebx >> 16, (999 & 0xff) << 8 | 255);
	assert_int_equal(leaf(t, 0x80000008, 0)->ecx, 1 << 16 | 10 << 12 | 255);
	assert_int_equal(leaf(t, 0x8000001d, 3)->eax >> 14, 1023);
	cpuid_table_free(t);

	t = ARRANGED(intel_host, 999, 1, 1000, 1);
	assert_int_equal(leaf(t, 4, 3)->eax >> 14, 63 << 12 | 1023);
	cpuid_table_free(t);
}

static void an_intel_host_gets_no_amd_leaves(void **state)
{
	struct kvm_cpuid2 *t = FINISH(intel_host, 4, 1);

	assert_null(cpuid_find(t, 0x8000001e, 0));
	assert_int_equal(leaf(t, 0x80000008, 0)->ecx, 0);
	assert_false(cpuid_feature(t, "cmp_legacy"));
	cpuid_table_free(t);
}

static void the_frequencies_stand_in_kvms_range(void **state)
{
	struct kvm_cpuid2 *t = FINISH(amd_host, 1, 0);
	const struct kvm_cpuid_entry2 *e = leaf(t, 0x40000000, 0);

	assert_int_equal(e->eax, 0x40000010);
	assert_int_equal(e->ebx, 0x4b4d564b); /* KVMK */
	assert_int_equal(e->ecx, 0x564b4d56); /* VMKV */
	assert_int_equal(e->edx, 0x4d); /* M */
	e = leaf(t, 0x40000010, 0);
	assert_int_equal(e->eax, 2500000);
	assert_int_equal(e->ebx, 1000000);
	/* AMD has no frequency leaves of its own. */
	assert_int_equal(leaf(t, 0x15, 0)->eax, 0);
	assert_int_equal(leaf(t, 0x16, 0)->eax, 0);
	cpuid_table_free(t);
}

/* Linux's native_calibrate_tsc(), with its 32-bit arithmetic. */
static uint32_t linux_tsc_khz(const struct kvm_cpuid_entry2 *e)
{
	uint32_t crystal_khz = e->ecx / 1000;

	return crystal_khz * e->ebx / e->eax;
}

static void intels_crystal_is_the_apic_timers_clock(void **state)
{
	static const uint32_t khz[] = { 1000000, 2500000, 2000000, 2445406,
					3792874, 1896437, 4200000 };
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(khz); i++) {
		struct kvm_cpuid2 *t = finish(
			intel_host, ARRAY_SIZE(intel_host), ONE_SOCKET(1), 0,
			khz[i]);
		const struct kvm_cpuid_entry2 *e = leaf(t, 0x15, 0);

		assert_int_equal(e->ecx, 1000000000);
		assert_in_range(linux_tsc_khz(e), khz[i] - khz[i] / 1000000 - 1,
				khz[i] + khz[i] / 1000000);
		e = leaf(t, 0x16, 0);
		assert_in_range(e->eax * 1000 + 500, khz[i], khz[i] + 1000);
		assert_int_equal(e->ebx, e->eax);
		cpuid_table_free(t);
	}
}

/* 2.0001 GHz is no small fraction of 1 GHz: the guest shall measure. */
static void a_frequency_that_leaf_15_cannot_say_is_left_out(void **state)
{
	struct kvm_cpuid2 *t =
		finish(intel_host, ARRAY_SIZE(intel_host), ONE_SOCKET(1), 0,
		       2000100);

	assert_int_equal(leaf(t, 0x15, 0)->eax, 0);
	assert_int_equal(leaf(t, 0x16, 0)->eax, 2000);
	assert_int_equal(leaf(t, 0x40000010, 0)->eax, 2000100);
	cpuid_table_free(t);
}

static void an_unknown_frequency_is_not_invented(void **state)
{
	struct kvm_cpuid2 *t =
		finish(intel_host, ARRAY_SIZE(intel_host), ONE_SOCKET(1), 0, 0);

	assert_int_equal(leaf(t, 0x40000000, 0)->eax, 0x40000001);
	assert_null(cpuid_find(t, 0x40000010, 0));
	assert_int_equal(leaf(t, 0x15, 0)->eax, 0);
	cpuid_table_free(t);
}

static void power_management_is_only_what_kvm_does(void **state)
{
	struct kvm_cpuid2 *t = FINISH(intel_host, 1, 0);
	const struct kvm_cpuid_entry2 *e = leaf(t, 6, 0);

	assert_int_equal(e->eax, 4);
	assert_int_equal(e->ebx | e->ecx | e->edx, 0);
	/* The PMU is as KVM says. */
	assert_int_equal(leaf(t, 0xa, 0)->eax, 0x07300802);
	assert_true(cpuid_feature(t, "pdcm"));
	cpuid_table_free(t);
}

static void a_missing_name_is_filled_in_and_a_given_one_kept(void **state)
{
	struct kvm_cpuid2 *t = FINISH(amd_host, 1, 0);
	const struct kvm_cpuid_entry2 *e = leaf(t, 0x80000002, 0);

	assert_memory_equal(&e->eax, "A pr", 4);
	assert_memory_equal(&e->ebx, "oces", 4);
	assert_memory_equal(&e->ecx, "sor\0", 4);
	assert_int_equal(leaf(t, 0x80000004, 0)->edx, 0);
	cpuid_table_free(t);

	t = FINISH(intel_host, 1, 0);
	assert_memory_equal(&leaf(t, 0x80000002, 0)->eax, "Made", 4);
	cpuid_table_free(t);
}

static void entries_do_not_grow_past_the_capacity(void **state)
{
	const struct cpuid_params p = { .topology = { 1, 2, 1 },
					.tsc_khz = 2500000,
					.apic_khz = 1000000 };
	unsigned capacity, before = ARRAY_SIZE(amd_host);
	char err[160] = "";
	uint32_t need;
	struct kvm_cpuid2 *t = cpuid_table(amd_host, before);

	assert_int_equal(cpuid_finish(t, before + CPUID_SPARE, &p, NULL, err,
				      sizeof(err)),
			 0);
	need = t->nent;
	assert_true(need > before);
	cpuid_table_free(t);

	for (capacity = before; capacity < need; capacity++) {
		t = cpuid_table(amd_host, before);
		assert_int_equal(
			cpuid_finish(t, capacity, &p, NULL, err, sizeof(err)),
			-E2BIG);
		assert_true(t->nent <= capacity);
		cpuid_table_free(t);
	}
	assert_string_not_equal(err, "");
}

static void a_table_can_be_finished_again_for_the_next_vcpu(void **state)
{
	const struct cpuid_params p[] = {
		{ .topology = { 1, 8, 1 }, .apic_id = 3, .tsc_khz = 2500000,
		  .apic_khz = 1000000, .x2apic = true },
		{ .topology = { 1, 8, 1 }, .apic_id = 7, .tsc_khz = 2500000,
		  .apic_khz = 1000000, .x2apic = true },
	};
	struct kvm_cpuid2 *a = cpuid_table(amd_host, ARRAY_SIZE(amd_host));
	struct kvm_cpuid2 *b = cpuid_table(amd_host, ARRAY_SIZE(amd_host));
	char err[160];

	assert_int_equal(cpuid_finish(a, 99, &p[0], NULL, err, 160), 0);
	assert_int_equal(cpuid_finish(a, 99, &p[1], NULL, err, 160), 0);
	assert_int_equal(cpuid_finish(b, 99, &p[1], NULL, err, 160), 0);
	assert_int_equal(a->nent, b->nent);
	assert_memory_equal(a->entries, b->entries,
			    a->nent * sizeof(*a->entries));
	cpuid_table_free(a);
	cpuid_table_free(b);
}

static void an_empty_table_stays_harmless(void **state)
{
	const struct cpuid_params p = { .topology = { 1, 2, 1 }, .tsc_khz = 1,
					.apic_khz = 1, .brand = "x" };
	struct kvm_cpuid2 *t = cpuid_table(NULL, 0);
	char err[160];

	assert_int_equal(cpuid_finish(t, 99, &p, NULL, err, sizeof(err)), 0);
	assert_int_equal(t->nent, 0);
	cpuid_table_free(t);
}

#define T(f) cmocka_unit_test(f)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(leaf_1_has_this_vcpus_apic_id_and_the_count),
		T(leaf_1_says_what_kvms_apic_offers),
		T(leaf_b_has_one_thread_per_core_in_one_package),
		T(a_host_without_leaf_1f_gets_none),
		T(intel_caches_up_to_l2_are_private_and_l3_is_shared),
		T(amd_leaves_count_cores_and_share_l3),
		T(fields_of_the_id_tell_thread_core_and_socket),
		T(amd_has_the_same_in_leaves_of_its_own),
		T(threads_show_on_an_amd_host_that_knows_none),
		T(sockets_of_one_processor_are_not_multithreaded),
		T(more_than_fit_in_the_old_leaves_are_in_the_new_ones),
		T(an_intel_host_gets_no_amd_leaves),
		T(the_frequencies_stand_in_kvms_range),
		T(intels_crystal_is_the_apic_timers_clock),
		T(a_frequency_that_leaf_15_cannot_say_is_left_out),
		T(an_unknown_frequency_is_not_invented),
		T(power_management_is_only_what_kvm_does),
		T(a_missing_name_is_filled_in_and_a_given_one_kept),
		T(entries_do_not_grow_past_the_capacity),
		T(a_table_can_be_finished_again_for_the_next_vcpu),
		T(an_empty_table_stays_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
