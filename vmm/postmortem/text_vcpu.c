// SPDX-License-Identifier: MIT
#include "postmortem/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "postmortem/words.h"

#define LAST_EXITS 16
#define CODE_COLUMN 30 /* what the bytes of an instruction take */

/* Whether any register has more than 32 bits in it. */
static bool is_wide(const struct kvm_regs *r)
{
	return (r->rip | r->rsp | r->rbp | r->rax | r->rbx | r->rcx | r->rdx |
		r->rsi | r->rdi | r->r8 | r->r9 | r->r10 | r->r11 | r->r12 |
		r->r13 | r->r14 | r->r15) >>
	       32;
}

static void put_registers(FILE *f, const struct pm_vcpu *v)
{
	const struct kvm_regs *r = &v->regs;
	const struct {
		const char *name;
		uint64_t val;
	} reg[] = {
		{ "rax", r->rax }, { "rbx", r->rbx }, { "rcx", r->rcx },
		{ "rdx", r->rdx }, { "rsi", r->rsi }, { "rdi", r->rdi },
		{ "rbp", r->rbp }, { "rsp", r->rsp }, { "r8", r->r8 },
		{ "r9", r->r9 },   { "r10", r->r10 }, { "r11", r->r11 },
		{ "r12", r->r12 }, { "r13", r->r13 }, { "r14", r->r14 },
		{ "r15", r->r15 },
	};
	unsigned i, count = v->mode == PM_LONG || is_wide(r) ? 16 : 8;
	int width = v->mode == PM_LONG || is_wide(r) ? 16 : 8;
	char bits[96];

	words_bits(WORDS_RFLAGS, r->rflags, bits, sizeof(bits));
	fprintf(f, "  rip %0*" PRIx64 "  rflags %08" PRIx64 "%s%s\n", width,
		(uint64_t)r->rip, (uint64_t)r->rflags, bits[0] ? " " : "", bits);
	for (i = 0; i < count; i++)
		fprintf(f, "  %-3s %0*" PRIx64 "%s", reg[i].name, width,
			reg[i].val, i % 4 == 3 ? "\n" : "");
}

static void put_bits(FILE *f, const char *name, enum words_register which,
		     uint64_t val)
{
	char bits[160];

	words_bits(which, val, bits, sizeof(bits));
	fprintf(f, "  %-4s %08" PRIx64 "%s%s\n", name, val, bits[0] ? " " : "",
		bits);
}

static void put_control(FILE *f, const struct pm_vcpu *v)
{
	const struct kvm_sregs *s = &v->sregs;

	put_bits(f, "cr0", WORDS_CR0, s->cr0);
	put_bits(f, "cr4", WORDS_CR4, s->cr4);
	put_bits(f, "efer", WORDS_EFER, s->efer);
	fprintf(f, "  cr2 %016" PRIx64 "  cr3 %016" PRIx64 "  cr8 %" PRIx64 "\n",
		(uint64_t)s->cr2, (uint64_t)s->cr3, (uint64_t)s->cr8);
}

static bool same_segment(const struct kvm_segment *a,
			 const struct kvm_segment *b)
{
	return a->base == b->base && a->limit == b->limit &&
	       a->selector == b->selector && a->type == b->type &&
	       a->present == b->present && a->dpl == b->dpl && a->db == b->db &&
	       a->s == b->s && a->l == b->l && a->unusable == b->unusable;
}

/* Alike ones in a row are one line. */
static void put_segments(FILE *f, const struct pm_vcpu *v)
{
	const struct kvm_sregs *s = &v->sregs;
	const struct {
		const char *name;
		const struct kvm_segment *seg;
	} seg[] = {
		{ "cs", &s->cs }, { "ss", &s->ss },    { "ds", &s->ds },
		{ "es", &s->es }, { "fs", &s->fs },    { "gs", &s->gs },
		{ "tr", &s->tr }, { "ldtr", &s->ldt },
	};
	int digits = v->mode == PM_LONG ? 16 : 8;
	unsigned i, k;
	char words[96];

	for (i = 0; i < ARRAY_SIZE(seg); i = k) {
		char names[32] = "";
		size_t n = 0;

		for (k = i; k < ARRAY_SIZE(seg) &&
			    same_segment(seg[i].seg, seg[k].seg);
		     k++)
			n += (size_t)snprintf(names + n, sizeof(names) - n,
					      "%s%s", k > i ? " " : "",
					      seg[k].name);
		words_segment(seg[i].seg, words, sizeof(words));
		fprintf(f, "  %-14s  %04x  base %0*" PRIx64 "  limit %08x  %s\n",
			names, seg[i].seg->selector, digits,
			(uint64_t)seg[i].seg->base, seg[i].seg->limit, words);
	}
	fprintf(f, "  %-14s        base %0*" PRIx64 "  limit     %04x\n",
		"gdtr", digits, (uint64_t)s->gdt.base, s->gdt.limit);
	fprintf(f, "  %-14s        base %0*" PRIx64 "  limit     %04x\n",
		"idtr", digits, (uint64_t)s->idt.base, s->idt.limit);
}

