// SPDX-License-Identifier: MIT
/*
 * Any text as --cpu. What it is understood to take away is gone from a table
 * that was made with it, and what it adds is there.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "cpuid_tables.h"
#include "x86/cpuid.h"
#include "x86/cpuid_features.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_sentence(const char *err)
{
	if (!*err)
		abort();
	for (; *err; err++)
		if (*err < ' ' || *err > '~')
			abort();
}

static void check(struct kvm_cpuid2 *t, const struct cpuid_edits *edits)
{
	unsigned w;

	for (w = 0; w < CPUID_WORDS; w++) {
		const struct cpuid_word *word = &cpuid_words[w];
		struct kvm_cpuid_entry2 *e =
			cpuid_find(t, word->leaf, word->subleaf);
		uint32_t val = e ? *cpuid_register(e, word->reg) : 0;

		if (val & edits->remove[w] || ~val & edits->add[w])
			abort();
	}
}

static void run(const struct kvm_cpuid_entry2 *host, size_t count,
		const struct cpuid_edits *edits)
{
	const struct cpuid_params p = { .topology = { 1, 3, 1 },
					.apic_id = 2,
					.tsc_khz = 2445406,
					.apic_khz = 1000000,
					.x2apic = true };
	struct kvm_cpuid2 *t = cpuid_table(host, count);
	char err[128] = "";

	if (cpuid_finish(t, (unsigned)count + CPUID_SPARE, &p, edits, err,
			 sizeof(err)) == 0)
		check(t, edits);
	else
		check_sentence(err);
	cpuid_table_free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct cpuid_edits edits;
	char err[128] = "";
	char *spec = malloc(len + 1);

	if (!spec)
		return 0;
	memcpy(spec, data, len);
	spec[len] = '\0';
	if (cpuid_edit_parse(spec, &edits, err, sizeof(err)) == 0) {
		run(intel_host, ARRAY_SIZE(intel_host), &edits);
		run(amd_host, ARRAY_SIZE(amd_host), &edits);
	} else {
		check_sentence(err);
	}
	free(spec);
	return 0;
}
