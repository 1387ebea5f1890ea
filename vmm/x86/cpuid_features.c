// SPDX-License-Identifier: MIT
/*
 * cpuid_features.c: names of feature bits and what they need. Sources: Intel
 * SDM volume 2A, CPUID; AMD APM volume 3, appendix E; Linux's
 * Documentation/virt/kvm/x86/cpuid.rst for leaf 0x40000001.
 *
 * The names are Linux's in /proc/cpuinfo. A bit that it does not show has the
 * name of its macro in lower case. Left out are bits that mirror CR4 (OSXSAVE,
 * OSPKE), and on AMD those of 0x80000001 EDX that repeat leaf 1 EDX.
 */
#include "x86/cpuid_features.h"

#include <errno.h>
#include <string.h>

#include "core/base.h"

/* clang-format off */
const struct cpuid_word cpuid_words[CPUID_WORDS] = {
	{ 0x1, 0, CPUID_EDX, {
		"fpu", "vme", "de", "pse", "tsc", "msr", "pae", "mce",
		"cx8", "apic", NULL, "sep", "mtrr", "pge", "mca", "cmov",
		"pat", "pse36", "pn", "clflush", NULL, "dts", "acpi", "mmx",
		"fxsr", "sse", "sse2", "ss", "ht", "tm", "ia64", "pbe" } },
	{ 0x1, 0, CPUID_ECX, {
		"pni", "pclmulqdq", "dtes64", "monitor",
		"ds_cpl", "vmx", "smx", "est",
		"tm2", "ssse3", "cid", "sdbg", "fma", "cx16", "xtpr", "pdcm",
		NULL, "pcid", "dca", "sse4_1",
		"sse4_2", "x2apic", "movbe", "popcnt",
		"tsc_deadline_timer", "aes", "xsave", NULL,
		"avx", "f16c", "rdrand", "hypervisor" } },
	{ 0x6, 0, CPUID_EAX, {
		[0] = "dtherm", [1] = "ida", [2] = "arat", [4] = "pln",
		[6] = "pts", [7] = "hwp", [8] = "hwp_notify",
		[9] = "hwp_act_window", [10] = "hwp_epp",
		[11] = "hwp_pkg_req", [19] = "hfi" } },
	{ 0x6, 0, CPUID_ECX, {
		[0] = "aperfmperf", [3] = "epb" } },
	{ 0x7, 0, CPUID_EBX, {
		"fsgsbase", "tsc_adjust", "sgx", "bmi1",
		"hle", "avx2", "fdp_excptn_only", "smep",
		"bmi2", "erms", "invpcid", "rtm",
		"cqm", "zero_fcs_fds", "mpx", "rdt_a",
		"avx512f", "avx512dq", "rdseed", "adx",
		"smap", "avx512ifma", NULL, "clflushopt",
		"clwb", "intel_pt", "avx512pf", "avx512er",
		"avx512cd", "sha_ni", "avx512bw", "avx512vl" } },
	{ 0x7, 0, CPUID_ECX, {
		[0] = "prefetchwt1", [1] = "avx512vbmi", [2] = "umip",
		[3] = "pku", [5] = "waitpkg", [6] = "avx512_vbmi2",
		[7] = "shstk", [8] = "gfni", [9] = "vaes", [10] = "vpclmulqdq",
		[11] = "avx512_vnni", [12] = "avx512_bitalg", [13] = "tme",
		[14] = "avx512_vpopcntdq", [16] = "la57", [22] = "rdpid",
		[23] = "kl", [24] = "bus_lock_detect", [25] = "cldemote",
		[27] = "movdiri", [28] = "movdir64b", [29] = "enqcmd",
		[30] = "sgx_lc", [31] = "pks" } },
	{ 0x7, 0, CPUID_EDX, {
		[1] = "sgx_keys", [2] = "avx512_4vnniw", [3] = "avx512_4fmaps",
		[4] = "fsrm", [5] = "uintr", [8] = "avx512_vp2intersect",
		[9] = "srbds_ctrl", [10] = "md_clear",
		[11] = "rtm_always_abort", [13] = "tsx_force_abort",
		[14] = "serialize", [15] = "hybrid_cpu", [16] = "tsxldtrk",
		[18] = "pconfig", [19] = "arch_lbr", [20] = "ibt",
		[22] = "amx_bf16", [23] = "avx512_fp16", [24] = "amx_tile",
		[25] = "amx_int8", [26] = "spec_ctrl", [27] = "intel_stibp",
		[28] = "flush_l1d", [29] = "arch_capabilities",
		[30] = "core_capabilities", [31] = "spec_ctrl_ssbd" } },
	{ 0x7, 1, CPUID_EAX, {
		[0] = "sha512", [1] = "sm3", [2] = "sm4", [4] = "avx_vnni",
		[5] = "avx512_bf16", [7] = "cmpccxadd", [8] = "arch_perfmon_ext",
		[10] = "fzrm", [11] = "fsrs", [12] = "fsrc", [17] = "fred",
		[18] = "lkgs", [19] = "wrmsrns", [21] = "amx_fp16",
		[23] = "avx_ifma", [26] = "lam" } },
	{ 0x7, 1, CPUID_EDX, {
		[4] = "avx_vnni_int8", [5] = "avx_ne_convert",
		[8] = "amx_complex", [10] = "avx_vnni_int16",
		[14] = "prefetchiti" } },
	{ 0x7, 2, CPUID_EDX, {
		[0] = "intel_psfd", [1] = "ipred_ctrl", [2] = "rrsba_ctrl",
		[3] = "ddpd_u", [4] = "bhi_ctrl", [5] = "mcdt_no" } },
	{ 0xd, 1, CPUID_EAX, {
		"xsaveopt", "xsavec", "xgetbv1", "xsaves", "xfd" } },
	{ 0x80000001, 0, CPUID_EDX, {
		[11] = "syscall", [19] = "mp", [20] = "nx", [22] = "mmxext",
		[25] = "fxsr_opt", [26] = "pdpe1gb", [27] = "rdtscp",
		[29] = "lm", [30] = "3dnowext", [31] = "3dnow" } },
	{ 0x80000001, 0, CPUID_ECX, {
		"lahf_lm", "cmp_legacy", "svm", "extapic",
		"cr8_legacy", "abm", "sse4a", "misalignsse",
		"3dnowprefetch", "osvw", "ibs", "xop",
		"skinit", "wdt", NULL, "lwp",
		"fma4", "tce", NULL, "nodeid_msr",
		NULL, "tbm", "topoext", "perfctr_core",
		"perfctr_nb", NULL, "bpext", "ptsc",
		"perfctr_llc", "mwaitx" } },
	{ 0x80000007, 0, CPUID_EBX, {
		[0] = "overflow_recov", [1] = "succor", [3] = "smca" } },
	{ 0x80000007, 0, CPUID_EDX, {
		[7] = "hw_pstate", [8] = "nonstop_tsc", [9] = "cpb",
		[11] = "proc_feedback", [12] = "acc_power" } },
	{ 0x80000008, 0, CPUID_EBX, {
		[0] = "clzero", [1] = "irperf", [2] = "xsaveerptr",
		[4] = "rdpru", [9] = "wbnoinvd", [12] = "amd_ibpb",
		[14] = "amd_ibrs", [15] = "amd_stibp",
		[17] = "amd_stibp_always_on", [23] = "amd_ppin",
		[24] = "amd_ssbd", [25] = "virt_ssbd", [26] = "amd_ssb_no",
		[27] = "cppc", [28] = "amd_psfd", [29] = "btc_no",
		[31] = "brs" } },
	{ 0x8000000a, 0, CPUID_EDX, {
		[0] = "npt", [1] = "lbrv", [2] = "svm_lock", [3] = "nrip_save",
		[4] = "tsc_scale", [5] = "vmcb_clean", [6] = "flushbyasid",
		[7] = "decodeassists", [10] = "pausefilter",
		[12] = "pfthreshold", [13] = "avic", [15] = "v_vmsave_vmload",
		[16] = "vgif", [18] = "x2avic", [20] = "v_spec_ctrl",
		[25] = "vnmi", [28] = "svme_addr_chk" } },
	{ 0x8000001f, 0, CPUID_EAX, {
		[0] = "sme", [1] = "sev", [2] = "vm_page_flush", [3] = "sev_es",
		[4] = "sev_snp", [9] = "v_tsc_aux", [10] = "sme_coherent" } },
	{ 0x80000021, 0, CPUID_EAX, {
		[0] = "no_nested_data_bp", [2] = "lfence_rdtsc",
		[6] = "null_sel_clr_base", [8] = "autoibrs",
		[9] = "no_smm_ctl_msr", [27] = "sbpb", [28] = "ibpb_brtype",
		[29] = "srso_no" } },
	{ 0x40000001, 0, CPUID_EAX, {
		[0] = "kvmclock", [1] = "kvm_nopiodelay", [2] = "kvm_mmu",
		[3] = "kvmclock2", [4] = "kvm_asyncpf", [5] = "kvm_steal_time",
		[6] = "kvm_pv_eoi", [7] = "kvm_pv_unhalt",
		[9] = "kvm_pv_tlb_flush", [10] = "kvm_asyncpf_vmexit",
		[11] = "kvm_pv_ipi", [12] = "kvm_poll_control",
		[13] = "kvm_pv_sched_yield", [14] = "kvm_asyncpf_int",
		[15] = "kvm_msi_ext_dest_id", [16] = "kvm_hc_map_gpa_range",
		[17] = "kvm_migration_control",
		[24] = "kvmclock_stable_bit" } },
};

