// SPDX-License-Identifier: MIT
#include "vcpu.h"

#include <errno.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "flight.h"
#include "kvm.h"
#include "stats.h"
#include "thread.h"
#include "trace.h"
#include "tsc.h"

#define RFLAGS_IF 0x200

#define MSR_IA32_MISC_ENABLE 0x1a0
#define MISC_ENABLE_FAST_STRING 1
#define MSR_MTRR_DEF_TYPE 0x2ff
#define MTRR_ENABLE_WRITE_BACK 0x806 /* E, type 6 */

#define APIC_LVT_LINT0 0x350
#define APIC_LVT_LINT1 0x360
#define APIC_LVT_EXTINT 0x700 /* unmasked, delivery mode ExtINT */
#define APIC_LVT_NMI 0x400
#define APIC_LVT_MODE 0x700
#define APIC_LVT_TIMER 0x320
#define APIC_LVT_MASKED 0x10000
#define APIC_TIMER_MODE 0x60000
#define APIC_TIMER_TSC_DEADLINE 0x40000
#define APIC_TMICT 0x380 /* initial count */
#define APIC_TMCCT 0x390 /* current count */
#define APIC_TIMER_PERIODIC 0x20000
#define MSR_IA32_TSC_DEADLINE 0x6e0

/*
 * Not a real-time signal: those are queued, and where the user's queue is full
 * (RLIMIT_SIGPENDING) a kick would be lost. Nothing on x86 sends this one.
 */
int vcpu_kick_signal(void)
{
	return SIGSTKFLT;
}

/*
 * Virtual wire mode, as a PC's firmware leaves it: the 8259A reach the first
 * processor through LINT0, NMIs all through LINT1.
 */
static int set_lint(int fd)
{
	struct kvm_lapic_state lapic;
	uint32_t lvt;
	int r;

	r = kvm_ioctl(fd, KVM_GET_LAPIC, &lapic);
	if (r < 0)
		return r;
	lvt = APIC_LVT_EXTINT;
	memcpy(lapic.regs + APIC_LVT_LINT0, &lvt, sizeof(lvt));
	lvt = APIC_LVT_NMI;
	memcpy(lapic.regs + APIC_LVT_LINT1, &lvt, sizeof(lvt));
	return kvm_ioctl(fd, KVM_SET_LAPIC, &lapic);
}

int vcpu_init(struct vcpu *vcpu, int vm_fd, size_t run_size,
	      struct error *err)
{
	const unsigned id = vcpu->id;
	int r;

	vcpu->kvm_stats = (struct kvm_stats)KVM_STATS_INIT;
	vcpu->look = (struct vcpu_look){ 0 };
	vcpu->run_size = run_size;
	vcpu->fd = kvm_ioctl_val(vm_fd, KVM_CREATE_VCPU, vcpu->apic_id);
	if (vcpu->fd == -EMFILE)
		return error_set(err, ERROR_HOST, -EMFILE,
				 "no descriptor is left for vCPU %u: raise the "
				 "limit of this process (ulimit -n)",
				 id);
	if (vcpu->fd < 0)
		return error_host(err, vcpu->fd,
				  "KVM refuses vCPU %u (KVM_CREATE_VCPU)", id);
	r = kvm_map_run(vcpu->fd, run_size, &vcpu->run);
	if (r < 0)
		return error_host(err, r, "cannot map vCPU %u", id);
	if (vcpu->control->kick_signal)
		return 0;
	r = kvm_set_signal(vcpu->fd, vcpu_kick_signal());
	if (r < 0)
		return error_host(err, r, "vCPU %u: KVM_SET_SIGNAL_MASK", id);
	return 0;
}

void vcpu_observe(struct vcpu *vcpu, int vm_fd, struct stats *stats,
		  struct trace *trace)
{
	vcpu->stats = stats;
	vcpu->trace = trace;
	/* RIP at each exit, which KVM does not give for nothing. */
	if ((stats || trace) &&
	    kvm_check(vm_fd, KVM_CAP_SYNC_REGS) & KVM_SYNC_X86_REGS)
		vcpu->run->kvm_valid_regs = KVM_SYNC_X86_REGS;
}

