// SPDX-License-Identifier: MIT
/*
 * Baselines: their data, and what they make of made-up hosts. With the argument "table"
 * it prints docs/cpu.md's instead, for cpu-docs.sh.
 */
#include "test.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/base.h"
#include "cpuid_tables.h"
#include "x86/cpu_models.h"
#include "x86/cpuid.h"
#include "x86/cpuid_features.h"

static char err[512];

static int make(const struct kvm_cpuid_entry2 *host, size_t count,
		const char *spec, struct kvm_cpuid2 **ret)
{
	const struct cpuid_params p = { .topology = { 1, 2, 1 },
					.apic_khz = 1000000,
					.tsc_khz = 2000000,
					.brand = "The host's own",
					.x2apic = true };
	struct kvm_cpuid2 *t = cpuid_table(host, count);
	struct cpuid_edits edits;
	int r;

	err[0] = '\0';
	r = cpuid_edit_parse(spec, &edits, err, sizeof(err));
	if (r == 0)
		r = cpuid_finish(t, (unsigned)count + CPUID_SPARE, &p, &edits,
				 err, sizeof(err));
	if (r)
		cpuid_table_free(t);
	else
		*ret = t;
	return r;
}

static struct kvm_cpuid2 *made(const struct kvm_cpuid_entry2 *host,
			       size_t count, const char *spec)
{
	struct kvm_cpuid2 *t = NULL;

	if (make(host, count, spec, &t))
		fail_msg("%s: %s", spec, err);
	return t;
}

#define MADE(host, spec) made(host, ARRAY_SIZE(host), spec)

/* Calls check() for each word of a list. */
static void each_word(const char *list, void (*check)(const char *word))
{
	char word[64];
	size_t len;

	for (; *list; list += len + strspn(list + len, " ")) {
		len = strcspn(list, " ");
		assert_in_range(len, 1, sizeof(word) - 1);
		memcpy(word, list, len);
		word[len] = '\0';
		check(word);
	}
}

static void check_known(const char *word)
{
	struct cpuid_bit bit;

	if (cpuid_bit_find(word, strlen(word), &bit))
		fail_msg("'%s' is no feature", word);
}

static void every_feature_of_a_model_is_a_known_one(void **state)
{
	size_t i;

	for (i = 0; i < cpu_model_count; i++) {
		each_word(cpu_models[i].features, check_known);
		assert_in_range(strlen(cpu_models[i].brand), 1, 47);
		assert_ptr_equal(cpu_model_find(cpu_models[i].name,
						strlen(cpu_models[i].name)),
				 &cpu_models[i]);
	}
	each_word(cpu_models_kvm, check_known);
	each_word(cpu_models_guards, check_known);
	assert_null(cpu_model_find("host", 4));
	assert_null(cpu_model_find("x86-64-v", 8));
}

static bool model_has(const struct cpu_model *model, const char *feature)
{
	size_t len = strlen(feature);
	const char *p;

	for (; model; model = model->base)
		for (p = model->features; (p = strstr(p, feature)); p += len)
			if ((p == model->features || p[-1] == ' ') &&
			    (!p[len] || p[len] == ' '))
				return true;
	return false;
}

/* psABI, table 3.1, in Linux's names; OSXSAVE is the kernel's to set. */
static void levels_are_those_of_the_psabi(void **state)
{
	static const char *const v1[] = { "cmov", "cx8",  "fpu",
					  "fxsr", "mmx",  "syscall",
					  "sse",  "sse2", "lm" };
	static const char *const v2[] = { "cx16",   "lahf_lm", "popcnt", "pni",
					  "sse4_1", "sse4_2",  "ssse3" };
	static const char *const v3[] = { "avx",  "avx2",  "bmi1",
					  "bmi2", "f16c",  "fma",
					  "abm",  "movbe", "xsave" };
	const struct cpu_model *soft = cpu_model_find("soft", 4);
	const struct cpu_model *two = cpu_model_find("x86-64-v2", 9);
	const struct cpu_model *three = cpu_model_find("x86-64-v3", 9);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(v1); i++)
		assert_true(model_has(soft, v1[i]));
	for (i = 0; i < ARRAY_SIZE(v2); i++)
		assert_true(model_has(two, v2[i]));
	for (i = 0; i < ARRAY_SIZE(v3); i++) {
		assert_true(model_has(three, v3[i]));
		assert_false(model_has(two, v3[i]));
	}
}

