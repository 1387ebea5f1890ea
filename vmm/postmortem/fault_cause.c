// SPDX-License-Identifier: MIT
/*
 * fault_cause.c: the first fault of a triple fault.
 *
 * What is left of it depends on the host. On VT-x the registers stand as they
 * were at the shutdown, CR2 included. A KVM that itself delivers exceptions to
 * the guest also leaves the number of the one that it tried: it has then set
 * RFLAGS.RF, which the next completed instruction clears again, so the two
 * together tell. Else there is the instruction at RIP.
 *
 * Sources: SDM volume 3, 4.7, 6.13 and 6.15.
 */
#include "postmortem/fault_cause.h"

#include <inttypes.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base.h"

#define CR4_SMEP BIT64(20)
#define RFLAGS_IF BIT64(9)
#define RFLAGS_RF BIT64(16)

/* The error code of #PF: SDM volume 3, figure 4-12. */
#define PF_P BIT(0)
#define PF_W BIT(1)
#define PF_U BIT(2)
#define PF_RSVD BIT(3)
#define PF_I BIT(4)

/* Bits of other exceptions' error codes: SDM volume 3, 6.13. */
#define CODE_IDT BIT(1)
#define CODE_TI BIT(2)

void fault_say(struct fault_line *line, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (line->len + 1 >= line->size)
		return;
	va_start(ap, fmt);
	n = vsnprintf(line->text + line->len, line->size - line->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		line->len += (size_t)n;
	if (line->len >= line->size)
		line->len = line->size - 1;
}

struct fault_line fault_line_in(char *text, size_t size)
{
	if (size > 0)
		text[0] = '\0';
	return (struct fault_line){ .text = text, .size = size };
}

static bool is_mapped(const struct walk *w)
{
	return w->end == WALK_MAPPED || w->end == WALK_NO_PAGING;
}

static void say_rip(struct fault_line *line, const struct fault_subject *s)
{
	if (s->is_64)
		fault_say(line, "RIP %#" PRIx64, (uint64_t)s->regs->rip);
	else if (s->state.mode != DELIVER_REAL && s->sregs->cs.base == 0)
		fault_say(line, "EIP %#" PRIx64, (uint64_t)s->regs->rip);
	else
		fault_say(line, "CS:IP %04x:%04" PRIx64, s->sregs->cs.selector,
			  (uint64_t)s->regs->rip);
}

/* ---- the instruction ----------------------------------------------------- */

/* Instructions that raise an exception wherever they stand. */
static const struct {
	uint8_t code[2], len;
	uint8_t vector;
	const char *text;
} raisers[] = {
	{ { 0x0f, 0x0b }, 2, 6, "ud2" }, { { 0x0f, 0xb9 }, 2, 6, "ud1" },
	{ { 0x0f, 0xff }, 2, 6, "ud0" }, { { 0xcc }, 1, 3, "int3" },
	{ { 0xf1 }, 1, 1, "int1" },
};

static int raiser_at(const struct fault_subject *s, const char **ret_text)
{
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(raisers); i++)
		if (s->code_len >= raisers[i].len &&
		    memcmp(s->code, raisers[i].code, raisers[i].len) == 0) {
			*ret_text = raisers[i].text;
			return raisers[i].vector;
		}
	return -1;
}

/* Whether it is div or idiv, whose #DE has the number that "none" has too. */
static bool divides(const struct fault_subject *s)
{
	static const uint8_t prefix[] = { 0x26, 0x2e, 0x36, 0x3e,
					  0x64, 0x65, 0x66, 0x67 };
	size_t i = 0;

	while (i < s->code_len && (memchr(prefix, s->code[i], sizeof(prefix)) ||
				   (s->is_64 && (s->code[i] & 0xf0) == 0x40)))
		i++;
	if (i < s->code_len && s->code[i] == 0xd4) /* aam */
		return true;
	return i + 1 < s->code_len && (s->code[i] & 0xfe) == 0xf6 &&
	       (s->code[i + 1] >> 3 & 7) >= 6;
}