/* What KVM would still deliver. */
static void put_events(FILE *f, const struct pm_vcpu *v)
{
	const struct kvm_vcpu_events *e = &v->events;

	if (!v->has_events)
		return;
	if (e->exception.injected || e->exception.pending)
		fprintf(f, "  exception %u %s%s\n", e->exception.nr,
			e->exception.injected ? "was being delivered"
					      : "is pending",
			e->exception.has_error_code ? ", with an error code"
						    : "");
	if (e->interrupt.injected)
		fprintf(f, "  interrupt %#x was being delivered\n",
			e->interrupt.nr);
	if (e->nmi.injected || e->nmi.pending)
		fprintf(f, "  an NMI %s\n",
			e->nmi.injected ? "was being delivered" : "is pending");
}

static void put_bytes(FILE *f, const uint8_t *buf, unsigned len)
{
	unsigned i;

	for (i = 0; i < len; i++)
		fprintf(f, "%s%02x", i ? " " : "", buf[i]);
}

/* The name of where a call or jump goes. */
static void put_target(FILE *f, const struct postmortem *pm, const char *text)
{
	const char *hex = strstr(text, " 0x");
	char symbol[128];

	if ((text[0] == 'j' || !strncmp(text, "call ", 5)) && hex &&
	    words_symbol(pm, strtoull(hex + 1, NULL, 16), symbol, sizeof(symbol)))
		fprintf(f, "  %s", symbol);
}

static void put_code(FILE *f, const struct postmortem *pm,
		     const struct pm_vcpu *v)
{
	const struct walk *w = &v->code_walk;
	unsigned i, off = 0;

	if (v->code_len == 0) {
		fprintf(f, "  code: none at RIP, %#" PRIx64 " is %s\n",
			w->linear,
			w->end == WALK_MAPPED || w->end == WALK_NO_PAGING
				? "not RAM"
				: "not mapped");
		return;
	}
	fprintf(f, "  code, RIP at '>':\n");
	if (v->before_len) {
		fprintf(f, "    %8" PRIx64 "  ", w->linear - v->before_len);
		put_bytes(f, v->before, v->before_len);
		fprintf(f, "\n");
	}
	/* What a halted processor has just done. */
	if ((v->state == PM_IDLE || v->state == PM_HALTED) && v->before_len &&
	    v->before[v->before_len - 1] == 0xf4)
		fprintf(f, "    %8" PRIx64 "  f4%*s  hlt\n", w->linear - 1,
			CODE_COLUMN - 3, "");
	for (i = 0; i < v->insns; i++) {
		const struct pm_insn *insn = &v->insn[i];
		int pad = CODE_COLUMN - (int)insn->len * 3;

		fprintf(f, "  %c %8" PRIx64 "  ", i ? ' ' : '>', insn->addr);
		put_bytes(f, v->code + off, insn->len);
		fprintf(f, "%*s  %s", pad > 0 ? pad : 1, "", insn->text);
		put_target(f, pm, insn->text);
		fprintf(f, "\n");
		off += insn->len;
	}
	if (v->insns)
		return;
	fprintf(f, "  > %8" PRIx64 "  ", w->linear);
	put_bytes(f, v->code, v->code_len < 16 ? v->code_len : 16);
	fprintf(f, "%s%s\n",
		pm->disasm_note[0] ? "  " : "  no valid instruction",
		pm->disasm_note);
}

/* The flags that all formats of entry share, SDM volume 3, 4.4 and 4.5. */
static void put_entry_flags(FILE *f, const struct pm_vcpu *v, uint64_t entry)
{
	static const struct {
		unsigned bit;
		const char *name;
	} flag[] = {
		{ 1, "RW" }, { 2, "US" }, { 3, "PWT" }, { 4, "PCD" },
		{ 5, "A" },  { 6, "D" },  { 7, "PS" },	{ 8, "G" },
	};
	unsigned i;

	if (!(entry & 1)) {
		fprintf(f, " not present");
		return;
	}
	fprintf(f, " P");
	for (i = 0; i < ARRAY_SIZE(flag); i++)
		if (entry & BIT(flag[i].bit))
			fprintf(f, " %s", flag[i].name);
	if (v->sregs.efer & BIT(11) && entry >> 63)
		fprintf(f, " XD");
}

static void put_size(FILE *f, uint64_t size)
{
	if (size >= GIB(1))
		fprintf(f, "%" PRIu64 " GiB", size >> 30);
	else if (size >= MIB(1))
		fprintf(f, "%" PRIu64 " MiB", size >> 20);
	else
		fprintf(f, "%" PRIu64 " KiB", size >> 10);
}

