/* SPDX-License-Identifier: MIT */
/* cpuid_features.h: what the bits of CPUID are called, and which need which. */
#ifndef TRAPMAP_X86_CPUID_FEATURES_H
#define TRAPMAP_X86_CPUID_FEATURES_H

#include <stddef.h>
#include <stdint.h>

#include "x86/cpuid.h"

enum cpuid_reg { CPUID_EAX, CPUID_EBX, CPUID_ECX, CPUID_EDX };

/* One register of one leaf; a bit without a name cannot be edited. */
struct cpuid_word {
	uint32_t leaf;
	uint32_t subleaf;
	enum cpuid_reg reg;
	const char *name[32];
};

extern const struct cpuid_word cpuid_words[CPUID_WORDS];

/* Without `needed` there can be no `feature`. */
struct cpuid_dependency {
	const char *feature;
	const char *needed;
};

extern const struct cpuid_dependency cpuid_dependencies[];
extern const size_t cpuid_dependency_count;

struct cpuid_bit {
	unsigned word;
	unsigned bit;
};

/* Returns 0, or -ENOENT for an unknown name. len: of name, without a NUL. */
int cpuid_bit_find(const char *name, size_t len, struct cpuid_bit *ret);

/* Whose manual the leaves follow; Hygon's follow AMD's. */
enum cpuid_vendor { CPUID_INTEL, CPUID_AMD, CPUID_OTHER };
enum cpuid_vendor cpuid_vendor(const struct kvm_cpuid2 *table);

/* The register of an entry that a word is in. */
uint32_t *cpuid_register(struct kvm_cpuid_entry2 *entry, enum cpuid_reg reg);

/* 0x80000001 EDX repeats these bits of leaf 1 EDX on AMD. */
#define CPUID_AMD_REPEATED 0x0183f3ffu

/*
 * cpuid_model.c: makes a host's table a model's, before it is finished but for the
 * features; then takes away the features that are not the model's.
 */
void cpuid_model_begin(struct kvm_cpuid2 *table, const struct cpu_model *model);
void cpuid_model_restrict(struct kvm_cpuid2 *table,
			  const struct cpuid_edits *edits);

/*
 * Applies edits to a finished table, extended state (leaf 0xd) included.
 * Returns 0 or -ENOTSUP with a sentence in err.
 */
int cpuid_edit_apply(struct kvm_cpuid2 *table, const struct cpuid_edits *edits,
		     char *err, size_t errlen);

#endif