int vcpu_set_up(struct vcpu *vcpu, const struct kvm_cpuid2 *cpuid,
		struct error *err)
{
	int r;

	r = kvm_ioctl(vcpu->fd, KVM_SET_CPUID2, (void *)(uintptr_t)cpuid);
	if (r < 0)
		return error_host(err, r,
				  "KVM refuses the processor of vCPU %u "
				  "(KVM_SET_CPUID2)",
				  vcpu->id);
	if (vcpu->id == 0) {
		r = set_lint(vcpu->fd);
		if (r < 0)
			return error_host(err, r, "vCPU 0: KVM_SET_LAPIC");
	}
	/* What firmware sets; a KVM without these MSRs does without. */
	(void)kvm_set_msr(vcpu->fd, MSR_IA32_MISC_ENABLE,
			  MISC_ENABLE_FAST_STRING);
	(void)kvm_set_msr(vcpu->fd, MSR_MTRR_DEF_TYPE, MTRR_ENABLE_WRITE_BACK);
	return 0;
}

/* Takes the kick off the thread's pending signals. */
static void swallow_kick(void)
{
	const struct timespec now = { 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, vcpu_kick_signal());
	while (sigtimedwait(&set, NULL, &now) > 0)
		;
}

/* Any thread. */
static void set_immediate_exit(struct vcpu *vcpu, uint8_t on)
{
	__atomic_store_n(&vcpu->run->immediate_exit, on, __ATOMIC_RELAXED);
}

/*
 * Where exits are counted or written down. Returns whether the vCPU has to wait
 * for the writer.
 */
static __attribute__((noinline)) bool observe(struct vcpu *vcpu,
					      struct flight_record *rec)
{
	const struct kvm_run *run = vcpu->run;
	uint64_t ticks = tsc_read() - rec->tsc;
	bool full = false;

	if (run->kvm_valid_regs & KVM_SYNC_X86_REGS)
		rec->rip = run->s.regs.regs.rip;
	if (vcpu->trace)
		full = trace_put(vcpu->trace, vcpu->id, rec, ticks);
	if (vcpu->stats) {
		stats_count(vcpu->stats, rec, ticks);
		stats_outside(vcpu->stats, tsc_read() - rec->tsc, false);
	}
	return full;
}

/* Handles the exit and records it. *ret_full as observe()'s result. */
static inline enum exit_action handle(struct vcpu *vcpu, struct exit_end *end,
				      bool *ret_full)
{
	uint64_t tsc = tsc_read();
	enum exit_action action = exit_handle(vcpu->pio, vcpu->mmio, vcpu->run,
					      end);
	struct flight_record *rec = flight_put(vcpu->flight, vcpu->run, tsc);

	*ret_full = (vcpu->stats || vcpu->trace) && observe(vcpu, rec);
	return action;
}

/*
 * Lets KVM finish the instruction whose port or memory access we have just
 * handled, so that the registers are those between two instructions.
 */
static void complete_access(struct vcpu *vcpu)
{
	struct exit_end end;
	bool full;
	int i;

	set_immediate_exit(vcpu, 1);
	/*
	 * One that crosses a page comes in parts, and a string instruction that
	 * KVM emulates goes on for up to 1024 of them.
	 */
	for (i = 0; i < 2048 && ioctl(vcpu->fd, KVM_RUN, NULL) == 0; i++) {
		if (handle(vcpu, &end, &full) != EXIT_ENDED)
			continue;
		vcpu->control->ended(vcpu->control->opaque, vcpu->id, &end);
		break;
	}
	set_immediate_exit(vcpu, 0);
}

static uint32_t lapic_reg(const struct kvm_lapic_state *lapic, unsigned off)
{
	uint32_t val;

	memcpy(&val, lapic->regs + off, sizeof(val));
	return val;
}

/* Whether the 8254's ticks come as NMIs, of which KVM tells only by this. */
static bool ticks_by_nmi(int fd)
{
	struct kvm_lapic_state lapic;

	return kvm_ioctl(fd, KVM_GET_LAPIC, &lapic) == 0 &&
	       (lapic_reg(&lapic, APIC_LVT_LINT0) &
		(APIC_LVT_MASKED | APIC_LVT_MODE)) == APIC_LVT_NMI;
}