/* What such a KVM ends a guest for, when its kernel uses it. */
static void soft_has_nothing_that_a_software_kvm_stops_at(void **state)
{
	static const char *const out[] = { "cx16",   "xsave",	"popcnt",
					   "rdtscp", "smap",	"invpcid",
					   "pcid",   "monitor", "avx",
					   "bmi1",   "movbe",	"clwb" };
	const struct cpu_model *soft = cpu_model_find("soft", 4);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(out); i++)
		assert_false(model_has(soft, out[i]));
}

static void what_a_baseline_does_not_name_is_gone(void **state)
{
	struct kvm_cpuid2 *t = MADE(intel_host, "x86-64-v2");

	assert_true(cpuid_feature(t, "sse4_2"));
	assert_true(cpuid_feature(t, "cx16"));
	assert_false(cpuid_feature(t, "avx"));
	assert_false(cpuid_feature(t, "xsave"));
	assert_false(cpuid_feature(t, "aes"));
	assert_false(cpuid_feature(t, "pcid"));
	assert_false(cpuid_feature(t, "avx512_bf16"));
	assert_false(cpuid_feature(t, "rdtscp"));
	/* KVM's own, and what a guest guards itself with, stay. */
	assert_true(cpuid_feature(t, "hypervisor"));
	assert_true(cpuid_feature(t, "x2apic"));
	assert_true(cpuid_feature(t, "kvmclock"));
	assert_true(cpuid_feature(t, "spec_ctrl"));
	assert_true(cpuid_feature(t, "arch_capabilities"));
	assert_int_equal(cpuid_find(t, 0xd, 0)->eax, 0);
	assert_int_equal(cpuid_find(t, 7, 0)->ebx, BIT(1)); /* TSC_ADJUST */
	assert_null(cpuid_find(t, 0xa, 0));		    /* no PMU */
	assert_null(cpuid_find(t, 0x1f, 0));
	cpuid_table_free(t);
}

static void xsave_of_v3_has_avx_and_no_other_component(void **state)
{
	struct kvm_cpuid2 *t = MADE(intel_host, "x86-64-v3");

	assert_int_equal(cpuid_find(t, 0xd, 0)->eax, 7);
	assert_int_equal(cpuid_find(t, 0xd, 0)->ecx, 576 + 256);
	assert_int_equal(cpuid_find(t, 0xd, 1)->eax, 0); /* plain XSAVE */
	assert_int_equal(cpuid_find(t, 0xd, 1)->ecx, 0);
	assert_int_equal(cpuid_find(t, 0xd, 5)->eax, 0);
	assert_false(cpuid_feature(t, "avx512f"));
	assert_true(cpuid_feature(t, "avx2"));
	cpuid_table_free(t);
}

static void assert_signature(struct kvm_cpuid2 *t, uint32_t signature,
			     const char *brand, uint32_t highest,
			     uint32_t extended)
{
	char name[49] = "";
	uint32_t i;

	for (i = 0; i < 3; i++)
		memcpy(name + 16 * i, &cpuid_find(t, 0x80000002 + i, 0)->eax,
		       16);
	assert_string_equal(name, brand);
	assert_int_equal(cpuid_find(t, 1, 0)->eax, signature);
	assert_int_equal(cpuid_find(t, 0, 0)->eax, highest);
	assert_int_equal(cpuid_find(t, 0x80000000, 0)->eax, extended);
	cpuid_table_free(t);
}

/* Families and models as the vendors number them: 6, 60, 3 and 23, 1, 2. */
static void family_name_and_leaves_are_the_models(void **state)
{
	assert_signature(MADE(intel_host, "x86-64-v3"), 0x306c3,
			 "Trapmap x86-64-v3 processor", 0x16, 0x80000008);
	assert_signature(MADE(amd_host, "x86-64-v3"), 0x800f12,
			 "Trapmap x86-64-v3 processor", 0xd, 0x80000021);
	assert_signature(MADE(amd_host, "host"), 0xa10f11, "The host's own",
			 0x16, 0x80000021);
}

static void amds_repeated_bits_are_the_models_too(void **state)
{
	struct kvm_cpuid2 *t = MADE(amd_host, "soft");
	const struct kvm_cpuid_entry2 *e = cpuid_find(t, 0x80000001, 0);

	/* NX, LM, SYSCALL, and of leaf 1 all but what it has not either. */
	assert_int_equal(e->edx & ~0x0183f3ffu, BIT(11) | BIT(20) | BIT(29));
	assert_int_equal(e->edx & 0x0183f3ff,
			 cpuid_find(t, 1, 0)->edx & 0x0183f3ff);
	assert_null(cpuid_find(t, 0x8000000a, 0));
	cpuid_table_free(t);
}

