/* SPDX-License-Identifier: MIT */
/*
 * trapmap.h: the whole public interface of libtrapmap, a monitor for Linux KVM
 * virtual machines on x86-64 that a program can embed.
 *
 *	struct trapmap_vm *vm;
 *	struct trapmap_end end = TRAPMAP_END_INIT;
 *
 *	trapmap_vm_new(&vm);
 *	trapmap_vm_set_kernel(vm, &(struct trapmap_source){
 *		.size = sizeof(struct trapmap_source),
 *		.path = "vmlinuz" });
 *	trapmap_vm_set_cmdline(vm, "console=ttyS0");
 *	trapmap_vm_start(vm);
 *	trapmap_vm_wait(vm, -1, &end);
 *	puts(end.text);
 *	trapmap_vm_free(vm);
 *
 * Conventions
 *
 * - Functions return 0 (or what they document) or a negative errno. On failure
 *   outputs (named ret_..., last) are untouched. Where a set, an add, start or
 *   devicetree failed, trapmap_vm_error() has a sentence for people.
 * - Option structs begin with their own size; start from their _INIT. A field
 *   left zero means its default, unless it says otherwise.
 * - Thread rule: "any thread" means just that, at any time between _new() and
 *   _free(). All else is for one thread at a time on the same VM; different VMs
 *   share nothing, so they never need care.
 * - The library never exits, prints, installs a signal handler, changes a
 *   terminal or touches stdin. Its threads have every signal blocked, but for
 *   one that the caller lends (trapmap_machine.kick_signal).
 *
 * Life of a VM
 *
 *	new --(set, add)--> configured --[prepare]--start--> running <--> paused
 *	                                                        |
 *	                                                     stopped --> free
 *
 * Set and add functions work before prepare and start only (-EBUSY after).
 */
#ifndef TRAPMAP_TRAPMAP_H
#define TRAPMAP_TRAPMAP_H

#include <stddef.h>
#include <stdint.h>

#include <trapmap/boot.h>
#include <trapmap/devices.h>
#include <trapmap/host.h>
#include <trapmap/machine.h>
#include <trapmap/serial.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this header; trapmap_version() has the library's. */
#define TRAPMAP_VERSION "0.1.0"

/* "MAJOR.MINOR.PATCH" of the library. Static storage. Any thread. */
const char *trapmap_version(void);

struct trapmap_vm;

/*
 * Makes a VM with every option at its default. It opens and starts nothing yet.
 * Returns 0, -ENOMEM or -EMFILE. The caller owns *ret_vm until
 * trapmap_vm_free().
 */
int trapmap_vm_new(struct trapmap_vm **ret_vm);

/*
 * Stops the VM if it runs (as TRAPMAP_END_STOPPED), discards console output
 * that no reader took, and releases all. Accepts NULL. Returns NULL. No other
 * call on vm may be under way or follow.
 */
struct trapmap_vm *trapmap_vm_free(struct trapmap_vm *vm);

/*
 * What the last failed call on vm found wrong, one line without a newline:
 * what, where, what was expected. "" if none failed. Valid until the next call
 * that fails or trapmap_vm_free().
 */
const char *trapmap_vm_error(const struct trapmap_vm *vm);

/* ---- consoles ---------------------------------------------------------- */

/*
 * Connects the debug console, ports 0xe9 (Bochs) and 0x402 (SeaBIOS, OVMF): what
 * is written there goes to fd, which is duplicated; -1 (the default): it
 * vanishes, and is only counted. Returns as trapmap_vm_set_serial().
 */
int trapmap_vm_set_debugcon(struct trapmap_vm *vm, int fd);

/* What a line on a console (a serial port, hvc0, the debug console) means. */
enum trapmap_rule {
	/*
	 * A Linux kernel's panic line. The run ends as TRAPMAP_END_PANIC: once
	 * the guest ends, or has been silent for a second, or five seconds on.
	 */
	TRAPMAP_RULE_PANIC = 0,
	/*
	 * A line by which a Linux kernel reports a fault and goes on: BUG:,
	 * WARNING:, Oops, KASAN and its kin, lockdep, RCU stall, hung task. It
	 * turns a later end of the guest's own choice (power-off, status,
	 * reset) into TRAPMAP_END_PANIC.
	 */
	TRAPMAP_RULE_SPLAT = 1,
	/* The same for any line that the regular expression matches. */
	TRAPMAP_RULE_FAIL = 2,
	/*
	 * A line that must come. Where none has matched, an end of the guest's
	 * own choice becomes TRAPMAP_END_EXPECT.
	 */
	TRAPMAP_RULE_EXPECT = 3,
};

