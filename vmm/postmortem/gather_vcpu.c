// SPDX-License-Identifier: MIT
/*
 * One vCPU: what KVM gives of it, and what lies in guest memory where its
 * registers point. They may point anywhere.
 */
#include "postmortem/gather.h"

#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "kvm.h"
#include "postmortem/disasm.h"
#include "postmortem/postmortem.h"

#define CR0_PE BIT64(0)
#define EFER_LMA BIT64(10)
#define RFLAGS_IF BIT64(9)
#define RFLAGS_VM BIT64(17)

static enum pm_state state_of(uint32_t mp_state, uint64_t rflags)
{
	switch (mp_state) {
	case KVM_MP_STATE_RUNNABLE: return PM_RUNNING;
	case KVM_MP_STATE_UNINITIALIZED: return PM_NOT_STARTED;
	case KVM_MP_STATE_INIT_RECEIVED:
	case KVM_MP_STATE_SIPI_RECEIVED: return PM_WAITING;
	case KVM_MP_STATE_HALTED:
		return rflags & RFLAGS_IF ? PM_IDLE : PM_HALTED;
	}
	return PM_UNKNOWN;
}

static enum pm_mode mode_of(const struct kvm_regs *r, const struct kvm_sregs *s)
{
	if (!(s->cr0 & CR0_PE))
		return PM_REAL;
	if (s->efer & EFER_LMA)
		return s->cs.l	  ? PM_LONG
		       : s->cs.db ? PM_COMPATIBILITY_32
				  : PM_COMPATIBILITY_16;
	if (r->rflags & RFLAGS_VM)
		return PM_VIRTUAL_8086;
	return s->cs.db ? PM_PROTECTED_32 : PM_PROTECTED_16;
}

/* The values after a reset: SDM volume 3, table 10-1. */
static bool is_after_reset(const struct kvm_regs *r, const struct kvm_sregs *s)
{
	return r->rip == 0xfff0 && s->cs.base == 0xffff0000 &&
	       s->cs.selector == 0xf000 && r->rsp == 0 && !(s->cr0 & CR0_PE);
}

static uint64_t code_address(const struct pm_vcpu *v)
{
	if (v->mode == PM_LONG)
		return v->regs.rip;
	return (uint32_t)(v->sregs.cs.base + v->regs.rip);
}

static uint64_t stack_address(const struct pm_vcpu *v)
{
	uint64_t sp = v->regs.rsp;

	if (v->mode == PM_LONG)
		return sp;
	if (!v->sregs.ss.db)
		sp = (uint16_t)sp;
	return (uint32_t)(v->sregs.ss.base + sp);
}

static unsigned word_size(const struct pm_vcpu *v)
{
	switch (v->mode) {
	case PM_LONG: return 8;
	case PM_PROTECTED_32:
	case PM_COMPATIBILITY_32: return 4;
	default: return 2;
	}
}

static enum disasm_mode disasm_mode(const struct pm_vcpu *v)
{
	switch (v->mode) {
	case PM_LONG: return DISASM_64;
	case PM_PROTECTED_32:
	case PM_COMPATIBILITY_32: return DISASM_32;
	default: return DISASM_16;
	}
}

/* Nothing but zeroes: memory that nobody wrote, which disassembles to noise. */
static bool is_empty(const uint8_t *buf, unsigned len)
{
	while (len > 0 && buf[len - 1] == 0)
		len--;
	return len == 0;
}

static void disassemble(struct pm_vcpu *v, struct disasm *disasm)
{
	unsigned off = 0;

	for (v->insns = 0; v->insns < PM_INSNS && off < v->code_len;) {
		struct pm_insn *insn = &v->insn[v->insns];

		if (v->insns && is_empty(v->code + off, v->code_len - off))
			return;
		insn->addr = v->code_walk.linear + off;
		insn->len = disasm_one(disasm, disasm_mode(v), insn->addr,
				       v->code + off, v->code_len - off,
				       insn->text, sizeof(insn->text));
		if (insn->len == 0)
			return;
		off += insn->len;
		v->insns++;
	}
}

