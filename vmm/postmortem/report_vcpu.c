// SPDX-License-Identifier: MIT
/* The part of the report that tells of one vCPU. docs/report.md has every field. */
#include <stdio.h>

#include "core/base.h"
#include "postmortem/report_json.h"
#include "postmortem/words.h"

static const char *state_name(enum pm_state state)
{
	switch (state) {
	case PM_NOT_STARTED: return "never-started";
	case PM_WAITING: return "waiting-for-sipi";
	case PM_RUNNING: return "running";
	case PM_IDLE: return "halted-interrupts-on";
	case PM_HALTED: return "halted-interrupts-off";
	case PM_UNKNOWN: break;
	}
	return "unknown";
}

static const char *mode_name(enum pm_mode mode)
{
	switch (mode) {
	case PM_REAL: return "real";
	case PM_VIRTUAL_8086: return "virtual-8086";
	case PM_PROTECTED_16: return "protected-16";
	case PM_PROTECTED_32: return "protected-32";
	case PM_COMPATIBILITY_16: return "compatibility-16";
	case PM_COMPATIBILITY_32: return "compatibility-32";
	case PM_LONG: break;
	}
	return "64-bit";
}

static json_t *bytes(const uint8_t *buf, unsigned len)
{
	char text[2 * PM_CODE_MAX + 1] = "";
	unsigned i;

	for (i = 0; i < len && i < PM_CODE_MAX; i++)
		snprintf(text + 2 * i, 3, "%02x", buf[i]);
	return json_string(text);
}

static json_t *registers(struct report *r, const struct pm_vcpu *v)
{
	const struct kvm_regs *g = &v->regs;
	const struct kvm_sregs *s = &v->sregs;
	const struct {
		const char *name;
		uint64_t val;
	} reg[] = {
		{ "rip", g->rip },
		{ "rflags", g->rflags },
		{ "rax", g->rax },
		{ "rbx", g->rbx },
		{ "rcx", g->rcx },
		{ "rdx", g->rdx },
		{ "rsi", g->rsi },
		{ "rdi", g->rdi },
		{ "rbp", g->rbp },
		{ "rsp", g->rsp },
		{ "r8", g->r8 },
		{ "r9", g->r9 },
		{ "r10", g->r10 },
		{ "r11", g->r11 },
		{ "r12", g->r12 },
		{ "r13", g->r13 },
		{ "r14", g->r14 },
		{ "r15", g->r15 },
		{ "cr0", s->cr0 },
		{ "cr2", s->cr2 },
		{ "cr3", s->cr3 },
		{ "cr4", s->cr4 },
		{ "cr8", s->cr8 },
		{ "efer", s->efer },
		{ "apic_base", s->apic_base },
	};
	json_t *obj = json_object();
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(reg); i++)
		report_set(r, obj, reg[i].name, report_hex(reg[i].val));
	if (!v->has_debugregs)
		return obj;
	for (i = 0; i < 4; i++) {
		char name[4] = { 'd', 'r', (char)('0' + i), '\0' };

		report_set(r, obj, name, report_hex(v->debugregs.db[i]));
	}
	report_set(r, obj, "dr6", report_hex(v->debugregs.dr6));
	report_set(r, obj, "dr7", report_hex(v->debugregs.dr7));
	return obj;
}

static json_t *segment(struct report *r, const struct kvm_segment *s)
{
	json_t *obj = json_object();

	report_set(r, obj, "selector", report_hex(s->selector));
	report_set(r, obj, "base", report_hex(s->base));
	report_set(r, obj, "limit", report_hex(s->limit));
	report_set(r, obj, "type", json_integer(s->type));
	report_set(r, obj, "s", json_integer(s->s));
	report_set(r, obj, "dpl", json_integer(s->dpl));
	report_set(r, obj, "present", json_boolean(s->present));
	report_set(r, obj, "avl", json_integer(s->avl));
	report_set(r, obj, "l", json_integer(s->l));
	report_set(r, obj, "db", json_integer(s->db));
	report_set(r, obj, "g", json_integer(s->g));
	report_set(r, obj, "unusable", json_boolean(s->unusable));
	return obj;
}

