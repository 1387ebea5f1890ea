// SPDX-License-Identifier: MIT
#include "postmortem.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base.h"
#include "core/gmem.h"
#include "kvm.h"
#include "vcpu.h"

#define CODE_BYTES 16

static void put_segment(FILE *f, const char *name, const struct kvm_segment *s)
{
	fprintf(f,
		"  %-4s %04x base %016" PRIx64 " limit %08x type %x%s%s%s\n",
		name, s->selector, (uint64_t)s->base, s->limit, s->type,
		s->s ? " s" : "", s->l ? " l" : "", s->db ? " db" : "");
}

static void put_registers(FILE *f, const struct kvm_regs *r,
			  const struct kvm_sregs *s)
{
	fprintf(f,
		"  rip %016" PRIx64 "  rflags %016" PRIx64 "\n"
		"  rax %016" PRIx64 "  rbx %016" PRIx64 "  rcx %016" PRIx64 "\n"
		"  rdx %016" PRIx64 "  rsi %016" PRIx64 "  rdi %016" PRIx64 "\n"
		"  rsp %016" PRIx64 "  rbp %016" PRIx64 "  r8  %016" PRIx64 "\n"
		"  r9  %016" PRIx64 "  r10 %016" PRIx64 "  r11 %016" PRIx64 "\n"
		"  r12 %016" PRIx64 "  r13 %016" PRIx64 "  r14 %016" PRIx64 "\n"
		"  r15 %016" PRIx64 "\n",
		(uint64_t)r->rip, (uint64_t)r->rflags, (uint64_t)r->rax,
		(uint64_t)r->rbx, (uint64_t)r->rcx, (uint64_t)r->rdx,
		(uint64_t)r->rsi, (uint64_t)r->rdi, (uint64_t)r->rsp,
		(uint64_t)r->rbp, (uint64_t)r->r8, (uint64_t)r->r9,
		(uint64_t)r->r10, (uint64_t)r->r11, (uint64_t)r->r12,
		(uint64_t)r->r13, (uint64_t)r->r14, (uint64_t)r->r15);
	fprintf(f,
		"  cr0 %016" PRIx64 "  cr2 %016" PRIx64 "  cr3 %016" PRIx64 "\n"
		"  cr4 %016" PRIx64 "  cr8 %016" PRIx64 "  efer %016" PRIx64
		"\n",
		(uint64_t)s->cr0, (uint64_t)s->cr2, (uint64_t)s->cr3,
		(uint64_t)s->cr4, (uint64_t)s->cr8, (uint64_t)s->efer);
	put_segment(f, "cs", &s->cs);
	put_segment(f, "ss", &s->ss);
	put_segment(f, "ds", &s->ds);
	put_segment(f, "es", &s->es);
	put_segment(f, "fs", &s->fs);
	put_segment(f, "gs", &s->gs);
	put_segment(f, "tr", &s->tr);
	put_segment(f, "ldtr", &s->ldt);
	fprintf(f,
		"  gdtr base %016" PRIx64 " limit %04x\n"
		"  idtr base %016" PRIx64 " limit %04x\n",
		(uint64_t)s->gdt.base, s->gdt.limit, (uint64_t)s->idt.base,
		s->idt.limit);
}

/* The bytes at CS:RIP, byte by byte since they may cross a page. */
static void put_code(FILE *f, int fd, uint64_t linear, const struct gmem *gm)
{
	struct kvm_translation tr = { .linear_address = linear };
	unsigned i;

	if (kvm_ioctl(fd, KVM_TRANSLATE, &tr) < 0 || !tr.valid) {
		fprintf(f,
			"  code: %#" PRIx64 " is not mapped by the guest's own "
			"page tables\n",
			linear);
		return;
	}
	fprintf(f, "  code at %#" PRIx64 " (physical %#" PRIx64 "):", linear,
		(uint64_t)tr.physical_address);
	for (i = 0; i < CODE_BYTES; i++) {
		uint8_t byte;

		tr.linear_address = linear + i;
		if (kvm_ioctl(fd, KVM_TRANSLATE, &tr) < 0 || !tr.valid ||
		    gmem_read(gm, tr.physical_address, &byte, 1) < 0)
			break;
		fprintf(f, " %02x", byte);
	}
	fprintf(f, "%s\n", i == 0 ? " no RAM there" : "");
}

static const char *state_name(uint32_t mp_state)
{
	switch (mp_state) {
	case KVM_MP_STATE_RUNNABLE: return "running";
	case KVM_MP_STATE_UNINITIALIZED: return "never started";
	case KVM_MP_STATE_INIT_RECEIVED: return "waiting for its SIPI";
	case KVM_MP_STATE_HALTED: return "halted";
	case KVM_MP_STATE_SIPI_RECEIVED: return "starting";
	}
	return "in an unknown state";
}

/*
 * The reset vector, SDM volume 3, table 10-1. AMD-V resets a processor that has
 * shut down; VT-x leaves it as it was.
 */
static bool is_after_reset(const struct kvm_regs *regs,
			   const struct kvm_sregs *sregs)
{
	return regs->rip == 0xfff0 && sregs->cs.base == 0xffff0000 &&
	       regs->rsp == 0;
}

static void put_vcpu(FILE *f, const struct vcpu *vcpu, const struct gmem *gm)
{
	struct kvm_mp_state mp = { 0 };
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	if (kvm_ioctl(vcpu->fd, KVM_GET_REGS, &regs) < 0 ||
	    kvm_ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) < 0) {
		fprintf(f, "vCPU %u: KVM does not give its registers\n",
			vcpu->id);
		return;
	}
	(void)kvm_ioctl(vcpu->fd, KVM_GET_MP_STATE, &mp);
	fprintf(f, "vCPU %u: %s\n", vcpu->id, state_name(mp.mp_state));
	if (mp.mp_state == KVM_MP_STATE_UNINITIALIZED)
		return;
	if (is_after_reset(&regs, &sregs))
		fprintf(f, "  These are the values after a reset: the processor "
			   "or KVM has put them there in place of those at the "
			   "crash, which are gone.\n");
	put_registers(f, &regs, &sregs);
	/* In long mode CS has no base; in real mode RIP alone says little. */
	put_code(f, vcpu->fd, sregs.cs.l ? regs.rip : sregs.cs.base + regs.rip,
		 gm);
}

char *postmortem_text(const struct vcpu *vcpu, unsigned count,
		      const struct gmem *gm)
{
	char *text = NULL;
	size_t len;
	unsigned i;
	FILE *f;

	f = open_memstream(&text, &len);
	if (!f)
		return NULL;
	for (i = 0; i < count; i++)
		put_vcpu(f, &vcpu[i], gm);
	if (fclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
