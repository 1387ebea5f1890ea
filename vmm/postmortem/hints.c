// SPDX-License-Identifier: MIT
/*
 * What to try next: a pure function from what is known to a few concrete
 * suggestions, the most telling first. Each says what it goes by.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base.h"
#include "postmortem/postmortem.h"
#include "postmortem/words.h"
#include "trapmap/guest_abi.h"

struct hints {
	char (*text)[PM_NOTE];
	unsigned count;
};

__attribute__((format(printf, 2, 3))) static void add(struct hints *h,
						      const char *fmt, ...)
{
	va_list ap;

	if (h->count == PM_HINTS)
		return;
	va_start(ap, fmt);
	vsnprintf(h->text[h->count++], PM_NOTE, fmt, ap);
	va_end(ap);
}

/*
 * Memory that nobody wrote to is code too, `add [rax], al` again and again: so a
 * jump that missed shows late, and elsewhere.
 */
static bool runs_zeros(const struct pm_vcpu *v)
{
	unsigned i;

	if (!v->has_regs || v->after_reset || v->code_len < 16)
		return false;
	for (i = 0; i < v->code_len; i++)
		if (v->code[i])
			return false;
	for (i = 0; i < v->before_len; i++)
		if (v->before[i])
			return false;
	return true;
}

static void zeros(struct hints *h, const struct pm_vcpu *v)
{
	add(h,
	    "vCPU %u runs zeros, at and before %#" PRIx64
	    ": it ran off the end of its code, or jumped to where none was "
	    "loaded",
	    v->id, v->code_walk.linear);
}

/* The vCPU that brought the end about, or the first that has run, or NULL. */
static const struct pm_vcpu *culprit(const struct postmortem *pm)
{
	unsigned i;

	if (pm->end.vcpu >= 0 && (unsigned)pm->end.vcpu < pm->vcpus)
		return &pm->vcpu[pm->end.vcpu];
	for (i = 0; i < pm->vcpus; i++)
		if (pm->vcpu[i].state == PM_RUNNING)
			return &pm->vcpu[i];
	return pm->vcpus ? &pm->vcpu[0] : NULL;
}

static const struct flight_record *last_exit(const struct pm_vcpu *v)
{
	return v->exit_count ? &v->exit[v->exit_count - 1] : NULL;
}

static bool is_backed(const struct walk *w)
{
	return w->end == WALK_MAPPED || w->end == WALK_NO_PAGING;
}

/* ---- crashes ------------------------------------------------------------ */

/*
 * A fetch that left the mapped or left RAM, or a stack that did; and an IDT too
 * short for #PF, vector 14.
 */
static void triple_fault(struct hints *h, const struct pm_vcpu *v)
{
	unsigned gate = v->mode == PM_REAL ? 4 : v->mode == PM_LONG ? 16 : 8;
	const struct walk *rip = &v->code_walk, *rsp = &v->stack_walk;

	if (v->after_reset) {
		add(h, "run it again with --trace FILE: the exits up to the "
		       "crash are recorded, and with them how far it came; on "
		       "VT-x the registers would be kept too");
		return;
	}
	if (!v->has_regs)
		return;
	if (runs_zeros(v))
		zeros(h, v);
	if (!is_backed(rip))
		add(h,
		    "RIP %#" PRIx64 " is not mapped: a wild jump, call or "
		    "return, or page tables without the page; the stack may "
		    "show where it came from",
		    rip->linear);
	else if (v->code_len == 0)
		add(h,
		    "RIP %#" PRIx64 " leads to physical address %#" PRIx64
		    ", where there is no RAM",
		    rip->linear, rip->gpa);
	if (v->mode == PM_REAL &&
	    v->sregs.idt.base == TRAPMAP_BIOS_NO_VECTORS)
		add(h,
		    "the BIOS has no handler for exceptions, only this end: a "
		    "guest in real mode that wants to handle one puts a vector "
		    "of its own into the table at address 0");
	else if (v->mode == PM_REAL && v->sregs.idt.limit + 1u < 14 * gate)
		add(h,
		    "the interrupt table has no vector for #GP (limit %#x): any "
		    "exception beyond its end is a triple fault",
		    v->sregs.idt.limit);
	else if (v->sregs.idt.limit + 1u < 15 * gate)
		add(h,
		    "the IDT has no gate for #PF or #GP (limit %#x): until one "
		    "with handlers is loaded, any exception is a triple "
		    "fault",
		    v->sregs.idt.limit);
	else if (v->mode != PM_REAL && !is_backed(&v->idt_walk))
		add(h,
		    "the IDT at %#" PRIx64 " is not mapped: LIDT takes a linear "
		    "address, which the page tables in use must have",
		    v->idt_walk.linear);
	if (!is_backed(rsp) || v->stack_len == 0)
		add(h,
		    "the stack at %#" PRIx64 " is not there, so no exception can "
		    "be delivered on it: it overflowed, or %s was never set%s",
		    rsp->linear,
		    v->mode == PM_REAL	 ? "SS:SP"
		    : v->mode == PM_LONG ? "RSP"
					 : "SS:ESP",
		    v->mode == PM_LONG ? "; an IST stack for #DF would let the "
					 "guest tell itself"
				       : "");
	if (h->count == 0)
		add(h,
		    "no handler of the guest's could be entered, so it could "
		    "not tell itself: --trace FILE shows how it came here; a "
		    "handler for #DF on a stack of its own (%s) would tell "
		    "of the next",
		    v->mode == PM_LONG ? "an IST" : "a task gate");
}

