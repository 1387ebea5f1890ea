// SPDX-License-Identifier: MIT
/* "host,-cx16,+x2apic": how it is understood, and what it does to a table. */
#include "test.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "cpuid_tables.h"
#include "core/base.h"
#include "x86/cpuid.h"
#include "x86/cpuid_features.h"

static char err[256];

static int parse(const char *spec)
{
	struct cpuid_edits edits;

	err[0] = '\0';
	return cpuid_edit_parse(spec, &edits, err, sizeof(err));
}

static int apply(const struct kvm_cpuid_entry2 *host, size_t count,
		 const char *spec, struct kvm_cpuid2 **ret)
{
	const struct cpuid_params p = { .topology = { 1, 2, 1 },
					.apic_khz = 1000000,
					.x2apic = true };
	struct kvm_cpuid2 *t = cpuid_table(host, count);
	struct cpuid_edits edits;
	int r;

	assert_int_equal(cpuid_edit_parse(spec, &edits, err, sizeof(err)), 0);
	r = cpuid_finish(t, (unsigned)count + CPUID_SPARE, &p, &edits, err,
			 sizeof(err));
	if (r)
		cpuid_table_free(t);
	else
		*ret = t;
	return r;
}

static struct kvm_cpuid2 *applied(const struct kvm_cpuid_entry2 *host,
				  size_t count, const char *spec)
{
	struct kvm_cpuid2 *t = NULL;

	assert_int_equal(apply(host, count, spec, &t), 0);
	return t;
}

#define APPLIED(host, spec) applied(host, ARRAY_SIZE(host), spec)

static void every_name_is_there_once_and_every_dependency_is_known(void **state)
{
	struct cpuid_bit bit;
	unsigned w, b, names = 0;
	size_t i;

	for (w = 0; w < CPUID_WORDS; w++) {
		assert_int_not_equal(cpuid_words[w].leaf, 0);
		for (b = 0; b < 32; b++) {
			const char *name = cpuid_words[w].name[b];

			if (!name)
				continue;
			names++;
			assert_int_equal(
				cpuid_bit_find(name, strlen(name), &bit), 0);
			if (bit.word != w || bit.bit != b)
				fail_msg("%s is there twice", name);
		}
	}
	assert_true(names > 250);
	for (i = 0; i < cpuid_dependency_count; i++) {
		const struct cpuid_dependency *d = &cpuid_dependencies[i];

		if (cpuid_bit_find(d->feature, strlen(d->feature), &bit) ||
		    cpuid_bit_find(d->needed, strlen(d->needed), &bit))
			fail_msg("%s needs %s", d->feature, d->needed);
	}
}

/* A sample of the manuals' bit numbers. */
static void names_stand_for_the_manuals_bits(void **state)
{
	static const struct {
		const char *name;
		uint32_t leaf, subleaf;
		enum cpuid_reg reg;
		unsigned bit;
	} want[] = {
		{ "fpu", 1, 0, CPUID_EDX, 0 },
		{ "sse2", 1, 0, CPUID_EDX, 26 },
		{ "pni", 1, 0, CPUID_ECX, 0 },
		{ "cx16", 1, 0, CPUID_ECX, 13 },
		{ "pcid", 1, 0, CPUID_ECX, 17 },
		{ "xsave", 1, 0, CPUID_ECX, 26 },
		{ "hypervisor", 1, 0, CPUID_ECX, 31 },
		{ "arat", 6, 0, CPUID_EAX, 2 },
		{ "avx2", 7, 0, CPUID_EBX, 5 },
		{ "smap", 7, 0, CPUID_EBX, 20 },
		{ "avx512vl", 7, 0, CPUID_EBX, 31 },
		{ "umip", 7, 0, CPUID_ECX, 2 },
		{ "la57", 7, 0, CPUID_ECX, 16 },
		{ "fsrm", 7, 0, CPUID_EDX, 4 },
		{ "arch_capabilities", 7, 0, CPUID_EDX, 29 },
		{ "avx512_bf16", 7, 1, CPUID_EAX, 5 },
		{ "bhi_ctrl", 7, 2, CPUID_EDX, 4 },
		{ "xsaves", 0xd, 1, CPUID_EAX, 3 },
		{ "nx", 0x80000001, 0, CPUID_EDX, 20 },
		{ "lm", 0x80000001, 0, CPUID_EDX, 29 },
		{ "topoext", 0x80000001, 0, CPUID_ECX, 22 },
		{ "mwaitx", 0x80000001, 0, CPUID_ECX, 29 },
		{ "nonstop_tsc", 0x80000007, 0, CPUID_EDX, 8 },
		{ "amd_ssbd", 0x80000008, 0, CPUID_EBX, 24 },
		{ "nrip_save", 0x8000000a, 0, CPUID_EDX, 3 },
		{ "autoibrs", 0x80000021, 0, CPUID_EAX, 8 },
		{ "kvm_pv_eoi", 0x40000001, 0, CPUID_EAX, 6 },
	};
	struct cpuid_bit bit;
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(want); i++) {
		const struct cpuid_word *w;

		assert_int_equal(cpuid_bit_find(want[i].name,
						strlen(want[i].name), &bit),
				 0);
		w = &cpuid_words[bit.word];
		assert_int_equal(w->leaf, want[i].leaf);
		assert_int_equal(w->subleaf, want[i].subleaf);
		assert_int_equal(w->reg, want[i].reg);
		assert_int_equal(bit.bit, want[i].bit);
	}
}