/*
 * What cannot be there alone, by the manuals or because compilers take it for
 * granted (code for AVX uses SSE4.2 as well).
 */
const struct cpuid_dependency cpuid_dependencies[] = {
	{ "fxsr", "fpu" }, { "mmx", "fpu" },
	{ "mmxext", "mmx" }, { "3dnow", "mmx" }, { "3dnowext", "3dnow" },
	{ "fxsr_opt", "fxsr" },
	{ "sse", "fxsr" }, { "sse2", "sse" }, { "misalignsse", "sse" },
	{ "pni", "sse2" }, { "ssse3", "pni" }, { "sse4a", "pni" },
	{ "sse4_1", "ssse3" }, { "sse4_2", "sse4_1" },
	{ "aes", "sse2" }, { "pclmulqdq", "sse2" },
	{ "sha_ni", "ssse3" }, { "gfni", "sse2" },

	{ "xsave", "fxsr" }, { "xsaveopt", "xsave" }, { "xsavec", "xsave" },
	{ "xgetbv1", "xsave" }, { "xsaves", "xsavec" }, { "xfd", "xsave" },
	{ "xsaveerptr", "fxsr" },
	{ "avx", "xsave" }, { "pku", "xsave" }, { "mpx", "xsave" },
	{ "lwp", "xsave" }, { "shstk", "xsaves" }, { "ibt", "xsaves" },
	{ "enqcmd", "xsaves" }, { "uintr", "xsaves" },

	{ "avx", "sse4_2" }, { "f16c", "avx" }, { "fma", "avx" },
	{ "fma4", "avx" }, { "xop", "fma4" }, { "avx2", "avx" },
	{ "vaes", "avx" }, { "vaes", "aes" },
	{ "vpclmulqdq", "avx" }, { "vpclmulqdq", "pclmulqdq" },
	{ "avx_vnni", "avx2" }, { "avx_ifma", "avx2" },
	{ "avx_vnni_int8", "avx2" }, { "avx_vnni_int16", "avx2" },
	{ "avx_ne_convert", "avx2" }, { "sha512", "avx2" },
	{ "sm3", "avx" }, { "sm4", "avx2" },

	{ "avx512f", "avx2" }, { "avx512f", "fma" }, { "avx512f", "f16c" },
	{ "avx512dq", "avx512f" }, { "avx512ifma", "avx512f" },
	{ "avx512pf", "avx512f" }, { "avx512er", "avx512f" },
	{ "avx512cd", "avx512f" }, { "avx512bw", "avx512f" },
	{ "avx512vl", "avx512f" }, { "avx512vbmi", "avx512bw" },
	{ "avx512_vbmi2", "avx512bw" }, { "avx512_vnni", "avx512f" },
	{ "avx512_bitalg", "avx512bw" }, { "avx512_vpopcntdq", "avx512f" },
	{ "avx512_4vnniw", "avx512f" }, { "avx512_4fmaps", "avx512f" },
	{ "avx512_vp2intersect", "avx512f" }, { "avx512_bf16", "avx512bw" },
	{ "avx512_fp16", "avx512bw" }, { "avx512_fp16", "avx512vl" },

	{ "amx_tile", "xsave" }, { "amx_bf16", "amx_tile" },
	{ "amx_int8", "amx_tile" }, { "amx_fp16", "amx_tile" },
	{ "amx_complex", "amx_tile" },

	{ "x2apic", "apic" }, { "tsc_deadline_timer", "apic" },
	{ "tsc_deadline_timer", "tsc" }, { "extapic", "apic" },
	{ "arat", "apic" },
	{ "rdtscp", "tsc" }, { "tsc_adjust", "tsc" }, { "nonstop_tsc", "tsc" },
	{ "lm", "pae" }, { "nx", "pae" }, { "lahf_lm", "lm" },
	{ "pdpe1gb", "lm" }, { "cx16", "lm" }, { "la57", "lm" },
	{ "fsgsbase", "lm" }, { "pcid", "lm" }, { "invpcid", "pcid" },
	{ "mca", "mce" }, { "clflushopt", "clflush" },
	{ "sgx_lc", "sgx" }, { "sgx_keys", "sgx" },
	{ "npt", "svm" }, { "lbrv", "svm" }, { "svm_lock", "svm" },
	{ "nrip_save", "svm" }, { "tsc_scale", "svm" }, { "vmcb_clean", "svm" },
	{ "flushbyasid", "svm" }, { "decodeassists", "svm" },
	{ "pausefilter", "svm" }, { "pfthreshold", "pausefilter" },
	{ "avic", "svm" }, { "x2avic", "avic" }, { "v_vmsave_vmload", "npt" },
	{ "vgif", "svm" }, { "vnmi", "vgif" }, { "v_spec_ctrl", "svm" },
	{ "svme_addr_chk", "svm" },
	{ "sev_es", "sev" }, { "sev_snp", "sev_es" },

	{ "kvmclock", "tsc" }, { "kvmclock2", "kvmclock" },
	{ "kvmclock_stable_bit", "kvmclock" },
	{ "kvm_asyncpf_vmexit", "kvm_asyncpf" },
	{ "kvm_asyncpf_int", "kvm_asyncpf" },
};
/* clang-format on */