/* A panic, or lines that count as one. */
static void panic(struct hints *h, const struct postmortem *pm)
{
	bool panic = false, splat = false, other = false;
	size_t i;

	for (i = 0; i < pm->hits; i++) {
		panic |= pm->hit[i].rule == TRAPMAP_RULE_PANIC;
		splat |= pm->hit[i].rule == TRAPMAP_RULE_SPLAT;
		other |= splat || pm->hit[i].rule == TRAPMAP_RULE_FAIL;
	}
	if (other && !panic)
		add(h,
		    "the guest went on after that line, and its registers are "
		    "those at its end%s",
		    splat ? "; Linux stops at it with panic_on_warn=1 "
			    "oops=panic on its command line (-p) and "
			    "--fail-on panic"
			  : "");
	else if (!pm->silent)
		add(h, "why it panicked, the guest's console tells best: the "
		       "lines before the panic's, and the call trace after it");
}

static void crash(struct hints *h, const struct postmortem *pm,
		  const struct pm_vcpu *v)
{
	const struct flight_record *last = last_exit(v);

	if (!last)
		return;
	if (last->reason == KVM_EXIT_SHUTDOWN) {
		triple_fault(h, v);
		return;
	}
	if (last->reason != KVM_EXIT_INTERNAL_ERROR ||
	    last->value != KVM_INTERNAL_ERROR_EMULATION)
		return;
	if (v->code_len == 0) {
		add(h,
		    "RIP %#" PRIx64 " leads where there is no RAM: a wild jump, "
		    "or a device's registers taken for code",
		    v->code_walk.linear);
		return;
	}
	if (pm->doctor[0])
		add(h, "`trapmap doctor` says of this host: %s", pm->doctor);
	if (pm->kvm_kind == TRAPMAP_KVM_SOFTWARE)
		add(h, "run it where KVM has VT-x or AMD-V: there guest kernel "
		       "code runs on the processor and is not emulated");
	else
		add(h, "KVM emulates instructions that touch what is not RAM, "
		       "and those of real mode on older processors: see where "
		       "its operands point");
}

/* ---- guests that do not come to an end ---------------------------------- */

/*
 * lock cmpxchg16b m128: F0, REX with W, 0F C7 /1, SDM volume 2. Software KVM has
 * been seen never to complete it.
 */
static bool is_locked_cmpxchg16b(const struct pm_vcpu *v)
{
	const uint8_t *c = v->code;

	return v->mode == PM_LONG && v->code_len >= 5 && c[0] == 0xf0 &&
	       (c[1] & 0xf8) == 0x48 && c[2] == 0x0f && c[3] == 0xc7 &&
	       (c[4] >> 3 & 7) == 1 && c[4] >> 6 != 3;
}

/* The address that most of the last exits read, with how many did. */
static unsigned polled(const struct pm_vcpu *v, struct flight_record *ret_rec)
{
	unsigned i, n = 0, from = v->exit_count > 64 ? v->exit_count - 64 : 0;
	const struct flight_record *last;

	for (i = v->exit_count; i > from; i--) {
		last = &v->exit[i - 1];
		if ((last->reason == KVM_EXIT_IO ||
		     last->reason == KVM_EXIT_MMIO) &&
		    !(last->flags & FLIGHT_WRITE))
			break;
	}
	if (i == from)
		return 0;
	last = &v->exit[i - 1];
	for (i = from; i < v->exit_count; i++)
		n += v->exit[i].reason == last->reason &&
		     v->exit[i].addr == last->addr &&
		     !(v->exit[i].flags & FLIGHT_WRITE);
	*ret_rec = *last;
	return n;
}