static json_t *segments(struct report *r, const struct kvm_sregs *s)
{
	json_t *obj = json_object();

	report_set(r, obj, "cs", segment(r, &s->cs));
	report_set(r, obj, "ss", segment(r, &s->ss));
	report_set(r, obj, "ds", segment(r, &s->ds));
	report_set(r, obj, "es", segment(r, &s->es));
	report_set(r, obj, "fs", segment(r, &s->fs));
	report_set(r, obj, "gs", segment(r, &s->gs));
	report_set(r, obj, "tr", segment(r, &s->tr));
	report_set(r, obj, "ldtr", segment(r, &s->ldt));
	return obj;
}

static json_t *table(struct report *r, const struct kvm_dtable *t)
{
	json_t *obj = json_object();

	report_set(r, obj, "base", report_hex(t->base));
	report_set(r, obj, "limit", report_hex(t->limit));
	return obj;
}

static json_t *events(struct report *r, const struct kvm_vcpu_events *e)
{
	json_t *obj = json_object(), *exception = json_null();

	if (e->exception.injected || e->exception.pending) {
		exception = json_object();
		report_set(r, exception, "vector",
			   json_integer(e->exception.nr));
		report_set(r, exception, "error_code",
			   e->exception.has_error_code
				   ? report_hex(e->exception.error_code)
				   : json_null());
		report_set(r, exception, "injected",
			   json_boolean(e->exception.injected));
	}
	report_set(r, obj, "exception", exception);
	report_set(r, obj, "interrupt",
		   e->interrupt.injected ? json_integer(e->interrupt.nr)
					 : json_null());
	report_set(r, obj, "nmi_pending", json_boolean(e->nmi.pending));
	report_set(r, obj, "nmi_masked", json_boolean(e->nmi.masked));
	return obj;
}

static json_t *walk(struct report *r, const struct walk *w)
{
	bool leads = w->end == WALK_MAPPED || w->end == WALK_NO_PAGING;
	json_t *obj = json_object(), *levels = json_array();
	unsigned i;

	report_set(r, obj, "linear", report_hex(w->linear));
	report_set(r, obj, "end", json_string(words_walk(w->end)));
	report_set(r, obj, "physical", leads ? report_hex(w->gpa) : json_null());
	for (i = 0; i < w->levels && i < WALK_LEVELS; i++) {
		json_t *level = json_object();

		report_set(r, level, "name", json_string(w->level[i].name));
		report_set(r, level, "at", report_hex(w->level[i].gpa));
		report_set(r, level, "entry", report_hex(w->level[i].entry));
		report_add(r, levels, level);
	}
	report_set(r, obj, "levels", levels);
	if (w->end != WALK_MAPPED)
		return obj;
	report_set(r, obj, "page_size", report_count(w->page_size));
	report_set(r, obj, "writable", json_boolean(w->writable));
	report_set(r, obj, "user", json_boolean(w->user));
	report_set(r, obj, "executable", json_boolean(w->executable));
	return obj;
}

static json_t *code(struct report *r, const struct pm_vcpu *v)
{
	json_t *obj = json_object(), *list = json_array();
	unsigned i, off = 0;

	report_set(r, obj, "address", report_hex(v->code_walk.linear));
	report_set(r, obj, "symbol", report_symbol(r, v->code_walk.linear));
	report_set(r, obj, "before", bytes(v->before, v->before_len));
	report_set(r, obj, "bytes", bytes(v->code, v->code_len));
	for (i = 0; i < v->insns; i++) {
		json_t *insn = json_object();

		report_set(r, insn, "address", report_hex(v->insn[i].addr));
		report_set(r, insn, "bytes",
			   bytes(v->code + off, v->insn[i].len));
		report_set(r, insn, "text", report_string(v->insn[i].text));
		report_add(r, list, insn);
		off += v->insn[i].len;
	}
	report_set(r, obj, "disassembly", list);
	return obj;
}