#define TRAPMAP_RULES_MAX 64

/*
 * Adds a rule. regex is an extended regular expression (POSIX.1-2017 XBD 9.4)
 * for TRAPMAP_RULE_FAIL and _EXPECT, tried on each line without its line end (a
 * line counts up to 4096 bytes), and NULL for the others. Returns 0; -EINVAL:
 * the expression is malformed (the error text says how); -E2BIG: there are
 * TRAPMAP_RULES_MAX; -EBUSY; -ENOMEM.
 */
int trapmap_vm_add_rule(struct trapmap_vm *vm, enum trapmap_rule rule,
			const char *regex);

/* ---- notices ------------------------------------------------------------ */

/*
 * Has notice() called with what a person should know while the guest runs: a driver
 * has broken a device's rules, the host has no room for a disk. text is one line
 * without a newline, valid during the call; a flood is cut short, and says so.
 * Called on any of the VM's threads with locks held: it must return soon and call
 * nothing of this library. NULL: nobody. Returns 0 or -EBUSY.
 */
int trapmap_vm_set_notice(struct trapmap_vm *vm,
			  void (*notice)(void *opaque, const char *text),
			  void *opaque);

/* ---- devices of the embedder's own ------------------------------------- */

enum trapmap_space {
	TRAPMAP_SPACE_PIO = 0, /* ports, 0 to 0xffff */
	TRAPMAP_SPACE_MMIO = 1, /* memory, where there is no RAM */
};

/* A bit per access size in bytes. */
#define TRAPMAP_ACCESS_1 1u
#define TRAPMAP_ACCESS_2 2u
#define TRAPMAP_ACCESS_4 4u
#define TRAPMAP_ACCESS_8 8u

/*
 * A device on one range. Its callbacks run on the thread of the vCPU that made
 * the access, one at a time. off is the offset in the range and size one of
 * `sizes`; a wider access comes in pieces, low address first. They must not
 * call functions of this library but those marked "any thread".
 */
struct trapmap_device {
	size_t size; /* sizeof(struct trapmap_device) */
	const char *name; /* for messages. Copied; not NULL */
	enum trapmap_space space;
	uint64_t base;
	uint64_t len;
	uint32_t sizes; /* TRAPMAP_ACCESS_*; 0 is all of them */
	uint64_t (*read)(void *opaque, uint64_t off, unsigned size);
	void (*write)(void *opaque, uint64_t off, unsigned size, uint64_t val);
	void (*reset)(void *opaque); /* at a system reset; may be NULL */
	void *opaque;
};

/*
 * Adds it. Returns 0; -EINVAL: an empty range or one outside its space, or no
 * read or write; -EEXIST: overlaps another device of the embedder's; -EBUSY;
 * -ENOMEM. A clash with a built-in device or RAM is found by start: -EEXIST.
 */
int trapmap_vm_add_device(struct trapmap_vm *vm,
			  const struct trapmap_device *device);

/* ---- watching what it does --------------------------------------------- */

/* Kinds of exit, a bit each. */
#define TRAPMAP_TRACE_PIO 1u
#define TRAPMAP_TRACE_MMIO 2u
#define TRAPMAP_TRACE_MSR 4u
#define TRAPMAP_TRACE_HYPERCALL 8u
#define TRAPMAP_TRACE_OTHER 16u /* interrupts, ends, and all else */

struct trapmap_trace {
	size_t size; /* sizeof(struct trapmap_trace) */
	int fd; /* duplicated; written to from its present offset on */
	uint32_t kinds; /* TRAPMAP_TRACE_*; 0 is all of them */
	/*
	 * Only exits for an address (port, physical address, MSR, hypercall) in
	 * [first, last]. last 0: any exit.
	 */
	uint64_t first;
	uint64_t last;
};

#define TRAPMAP_TRACE_INIT { .size = sizeof(struct trapmap_trace), .fd = -1 }

/*
 * Writes each exit to fd as it happens, in the format of docs/trace.md, which
 * Perfetto and Chrome's trace viewer open. The vCPUs wait for a slow writer, so
 * none is lost; a write that fails ends the trace, not the guest. Returns 0,
 * -EINVAL, -EBADF, -EMFILE or -EBUSY.
 */
int trapmap_vm_set_trace(struct trapmap_vm *vm,
			 const struct trapmap_trace *trace);

