// SPDX-License-Identifier: MIT
/*
 * fault.c: the first fault of a triple fault, and what became of it.
 */
#include "postmortem/fault.h"

#include <linux/kvm.h>
#include <stdbool.h>
#include <string.h>

#include "core/base.h"
#include "postmortem/deliver.h"
#include "postmortem/fault_cause.h"

#define CR0_PE BIT64(0)
#define EFER_LMA BIT64(10)
#define RFLAGS_VM BIT64(17)

/* Exceptions are tried one after another, a few at most. */
#define CHAIN_MAX 6

/* ---- the state ----------------------------------------------------------- */

/*
 * SDM volume 3, table 10-1. KVM resets the vCPU where the processor does not
 * say in which state it shut down: on AMD-V.
 */
static bool is_after_reset(const struct kvm_regs *regs,
			   const struct kvm_sregs *sregs)
{
	return regs->rip == 0xfff0 && sregs->cs.base == 0xffff0000;
}

static void look(struct fault_subject *s, const struct kvm_regs *regs,
		 const struct kvm_sregs *sregs,
		 const struct kvm_vcpu_events *events, const struct gmem *gm)
{
	bool vm86 = sregs->cr0 & CR0_PE && regs->rflags & RFLAGS_VM;

	*s = (struct fault_subject){ .regs = regs,
				     .sregs = sregs,
				     .events = events };
	s->state = (struct deliver_state){
		.gm = gm,
		.paging = { .cr0 = sregs->cr0,
			    .cr3 = sregs->cr3,
			    .cr4 = sregs->cr4,
			    .efer = sregs->efer },
		.mode = !(sregs->cr0 & CR0_PE)	 ? DELIVER_REAL
			: sregs->efer & EFER_LMA ? DELIVER_LONG
						 : DELIVER_PROTECTED,
		.rsp = regs->rsp,
		.idt = { sregs->idt.base, sregs->idt.limit },
		.gdt = { sregs->gdt.base, sregs->gdt.limit },
		.ldt = { sregs->ldt.base, sregs->ldt.limit },
		.tss = { sregs->tr.base, sregs->tr.limit },
		.tss16 = (sregs->tr.type & 0xd) == 1,
		.ss = { sregs->ss.base, sregs->ss.limit },
		.ss_down = (sregs->ss.type & 0xc) == 4,
		.ss_big = sregs->ss.db,
	};
	if (s->state.mode != DELIVER_REAL)
		s->state.cpl = vm86 ? 3 : sregs->ss.dpl & 3;
	if (sregs->ldt.unusable)
		s->state.ldt.limit = 0;
	s->is_64 = s->state.mode == DELIVER_LONG && sregs->cs.l;
	s->rip = s->is_64 ? regs->rip : (uint32_t)(sregs->cs.base + regs->rip);
	walk_linear(gm, &s->state.paging, s->rip, &s->at_rip);
	s->code_len = walk_read(gm, &s->state.paging, s->rip, s->code,
				sizeof(s->code));
}

/* ---- the attempts -------------------------------------------------------- */

struct attempt {
	unsigned vector;
	char why[sizeof(((struct delivery *)NULL)->why)];
};

/*
 * Follows the processor from vector on to the shutdown, or to a handler that it
 * reaches. Returns how many failed.
 */
static unsigned try_all(const struct fault_subject *s, int vector,
			struct attempt attempt[CHAIN_MAX])
{
	struct delivery d;
	unsigned n = 0;

	while (vector >= 0 && n < CHAIN_MAX) {
		deliver(&s->state, (unsigned)vector, &d);
		if (!d.why[0])
			break;
		attempt[n].vector = (unsigned)vector;
		memcpy(attempt[n++].why, d.why, sizeof(d.why));
		if (d.raises < 0)
			break;
		vector = vector_combine((unsigned)vector, (unsigned)d.raises);
	}
	return n;
}

static void say_vector(struct fault_line *line, unsigned vector)
{
	if (vector_name(vector))
		fault_say(line, "%s", vector_name(vector));
	else
		fault_say(line, "interrupt %#x", vector);
}

/* The first that fail for the same reason share it, and so do the last. */
static void say_attempts(struct fault_line *line, const struct attempt *attempt,
			 unsigned n)
{
	unsigned i, first;

	if (n == 0)
		return;
	for (i = 0; i < n && strcmp(attempt[i].why, attempt[0].why) == 0; i++) {
		fault_say(line, "%s", i == 0 ? "; " : ", ");
		say_vector(line, attempt[i].vector);
	}
	fault_say(line, " cannot be delivered: %s", attempt[0].why);
	if (i == n)
		return;
	first = n - 1;
	while (strcmp(attempt[first - 1].why, attempt[n - 1].why) == 0)
		first--;
	for (i = first; i < n; i++) {
		fault_say(line, "%s", i == first ? "; nor can " : ", ");
		say_vector(line, attempt[i].vector);
	}
	fault_say(line, ": %s", attempt[n - 1].why);
}

void fault_explain(const struct kvm_regs *regs, const struct kvm_sregs *sregs,
		   const struct kvm_vcpu_events *events, const struct gmem *gm,
		   char *text, size_t size)
{
	struct fault_line line = fault_line_in(text, size);
	struct attempt attempt[CHAIN_MAX];
	struct fault_cause c;
	struct fault_subject s;
	unsigned n;

	if (is_after_reset(regs, sregs))
		return;
	look(&s, regs, sregs, events, gm);
	fault_cause_find(&s, &c);
	/* Whatever came first, it is #DF that shuts the processor down. */
	n = try_all(&s, c.vector >= 0 ? c.vector : VECTOR_DF, attempt);
	/* A guess that explains nothing is none. */
	if (n == 0 && !c.certain)
		return;
	fault_say(&line, "%s", c.text);
	say_attempts(&line, attempt, n);
}
