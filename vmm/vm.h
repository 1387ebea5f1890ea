/* SPDX-License-Identifier: MIT */
/*
 * vm.h: the life of a VM: configured -> running -> ended, with reboots between.
 *
 * Who does what: the embedder's thread configures and starts; each vCPU has a
 * thread that runs the guest; the loop's thread does all else, the end and the
 * reboot included. control.lock guards everything below that says so; it is
 * taken after a device's lock, and no device's lock is taken under it.
 */
#ifndef TRAPMAP_VM_H
#define TRAPMAP_VM_H

#include "board/board.h"
#include "boot/plan.h"
#include "error.h"
#include "fw_items.h"
#include "iothreads.h"
#include "load.h"
#include "machine.h"
#include "mem.h"
#include "notice.h"
#include "observe.h"
#include "platform.h"
#include "settle.h"
#include "source.h"
#include "trapmap/trapmap.h"
#include "tsc.h"
#include "vcpu.h"
#include "watch.h"

#define VM_MAX_INITRDS LOAD_MAX_INITRDS

struct loop;
struct loop_watch;
struct postmortem;

/* What was asked for; fixed once the VM has been started. */
struct vm_config {
	uint64_t mem;
	struct mem_back_config memory; /* its path is ours */
	unsigned cpus;
	uint32_t watchdog_ms; /* 0: none */
	struct board_config board;
	struct topology topology; /* as asked: 0 is to be filled in */
	uint32_t *affinity; /* vCPU n on processor [n % affinity_count] */
	size_t affinity_count; /* 0: on any */
	enum trapmap_transport transport; /* not _DEFAULT */
	char *cpu;
	char *kvm_path;
	char *nvram; /* machine.nvram */
	int kick_signal;
	char *cmdline;
	enum trapmap_on_reset on_reset;
	enum trapmap_debug_exit debug_exit;
	enum trapmap_boot boot;
	struct source kernel; /* the built-in guest where name is NULL */
	struct source firmware; /* name NULL: none */
	struct fw_file fw_file[FW_FILES_MAX];
	unsigned fw_files;
	struct source initrd[VM_MAX_INITRDS];
	unsigned initrds;
	struct machine_config machine;
	struct trapmap_device *device; /* machine.extra; names are ours */
	unsigned devices;
	struct attachment *attached[TRAPMAP_ATTACHED_MAX]; /* machine.attached */
	bool mem_given, cpus_given, transport_given; /* not the defaults */
	bool strict_io;
	bool stats;
	struct trapmap_trace trace; /* fd -1: none; ours */
	struct source symbols; /* name NULL: the kernel's own */
	struct watch *watch; /* the rules for the consoles */
};

enum vm_state {
	VM_CONFIGURED,
	VM_PREPARED, /* all is there, nothing runs */
	VM_FAILED, /* to start */
	VM_RUNNING,
	VM_ENDED,
};

struct trapmap_vm {
	struct vm_config config;
	struct error error; /* what the last failed call found */

	int sys_fd;
	int vm_fd;
	struct mem mem;
	struct machine machine;
	struct loop *loop;
	struct iothreads iothreads;
	void *devicetree; /* made when first asked for */
	size_t devicetree_len;
	struct vcpu *vcpu;
	struct vcpu_control control;
	struct stuck *stuck;
	struct observe observe;
	struct notices notices;
	struct settle settle;
	struct fw_items fw_items;

	/* Readable: the loop has to look at the VM, see vm_progress(). */
	int progress_fd;
	struct loop_watch *progress;
	int event_fd; /* the embedder's */

	/* Guarded by control.lock. */
	enum vm_state state;
	struct loaded loaded; /* by the last boot */
	unsigned live; /* vCPU threads that have not quit */
	bool reboot; /* the guest is to start again */
	bool ending; /* `end` is set */
	bool crashloaded; /* pvpanic: no later end is a good one */
	unsigned throttles; /* consoles whose reader is slow */
	struct trapmap_end end;
	char end_text[512];
	struct tsc_mark began; /* the vCPUs first ran; all zero: they never did */
	struct tsc_mark over; /* `ending` was set */