static json_t *stack(struct report *r, const struct pm_vcpu *v)
{
	json_t *obj = json_object(), *list = json_array();
	unsigned i;

	report_set(r, obj, "address", report_hex(v->stack_walk.linear));
	report_set(r, obj, "word_size", json_integer(v->word_size));
	for (i = 0; i < v->stack_len; i++) {
		json_t *word = json_object();

		report_set(r, word, "value", report_hex(v->stack[i]));
		report_set(r, word, "symbol", report_symbol(r, v->stack[i]));
		report_add(r, list, word);
	}
	report_set(r, obj, "words", list);
	return obj;
}

static bool has_address(const struct flight_record *rec)
{
	switch (rec->reason) {
	case KVM_EXIT_IO:
	case KVM_EXIT_MMIO:
	case KVM_EXIT_X86_RDMSR:
	case KVM_EXIT_X86_WRMSR:
	case KVM_EXIT_HYPERCALL: return true;
	}
	return false;
}

static json_t *exit_record(struct report *r, const struct flight_record *rec)
{
	const char *name = flight_reason(rec->reason);
	json_t *obj = json_object();

	report_set(r, obj, "time_us", json_real(words_when(r->pm, rec->tsc)));
	report_set(r, obj, "reason",
		   name ? json_string(name) : json_integer(rec->reason));
	report_set(r, obj, "value", report_hex(rec->value));
	report_set(r, obj, "rip", rec->rip ? report_hex(rec->rip) : json_null());
	if (!has_address(rec))
		return obj;
	report_set(r, obj, "address", report_hex(rec->addr));
	report_set(r, obj, "write", json_boolean(rec->flags & FLIGHT_WRITE));
	report_set(r, obj, "size", json_integer(rec->size));
	report_set(r, obj, "count", json_integer(rec->count));
	report_set(r, obj, "device", report_string(words_device(r->pm, rec)));
	report_set(r, obj, "unclaimed",
		   json_boolean(rec->flags & FLIGHT_UNCLAIMED));
	return obj;
}

static json_t *exits(struct report *r, const struct pm_vcpu *v)
{
	json_t *obj = json_object(), *list = json_array();
	unsigned i;

	report_set(r, obj, "total", report_count(v->exits));
	for (i = 0; i < v->exit_count; i++)
		report_add(r, list, exit_record(r, &v->exit[i]));
	report_set(r, obj, "last", list);
	return obj;
}

json_t *report_vcpu(struct report *r, const struct pm_vcpu *v)
{
	json_t *obj = json_object(), *walks;

	report_set(r, obj, "id", json_integer(v->id));
	report_set(r, obj, "state", json_string(state_name(v->state)));
	report_set(r, obj, "exits", exits(r, v));
	if (!v->has_regs)
		return obj;
	report_set(r, obj, "mode", json_string(mode_name(v->mode)));
	report_set(r, obj, "cpl", json_integer(words_cpl(v)));
	report_set(r, obj, "after_reset", json_boolean(v->after_reset));
	report_set(r, obj, "registers", registers(r, v));
	report_set(r, obj, "segments", segments(r, &v->sregs));
	report_set(r, obj, "gdtr", table(r, &v->sregs.gdt));
	report_set(r, obj, "idtr", table(r, &v->sregs.idt));
	if (v->has_events)
		report_set(r, obj, "events", events(r, &v->events));
	if (v->after_reset)
		return obj;
	report_set(r, obj, "code", code(r, v));
	walks = json_object();
	report_set(r, walks, "rip", walk(r, &v->code_walk));
	report_set(r, walks, "rsp", walk(r, &v->stack_walk));
	report_set(r, obj, "walks", walks);
	report_set(r, obj, "stack", stack(r, v));
	return obj;
}