/* How much it pushes, if that is the first thing that it does. */
static unsigned pushes(const struct fault_subject *s)
{
	uint8_t op = s->code_len > 0 ? s->code[0] : 0;

	if ((op & 0xf8) == 0x50 || op == 0x68 || op == 0x6a || op == 0x9c ||
	    op == 0xe8)
		return s->is_64 ? 8 : s->sregs->cs.db ? 4 : 2;
	return 0;
}

/* ---- the cause ----------------------------------------------------------- */

static const char *pf_why(const struct walk *w, unsigned code, bool fetch)
{
	if (!(code & PF_P))
		return "not mapped";
	if (code & PF_RSVD)
		return "reserved bit set";
	if (w->end == WALK_MAPPED && code & PF_U && !w->user)
		return "the page is not the user's";
	if (w->end == WALK_MAPPED && code & PF_W && !w->writable)
		return "read-only";
	if (w->end == WALK_MAPPED && fetch && !w->executable)
		return "no-execute";
	if (w->end == WALK_MAPPED && fetch && !(code & PF_U) && w->user)
		return "the page is the user's, CR4.SMEP is set";
	return "no right";
}

static void say_page_fault(struct fault_line *line,
			   const struct fault_subject *s, uint64_t addr,
			   unsigned code)
{
	bool fetch = code & PF_I || addr == s->rip;
	struct walk w;

	walk_linear(s->state.gm, &s->state.paging, addr, &w);
	if (!(code & PF_P) && is_mapped(&w)) {
		/* CR2 or the tables have changed since. */
		fault_say(line, "#PF at ");
		say_rip(line, s);
		return;
	}
	fault_say(line, "#PF at %#" PRIx64 " (%s%s, %s)", addr,
		  code & PF_U ? "user-mode " : "",
		  fetch		? "fetch"
		  : code & PF_W ? "write"
				: "read",
		  pf_why(&w, code, fetch));
	if (!fetch) {
		fault_say(line, ", ");
		say_rip(line, s);
	}
}

static void say_error_code(struct fault_line *line, unsigned vector,
			   unsigned code)
{
	if (vector != VECTOR_TS && vector != VECTOR_NP && vector != VECTOR_SS &&
	    vector != VECTOR_GP)
		return;
	if (code & CODE_IDT)
		fault_say(line, " for IDT gate %#x", code >> 3);
	else if (code > 1)
		fault_say(line, " for selector %#x of the %s", code & ~7u,
			  code & CODE_TI ? "LDT" : "GDT");
}

/* The exceptions that leave RIP where it was, #PF among them. */
static bool is_fault(unsigned vector)
{
	switch (vector) {
	case 0:
	case 5:
	case 6:
	case 7:
	case 10:
	case 11:
	case 12:
	case 13:
	case 14:
	case 16:
	case 17:
	case 19:
	case 21: return true;
	}
	return false;
}

static bool is_last_word(const struct fault_subject *s)
{
	const struct kvm_vcpu_events *events = s->events;
	unsigned nr = events->exception.nr;

	if (nr == VECTOR_DF || !vector_name(nr))
		return false;
	if (events->exception.injected || events->exception.pending)
		return true;
	return s->regs->rflags & RFLAGS_RF && is_fault(nr) &&
	       (nr != VECTOR_DE || divides(s));
}

/* What KVM has noted. */
static bool cause_by_kvm(const struct fault_subject *s, struct fault_cause *c)
{
	const struct kvm_vcpu_events *events = s->events;
	struct fault_line line = fault_line_in(c->text, sizeof(c->text));
	unsigned nr = events->exception.nr;
	const char *text = NULL;

	if (is_last_word(s)) {
		unsigned code = events->exception.has_error_code
					? events->exception.error_code
					: 0;

		c->certain = true;
		c->vector = (int)nr;
		if (nr == VECTOR_PF) {
			say_page_fault(&line, s, s->sregs->cr2, code);
			return true;
		}
		fault_say(&line, "%s", vector_name(nr));
		say_error_code(&line, nr, code);
	} else if (events->interrupt.injected) {
		c->certain = true;
		c->vector = events->interrupt.nr;
		fault_say(&line, "interrupt %#x", events->interrupt.nr);
	} else if (events->nmi.injected) {
		c->certain = true;
		c->vector = 2;
		fault_say(&line, "NMI");
	} else {
		return false;
	}
	fault_say(&line, " at ");
	say_rip(&line, s);
	if (raiser_at(s, &text) == c->vector && text)
		fault_say(&line, " (%s)", text);
	return true;
}