/* Whether the timer of the local APIC will interrupt. */
static bool timer_armed(int fd)
{
	struct kvm_lapic_state lapic;
	uint64_t deadline = 0;
	uint32_t lvt;

	if (kvm_ioctl(fd, KVM_GET_LAPIC, &lapic) < 0)
		return false;
	lvt = lapic_reg(&lapic, APIC_LVT_TIMER);
	if (lvt & APIC_LVT_MASKED)
		return false;
	switch (lvt & APIC_TIMER_MODE) {
	case APIC_TIMER_TSC_DEADLINE:
		(void)kvm_get_msr(fd, MSR_IA32_TSC_DEADLINE, &deadline);
		return deadline != 0;
	case APIC_TIMER_PERIODIC:
		return lapic_reg(&lapic, APIC_TMICT) != 0;
	default:
		return lapic_reg(&lapic, APIC_TMCCT) != 0;
	}
}

static uint64_t interrupts_injected(struct vcpu *vcpu)
{
	uint64_t irqs = 0, nmis = 0;

	if (!kvm_stats_is_open(&vcpu->kvm_stats) &&
	    kvm_stats_open(&vcpu->kvm_stats, vcpu->fd) < 0)
		return 0;
	(void)kvm_stats_get(&vcpu->kvm_stats, "irq_injections", &irqs);
	(void)kvm_stats_get(&vcpu->kvm_stats, "nmi_injections", &nmis);
	return irqs + nmis;
}

/* Between two instructions: what will it do next? */
static struct vcpu_look look_at_itself(struct vcpu *vcpu, uint64_t number)
{
	struct vcpu_look look = { .number = number };
	struct kvm_mp_state mp = { KVM_MP_STATE_RUNNABLE };
	struct kvm_vcpu_events events = { 0 };
	struct kvm_regs regs = { 0 };

	(void)kvm_ioctl(vcpu->fd, KVM_GET_MP_STATE, &mp);
	(void)kvm_ioctl(vcpu->fd, KVM_GET_VCPU_EVENTS, &events);
	(void)kvm_ioctl(vcpu->fd, KVM_GET_REGS, &regs);
	look.unborn = mp.mp_state == KVM_MP_STATE_UNINITIALIZED ||
		      mp.mp_state == KVM_MP_STATE_INIT_RECEIVED;
	look.halted = mp.mp_state == KVM_MP_STATE_HALTED;
	look.interrupts_on = regs.rflags & RFLAGS_IF;
	look.nmi = events.nmi.pending || events.nmi.injected ||
		   events.smi.pending ||
		   (look.halted && !look.interrupts_on &&
		    ticks_by_nmi(vcpu->fd));
	look.timer_armed = look.interrupts_on && timer_armed(vcpu->fd);
	if (vcpu->control->watchdog)
		look.interrupts = interrupts_injected(vcpu);
	return look;
}

static bool waits_for_trace(const struct vcpu *vcpu)
{
	return vcpu->trace && trace_is_full(vcpu->trace, vcpu->id);
}

/* Off the path: looks at the requests. Returns whether to quit. */
static bool obey(struct vcpu *vcpu)
{
	struct vcpu_control *c = vcpu->control;
	struct vcpu_look look = { 0 };
	uint64_t asked;
	bool quit;

	if (!c->kick_signal)
		swallow_kick();
	/*
	 * Clears immediate_exit. Kicks come under the lock: one from before we
	 * take it has set a request that we see, one from after stays.
	 */
	complete_access(vcpu);
	/* No earlier: the kick of a newer one may just have been cleared. */
	pthread_mutex_lock(&c->lock);
	asked = atomic_load(&c->look);
	pthread_mutex_unlock(&c->lock);
	/* Only this thread writes its look, so it may read it unlocked. */
	if (asked != vcpu->look.number)
		look = look_at_itself(vcpu, asked);
	pthread_mutex_lock(&c->lock);
	if (look.number)
		vcpu->look = look;
	vcpu->standing = true;
	pthread_cond_broadcast(&c->changed);
	while (!c->quit && (c->pause || atomic_load(&c->throttle) ||
			    waits_for_trace(vcpu)))
		pthread_cond_wait(&c->changed, &c->lock);
	vcpu->standing = false;
	quit = c->quit;
	pthread_mutex_unlock(&c->lock);
	return quit;
}

