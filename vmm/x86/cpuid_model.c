// SPDX-License-Identifier: MIT
/*
 * cpuid_model.c: makes a table a baseline's: what --cpu's model names and keeps stays,
 * all else goes, and the processor gets the model's family, name and number of leaves.
 * Caches, TLBs, frequencies and the widths of addresses stay the host's: they say how
 * much there is, not what.
 */
#include "x86/cpuid.h"
#include "x86/cpuid_features.h"

#include <string.h>

#include "core/base.h"
#include "x86/cpu_models.h"

/* Where the leaves end; those between that are not here read as zero. */
#define HIGHEST_INTEL 0x16u
#define HIGHEST_AMD 0xdu
#define HIGHEST_LEAF7 2u
#define HIGHEST_EXTENDED_INTEL 0x80000008u
#define HIGHEST_EXTENDED_AMD 0x80000021u

/* Leaves that a baseline has; KVM's own are from 0x40000000 on. */
static const uint32_t leaves[] = {
	0,	    1,		2,	    4,		6,
	7,	    0xb,	0xd,	    0x15,	0x16,
	0x80000000, 0x80000001, 0x80000005, 0x80000006, 0x80000007,
	0x80000008, 0x8000001d, 0x8000001e, 0x80000021,
};

static bool is_kept(uint32_t leaf)
{
	size_t i;

	if (leaf >= 0x40000000 && leaf < 0x80000000)
		return true;
	for (i = 0; i < ARRAY_SIZE(leaves); i++)
		if (leaves[i] == leaf)
			return true;
	return false;
}

static void drop_leaves(struct kvm_cpuid2 *table)
{
	uint32_t i, kept = 0;

	for (i = 0; i < table->nent; i++) {
		const struct kvm_cpuid_entry2 *e = &table->entries[i];

		if (!is_kept(e->function) ||
		    (e->function == 7 && e->index > HIGHEST_LEAF7))
			continue;
		table->entries[kept++] = *e;
	}
	table->nent = kept;
}

void cpuid_model_begin(struct kvm_cpuid2 *table, const struct cpu_model *model)
{
	enum cpuid_vendor vendor = cpuid_vendor(table);
	struct kvm_cpuid_entry2 *base = cpuid_find(table, 0, 0);
	struct kvm_cpuid_entry2 *extended = cpuid_find(table, 0x80000000, 0);
	struct kvm_cpuid_entry2 *e;
	uint32_t signature = vendor == CPUID_INTEL ? model->intel_signature
						   : model->amd_signature;

	if (base && vendor != CPUID_OTHER)
		base->eax = vendor == CPUID_INTEL ? HIGHEST_INTEL : HIGHEST_AMD;
	if (extended)
		extended->eax = vendor == CPUID_AMD ? HIGHEST_EXTENDED_AMD
						    : HIGHEST_EXTENDED_INTEL;
	e = cpuid_find(table, 1, 0);
	if (e && vendor != CPUID_OTHER)
		e->eax = signature;
	e = cpuid_find(table, 0x80000001, 0);
	if (e) {
		e->eax = vendor == CPUID_AMD ? signature : 0;
		e->ebx = 0; /* of AMD's: which socket it fits in */
	}
	drop_leaves(table);
}

static bool is_feature_register(const struct kvm_cpuid_entry2 *e,
				enum cpuid_reg reg)
{
	unsigned w;

	for (w = 0; w < CPUID_WORDS; w++)
		if (cpuid_words[w].leaf == e->function &&
		    cpuid_words[w].subleaf == e->index &&
		    cpuid_words[w].reg == reg)
			return true;
	return false;
}

/* Leaf 7 is all features, also of those registers that none of ours is in. */
static void restrict_leaf7(struct kvm_cpuid_entry2 *e)
{
	static const enum cpuid_reg regs[] = { CPUID_EAX, CPUID_EBX, CPUID_ECX,
					       CPUID_EDX };
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(regs); i++)
		if (!is_feature_register(e, regs[i]))
			*cpuid_register(e, regs[i]) = 0;
	if (e->index == 0)
		e->eax = HIGHEST_LEAF7;
}

void cpuid_model_restrict(struct kvm_cpuid2 *table,
			  const struct cpuid_edits *edits)
{
	struct kvm_cpuid_entry2 *e = cpuid_find(table, 0x80000001, 0);
	uint32_t i, repeated = 0;
	unsigned w;

	if (e && cpuid_vendor(table) == CPUID_AMD)
		repeated = e->edx & CPUID_AMD_REPEATED & edits->allow[0];
	for (w = 0; w < CPUID_WORDS; w++) {
		e = cpuid_find(table, cpuid_words[w].leaf,
			       cpuid_words[w].subleaf);
		if (e)
			*cpuid_register(e,
					cpuid_words[w].reg) &= edits->allow[w];
	}
	e = cpuid_find(table, 0x80000001, 0);
	if (e)
		e->edx |= repeated;
	for (i = 0; i < table->nent; i++)
		if (table->entries[i].function == 7)
			restrict_leaf7(&table->entries[i]);
}