/* in_ram: something could be read there. */
static void put_walk_end(FILE *f, const struct walk *w, bool in_ram)
{
	const char *last = w->levels ? w->level[w->levels - 1].name : "entry";

	switch (w->end) {
	case WALK_MAPPED:
		fprintf(f, "    -> %#" PRIx64 ", a page of ", w->gpa);
		put_size(f, w->page_size);
		fprintf(f, ", %s, %s%s%s\n",
			w->writable ? "writable" : "read-only",
			w->user ? "user" : "supervisor",
			w->executable ? "" : ", no execution",
			in_ram ? "" : "; there is no RAM");
		return;
	case WALK_NO_PAGING: return;
	case WALK_NOT_PRESENT:
		fprintf(f, "    -> not mapped: that %s is not present\n", last);
		return;
	case WALK_RESERVED:
		fprintf(f, "    -> not mapped: that %s has a reserved bit set\n",
			last);
		return;
	case WALK_NOT_RAM:
		fprintf(f, "    -> not mapped: that table lies where there is no "
			   "RAM\n");
		return;
	case WALK_NOT_CANONICAL:
		fprintf(f, "    -> not a canonical address\n");
		return;
	}
}

static void put_walk(FILE *f, const struct pm_vcpu *v, const char *what,
		     const struct walk *w, bool in_ram)
{
	unsigned i;

	fprintf(f, "  page walk of %s %#" PRIx64 ":\n", what, w->linear);
	for (i = 0; i < w->levels && i < WALK_LEVELS; i++) {
		const struct walk_level *l = &w->level[i];

		fprintf(f, "    %-5s at %#10" PRIx64 ": ", l->name, l->gpa);
		if (w->end == WALK_NOT_RAM && i == w->levels - 1) {
			fprintf(f, "no RAM there\n");
			break;
		}
		fprintf(f, "%016" PRIx64, l->entry);
		put_entry_flags(f, v, l->entry);
		fprintf(f, "\n");
	}
	put_walk_end(f, w, in_ram);
}

static void put_stack(FILE *f, const struct postmortem *pm,
		      const struct pm_vcpu *v)
{
	unsigned i, columns = v->word_size == 8 ? 4 : 8;
	int digits = (int)v->word_size * 2;
	char symbol[128];

	if (v->stack_len == 0) {
		fprintf(f, "  stack: none at SS:RSP, %#" PRIx64 " is %s\n",
			v->stack_walk.linear,
			v->stack_walk.end == WALK_MAPPED ||
					v->stack_walk.end == WALK_NO_PAGING
				? "not RAM"
				: "not mapped");
		return;
	}
	fprintf(f, "  stack from %#" PRIx64 " on:\n", v->stack_walk.linear);
	for (i = 0; i < v->stack_len; i++) {
		if (i % columns == 0)
			fprintf(f, "    +%02x ", i * v->word_size);
		fprintf(f, " %0*" PRIx64, digits, v->stack[i]);
		if (i % columns == columns - 1 || i == v->stack_len - 1)
			fprintf(f, "\n");
	}
	for (i = 0; i < v->stack_len; i++)
		if (words_symbol(pm, v->stack[i], symbol, sizeof(symbol)))
			fprintf(f, "    +%02x  %0*" PRIx64 "  %s\n",
				i * v->word_size, digits, v->stack[i], symbol);
}

void text_vcpu(FILE *f, const struct postmortem *pm, const struct pm_vcpu *v)
{
	char symbol[128];

	fprintf(f, "vCPU %u: ", v->id);
	if (!v->has_regs) {
		fprintf(f, "KVM does not give its registers\n");
		text_exits(f, pm, v, LAST_EXITS);
		return;
	}
	fprintf(f, "%s, %s", words_state(v->state), words_mode(v->mode));
	if (v->mode != PM_REAL)
		fprintf(f, ", ring %u", words_cpl(v));
	if (!v->after_reset) {
		fprintf(f, ", at ");
		if (v->mode == PM_REAL)
			fprintf(f, "%04x:%04x, ", v->sregs.cs.selector,
				(unsigned)(v->regs.rip & 0xffff));
		fprintf(f, "%#" PRIx64, v->code_walk.linear);
		if (words_symbol(pm, v->code_walk.linear, symbol, sizeof(symbol)))
			fprintf(f, " = %s", symbol);
	}
	fprintf(f, "\n");
	if (v->after_reset)
		fprintf(f, "  These are the values after a reset: the processor "
			   "or KVM has put them there\n  in place of those at "
			   "the crash, which are gone. The last exits below "
			   "are true.\n");
	else
		put_code(f, pm, v);
	put_registers(f, v);
	put_control(f, v);
	put_segments(f, v);
	if (!v->after_reset) {
		put_events(f, v);
		if (v->code_walk.end == WALK_NO_PAGING) {
			fprintf(f, "  paging is off\n");
		} else {
			put_walk(f, v, "RIP", &v->code_walk, v->code_len > 0);
			put_walk(f, v, "RSP", &v->stack_walk, v->stack_len > 0);
		}
		put_stack(f, pm, v);
	}
	text_exits(f, pm, v, LAST_EXITS);
}
