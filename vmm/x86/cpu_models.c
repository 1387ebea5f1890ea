// SPDX-License-Identifier: MIT
/*
 * cpu_models.c: baselines as data. Sources: x86-64 psABI 1.0, table 3.1, for the levels,
 * with Intel SDM volume 2A, CPUID, and AMD APM volume 3, appendix E; for `soft`, what
 * a KVM that emulates ring 0 was found to run and not to run, an instruction at a time.
 *
 * docs/cpu.md has a table made from this.
 */
#include "x86/cpu_models.h"

#include <string.h>

#include "core/base.h"

/* Family 6, by model and stepping: Merom, Nehalem, Haswell. Family 17h: Zen 1. */
#define INTEL_MEROM 0x000006fb
#define INTEL_NEHALEM 0x000106a4
#define INTEL_HASWELL 0x000306c3
#define AMD_ZEN 0x00800f12

enum { SOFT, V2, V3 };

const struct cpu_model cpu_models[] = {
	[SOFT] = {
		.name = "soft",
		.summary = "x86-64 without what a software KVM cannot emulate",
		.brand = "Trapmap soft processor",
		.intel_signature = INTEL_MEROM,
		.amd_signature = AMD_ZEN,
		/* The first level, and what no 64-bit kernel does without. */
		.features = "fpu de pse tsc msr pae mce cx8 apic sep mtrr "
			    "pge mca cmov pat pse36 clflush mmx fxsr sse sse2 "
			    "syscall nx lm lahf_lm",
	},
	[V2] = {
		.name = "x86-64-v2",
		.summary = "the second level of the psABI: up to SSE4.2",
		.brand = "Trapmap x86-64-v2 processor",
		.intel_signature = INTEL_NEHALEM,
		.amd_signature = AMD_ZEN,
		.features = "cx16 popcnt pni ssse3 sse4_1 sse4_2",
		.base = &cpu_models[SOFT],
	},
	[V3] = {
		.name = "x86-64-v3",
		.summary = "the third level of the psABI: up to AVX2",
		.brand = "Trapmap x86-64-v3 processor",
		.intel_signature = INTEL_HASWELL,
		.amd_signature = AMD_ZEN,
		.features = "xsave avx avx2 bmi1 bmi2 f16c fma abm movbe",
		.base = &cpu_models[V2],
	},
};

const size_t cpu_model_count = ARRAY_SIZE(cpu_models);

const char cpu_models_kvm[] =
	"hypervisor x2apic tsc_deadline_timer tsc_adjust arat ht cmp_legacy "
	"topoext nonstop_tsc "
	"kvmclock kvm_nopiodelay kvm_mmu kvmclock2 kvm_asyncpf kvm_steal_time "
	"kvm_pv_eoi kvm_pv_unhalt kvm_pv_tlb_flush kvm_asyncpf_vmexit "
	"kvm_pv_ipi kvm_poll_control kvm_pv_sched_yield kvm_asyncpf_int "
	"kvmclock_stable_bit";

const char cpu_models_guards[] =
	"md_clear spec_ctrl intel_stibp flush_l1d arch_capabilities "
	"core_capabilities spec_ctrl_ssbd srbds_ctrl rtm_always_abort "
	"intel_psfd ipred_ctrl rrsba_ctrl ddpd_u bhi_ctrl mcdt_no "
	"amd_ibpb amd_ibrs amd_stibp amd_stibp_always_on amd_ssbd virt_ssbd "
	"amd_ssb_no amd_psfd btc_no "
	"lfence_rdtsc null_sel_clr_base autoibrs sbpb ibpb_brtype srso_no";

const struct cpu_model *cpu_model_find(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < cpu_model_count; i++)
		if (strlen(cpu_models[i].name) == len &&
		    !memcmp(cpu_models[i].name, name, len))
			return &cpu_models[i];
	return NULL;
}
