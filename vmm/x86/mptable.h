/* SPDX-License-Identifier: MIT */
/* mptable.h: the Intel MultiProcessor Specification 1.4 tables. */
#ifndef TRAPMAP_X86_MPTABLE_H
#define TRAPMAP_X86_MPTABLE_H

#include <stddef.h>
#include <stdint.h>

#include "core/gmem.h"

/*
 * Writes the floating pointer structure, then the configuration table, for
 * `cpus` processors (1 to 255, APIC ids 0 to cpus - 1) into buf, which the
 * guest sees at gpa (a multiple of 16). cpu_signature is CPUID.1:EAX,
 * cpu_features CPUID.1:EDX. Returns 0 with the bytes used, or -ENOSPC.
 */
int mptable_build(uint8_t *buf, size_t len, gpa_t gpa, unsigned cpus,
		  uint32_t cpu_signature, uint32_t cpu_features,
		  size_t *ret_used);

#endif