/* What fetching the instruction at RIP would raise. */
static bool cause_by_fetch(const struct fault_subject *s, struct fault_cause *c)
{
	struct fault_line line = fault_line_in(c->text, sizeof(c->text));
	const struct walk *w = &s->at_rip;
	bool user = s->state.cpl == 3;
	bool barred = user ? !w->user : w->user && s->sregs->cr4 & CR4_SMEP;
	unsigned code = PF_I | (user ? PF_U : 0);

	if (w->end == WALK_NOT_CANONICAL) {
		c->vector = VECTOR_GP;
		fault_say(&line, "#GP: ");
		say_rip(&line, s);
		fault_say(&line, " is not canonical");
		return true;
	}
	if (w->end == WALK_RESERVED)
		code |= PF_P | PF_RSVD;
	else if (w->end == WALK_MAPPED && (!w->executable || barred))
		code |= PF_P;
	else if (is_mapped(w))
		return false;
	c->vector = VECTOR_PF;
	c->certain = true;
	say_page_fault(&line, s, s->rip, code);
	return true;
}

/* What executing it would. */
static bool cause_by_instruction(const struct fault_subject *s,
				 struct fault_cause *c)
{
	struct fault_line line = fault_line_in(c->text, sizeof(c->text));
	unsigned len = pushes(s);
	const char *text = NULL, *why;
	int raises = -1;

	c->vector = raiser_at(s, &text);
	if (c->vector >= 0) {
		fault_say(&line, "%s at ", vector_name((unsigned)c->vector));
	} else if (s->code_len >= 2 && s->code[0] == 0xcd) {
		c->vector = s->code[1];
		fault_say(&line, "int %#x at ", s->code[1]);
	} else if (s->code_len >= 1 && s->code[0] == 0xf4 && s->state.cpl > 0) {
		c->vector = VECTOR_GP;
		text = "hlt outside ring 0";
		fault_say(&line, "#GP at ");
	} else if (len > 0) {
		why = deliver_stack(&s->state, &s->state.ss, s->regs->rsp, len,
				    &raises);
		if (!why)
			return false;
		c->vector = raises;
		fault_say(&line,
			  "%s, a push to the stack at RSP %#" PRIx64
			  ", which %s, at ",
			  vector_name((unsigned)raises), (uint64_t)s->regs->rsp,
			  why);
	} else {
		return false;
	}
	say_rip(&line, s);
	if (text)
		fault_say(&line, " (%s)", text);
	return true;
}

/* Nothing tells: what can be said at least. */
static void cause_unknown(const struct fault_subject *s, struct fault_cause *c)
{
	struct fault_line line = fault_line_in(c->text, sizeof(c->text));
	uint64_t cr2 = s->sregs->cr2;
	struct walk w;

	c->vector = -1;
	fault_say(&line, "an exception%s at ",
		  s->regs->rflags & RFLAGS_IF ? " or interrupt" : "");
	say_rip(&line, s);
	walk_linear(s->state.gm, &s->state.paging, cr2, &w);
	if (cr2 != 0 && !is_mapped(&w))
		fault_say(&line, ", last #PF at %#" PRIx64, cr2);
}

void fault_cause_find(const struct fault_subject *s,
		      struct fault_cause *ret_cause)
{
	struct fault_cause c = { .vector = -1 };

	if (!cause_by_kvm(s, &c) && !cause_by_fetch(s, &c) &&
	    !cause_by_instruction(s, &c))
		cause_unknown(s, &c);
	*ret_cause = c;
}
