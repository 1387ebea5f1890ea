/* SPDX-License-Identifier: MIT */
/*
 * vcpu.h: a virtual processor: its KVM descriptor and the thread that runs it.
 *
 * The thread enters the guest, hands each exit to exit.c, and enters again. It
 * looks at nothing else on that path: whoever wants it to stop sets a request
 * in its struct vcpu_control and kicks it. A kick is a signal that is blocked
 * everywhere but inside KVM_RUN, so no handler is ever needed and none is lost.
 *
 * That costs two changes of the thread's signal mask an exit. An embedder that
 * has a handler for a signal lends it (trapmap_machine.kick_signal): then the
 * signal is open all the time, and immediate_exit keeps a kick from being lost
 * that comes between two entries.
 */
#ifndef TRAPMAP_VCPU_H
#define TRAPMAP_VCPU_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "exit.h"
#include "kvm_stats.h"

struct bus;
struct flight;
struct kvm_cpuid2;
struct kvm_run;
struct stats;
struct trace;

/* What all vCPUs of a VM look at, off the exit path. */
struct vcpu_control {
	pthread_mutex_t lock;
	pthread_cond_t changed; /* any field below; `standing` of a vCPU */

	/* Set under the lock, then vcpu_kick() each. */
	bool pause;
	bool quit;
	int kick_signal; /* the embedder's, with a handler; 0: none */
	bool watchdog; /* a look counts interrupts, for a descriptor a vCPU */
	/*
	 * The console's reader is slow: no vCPU goes on. Read on every exit, so
	 * apart and atomic.
	 */
	_Atomic bool throttle;
	/*
	 * The number of the last look that was asked for: each vCPU then fills
	 * in its struct vcpu_look. Kicked as above.
	 */
	_Atomic uint64_t look;

	/*
	 * A vCPU's end, before it quits; the first one counts. Any vCPU's
	 * thread, no lock held.
	 */
	void (*ended)(void *opaque, unsigned vcpu, const struct exit_end *end);
	/* The thread of a vCPU has done its last ioctl. No lock held. */
	void (*quit_done)(void *opaque, unsigned vcpu);
	void *opaque;
};

/* What a vCPU found when it looked at itself between two instructions. */
struct vcpu_look {
	uint64_t number; /* of the look; 0: it never has */
	bool unborn; /* waits for its INIT or SIPI */
	bool halted;
	bool interrupts_on; /* RFLAGS.IF */
	bool nmi; /* one is pending, or may come at any time */
	bool timer_armed; /* the timer of its local APIC */
	/* That KVM has injected; 0 where it does not tell or nobody asks. */
	uint64_t interrupts;
};

struct vcpu {
	unsigned id; /* its number, from 0 on: for people, and in arrays */
	uint32_t apic_id; /* what KVM and the guest know it by */
	int host_cpu; /* the host's processor that it runs on; -1: any */
	int fd;
	struct kvm_run *run;
	size_t run_size;
	struct bus *pio;
	struct bus *mmio;
	struct vcpu_control *control;
	pthread_t thread;
	bool running; /* control->lock: started and not joined */
	bool standing; /* control->lock: between two instructions, waiting */
	struct vcpu_look look; /* control->lock */
	struct kvm_stats kvm_stats; /* what KVM counts; its own thread's */
	struct flight *flight; /* the last exits */
	struct stats *stats; /* NULL: not asked for */
	struct trace *trace; /* the VM's; NULL: not asked for */
};

/* The signal of a kick, where the embedder lends none. */
int vcpu_kick_signal(void);

/*
 * Creates it, whose ids are set, in the VM. Returns 0, or -errno with *err;
 * vcpu_done() is due either way.
 */
int vcpu_init(struct vcpu *vcpu, int vm_fd, size_t run_size,
	      struct error *err);

/* Gives it cpuid and what firmware sets. Returns 0, or -errno with *err. */
int vcpu_set_up(struct vcpu *vcpu, const struct kvm_cpuid2 *cpuid,
		struct error *err);

/*
 * What its exits are counted in and written to, each may be NULL. Before its thread is
 * started.
 */
void vcpu_observe(struct vcpu *vcpu, int vm_fd, struct stats *stats,
		  struct trace *trace);

/* Starts the thread. With control->lock held. Returns 0 or -errno. */
int vcpu_start(struct vcpu *vcpu);

/* Makes it look at its control. Any thread, with control->lock held. */
void vcpu_kick(struct vcpu *vcpu);

/* Waits for the thread's end. */
void vcpu_join(struct vcpu *vcpu);

/* The thread has been joined. */
void vcpu_done(struct vcpu *vcpu);

#endif
