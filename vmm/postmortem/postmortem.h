/* SPDX-License-Identifier: MIT */
/*
 * postmortem.h: what is known of a run that is over, as plain data. gather.c
 * takes it out of the VM, once; text.c tells it to people, report.c to programs,
 * hints.c says what to try next. These three look at nothing else.
 */
#ifndef TRAPMAP_POSTMORTEM_POSTMORTEM_H
#define TRAPMAP_POSTMORTEM_POSTMORTEM_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/bus.h"
#include "flight.h"
#include "mem_back.h"
#include "postmortem/symbols.h"
#include "postmortem/walk.h"
#include "trapmap/trapmap.h"
#include "tsc.h"
#include "watch.h"

struct stats_total;

#define PM_CODE_BEFORE 16
#define PM_CODE_MAX 64
#define PM_INSNS 6
#define PM_INSN_TEXT 96
#define PM_STACK_WORDS 16
#define PM_POST_CODES 16
#define PM_HINTS 4
#define PM_NOTE 512

/* How much there is to tell. */
enum pm_depth {
	PM_REPORT, /* a good end: no word of the vCPUs */
	PM_SHORT, /* nothing was seen of the guest: the last that it did */
	PM_FULL,
};

enum pm_state {
	PM_UNKNOWN, /* KVM does not give it */
	PM_NOT_STARTED, /* an application processor that nobody woke */
	PM_WAITING, /* for its SIPI */
	PM_RUNNING,
	PM_IDLE, /* halted, interrupts on */
	PM_HALTED, /* halted, interrupts off */
};

/* How the processor reads code. */
enum pm_mode {
	PM_REAL,
	PM_VIRTUAL_8086,
	PM_PROTECTED_16,
	PM_PROTECTED_32,
	PM_COMPATIBILITY_16,
	PM_COMPATIBILITY_32,
	PM_LONG,
};

struct pm_insn {
	uint64_t addr;
	unsigned len;
	char text[PM_INSN_TEXT];
};

struct pm_vcpu {
	unsigned id;
	enum pm_state state;
	enum pm_mode mode;
	/*
	 * The registers are those after a reset: AMD-V, or KVM, has put them in
	 * place of those at the crash.
	 */
	bool after_reset;
	bool has_regs, has_events, has_debugregs;
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_vcpu_events events;
	struct kvm_debugregs debugregs;

	struct walk code_walk; /* of CS:RIP's linear address */
	uint8_t before[PM_CODE_BEFORE]; /* the bytes up to it */
	unsigned before_len;
	uint8_t code[PM_CODE_MAX]; /* those at and behind it */
	unsigned code_len;
	struct pm_insn insn[PM_INSNS];
	unsigned insns;

	struct walk stack_walk; /* of SS:RSP's */
	struct walk idt_walk; /* of the IDT's base */
	unsigned word_size; /* 2, 4 or 8 */
	uint64_t stack[PM_STACK_WORDS];
	unsigned stack_len;

	uint64_t exits; /* in all */
	struct flight_record *exit; /* the last of them, the oldest first */
	unsigned exit_count;
};

struct pm_unclaimed {
	uint64_t addr;
	uint64_t reads;
	uint64_t writes;
};

struct pm_post {
	uint8_t code;
	uint64_t count; /* writes in a row */
	int64_t before_ns; /* from the first of them to the end */
};

/* The names for addresses, where there are any. */
struct pm_symbols {
	bool tried;
	char *file; /* NULL: none was given and the kernel has none */
	struct symbols *table; /* NULL: could not be read; `note` says why */
	enum symbols_fit fit;
	uint64_t offset; /* of SYMBOLS_FIT: what KASLR added */
	char note[PM_NOTE];
};

struct postmortem {
	enum pm_depth depth;

	struct trapmap_end end;
	/* When the vCPUs first started, and when the run ended; 0: never. */
	struct tsc_mark began, over;

	enum trapmap_kvm_kind kvm_kind;
	int nested_paging; /* 1, 0, or -1: not known */
	char vendor[13]; /* the host processor's, CPUID leaf 0 */
	char doctor[256]; /* what the host's probe says, if it was asked */

	const char *kernel;
	const char *format; /* NULL: not recognised */
	const char *boot; /* by which protocol it started; or NULL */
	bool is_linux; /* or what starts by a protocol of its */
	const char *cmdline;
	const char **initrd; /* the names */
	unsigned initrds;
	uint64_t mem;
	const struct mem_back_config *memory;
	unsigned cpus;

	bool silent; /* nothing came out of any console */
	bool debugcon_connected;
	uint64_t bytes[WATCH_STREAMS];
	uint64_t serial_bytes; /* of all serial ports */
	uint64_t hvc_bytes; /* of all virtio consoles */
	const struct watch_hit *hit;
	size_t hits;
	const char *missing; /* an expected line that never came, or NULL */

	struct pm_post post[PM_POST_CODES]; /* the last of them, the oldest first */
	unsigned posts;

	const struct bus *pio; /* for the devices' names; may be NULL */
	const struct bus *mmio;
	struct pm_unclaimed pio_unclaimed[BUS_UNCLAIMED_MAX]; /* ascending */
	struct pm_unclaimed mmio_unclaimed[BUS_UNCLAIMED_MAX];
	unsigned pio_unclaimed_len, mmio_unclaimed_len;
	uint64_t pio_others, mmio_others; /* accesses beyond those */

	struct pm_symbols symbols;
	char disasm_note[128]; /* why there is no disassembly, or "" */
	struct pm_vcpu *vcpu;
	unsigned vcpus; /* 0 for PM_REPORT */
	const struct stats_total *stats; /* not its own; NULL: not asked for */
};

/* For people: lines that end in newlines, the caller's to free(); or NULL. */
char *postmortem_text(const struct postmortem *pm);

/* As a JSON object, by docs/report.md; the caller's to free(); or NULL. */
char *postmortem_report(const struct postmortem *pm);

/* What to try next, one sentence each. Returns how many. */
unsigned postmortem_hints(const struct postmortem *pm,
			  char ret_hint[PM_HINTS][PM_NOTE]);

/* Releases what it has; not the struct. */
void postmortem_done(struct postmortem *pm);

#endif