/*
 * After the end: how many exits the trace has, and whether it has all of them:
 * 0, or the -errno of the write that ended it, or -ESRCH: there was none.
 */
int trapmap_vm_trace_status(struct trapmap_vm *vm, uint64_t *ret_exits);

/* Counts and times exits by kind and address, where on is not 0. 0 or -EBUSY. */
int trapmap_vm_set_stats(struct trapmap_vm *vm, int on);

/*
 * After the end, if trapmap_vm_set_stats() asked for it: a table for people,
 * lines that end in newlines. Else "". Valid until trapmap_vm_free().
 */
const char *trapmap_vm_stats(struct trapmap_vm *vm);

/*
 * Symbols for the post-mortem: an ELF kernel with a symbol table, or a
 * System.map. Without it those of an ELF kernel are taken. Returns as
 * trapmap_vm_set_kernel(); what is neither is refused by start.
 */
int trapmap_vm_set_symbols(struct trapmap_vm *vm,
			   const struct trapmap_source *source);

/* ---- running ----------------------------------------------------------- */

/*
 * Does all of trapmap_vm_start() but to let the guest run, which is left to that: so
 * whatever is wrong with what was asked for shows before anything has been written
 * to the caller's files, and ptys and sockets can be opened. Returns, and fails, as
 * trapmap_vm_start(). Where "from start on" is said of a function, from here on will
 * do.
 */
int trapmap_vm_prepare(struct trapmap_vm *vm);

/*
 * Builds the machine, loads the kernel and lets it run; returns at once.
 * Returns 0, or a negative errno for one of two kinds of reason:
 * trapmap_vm_start_status() tells bad input (2) from a failing host (4). After a
 * failure the VM can only be freed.
 */
int trapmap_vm_start(struct trapmap_vm *vm);

/* After a failed start or prepare: 2 or 4, as trapmap_end.status. Else 0. */
int trapmap_vm_start_status(const struct trapmap_vm *vm);

/*
 * Stops every vCPU between two instructions, and the VM's clock. Returns when
 * they stand. Nested calls are not counted. Any thread but a device's callback.
 * Returns 0, or -ESRCH: not running.
 */
int trapmap_vm_pause(struct trapmap_vm *vm);

/* The contrary. Any thread. Returns 0 (also where not paused) or -ESRCH. */
int trapmap_vm_resume(struct trapmap_vm *vm);

/*
 * Presses the power button, which ACPI's fixed hardware has: a guest that listens
 * will shut down and power off, and one that does not goes on. Any thread. Returns 0,
 * or -ESRCH: never started.
 */
int trapmap_vm_power_button(struct trapmap_vm *vm);

enum trapmap_end_kind {
	TRAPMAP_END_POWEROFF = 0, /* ACPI S5, or success on the test-exit port */
	TRAPMAP_END_GUEST_STATUS = 1, /* debug-exit or test-exit port */
	TRAPMAP_END_HOST_FAILURE = 4,
	TRAPMAP_END_RESET = 6,
	TRAPMAP_END_CRASH = 8, /* triple fault, internal error, failed entry */
	TRAPMAP_END_PANIC = 10, /* pvpanic, or a rule for the console */
	TRAPMAP_END_STUCK = 12, /* all halted for good, or no progress */
	TRAPMAP_END_UNCLAIMED = 14, /* trapmap_machine.strict_io */
	TRAPMAP_END_EXPECT = 16, /* a line of TRAPMAP_RULE_EXPECT never came */
	TRAPMAP_END_TIMEOUT = 124, /* trapmap_vm_stop() said so */
	TRAPMAP_END_STOPPED = 128, /* trapmap_vm_stop() or _free() */
};

/* How a run ended. */
struct trapmap_end {
	size_t size; /* sizeof(struct trapmap_end) */
	enum trapmap_end_kind kind;
	/*
	 * As a process's exit status: the kind's number; but the guest's own
	 * for GUEST_STATUS, and 128 plus the signal's number for STOPPED.
	 */
	int status;
	/* The vCPU that brought it about, or -1. */
	int vcpu;
	/* One sentence for people. Valid until trapmap_vm_free(). */
	const char *text;
};

#define TRAPMAP_END_INIT { .size = sizeof(struct trapmap_end) }

/*
 * Ends the run from outside and returns at once; wait for the end as ever. kind
 * is TRAPMAP_END_TIMEOUT or TRAPMAP_END_STOPPED; signal, for the latter, is the
 * number of the signal that was the reason, or 0. The first end counts: a VM
 * that has ended already keeps its own. Any thread. Returns 0, -EINVAL or
 * -ESRCH: never started.
 */