static void gather_code(struct pm_vcpu *v, const struct gmem *gm,
			const struct walk_mode *mode, struct disasm *disasm)
{
	uint64_t rip = code_address(v);
	uint64_t room = rip < PM_CODE_BEFORE ? rip : PM_CODE_BEFORE;

	walk_linear(gm, mode, rip, &v->code_walk);
	v->code_len = (unsigned)walk_read(gm, mode, rip, v->code, PM_CODE_MAX);
	if (v->code_len == 0)
		return;
	/* Where the page before is not there, those of RIP's own page. */
	if (walk_read(gm, mode, rip - room, v->before, room) != room) {
		room = room < rip % 4096 ? room : rip % 4096;
		if (walk_read(gm, mode, rip - room, v->before, room) != room)
			room = 0;
	}
	v->before_len = (unsigned)room;
	if (disasm)
		disassemble(v, disasm);
}

static void gather_stack(struct pm_vcpu *v, const struct gmem *gm,
			 const struct walk_mode *mode)
{
	uint8_t buf[PM_STACK_WORDS * 8];
	uint64_t sp = stack_address(v);
	unsigned i, size = word_size(v);
	size_t len;

	walk_linear(gm, mode, sp, &v->stack_walk);
	len = walk_read(gm, mode, sp, buf, PM_STACK_WORDS * size);
	v->word_size = size;
	v->stack_len = (unsigned)(len / size);
	for (i = 0; i < v->stack_len; i++) {
		const uint8_t *p = buf + i * size;

		v->stack[i] = size == 8	  ? get_le64(p)
			      : size == 4 ? get_le32(p)
					  : get_le16(p);
	}
}

void gather_memory(struct pm_vcpu *v, const struct gmem *gm,
		   struct disasm *disasm)
{
	const struct walk_mode mode = {
		.cr0 = v->sregs.cr0,
		.cr3 = v->sregs.cr3,
		.cr4 = v->sregs.cr4,
		.efer = v->sregs.efer,
	};

	v->mode = mode_of(&v->regs, &v->sregs);
	v->after_reset = is_after_reset(&v->regs, &v->sregs);
	gather_code(v, gm, &mode, disasm);
	gather_stack(v, gm, &mode);
	walk_linear(gm, &mode, v->sregs.idt.base, &v->idt_walk);
}

void gather_exits(struct pm_vcpu *v, const struct flight *flight)
{
	uint64_t total = flight_total(flight);
	unsigned i,
		n = total < FLIGHT_RECORDS ? (unsigned)total : FLIGHT_RECORDS;

	v->exits = total;
	if (n == 0)
		return;
	v->exit = calloc(n, sizeof(*v->exit));
	if (!v->exit)
		return;
	for (i = 0; i < n; i++)
		v->exit[i] = flight->record[(total - n + i) % FLIGHT_RECORDS];
	v->exit_count = n;
}

void gather_vcpu(unsigned id, int fd, const struct flight *flight,
		 const struct gmem *gm, struct disasm *disasm, struct pm_vcpu *v)
{
	struct kvm_mp_state mp = { .mp_state = UINT32_MAX };

	memset(v, 0, sizeof(*v));
	v->id = id;
	gather_exits(v, flight);
	v->has_regs = kvm_ioctl(fd, KVM_GET_REGS, &v->regs) == 0 &&
		      kvm_ioctl(fd, KVM_GET_SREGS, &v->sregs) == 0;
	if (!v->has_regs)
		return;
	/* Before KVM_GET_VCPU_EVENTS: it may take in what is pending. */
	(void)kvm_ioctl(fd, KVM_GET_MP_STATE, &mp);
	v->state = state_of(mp.mp_state, v->regs.rflags);
	v->has_events = kvm_ioctl(fd, KVM_GET_VCPU_EVENTS, &v->events) == 0;
	v->has_debugregs = kvm_ioctl(fd, KVM_GET_DEBUGREGS, &v->debugregs) == 0;
	gather_memory(v, gm, disasm);
}
