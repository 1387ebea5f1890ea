/* SPDX-License-Identifier: MIT */
/*
 * cpuid.h: what a vCPU says of itself. Pure functions over the table that
 * KVM_GET_SUPPORTED_CPUID fills and KVM_SET_CPUID2 takes; no ioctl here.
 *
 * A table is a struct kvm_cpuid2 with room for `capacity` entries, nent of
 * which are in use.
 */
#ifndef TRAPMAP_X86_CPUID_H
#define TRAPMAP_X86_CPUID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/kvm.h>

#include "x86/topology.h"

/* The most entries that cpuid_finish() adds to a table. */
#define CPUID_SPARE 16

/* The CPUID registers that are made of feature bits (cpuid_features.c). */
#define CPUID_WORDS 20

struct cpu_model;

/* --cpu, understood: per register, which bits must be and must not be set. */
struct cpuid_edits {
	const struct cpu_model *model; /* NULL: the host's processor */
	uint32_t add[CPUID_WORDS];
	uint32_t remove[CPUID_WORDS]; /* with all that depend on them */
	uint32_t allow[CPUID_WORDS]; /* of a model: what may be there */
};

/*
 * Understands "host,-cx16,-xsave,+x2apic"; in place of host a model's name can
 * stand. A feature's name is that of Linux's /proc/cpuinfo ('-' and '.' may stand
 * for '_'); of two edits of one feature the last one holds. Returns 0, or -EINVAL
 * with a sentence in err: an unknown model or feature (with the nearest known one),
 * or one that is asked for while what it needs is not there or taken away.
 */
int cpuid_edit_parse(const char *spec, struct cpuid_edits *ret, char *err,
		     size_t errlen);

struct cpuid_params {
	struct topology topology; /* filled in */
	uint32_t apic_id;
	uint32_t tsc_khz; /* KVM_GET_TSC_KHZ; 0 if KVM does not know */
	uint32_t apic_khz; /* the local APIC timer's; KVM's is 1000000 */
	/* What KVM's local APIC offers, whatever the table says. */
	bool x2apic;
	bool tsc_deadline; /* KVM_CAP_TSC_DEADLINE_TIMER */
	/* The name of the processor, for a table that has none. May be NULL. */
	const char *brand;
};

/*
 * Makes of what KVM supports what one vCPU says: its APIC id, the topology, the
 * frequencies, and then the edits (NULL: none). A table may be finished again
 * for another vCPU. Returns 0; -E2BIG if there was no room (nent + CPUID_SPARE
 * is always enough); -ENOTSUP if an edit adds what KVM does not offer. Both
 * leave a sentence in err and a table that is of no use.
 */
int cpuid_finish(struct kvm_cpuid2 *table, unsigned capacity,
		 const struct cpuid_params *params,
		 const struct cpuid_edits *edits, char *err, size_t errlen);

/* The entry of a leaf, or NULL; subleaf is 0 where the leaf has none. */
struct kvm_cpuid_entry2 *cpuid_find(struct kvm_cpuid2 *table, uint32_t leaf,
				    uint32_t subleaf);

/* Whether a table has a feature; false for a name that is not known. */
bool cpuid_feature(const struct kvm_cpuid2 *table, const char *name);

#endif
