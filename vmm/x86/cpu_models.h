/* SPDX-License-Identifier: MIT */
/*
 * cpu_models.h: the processors that --cpu knows by name, beside "host". A baseline has
 * what it names and nothing else, so that a guest sees the same on each host of a
 * vendor.
 */
#ifndef TRAPMAP_X86_CPU_MODELS_H
#define TRAPMAP_X86_CPU_MODELS_H

#include <stddef.h>
#include <stdint.h>

struct cpu_model {
	const char *name;
	const char *summary; /* for people */
	/* Brand string, of up to 47 bytes. */
	const char *brand;
	/*
	 * CPUID.1:EAX on hosts of Intel's and of AMD's kind; of another kind it is
	 * the host's. It is that of a processor that had these features, and is old,
	 * so that a kernel does not think it safe from what the host may suffer.
	 */
	uint32_t intel_signature;
	uint32_t amd_signature;
	/*
	 * Names of features, blanks between: of this one alone, and those of the one
	 * that it builds upon (NULL: none). KVM must offer them all.
	 */
	const char *features;
	const struct cpu_model *base;
};

extern const struct cpu_model cpu_models[];
extern const size_t cpu_model_count;

/*
 * Features that a baseline keeps where KVM has them: what KVM brings itself, and what
 * a guest must know to guard itself on this host's processor.
 */
extern const char cpu_models_kvm[];
extern const char cpu_models_guards[];

/* By name, which has no NUL. NULL: there is none. */
const struct cpu_model *cpu_model_find(const char *name, size_t len);

#endif