/* "port 0x1f7 (IDE, primary), where nothing answers" */
static void name_place(const struct postmortem *pm,
		       const struct flight_record *rec, char *text, size_t size)
{
	bool is_mmio = rec->reason == KVM_EXIT_MMIO;
	const char *device = words_device(pm, rec);
	uint64_t first, last;

	if (!device)
		device = words_place(is_mmio, rec->addr, &first, &last);
	snprintf(text, size, "%s %#" PRIx64 "%s%s%s%s",
		 is_mmio ? "address" : "port", rec->addr, device ? " (" : "",
		 device ? device : "", device ? ")" : "",
		 rec->flags & FLIGHT_UNCLAIMED ? ", where nothing answers" : "");
}

/* A vCPU that runs: in a loop, with exits or without. */
static void spins(struct hints *h, const struct postmortem *pm,
		  const struct pm_vcpu *v)
{
	struct flight_record rec;
	const struct flight_record *last = last_exit(v);
	char where[128], symbol[128], at[160];
	unsigned n;

	if (is_locked_cmpxchg16b(v) && pm->kvm_kind == TRAPMAP_KVM_SOFTWARE) {
		add(h,
		    "vCPU %u stands at `lock cmpxchg16b`, which a software KVM "
		    "may never complete: suspect the host before the guest, "
		    "see `trapmap doctor`",
		    v->id);
		return;
	}
	snprintf(at, sizeof(at), "%#" PRIx64, v->code_walk.linear);
	if (words_symbol(pm, v->code_walk.linear, symbol, sizeof(symbol)))
		snprintf(at, sizeof(at), "%s", symbol);
	n = polled(v, &rec);
	/* Since the last second, and most of the last exits. */
	if (n >= 16 && last && words_when(pm, last->tsc) > -1e6) {
		name_place(pm, &rec, where, sizeof(where));
		add(h,
		    "vCPU %u polls %s: %u of its last %u exits read it, the "
		    "last value is %#" PRIx64,
		    v->id, where, n, v->exit_count < 64 ? v->exit_count : 64,
		    rec.value);
		return;
	}
	if (runs_zeros(v)) {
		zeros(h, v);
		return;
	}
	if (!last)
		add(h,
		    "vCPU %u was running, near %s, and has touched no device "
		    "at all: a loop, a wrong entry point, or not far enough "
		    "yet%s",
		    v->id, at,
		    pm->kvm_kind == TRAPMAP_KVM_SOFTWARE
			    ? " (KVM here is software: guest kernel code runs at a "
			      "few million instructions a second)"
			    : "");
	else if (words_when(pm, last->tsc) < -1e5)
		add(h,
		    "vCPU %u spins, near %s, without touching a device: a loop "
		    "that waits for memory to change, or for a lock",
		    v->id, at);
}

static void stands_still(struct hints *h, const struct postmortem *pm,
			 const struct pm_vcpu *v)
{
	const struct flight_record *last;
	char where[128];
	unsigned i;

	for (i = 0; i < pm->vcpus; i++)
		if (pm->vcpu[i].state == PM_RUNNING) {
			spins(h, pm, &pm->vcpu[i]);
			return;
		}
	if (v->state == PM_HALTED) {
		add(h,
		    "HLT with interrupts off never returns: `sti; hlt` to wait "
		    "for an interrupt; to end a run, power off or write to "
		    "port 0xf4");
		return;
	}
	if (v->state != PM_IDLE)
		return;
	for (i = v->exit_count; i > 0; i--) {
		last = &v->exit[i - 1];
		if (last->reason != KVM_EXIT_IO && last->reason != KVM_EXIT_MMIO)
			continue;
		name_place(pm, last, where, sizeof(where));
		add(h,
		    "every vCPU waits for an interrupt, as one does that has "
		    "nothing to do; if it should have, one is missing: the "
		    "last that vCPU %u touched is %s",
		    v->id, where);
		return;
	}
	add(h, "every vCPU waits for an interrupt, and no device was ever asked "
	       "for one");
}

/* ---- silence ------------------------------------------------------------ */

