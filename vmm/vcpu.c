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

#include "kvm.h"
#include "thread.h"

#define MSR_IA32_MISC_ENABLE 0x1a0
#define MISC_ENABLE_FAST_STRING 1
#define MSR_MTRR_DEF_TYPE 0x2ff
#define MTRR_ENABLE_WRITE_BACK 0x806 /* E, type 6 */

#define APIC_LVT_LINT0 0x350
#define APIC_LVT_LINT1 0x360
#define APIC_LVT_EXTINT 0x700 /* unmasked, delivery mode ExtINT */
#define APIC_LVT_NMI 0x400

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

int vcpu_init(struct vcpu *vcpu, int vm_fd, unsigned id, size_t run_size,
	      struct error *err)
{
	int r;

	vcpu->id = id;
	vcpu->run_size = run_size;
	vcpu->fd = kvm_ioctl_val(vm_fd, KVM_CREATE_VCPU, id);
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
 * Lets KVM finish the instruction whose port or memory access we have just
 * handled, so that the registers are those between two instructions.
 */
static void complete_access(struct vcpu *vcpu)
{
	struct exit_end end;
	int i;

	set_immediate_exit(vcpu, 1);
	/*
	 * One that crosses a page comes in parts, and a string instruction that
	 * KVM emulates goes on for up to 1024 of them.
	 */
	for (i = 0; i < 2048 && ioctl(vcpu->fd, KVM_RUN, NULL) == 0; i++)
		(void)exit_handle(vcpu->pio, vcpu->mmio, vcpu->run, &end);
	set_immediate_exit(vcpu, 0);
}

/* Off the path: looks at the requests. Returns whether to quit. */
static bool obey(struct vcpu *vcpu)
{
	struct vcpu_control *c = vcpu->control;
	bool quit;

	if (!c->kick_signal)
		swallow_kick();
	/*
	 * Clears immediate_exit. Kicks come under the lock: one from before we
	 * take it has set a request that we see, one from after stays.
	 */
	complete_access(vcpu);
	pthread_mutex_lock(&c->lock);
	vcpu->standing = true;
	pthread_cond_broadcast(&c->changed);
	while (!c->quit && (c->pause || atomic_load(&c->throttle)))
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

/* Runs the guest until it ends or is told to quit. */
static void run(struct vcpu *vcpu)
{
	struct vcpu_control *c = vcpu->control;
	struct kvm_run *run = vcpu->run;
	const int fd = vcpu->fd;
	struct exit_end end;

	for (;;) {
		enum exit_action action = EXIT_RESUME;

		if (ioctl(fd, KVM_RUN, NULL) == 0) {
			action = exit_handle(vcpu->pio, vcpu->mmio, run, &end);
			if (action == EXIT_RESUME &&
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
		if (obey(vcpu))
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
	if (!asked || !obey(vcpu))
		run(vcpu);
	c->quit_done(c->opaque, vcpu->id);
	return NULL;
}

int vcpu_start(struct vcpu *vcpu)
{
	int r = thread_start(&vcpu->thread, vcpu_main, vcpu);

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
	vcpu->run = NULL;
	vcpu->fd = -1;
}