const size_t cpuid_dependency_count = ARRAY_SIZE(cpuid_dependencies);

/* What other manuals and monitors call them. */
static const struct alias {
	const char *name;
	const char *means;
} aliases[] = {
	{ "sse3", "pni" },
	{ "lzcnt", "abm" },
	{ "invtsc", "nonstop_tsc" },
	{ "tsc_deadline", "tsc_deadline_timer" },
};

static bool same_name(const char *known, const char *name, size_t len)
{
	size_t i;

	if (strlen(known) != len)
		return false;
	for (i = 0; i < len; i++) {
		char c = name[i] == '-' || name[i] == '.' ? '_' : name[i];

		if (c != known[i])
			return false;
	}
	return true;
}

int cpuid_bit_find(const char *name, size_t len, struct cpuid_bit *ret)
{
	unsigned w, b;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(aliases); i++) {
		if (!same_name(aliases[i].name, name, len))
			continue;
		name = aliases[i].means;
		len = strlen(name);
		break;
	}
	for (w = 0; w < CPUID_WORDS; w++) {
		for (b = 0; b < 32; b++) {
			const char *known = cpuid_words[w].name[b];

			if (!known || !same_name(known, name, len))
				continue;
			*ret = (struct cpuid_bit){ w, b };
			return 0;
		}
	}
	return -ENOENT;
}

uint32_t *cpuid_register(struct kvm_cpuid_entry2 *entry, enum cpuid_reg reg)
{
	switch (reg) {
	case CPUID_EAX: return &entry->eax;
	case CPUID_EBX: return &entry->ebx;
	case CPUID_ECX: return &entry->ecx;
	case CPUID_EDX: break;
	}
	return &entry->edx;
}
