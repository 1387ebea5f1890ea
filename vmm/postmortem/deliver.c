// SPDX-License-Identifier: MIT
/*
 * deliver.c: the delivery of exceptions and interrupts, step by step.
 *
 * Sources: SDM volume 3, chapter 6 (6.10 to 6.15) and 7.7; volume 2, the
 * operation of INT n.
 *
 * Not here: FRED, shadow stacks, SMAP, what a task gate leads to beyond its
 * TSS descriptor, the DPL of gates (it binds software interrupts only).
 */
#include "postmortem/deliver.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base.h"

#define CR0_WP BIT64(16)

/* A descriptor's type, with S in bit 4: SDM volume 3, tables 3-1 and 3-2. */
#define TYPE_S 0x10
#define TYPE_CODE 0x18
#define TYPE_CONFORMING 0x04
#define TYPE_WRITABLE 0x02
#define TYPE_EXPAND_DOWN 0x04
#define TYPE_TSS16 0x01
#define TYPE_TASK_GATE 0x05
#define TYPE_INTERRUPT16 0x06
#define TYPE_TRAP16 0x07
#define TYPE_TSS32 0x09
#define TYPE_INTERRUPT 0x0e
#define TYPE_TRAP 0x0f

static const char *const names[] = {
	"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM",
	"#DF", NULL,  "#TS", "#NP", "#SS", "#GP", "#PF", NULL,
	"#MF", "#AC", "#MC", "#XM", "#VE", "#CP",
};

const char *vector_name(unsigned vector)
{
	return vector < ARRAY_SIZE(names) ? names[vector] : NULL;
}

bool vector_has_error_code(unsigned vector)
{
	return vector == VECTOR_DF ||
	       (vector >= VECTOR_TS && vector <= VECTOR_PF) || vector == 17 ||
	       vector == 21;
}

static bool is_contributory(unsigned vector)
{
	return vector == VECTOR_DE ||
	       (vector >= VECTOR_TS && vector <= VECTOR_GP) || vector == 21;
}

int vector_combine(unsigned first, unsigned second)
{
	if (first == VECTOR_DF)
		return -1;
	if (is_contributory(first) && is_contributory(second))
		return VECTOR_DF;
	if (first == VECTOR_PF &&
	    (second == VECTOR_PF || is_contributory(second)))
		return VECTOR_DF;
	return (int)second;
}