static void what_kvm_lacks_is_named_all_of_it(void **state)
{
	struct kvm_cpuid_entry2 host[ARRAY_SIZE(amd_host)];
	struct kvm_cpuid2 *t = NULL;
	unsigned i;

	memcpy(host, amd_host, sizeof(host));
	for (i = 0; i < ARRAY_SIZE(host); i++)
		if (host[i].function == 7)
			host[i].ebx &= ~(BIT(5) | BIT(8));
	assert_int_equal(make(host, ARRAY_SIZE(host), "x86-64-v3", &t),
			 -ENOTSUP);
	assert_string_equal(err, "KVM here does not offer avx2, bmi2");
	assert_null(t);
	cpuid_table_free(MADE(host, "x86-64-v3,-avx2,-bmi2"));
	cpuid_table_free(MADE(host, "x86-64-v2"));
}

static void features_can_be_added_and_taken_away(void **state)
{
	struct kvm_cpuid2 *t = MADE(intel_host, "x86-64-v3,+aes,+smap,-avx");

	assert_true(cpuid_feature(t, "aes"));
	assert_true(cpuid_feature(t, "smap"));
	assert_false(cpuid_feature(t, "avx"));
	assert_false(cpuid_feature(t, "avx2")); /* as it needs that */
	assert_true(cpuid_feature(t, "xsave"));
	assert_int_equal(cpuid_find(t, 0xd, 0)->eax, 3);
	cpuid_table_free(t);

	assert_int_equal(
		make(intel_host, ARRAY_SIZE(intel_host), "x86-64-v2,+avx", &t),
		-EINVAL);
	assert_string_equal(err, "+avx needs xsave, which x86-64-v2 does not "
				 "have: add +xsave");
	cpuid_table_free(MADE(intel_host, "x86-64-v2,+avx,+xsave"));
}

static void an_unknown_model_is_met_with_the_nearest(void **state)
{
	struct kvm_cpuid2 *t = NULL;

	assert_int_equal(make(amd_host, ARRAY_SIZE(amd_host), "x86-64-v4", &t),
			 -EINVAL);
	assert_non_null(strstr(err, "unknown model 'x86-64-v4'; did you mean "
				    "'x86-64-v"));
	assert_int_equal(make(amd_host, ARRAY_SIZE(amd_host), "Opteron", &t),
			 -EINVAL);
	assert_string_equal(err, "unknown model 'Opteron'; there are host, soft, "
				 "x86-64-v2 and x86-64-v3");
}

static int print_table(void)
{
	const struct cpu_model *m, *base;

	printf("| name | what it is | Intel's: family, model, stepping | AMD's | "
	       "features |\n|---|---|---|---|---|\n");
	for (m = cpu_models; m < cpu_models + cpu_model_count; m++) {
		uint32_t i = m->intel_signature, a = m->amd_signature;

		base = m->base;
		printf("| `%s` | %s | %u, %u, %u | %u, %u, %u | %s%s%s%s |\n",
		       m->name, m->summary, i >> 8 & 0xf,
		       (i >> 16 & 0xf) << 4 | (i >> 4 & 0xf), i & 0xf,
		       (a >> 8 & 0xf) + (a >> 20 & 0xff),
		       (a >> 16 & 0xf) << 4 | (a >> 4 & 0xf), a & 0xf,
		       base ? "those of `" : "", base ? base->name : "",
		       base ? "`, and " : "", m->features);
	}
	printf("\nKept where KVM has it: %s\n\nAnd: %s\n", cpu_models_kvm,
	       cpu_models_guards);
	return 0;
}

#define T(f) cmocka_unit_test(f)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		T(every_feature_of_a_model_is_a_known_one),
		T(levels_are_those_of_the_psabi),
		T(soft_has_nothing_that_a_software_kvm_stops_at),
		T(what_a_baseline_does_not_name_is_gone),
		T(xsave_of_v3_has_avx_and_no_other_component),
		T(family_name_and_leaves_are_the_models),
		T(amds_repeated_bits_are_the_models_too),
		T(what_kvm_lacks_is_named_all_of_it),
		T(features_can_be_added_and_taken_away),
		T(an_unknown_model_is_met_with_the_nearest),
	};

	if (argc == 2 && !strcmp(argv[1], "table"))
		return print_table();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