static void the_model_is_host(void **state)
{
	assert_int_equal(parse("host"), 0);
	assert_int_equal(parse("host,-cx16"), 0);
	assert_int_equal(parse("hosts"), -EINVAL);
	assert_string_equal(err, "unknown model 'hosts'; did you mean 'host'?");
	assert_int_equal(parse(""), -EINVAL);
	assert_int_equal(parse("-cx16"), -EINVAL);
	assert_int_equal(parse("Haswell,-cx16"), -EINVAL);
}

static void a_wrong_name_is_met_with_the_nearest_known_one(void **state)
{
	assert_int_equal(parse("host,-avx521f"), -EINVAL);
	assert_string_equal(err, "unknown feature 'avx521f'; did you mean "
				 "'avx512f'?");
	assert_int_equal(parse("host,+xsav"), -EINVAL);
	assert_non_null(strstr(err, "'xsave'"));
	assert_int_equal(parse("host,cx16"), -EINVAL);
	assert_string_equal(err, "'cx16' has no sign: +cx16 asks for it, "
				 "-cx16 takes it away");
	assert_int_equal(parse("host,-nope"), -EINVAL);
	assert_null(strstr(err, "did you mean"));
	assert_int_equal(parse("host,"), -EINVAL);
	assert_int_equal(parse("host,,-cx16"), -EINVAL);
	assert_int_equal(parse("host,-"), -EINVAL);
}

static void what_a_user_typed_is_repeated_without_control_characters(void **s)
{
	assert_int_equal(parse("host,-\x1b[2Jx\xff"), -EINVAL);
	assert_null(strchr(err, '\x1b'));
	assert_null(strchr(err, '\xff'));
	assert_non_null(strstr(err, "'?[2Jx?'"));
}

static void other_spellings_are_understood(void **state)
{
	struct kvm_cpuid2 *t =
		APPLIED(intel_host, "host,-sse4.2,-tsc-adjust,-invtsc");

	assert_false(cpuid_feature(t, "sse4_2"));
	assert_false(cpuid_feature(t, "tsc_adjust"));
	assert_false(cpuid_feature(t, "nonstop_tsc"));
	cpuid_table_free(t);
}

static void removing_one_bit_leaves_the_rest(void **state)
{
	struct kvm_cpuid2 *plain = APPLIED(intel_host, "host");
	struct kvm_cpuid2 *t = APPLIED(intel_host, "host,-cx16");
	uint32_t i;

	assert_true(cpuid_feature(plain, "cx16"));
	assert_false(cpuid_feature(t, "cx16"));
	cpuid_find(t, 1, 0)->ecx |= BIT(13);
	assert_int_equal(t->nent, plain->nent);
	for (i = 0; i < t->nent; i++)
		assert_memory_equal(&t->entries[i], &plain->entries[i],
				    sizeof(t->entries[i]));
	cpuid_table_free(t);
	cpuid_table_free(plain);
}

static void without_xsave_nothing_is_left_that_needs_it(void **state)
{
	static const char *const gone[] = {
		"xsave", "xsaveopt", "xsavec", "xgetbv1", "xsaves", "avx",
		"avx2", "fma", "f16c", "avx512f", "avx512vl", "avx512_bf16",
		"avx512_vnni", "vaes", "vpclmulqdq", "pku",
	};
	struct kvm_cpuid2 *plain = APPLIED(intel_host, "host");
	struct kvm_cpuid2 *t = APPLIED(intel_host, "host,-xsave");
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(gone); i++) {
		if (!cpuid_feature(plain, gone[i]))
			fail_msg("%s is not in the host's table", gone[i]);
		if (cpuid_feature(t, gone[i]))
			fail_msg("%s is left", gone[i]);
	}
	assert_true(cpuid_feature(t, "sse4_2"));
	assert_true(cpuid_feature(t, "aes"));
	for (i = 0; i < t->nent; i++)
		if (t->entries[i].function == 0xd)
			assert_int_equal(t->entries[i].eax | t->entries[i].ebx |
						 t->entries[i].ecx |
						 t->entries[i].edx,
					 0);
	cpuid_table_free(t);
	cpuid_table_free(plain);
}