static void host_failure(struct exit_end *end, int err)
{
	end->kind = TRAPMAP_END_HOST_FAILURE;
	snprintf(end->text, sizeof(end->text), "KVM_RUN failed: %s",
		 strerrordesc_np(err) ?: "unknown error");
}

/* The same, with its time known for what it is. */
static bool obey_timed(struct vcpu *vcpu)
{
	uint64_t from = tsc_read();
	bool quit = obey(vcpu);

	if (vcpu->stats)
		stats_outside(vcpu->stats, tsc_read() - from, true);
	return quit;
}

/* Runs the guest until it ends or is told to quit. */
static void run(struct vcpu *vcpu)
{
	struct vcpu_control *c = vcpu->control;
	const int fd = vcpu->fd;
	struct exit_end end;
	bool full;

	for (;;) {
		enum exit_action action = EXIT_RESUME;

		if (ioctl(fd, KVM_RUN, NULL) == 0) {
			action = handle(vcpu, &end, &full);
			if (action == EXIT_RESUME && !full &&
			    !atomic_load_explicit(&c->throttle,
						  memory_order_relaxed))
				continue;
		} else if (errno == EAGAIN) {
			continue; /* was waiting for its SIPI */
		} else if (errno != EINTR) {
			host_failure(&end, errno);
			action = EXIT_ENDED;
		}

		if (action == EXIT_HALTED) {
			end.kind = TRAPMAP_END_CRASH;
			snprintf(end.text, sizeof(end.text),
				 "halted where nothing can wake it "
				 "(KVM_EXIT_HLT)");
			action = EXIT_ENDED;
		}
		if (action == EXIT_ENDED)
			c->ended(c->opaque, vcpu->id, &end);
		if (obey_timed(vcpu))
			return;
	}
}

/* Opens the signal that the embedder lends, in this thread. */
static void open_kick(int signo)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signo);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void *vcpu_main(void *opaque)
{
	struct vcpu *vcpu = opaque;
	struct vcpu_control *c = vcpu->control;
	char name[16];
	bool asked;

	snprintf(name, sizeof(name), "trapmap-cpu%u", vcpu->id & 0xfff);
	thread_set_name(name);
	if (c->kick_signal)
		open_kick(c->kick_signal);
	/* A request from before the first KVM_RUN brought no kick. */
	pthread_mutex_lock(&c->lock);
	asked = c->quit || c->pause;
	pthread_mutex_unlock(&c->lock);
	if (vcpu->stats)
		stats_enter(vcpu->stats);
	if (!asked || !obey_timed(vcpu))
		run(vcpu);
	if (vcpu->stats)
		stats_leave(vcpu->stats, vcpu->fd);
	c->quit_done(c->opaque, vcpu->id);
	return NULL;
}

int vcpu_start(struct vcpu *vcpu)
{
	int r = thread_start_on(&vcpu->thread, vcpu->host_cpu, vcpu_main, vcpu);

	if (r == 0)
		vcpu->running = true;
	return r;
}

void vcpu_kick(struct vcpu *vcpu)
{
	int signo = vcpu->control->kick_signal;

	if (!vcpu->running)
		return;
	if (signo)
		set_immediate_exit(vcpu, 1);
	pthread_kill(vcpu->thread, signo ? signo : vcpu_kick_signal());
}

void vcpu_join(struct vcpu *vcpu)
{
	bool running;

	pthread_mutex_lock(&vcpu->control->lock);
	running = vcpu->running;
	vcpu->running = false; /* from here on nobody kicks it */
	pthread_mutex_unlock(&vcpu->control->lock);
	if (running)
		pthread_join(vcpu->thread, NULL);
}

void vcpu_done(struct vcpu *vcpu)
{
	if (vcpu->run)
		munmap(vcpu->run, vcpu->run_size);
	if (vcpu->fd >= 0)
		close(vcpu->fd);
	kvm_stats_close(&vcpu->kvm_stats);
	vcpu->run = NULL;
	vcpu->fd = -1;
}