/* Whether a word of the command line begins so. */
static bool has_word(const char *cmdline, const char *start)
{
	const char *at = cmdline;
	size_t n = strlen(start);

	while ((at = strstr(at, start)) != NULL) {
		if (at == cmdline || at[-1] == ' ' || at[-1] == '\t')
			return true;
		at += n;
	}
	return false;
}

static void silent_linux(struct hints *h, const struct postmortem *pm)
{
	bool console = has_word(pm->cmdline, "console=ttyS") ||
		       has_word(pm->cmdline, "console=uart");
	bool early = has_word(pm->cmdline, "earlyprintk=") ||
		     has_word(pm->cmdline, "earlycon");
	const char *doubt = !strcmp(pm->format, "bzImage")
				    ? ""
				    : "if this is Linux: ";

	if (!console && !early)
		add(h,
		    "%sits command line has neither console=ttyS0 nor "
		    "earlyprintk=, so it speaks to a screen that is not "
		    "there: add -p \"console=ttyS0 earlyprintk=ttyS0\"",
		    doubt);
	else if (!early)
		add(h,
		    "%sits console comes up late; for what it says before "
		    "that, add earlyprintk=ttyS0 to its command line (-p)",
		    doubt);
	else if (!console)
		add(h, "%sits command line has no console=ttyS0: add it (-p)",
		    doubt);
}

static uint64_t writes_between(const struct pm_unclaimed *u, unsigned len,
			       uint64_t first, uint64_t last)
{
	uint64_t n = 0;
	unsigned i;

	for (i = 0; i < len; i++)
		if (u[i].addr >= first && u[i].addr <= last)
			n += u[i].writes;
	return n;
}

static void silence(struct hints *h, const struct postmortem *pm)
{
	const struct pm_unclaimed *pio = pm->pio_unclaimed;
	unsigned len = pm->pio_unclaimed_len;

	if (pm->bytes[WATCH_DEBUGCON])
		add(h,
		    "it spoke to the debug console (%" PRIu64
		    " %s to port 0xe9 or 0x402), which goes nowhere: "
		    "--debugcon shows it",
		    pm->bytes[WATCH_DEBUGCON],
		    pm->bytes[WATCH_DEBUGCON] == 1 ? "byte" : "bytes");
	if (writes_between(pm->mmio_unclaimed, pm->mmio_unclaimed_len, 0xa0000,
			   0xbffff))
		add(h, "it wrote to a VGA's memory at 0xa0000 to 0xbffff, which "
		       "this machine does not have: have it write to the serial "
		       "port 0x3f8, or to port 0xe9 with --debugcon");
	/* What is sent, not the other registers: those every Linux tries. */
	if (writes_between(pio, len, 0x2f8, 0x2f8) +
	    writes_between(pio, len, 0x3e8, 0x3e8) +
	    writes_between(pio, len, 0x2e8, 0x2e8))
		add(h, "it wrote to a serial port that this machine does not "
		       "have: each --serial adds one, at 0x3f8, 0x2f8, 0x3e8, "
		       "0x2e8");
	if (pm->is_linux)
		silent_linux(h, pm);
}

/* ---- all ---------------------------------------------------------------- */

/* A kernel's half of the address space, and nothing that gives it names. */
static bool wants_symbols(const struct postmortem *pm)
{
	const struct pm_vcpu *v = culprit(pm);

	return pm->depth == PM_FULL && v && v->has_regs && !v->after_reset &&
	       v->mode == PM_LONG && v->regs.rip >> 63 && !pm->symbols.file;
}

unsigned postmortem_hints(const struct postmortem *pm,
			  char ret_hint[PM_HINTS][PM_NOTE])
{
	struct hints h = { .text = ret_hint };
	const struct pm_vcpu *v = culprit(pm);

	if (v && pm->end.kind == TRAPMAP_END_CRASH)
		crash(&h, pm, v);
	else if (v && (pm->end.kind == TRAPMAP_END_TIMEOUT ||
		       pm->end.kind == TRAPMAP_END_STUCK))
		stands_still(&h, pm, v);
	else if (pm->end.kind == TRAPMAP_END_PANIC)
		panic(&h, pm);
	else if (pm->end.kind == TRAPMAP_END_UNCLAIMED)
		add(&h, "without --strict-io such reads give all ones, writes "
			"vanish, and the guest goes on");
	if (pm->silent && pm->end.kind != TRAPMAP_END_POWEROFF && pm->began.ns)
		silence(&h, pm);
	if (wants_symbols(pm))
		add(&h, "--symbols with the kernel's vmlinux or System.map puts "
			"names to these addresses");
	return h.count;
}