static void without_avx512_its_state_is_gone_and_the_area_shrinks(void **state)
{
	struct kvm_cpuid2 *t = APPLIED(intel_host, "host,-avx512f,-pku");
	const struct kvm_cpuid_entry2 *e = cpuid_find(t, 0xd, 0);

	assert_true(cpuid_feature(t, "avx2"));
	assert_false(cpuid_feature(t, "avx512bw"));
	assert_int_equal(e->eax, 0x7); /* x87, SSE, AVX */
	assert_int_equal(e->ecx, 0x340); /* AVX's 256 bytes at 576 */
	assert_int_equal(e->ebx, 0x340);
	assert_int_equal(cpuid_find(t, 0xd, 2)->eax, 0x100);
	assert_int_equal(cpuid_find(t, 0xd, 5)->eax, 0);
	assert_int_equal(cpuid_find(t, 0xd, 7)->ebx, 0);
	assert_int_equal(cpuid_find(t, 0xd, 9)->eax, 0);
	cpuid_table_free(t);

	t = APPLIED(amd_host, "host,-avx");
	assert_int_equal(cpuid_find(t, 0xd, 0)->eax, 0x3);
	assert_int_equal(cpuid_find(t, 0xd, 0)->ecx, 576);
	assert_true(cpuid_feature(t, "xsave"));
	cpuid_table_free(t);
}

/* AMD shows some bits of leaf 1 EDX a second time. */
static void amds_second_copy_of_a_bit_goes_too(void **state)
{
	struct kvm_cpuid2 *t = APPLIED(amd_host, "host,-pse36,-tsc");

	assert_false(cpuid_find(t, 1, 0)->edx & (BIT(17) | BIT(4)));
	assert_false(cpuid_find(t, 0x80000001, 0)->edx & (BIT(17) | BIT(4)));
	assert_true(cpuid_find(t, 0x80000001, 0)->edx & BIT(20)); /* NX */
	assert_false(cpuid_feature(t, "rdtscp"));
	assert_false(cpuid_feature(t, "kvmclock2"));
	cpuid_table_free(t);
}

static void adding_checks_that_kvm_offers_it(void **state)
{
	struct kvm_cpuid2 *t = NULL;

	cpuid_table_free(APPLIED(intel_host, "host,+avx512f,+x2apic"));
	assert_int_equal(apply(amd_host, ARRAY_SIZE(amd_host),
			       "host,+avx512f", &t),
			 -ENOTSUP);
	assert_string_equal(err, "KVM here does not offer avx512f");
	assert_null(t);
	/* A leaf that is not there at all. */
	assert_int_equal(apply(amd_host, ARRAY_SIZE(amd_host),
			       "host,+avx_vnni", &t),
			 -ENOTSUP);
}

static void what_contradicts_itself_is_refused(void **state)
{
	assert_int_equal(parse("host,-avx,+avx2"), -EINVAL);
	assert_string_equal(err, "+avx2 needs avx, which is taken away");
	assert_int_equal(parse("host,+avx512vl,-xsave"), -EINVAL);
}

static void the_last_edit_of_a_feature_holds(void **state)
{
	struct kvm_cpuid2 *t = APPLIED(intel_host, "host,-cx16,+cx16");

	assert_true(cpuid_feature(t, "cx16"));
	cpuid_table_free(t);
	t = APPLIED(intel_host, "host,+cx16,-cx16");
	assert_false(cpuid_feature(t, "cx16"));
	cpuid_table_free(t);
}

static void unknown_features_are_never_there(void **state)
{
	struct kvm_cpuid2 *t = cpuid_table(intel_host, ARRAY_SIZE(intel_host));

	assert_false(cpuid_feature(t, "cx17"));
	assert_false(cpuid_feature(t, ""));
	assert_true(cpuid_feature(t, "avx512_bf16"));
	assert_false(cpuid_feature(t, "svm"));
	cpuid_table_free(t);
}

#define T(f) cmocka_unit_test(f)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_name_is_there_once_and_every_dependency_is_known),
		T(names_stand_for_the_manuals_bits),
		T(the_model_is_host),
		T(a_wrong_name_is_met_with_the_nearest_known_one),
		T(what_a_user_typed_is_repeated_without_control_characters),
		T(other_spellings_are_understood),
		T(removing_one_bit_leaves_the_rest),
		T(without_xsave_nothing_is_left_that_needs_it),
		T(without_avx512_its_state_is_gone_and_the_area_shrinks),
		T(amds_second_copy_of_a_bit_goes_too),
		T(adding_checks_that_kvm_offers_it),
		T(what_contradicts_itself_is_refused),
		T(the_last_edit_of_a_feature_holds),
		T(unknown_features_are_never_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