	/* postmortem/gather.h; set before state is VM_ENDED, or by one thread. */
	_Atomic bool unwanted; /* it is being freed: nobody will ask how it ended */
	struct postmortem *pm;
	char *postmortem; /* NULL: the end asks for none */
	char *report;
};

/* config.c: a source of the embedder's. Returns 0, or -errno with vm->error. */
int vm_copy_source(struct trapmap_vm *vm, const struct trapmap_source *from,
		   struct source *ret_src);

/* Its state, and what was written before it. Any thread. */
enum vm_state vm_state_of(struct trapmap_vm *vm);

/* 0 until it is prepared or started, then -EBUSY with vm->error. */
int vm_configurable(struct trapmap_vm *vm);

/* config.c: the defaults (0 or -ENOMEM), and their release. */
int vm_config_init(struct vm_config *config);
void vm_config_done(struct vm_config *config);

/* serial.c: what the serial ports have of it; done. */
void vm_serial_config_done(struct vm_config *config);

/*
 * serial.c: gives the platform the serial ports that were asked for and are not there
 * yet. Returns 0, or -errno with *err.
 */
int vm_arrange_serial(struct trapmap_vm *vm, struct error *err);

/* ends.c: fills the hooks of vm->control and those that the board calls. */
void vm_hooks(struct trapmap_vm *vm, struct machine_host *ret_host);

/*
 * processors.c: whether KVM can have the processors of the platform, which are
 * arranged by this. Returns 0, or -errno with *err.
 */
int vm_arrange_processors(struct trapmap_vm *vm, struct error *err);

/* processors.c: for those of them whose APIC ids need it. As above. */
int vm_enable_x2apic_ids(const struct trapmap_vm *vm, struct error *err);

/* processors.c: the host's processor that a vCPU runs on, or -1: on any. */
int vm_host_cpu(const struct trapmap_vm *vm, unsigned vcpu);

/* power.c: what the guest is told of the board, which has been built. */
struct platform vm_platform(const struct trapmap_vm *vm);

/*
 * power.c: creates VM and vCPUs in KVM and loads the guest. The board has been
 * built or reset, memory is clear. Returns 0, or -errno with *err.
 */
int vm_load(struct trapmap_vm *vm, struct error *err);
/* Then lets it run. Returns as vm_load(). */
int vm_run(struct trapmap_vm *vm, struct error *err);
/* The contrary of both; the vCPU threads have quit, or were never started. */
void vm_power_off(struct trapmap_vm *vm);
/* Both, and a reset of the board between. A failure ends the run. */
void vm_reboot(struct trapmap_vm *vm);

/* Makes every vCPU look at its control. With control.lock held. */
void vm_kick_all(struct trapmap_vm *vm);

/*
 * Brings it as far as the vCPUs' first instruction; and then lets it run. Return 0,
 * or -errno with vm->error.
 */
int vm_prepare(struct trapmap_vm *vm);
int vm_start(struct trapmap_vm *vm);

/* Ends the run; the first end counts. Any thread. */
void vm_end(struct trapmap_vm *vm, enum trapmap_end_kind kind, int status,
	    int vcpu, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* Lets LOOP_CLOCK_VM run on every loop, or stand. */
void vm_clock_run(struct trapmap_vm *vm);
void vm_clock_hold(struct trapmap_vm *vm);

int vm_pause(struct trapmap_vm *vm);
int vm_resume(struct trapmap_vm *vm);

/*
 * Waits for VM_ENDED; timeout_ms as trapmap_vm_wait()'s. Returns 0, -ETIMEDOUT
 * or -ESRCH (it never ran). Any thread.
 */
int vm_wait(struct trapmap_vm *vm, int timeout_ms);

/* Makes the loop look at the VM again. Any thread. */
void vm_progress_soon(struct trapmap_vm *vm);

/* Ends the run if need be, waits for it, and releases all but config. */
void vm_done(struct trapmap_vm *vm);

#endif