static bool fails(struct delivery *d, int raises, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static bool fails(struct delivery *d, int raises, const char *fmt, ...)
{
	va_list ap;

	d->raises = raises;
	va_start(ap, fmt);
	vsnprintf(d->why, sizeof(d->why), fmt, ap);
	va_end(ap);
	return false;
}

/* The stacks that a TSS has, by IST's number or by ring. */
static const char *const ist_name[] = { NULL,	"IST1", "IST2", "IST3",
					"IST4", "IST5", "IST6", "IST7" };
static const char *const rsp_name[] = { "RSP0", "RSP1", "RSP2" };
static const char *const esp_name[] = { "ESP0", "ESP1", "ESP2" };
static const char *const ss_names[] = { "SS0", "SS1", "SS2" };

/* What is wrong with a walk's end, after the name of what lies there. */
static const char *end_text(enum walk_end end)
{
	switch (end) {
	case WALK_NOT_PRESENT: return "is not mapped";
	case WALK_RESERVED: return "is mapped with a reserved bit set";
	case WALK_NOT_RAM: return "has a page table outside RAM";
	case WALK_NOT_CANONICAL: return "is not canonical";
	case WALK_MAPPED:
	case WALK_NO_PAGING: break;
	}
	return NULL;
}

/* Reads len bytes at linear. NULL, or what is wrong with that place. */
static const char *read_linear(const struct deliver_state *s, uint64_t linear,
			       void *buf, size_t len)
{
	size_t got = walk_read(s->gm, &s->paging, linear, buf, len);
	struct walk w;

	if (got == len)
		return NULL;
	walk_linear(s->gm, &s->paging, linear + got, &w);
	return end_text(w.end) ?: "is outside RAM";
}

static const char *check_write(const struct deliver_state *s, uint64_t linear)
{
	const char *why;
	struct walk w;

	walk_linear(s->gm, &s->paging, linear, &w);
	why = end_text(w.end);
	if (!why && w.end == WALK_MAPPED && !w.writable && s->paging.cr0 & CR0_WP)
		why = "is read-only";
	return why;
}

const char *deliver_stack(const struct deliver_state *s,
			  const struct deliver_table *ss, uint64_t rsp,
			  unsigned len, int *ret_raises)
{
	uint64_t first = rsp - len, last = rsp - 1;
	const char *why;

	if (s->mode != DELIVER_LONG) {
		uint64_t mask = s->ss_big ? UINT32_MAX : UINT16_MAX;

		bool wraps;

		first &= mask;
		last &= mask;
		/* Between two pushes ESP may wrap, where nothing limits it. */
		wraps = last < first && !(ss->limit >= mask && rsp % 4 == 0);
		if (wraps ||
		    (s->ss_down ? first <= ss->limit : last > ss->limit)) {
			*ret_raises = VECTOR_SS;
			return "is outside its segment";
		}
		first += ss->base;
		last += ss->base;
	}
	why = check_write(s, last) ?: check_write(s, first);
	if (why)
		*ret_raises = s->mode == DELIVER_LONG && strstr(why, "canonical")
				      ? VECTOR_SS
				      : VECTOR_PF;
	return why;
}

struct descriptor {
	unsigned type; /* with S */
	unsigned dpl;
	bool present, l, big;
	uint64_t base;
	uint32_t limit;
};

struct gate {
	unsigned type, ist;
	uint16_t selector;
	uint64_t offset;
};

static bool is_gate16(unsigned type)
{
	return type == TYPE_INTERRUPT16 || type == TYPE_TRAP16;
}

static bool is_gate(unsigned type, enum deliver_mode mode)
{
	if (type == TYPE_INTERRUPT || type == TYPE_TRAP)
		return true;
	return mode != DELIVER_LONG &&
	       (type == TYPE_TASK_GATE || is_gate16(type));
}

static bool read_gate(const struct deliver_state *s, unsigned vector,
		      struct gate *ret_gate, struct delivery *d)
{
	unsigned size = s->mode == DELIVER_LONG ? 16 : 8;
	uint8_t raw[16] = { 0 };
	uint64_t low, high;
	const char *why;
	char text[40];

	if (vector * size + size - 1 > s->idt.limit)
		return fails(d, VECTOR_GP, "IDT limit %#x", s->idt.limit);
	why = read_linear(s, s->idt.base + vector * size, raw, size);
	if (why)
		return fails(d, VECTOR_PF, "the IDT at %#" PRIx64 " %s",
			     s->idt.base, why);
	low = get_le64(raw);
	high = get_le64(raw + 8);
	if (size == 16)
		snprintf(text, sizeof(text), "%016" PRIx64 ":%016" PRIx64, high,
			 low);
	else
		snprintf(text, sizeof(text), "%016" PRIx64, low);

	*ret_gate = (struct gate){
		.type = raw[5] & 0x1f,
		.ist = size == 16 ? raw[4] & 7 : 0,
		.selector = get_le16(raw + 2),
		.offset = get_le16(raw) | (uint64_t)get_le16(raw + 6) << 16 |
			  (high & UINT32_MAX) << 32,
	};
	if (low == 0)
		return fails(d, VECTOR_GP, "the gate is all zeros");
	if (!is_gate(ret_gate->type, s->mode))
		return fails(d, VECTOR_GP,
			     "the gate, %s, is neither for an interrupt nor "
			     "for a trap",
			     text);
	if (is_gate16(ret_gate->type))
		ret_gate->offset &= UINT16_MAX;
	if (!(raw[5] & 0x80))
		return fails(d, VECTOR_NP, "the gate, %s, is not present", text);
	return true;
}

/* Reads the descriptor that `what` names by selector. */
static bool read_descriptor(const struct deliver_state *s, uint16_t selector,
			    const char *what, int raises,
			    struct descriptor *ret, struct delivery *d)
{
	const struct deliver_table *t = selector & 4 ? &s->ldt : &s->gdt;
	const char *table = selector & 4 ? "LDT" : "GDT", *why;
	unsigned off = selector & ~7u;
	uint32_t high;
	uint8_t raw[8];

	if ((selector & ~3u) == 0)
		return fails(d, raises, "%s has the null selector", what);
	if (off + 7 > t->limit)
		return fails(d, raises,
			     "%s has selector %#x, beyond the %s's limit %#x",
			     what, selector, table, t->limit);
	why = read_linear(s, t->base + off, raw, sizeof(raw));
	if (why)
		return fails(d, VECTOR_PF, "the %s at %#" PRIx64 " %s", table,
			     t->base, why);
	high = get_le32(raw + 4);
	*ret = (struct descriptor){
		.type = high >> 8 & 0x1f,
		.dpl = high >> 13 & 3,
		.present = high & BIT(15),
		.l = high & BIT(21),
		.big = high & BIT(22),
		.base = get_le16(raw + 2) | (high & 0xff) << 16 |
			(high & 0xff000000),
		.limit = get_le16(raw) | (high & 0xf0000),
	};
	if (high & BIT(23))
		ret->limit = ret->limit << 12 | 0xfff;
	return true;
}

/* Reads size bytes of the TSS at off: the stack named so, for the handler. */
static bool read_tss(const struct deliver_state *s, unsigned off, unsigned size,
		     const char *name, uint64_t *ret_val, struct delivery *d)
{
	uint8_t raw[8] = { 0 };
	const char *why;

	if (off + size - 1 > s->tss.limit)
		return fails(d, VECTOR_TS,
			     "the TSS, limit %#x, ends before its %s",
			     s->tss.limit, name);
	why = read_linear(s, s->tss.base + off, raw, size);
	if (why)
		return fails(d, VECTOR_PF, "the TSS at %#" PRIx64 " %s",
			     s->tss.base, why);
	*ret_val = get_le64(raw);
	return true;
}

static bool stack_holds(const struct deliver_state *s,
			const struct deliver_table *ss, const char *name,
			uint64_t rsp, unsigned len, struct delivery *d)
{
	int raises = VECTOR_PF;
	const char *why = deliver_stack(s, ss, rsp, len, &raises);

	if (why)
		return fails(d, raises, "the stack at %s %#" PRIx64 " %s", name,
			     rsp, why);
	return true;
}

static bool deliver_real(const struct deliver_state *s, unsigned vector,
			 struct delivery *d)
{
	unsigned sp = (uint16_t)s->rsp;
	const char *why;
	uint8_t entry[4];

	if (vector * 4 + 3 > s->idt.limit)
		return fails(d, VECTOR_GP, "IDT limit %#x", s->idt.limit);
	why = read_linear(s, s->idt.base + vector * 4, entry, sizeof(entry));
	if (why)
		return fails(d, VECTOR_PF, "the IVT at %#" PRIx64 " %s",
			     s->idt.base, why);
	if (sp == 1 || sp == 3 || sp == 5)
		return fails(d, VECTOR_SS,
			     "the stack has no room for FLAGS, CS and IP: SP is "
			     "%u",
			     sp);
	/* From 2 and 4 it wraps between two pushes, which is allowed. */
	return sp == 2 || sp == 4 || stack_holds(s, &s->ss, "SP", sp, 6, d);
}

static bool stack_long(const struct deliver_state *s, unsigned vector,
		       unsigned ist, unsigned cpl, struct delivery *d)
{
	unsigned len = vector_has_error_code(vector) ? 48 : 40;
	uint64_t rsp = s->rsp;
	const char *name = "RSP";

	if (ist) {
		name = ist_name[ist];
		if (!read_tss(s, 28 + ist * 8, 8, name, &rsp, d))
			return false;
	} else if (cpl < s->cpl) {
		name = rsp_name[cpl];
		if (!read_tss(s, 4 + cpl * 8, 8, name, &rsp, d))
			return false;
	}
	/* What is pushed is aligned, whatever RSP was. */
	return stack_holds(s, &s->ss, name, align_down(rsp, 16), len, d);
}

/* With the new stack of an inner ring, from the TSS. */
static bool stack_inner(const struct deliver_state *s, unsigned len,
			unsigned cpl, struct delivery *d)
{
	unsigned word = s->tss16 ? 2 : 4, off = word + cpl * 2 * word;
	struct deliver_state inner = *s;
	uint64_t rsp = 0, selector = 0;
	const char *name = esp_name[cpl], *ss_name = ss_names[cpl];
	struct descriptor ss = { 0 };

	if (!read_tss(s, off, word, name, &rsp, d) ||
	    !read_tss(s, off + word, 2, ss_name, &selector, d) ||
	    !read_descriptor(s, (uint16_t)selector, ss_name, VECTOR_TS, &ss, d))
		return false;
	if ((ss.type & (TYPE_CODE | TYPE_WRITABLE)) != (TYPE_S | TYPE_WRITABLE) ||
	    ss.dpl != cpl)
		return fails(d, VECTOR_TS,
			     "%s has selector %#" PRIx64
			     ", which is no writable data of its ring",
			     ss_name, selector);
	if (!ss.present)
		return fails(d, VECTOR_SS,
			     "%s has selector %#" PRIx64
			     ", which is not present",
			     ss_name, selector);
	inner.ss = (struct deliver_table){ ss.base, ss.limit };
	inner.ss_down = ss.type & TYPE_EXPAND_DOWN;
	inner.ss_big = ss.big;
	return stack_holds(&inner, &inner.ss, name, rsp, len, d);
}

static bool stack_protected(const struct deliver_state *s, unsigned vector,
			    const struct gate *gate, unsigned cpl,
			    struct delivery *d)
{
	unsigned words = vector_has_error_code(vector) ? 4 : 3;

	if (cpl < s->cpl)
		words += 2;
	words *= is_gate16(gate->type) ? 2 : 4;
	return cpl < s->cpl ? stack_inner(s, words, cpl, d)
			    : stack_holds(s, &s->ss, s->ss_big ? "ESP" : "SP",
					  s->rsp, words, d);
}

static bool deliver_task(const struct deliver_state *s, const struct gate *gate,
			 struct delivery *d)
{
	struct descriptor tss = { 0 };

	if (!read_descriptor(s, gate->selector, "the task gate", VECTOR_GP,
			     &tss, d))
		return false;
	if (tss.type != TYPE_TSS16 && tss.type != TYPE_TSS32)
		return fails(d, VECTOR_GP,
			     "the task gate has selector %#x, which is no "
			     "available TSS",
			     gate->selector);
	if (!tss.present)
		return fails(d, VECTOR_NP,
			     "the task gate has selector %#x, which is not "
			     "present",
			     gate->selector);
	return true;
}

static bool handler_is_there(const struct deliver_state *s,
			     const struct descriptor *code, uint64_t offset,
			     struct delivery *d)
{
	uint64_t linear = offset;
	const char *why;
	struct walk w;

	if (s->mode != DELIVER_LONG) {
		if (offset > code->limit)
			return fails(d, VECTOR_GP,
				     "the handler %#" PRIx64
				     " is beyond its segment's limit %#x",
				     offset, code->limit);
		linear = (uint32_t)(code->base + offset);
	}
	walk_linear(s->gm, &s->paging, linear, &w);
	why = end_text(w.end);
	if (!why && w.end == WALK_MAPPED && !w.executable)
		why = "is not executable";
	if (!why)
		return true;
	/* Only this one is found out before anything is pushed. */
	return fails(d, w.end == WALK_NOT_CANONICAL ? VECTOR_GP : -1,
		     "the handler at %#" PRIx64 " %s", linear, why);
}

static bool deliver_gate(const struct deliver_state *s, unsigned vector,
			 struct delivery *d)
{
	struct descriptor code = { 0 };
	struct gate gate = { 0 };
	unsigned cpl;

	if (!read_gate(s, vector, &gate, d))
		return false;
	if (gate.type == TYPE_TASK_GATE)
		return deliver_task(s, &gate, d);
	if (!read_descriptor(s, gate.selector, "the gate", VECTOR_GP, &code, d))
		return false;
	if ((code.type & TYPE_CODE) != TYPE_CODE || code.dpl > s->cpl)
		return fails(d, VECTOR_GP,
			     "the gate has selector %#x, which is no code of "
			     "ring %u",
			     gate.selector, s->cpl);
	if (s->mode == DELIVER_LONG && (!code.l || code.big))
		return fails(d, VECTOR_GP,
			     "the gate has selector %#x, which is no 64-bit "
			     "code",
			     gate.selector);
	if (!code.present)
		return fails(d, VECTOR_NP,
			     "the gate has selector %#x, which is not present",
			     gate.selector);
	cpl = code.type & TYPE_CONFORMING ? s->cpl : code.dpl;
	if (s->mode == DELIVER_LONG ? !stack_long(s, vector, gate.ist, cpl, d)
				    : !stack_protected(s, vector, &gate, cpl, d))
		return false;
	return handler_is_there(s, &code, gate.offset, d);
}

void deliver(const struct deliver_state *s, unsigned vector,
	     struct delivery *ret_delivery)
{
	struct delivery d = { .raises = -1 };

	if (s->mode == DELIVER_REAL)
		(void)deliver_real(s, vector, &d);
	else
		(void)deliver_gate(s, vector, &d);
	*ret_delivery = d;
}