int trapmap_vm_stop(struct trapmap_vm *vm, enum trapmap_end_kind kind,
		    int signal);

/*
 * Gives up on console output that its reader does not take, so that wait need
 * not wait for it. Any thread. Returns how many bytes were dropped.
 */
size_t trapmap_vm_discard_output(struct trapmap_vm *vm);

/*
 * Waits until the run has ended and the console's output is out. timeout_ms: -1
 * for ever, 0 to ask. Any thread but, unless timeout_ms is 0, a device's
 * callback. Returns 0, -ETIMEDOUT, -ESRCH (never started) or -EINVAL (ret_end has
 * a wrong size). ret_end may be NULL.
 */
int trapmap_vm_wait(struct trapmap_vm *vm, int timeout_ms,
		    struct trapmap_end *ret_end);

/*
 * A descriptor that is readable from the moment trapmap_vm_wait() would return
 * 0 at once; for poll(). Do not read from it. The VM's own, open until
 * trapmap_vm_free(). Any thread.
 */
int trapmap_vm_event_fd(struct trapmap_vm *vm);

/*
 * After the end: a post-mortem for people, lines that end in newlines: each
 * vCPU's registers, the code at RIP, the page walks, the last exits, what to
 * look at next. "" for an end that asks for none. Valid until
 * trapmap_vm_free().
 */
const char *trapmap_vm_postmortem(struct trapmap_vm *vm);

/*
 * After the end, or after a start that failed: all that is known of the run as
 * one JSON object, by the schema of docs/report.md. Valid until
 * trapmap_vm_free(). NULL: memory ran out, or it has not ended.
 */
const char *trapmap_vm_report(struct trapmap_vm *vm);

/* ---- looking inside ---------------------------------------------------- */

/*
 * A register by the name that the SDM gives it, in small letters: rax ... r15,
 * rip, rflags, cr0, cr2, cr3, cr4, cr8, efer, apic_base, and the selectors cs,
 * ds, es, fs, gs, ss, tr, ldtr with their bases as cs.base. While paused.
 * Returns 0; -ENOENT: no such name or vCPU; -EBUSY: not paused; or KVM's error.
 */
int trapmap_vcpu_get_reg(struct trapmap_vm *vm, uint32_t vcpu,
			 const char *name, uint64_t *ret_val);
int trapmap_vcpu_set_reg(struct trapmap_vm *vm, uint32_t vcpu,
			 const char *name, uint64_t val);

/*
 * The machine as a flattened devicetree (Devicetree Specification 0.4), with
 * its memory, processors, devices and what it was told to boot. From start on.
 * Returns 0, -ESRCH (not started) or -ENOMEM. The blob is the VM's own, valid
 * until trapmap_vm_free().
 */
int trapmap_vm_devicetree(struct trapmap_vm *vm, const void **ret_blob,
			  size_t *ret_len);

/*
 * Guest-physical memory; RAM only. From start on, running or not. Any thread.
 * Returns 0, -EFAULT with nothing copied, or -ESRCH: not started.
 */
int trapmap_vm_read_mem(struct trapmap_vm *vm, uint64_t gpa, void *buf,
			size_t len);
int trapmap_vm_write_mem(struct trapmap_vm *vm, uint64_t gpa, const void *buf,
			 size_t len);

/* ---- symbols ----------------------------------------------------------- */

struct trapmap_symbols;

/*
 * Reads the symbols of an ELF kernel or a System.map. Returns 0; -ENOEXEC: it is
 * neither, or malformed; -ENODATA: it has no symbols; or the -errno of what
 * failed. The caller owns *ret_symbols until trapmap_symbols_free(). Any thread.
 */
int trapmap_symbols_new(const struct trapmap_source *source,
			struct trapmap_symbols **ret_symbols);

/*
 * The name of the symbol that addr lies in or behind, with the distance in
 * *ret_offset, or NULL. For a kernel that was moved (KASLR) the caller subtracts
 * by how much. Valid until trapmap_symbols_free(). Any thread.
 */
const char *trapmap_symbols_find(const struct trapmap_symbols *symbols,
				 uint64_t addr, uint64_t *ret_offset);

/* Accepts NULL. Returns NULL. */
struct trapmap_symbols *
trapmap_symbols_free(struct trapmap_symbols *symbols);

#ifdef __cplusplus
}
#endif

#endif
