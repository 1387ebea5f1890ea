/* SPDX-License-Identifier: MIT */
/*
 * processor.h: the processor that the guest sees: what KVM supports, made into
 * one vCPU's CPUID by cpuid.h, with the edits that were asked for.
 */
#ifndef TRAPMAP_X86_PROCESSOR_H
#define TRAPMAP_X86_PROCESSOR_H

#include <stdint.h>

#include "error.h"
#include "x86/cpuid.h"

struct processor {
	const char *spec; /* the caller's */
	struct kvm_cpuid2 *supported;
	struct cpuid_edits edits;
	struct cpuid_params params;
	char brand[49]; /* the host's, which KVM leaves out */
};

/* Whether spec can be understood. Returns 0, or -EINVAL with *err. */
int processor_check(const char *spec, struct error *err);

/*
 * Asks KVM, and understands spec ("host,-cx16"; NULL is "host"). Returns 0, or
 * -errno with *err; processor_done() is due either way.
 */
int processor_init(struct processor *cpu, int sys_fd,
		   const struct topology *topology, const char *spec,
		   struct error *err);

/*
 * The CPUID table of vCPU `n`, whose descriptor is vcpu_fd. The caller's, to
 * free(). Returns 0, or -errno with *err.
 */
int processor_cpuid(struct processor *cpu, int vcpu_fd, unsigned n,
		    struct kvm_cpuid2 **ret_cpuid, struct error *err);

void processor_done(struct processor *cpu);

/* How wide a guest's physical addresses are (CPUID.80000008H:EAX[7:0]). */
unsigned processor_phys_bits(int sys_fd);

#endif
