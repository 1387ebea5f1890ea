// SPDX-License-Identifier: MIT
#include "postmortem/sentence.h"

#include <inttypes.h>
#include <stdio.h>

#include "postmortem/words.h"

/* " (name+0x12)", or "". */
static void add_symbol(const struct postmortem *pm, const struct pm_vcpu *vcpu,
		       char *text, size_t size)
{
	char symbol[128];

	text[0] = '\0';
	if (!vcpu->after_reset &&
	    words_symbol(pm, vcpu->code_walk.linear, symbol, sizeof(symbol)))
		snprintf(text, size, " (%s)", symbol);
}

static void triple_fault(const struct postmortem *pm, const struct pm_vcpu *vcpu,
			 const char *fault, char *text, size_t size)
{
	char symbol[160], name[128];

	add_symbol(pm, vcpu, symbol, sizeof(symbol));
	if (vcpu->after_reset)
		snprintf(text, size,
			 "vCPU %u triple-faulted; its registers were reset "
			 "before they could be read%s",
			 vcpu->id,
			 pm->kvm_kind == TRAPMAP_KVM_AMDV ? ", as AMD-V does"
							  : "");
	else if (fault[0] &&
		 words_symbol(pm, vcpu->code_walk.linear, name, sizeof(name)))
		snprintf(text, size, "vCPU %u triple-faulted in %s: %s",
			 vcpu->id, name, fault);
	else if (fault[0])
		snprintf(text, size, "vCPU %u triple-faulted: %s", vcpu->id,
			 fault);
	else if (vcpu->has_regs)
		snprintf(text, size, "vCPU %u triple-faulted at %#" PRIx64 "%s",
			 vcpu->id, vcpu->code_walk.linear, symbol);
	else
		snprintf(text, size, "vCPU %u triple-faulted", vcpu->id);
}

/* "KVM here (VT-x, EPT)" */
static void kvm_here(const struct postmortem *pm, char *text, size_t size)
{
	const char *paging = "";

	if (pm->nested_paging == 0)
		paging = ", shadow paging";
	else if (pm->nested_paging == 1)
		paging = pm->kvm_kind == TRAPMAP_KVM_VTX ? ", EPT" : ", NPT";
	snprintf(text, size, "KVM here (%s%s)", words_kvm(pm->kvm_kind), paging);
}

static void failed_emulation(const struct postmortem *pm,
			     const struct pm_vcpu *vcpu,
			     const struct sentence_crash *crash, char *text,
			     size_t size)
{
	char kvm[48], what[160], where[32], symbol[160];
	unsigned i, n = 0;

	kvm_here(pm, kvm, sizeof(kvm));
	add_symbol(pm, vcpu, symbol, sizeof(symbol));
	if (crash->len == 0) {
		snprintf(text, size,
			 "vCPU %u: there is no RAM at RIP, %#" PRIx64
			 "%s, and %s cannot run code from elsewhere",
			 vcpu->id, vcpu->code_walk.linear, symbol, kvm);
		return;
	}
	if (crash->insn[0]) {
		snprintf(what, sizeof(what), "`%s`", crash->insn);
	} else {
		what[0] = '\0';
		for (i = 0; i < crash->len && i < 15; i++)
			n += (unsigned)snprintf(what + n, sizeof(what) - n,
						" %02x", crash->bytes[i]);
	}
	if (vcpu->mode == PM_REAL)
		snprintf(where, sizeof(where), "real mode");
	else
		snprintf(where, sizeof(where), "ring %u", words_cpl(vcpu));
	snprintf(text, size,
		 "vCPU %u: %s cannot run %s%s in %s, at %#" PRIx64 "%s",
		 vcpu->id, kvm, crash->insn[0] ? "" : "the instruction", what,
		 where, vcpu->code_walk.linear, symbol);
}

void sentence_place(const struct postmortem *pm, const struct pm_vcpu *vcpu,
		    char *text, size_t size)
{
	char symbol[160];

	text[0] = '\0';
	if (!vcpu->has_regs || vcpu->after_reset)
		return;
	add_symbol(pm, vcpu, symbol, sizeof(symbol));
	if (vcpu->mode == PM_REAL)
		snprintf(text, size, ", at CS:IP %04x:%04x",
			 vcpu->sregs.cs.selector, (uint16_t)vcpu->regs.rip);
	else
		snprintf(text, size, ", at %#" PRIx64 "%s",
			 vcpu->code_walk.linear, symbol);
}

bool sentence_crash(const struct postmortem *pm, const struct pm_vcpu *vcpu,
		    const struct sentence_crash *crash, char *text, size_t size)
{
	char kvm[48];

	if (crash->reason == KVM_EXIT_SHUTDOWN) {
		triple_fault(pm, vcpu, crash->fault, text, size);
		return true;
	}
	if (crash->reason == KVM_EXIT_INTERNAL_ERROR && crash->fault[0]) {
		kvm_here(pm, kvm, sizeof(kvm));
		snprintf(text, size, "vCPU %u: %s gave up on an exception: %s",
			 vcpu->id, kvm, crash->fault);
		return true;
	}
	if (crash->reason == KVM_EXIT_INTERNAL_ERROR &&
	    crash->detail == KVM_INTERNAL_ERROR_EMULATION && vcpu->has_regs) {
		failed_emulation(pm, vcpu, crash, text, size);
		return true;
	}
	return false;
}
