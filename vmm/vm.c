// SPDX-License-Identifier: MIT
#include "vm.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "backend/chardev_fd.h"
#include "core/base.h"
#include "kvm.h"
#include "load.h"
#include "loop.h"
#include "postmortem.h"
#include "x86/processor.h"
#include "x86/regs.h"

/* ---- the end ------------------------------------------------------------ */

static void set_eventfd(int fd)
{
	uint64_t one = 1;

	(void)!write(fd, &one, sizeof(one));
}

static void clear_eventfd(int fd)
{
	uint64_t n;

	(void)!read(fd, &n, sizeof(n));
}

void vm_progress_soon(struct trapmap_vm *vm)
{
	set_eventfd(vm->progress_fd);
}

/* Called with control.lock held. */
static void kick_all(struct trapmap_vm *vm)
{
	unsigned i;

	for (i = 0; i < vm->config.cpus; i++)
		vcpu_kick(&vm->vcpu[i]);
	pthread_cond_broadcast(&vm->control.changed);
}

/* Called with control.lock held. */
static void set_end(struct trapmap_vm *vm, enum trapmap_end_kind kind,
		    int status, int vcpu, const char *fmt, va_list ap)
{
	vm->ending = true;
	vm->end = (struct trapmap_end){
		.size = sizeof(vm->end),
		.kind = kind,
		.status = status,
		.vcpu = vcpu,
		.text = vm->end_text,
	};
	vsnprintf(vm->end_text, sizeof(vm->end_text), fmt, ap);
	vm->control.quit = true;
	kick_all(vm);
}

void vm_end(struct trapmap_vm *vm, enum trapmap_end_kind kind, int status,
	    int vcpu, const char *fmt, ...)
{
	va_list ap;

	pthread_mutex_lock(&vm->control.lock);
	if (!vm->ending) {
		va_start(ap, fmt);
		set_end(vm, kind, status, vcpu, fmt, ap);
		va_end(ap);
	}
	pthread_mutex_unlock(&vm->control.lock);
}

/*
 * As vm_end(), and in place of an end that promised more: a guest may have
 * powered off well, but we have lost what it said.
 */
static void end_host_failure(struct trapmap_vm *vm, const char *fmt, ...)
{
	va_list ap;

	pthread_mutex_lock(&vm->control.lock);
	if (!vm->ending || vm->end.kind == TRAPMAP_END_POWEROFF ||
	    vm->end.kind == TRAPMAP_END_GUEST_STATUS ||
	    vm->end.kind == TRAPMAP_END_RESET) {
		va_start(ap, fmt);
		set_end(vm, TRAPMAP_END_HOST_FAILURE, TRAPMAP_END_HOST_FAILURE,
			-1, fmt, ap);
		va_end(ap);
	}
	pthread_mutex_unlock(&vm->control.lock);
	vm_progress_soon(vm);
}

static void reset_requested(struct trapmap_vm *vm, const char *who)
{
	switch (vm->config.on_reset) {
	case TRAPMAP_ON_RESET_REBOOT:
		pthread_mutex_lock(&vm->control.lock);
		if (!vm->ending) {
			vm->reboot = true;
			vm->control.quit = true;
			kick_all(vm);
		}
		pthread_mutex_unlock(&vm->control.lock);
		return;
	case TRAPMAP_ON_RESET_POWEROFF:
		vm_end(vm, TRAPMAP_END_POWEROFF, 0, -1,
		       "the guest asked for a reset (%s), "
		       "which counts as a power-off",
		       who);
		return;
	case TRAPMAP_ON_RESET_END:
		vm_end(vm, TRAPMAP_END_RESET, TRAPMAP_END_RESET, -1,
		       "the guest asked for a reset (%s)", who);
		return;
	}
}

/* A device's request: the struct end_sink of the machine. */
static void end_requested(void *opaque, enum end_request kind, uint32_t value,
			  const char *who)
{
	struct trapmap_vm *vm = opaque;
	int status = (int)((value << 1 | 1) & 0xff);

	switch (kind) {
	case END_POWEROFF:
		vm_end(vm, TRAPMAP_END_POWEROFF, 0, -1,
		       "the guest powered off (%s)", who);
		return;
	case END_RESET:
		reset_requested(vm, who);
		return;
	case END_TEST_EXIT:
		if (value == 0) {
			vm_end(vm, TRAPMAP_END_POWEROFF, 0, -1,
			       "the guest reported success (%s)", who);
			return;
		}
		break;
	case END_DEBUG_EXIT:
		if (vm->config.debug_exit == TRAPMAP_DEBUG_EXIT_PLAIN)
			status = (int)(value & 0xff);
		break;
	}
	vm_end(vm, TRAPMAP_END_GUEST_STATUS, status, -1,
	       "the guest ended with status %d (%s, value %#x)", status, who,
	       value);
}

/* ---- what the vCPUs and the console report ------------------------------ */

static void vcpu_ended(void *opaque, unsigned vcpu, const struct exit_end *end)
{
	struct trapmap_vm *vm = opaque;

	switch (end->kind) {
	case TRAPMAP_END_RESET:
		reset_requested(vm, end->text);
		return;
	case TRAPMAP_END_POWEROFF:
		vm_end(vm, end->kind, 0, (int)vcpu,
		       "the guest powered off (%s)", end->text);
		return;
	case TRAPMAP_END_CRASH:
		vm_end(vm, end->kind, (int)end->kind, (int)vcpu,
		       "the guest crashed: vCPU %u: %s", vcpu, end->text);
		return;
	default:
		vm_end(vm, end->kind, (int)end->kind, (int)vcpu,
		       "the host failed: vCPU %u: %s", vcpu, end->text);
		return;
	}
}

static void vcpu_quit_done(void *opaque, unsigned vcpu)
{
	struct trapmap_vm *vm = opaque;
	unsigned live;

	pthread_mutex_lock(&vm->control.lock);
	live = --vm->live;
	pthread_mutex_unlock(&vm->control.lock);
	if (live == 0)
		vm_progress_soon(vm);
}

static void console_throttle(void *opaque, bool on)
{
	struct trapmap_vm *vm = opaque;

	/*
	 * A vCPU looks at it after each exit; the one whose output made it so
	 * does it at once.
	 */
	pthread_mutex_lock(&vm->control.lock);
	atomic_store(&vm->control.throttle, on);
	pthread_cond_broadcast(&vm->control.changed);
	pthread_mutex_unlock(&vm->control.lock);
}

static void console_drained(void *opaque)
{
	struct trapmap_vm *vm = opaque;
	bool ending;

	pthread_mutex_lock(&vm->control.lock);
	ending = vm->ending;
	pthread_mutex_unlock(&vm->control.lock);
	if (ending)
		vm_progress_soon(vm);
}

static void console_failed(void *opaque, int err)
{
	end_host_failure(opaque,
			 "the host failed: the guest's console output cannot "
			 "be written: %s",
			 strerrordesc_np(err) ?: "unknown error");
}

/* ---- power on ----------------------------------------------------------- */

static int create_kvm(struct trapmap_vm *vm, struct error *err)
{
	int r;

	vm->vm_fd = kvm_ioctl_val(vm->sys_fd, KVM_CREATE_VM, 0);
	if (vm->vm_fd < 0)
		return error_host(err, vm->vm_fd,
				  "KVM refuses a virtual machine "
				  "(KVM_CREATE_VM)");
	r = irqchip_create(vm->vm_fd, err);
	if (r < 0)
		return r;
	return mem_attach(&vm->mem, vm->vm_fd, err);
}

static int create_vcpus(struct trapmap_vm *vm, struct processor *cpu,
			struct error *err)
{
	int run_size = kvm_ioctl_val(vm->sys_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	unsigned i;
	int r;

	if (run_size < 0)
		return error_host(err, run_size, "KVM_GET_VCPU_MMAP_SIZE");
	for (i = 0; i < vm->config.cpus; i++) {
		struct vcpu *vcpu = &vm->vcpu[i];
		struct kvm_cpuid2 *cpuid;

		r = vcpu_init(vcpu, vm->vm_fd, i, (size_t)run_size, err);
		if (r == 0)
			r = processor_cpuid(cpu, vcpu->fd, i, &cpuid, err);
		if (r < 0)
			return r;
		r = vcpu_set_up(vcpu, cpuid, err);
		free(cpuid);
		if (r < 0)
			return r;
	}
	return 0;
}

static int set_start_state(struct trapmap_vm *vm, const struct boot_plan *plan,
			   struct error *err)
{
	int fd = vm->vcpu[0].fd, r;
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	r = kvm_ioctl(fd, KVM_GET_SREGS, &sregs);
	if (r < 0)
		return error_host(err, r, "vCPU 0: KVM_GET_SREGS");
	regs_start(plan, &regs, &sregs);
	r = kvm_ioctl(fd, KVM_SET_SREGS, &sregs);
	if (r < 0)
		return error_host(err, r, "vCPU 0: KVM_SET_SREGS");
	r = kvm_ioctl(fd, KVM_SET_REGS, &regs);
	if (r < 0)
		return error_host(err, r, "vCPU 0: KVM_SET_REGS");
	return 0;
}

static int start_vcpus(struct trapmap_vm *vm, struct error *err)
{
	unsigned i;
	int r = 0;

	pthread_mutex_lock(&vm->control.lock);
	vm->live = 0;
	for (i = 0; i < vm->config.cpus && r == 0; i++) {
		r = vcpu_start(&vm->vcpu[i]);
		if (r == 0)
			vm->live++;
	}
	if (r == 0)
		vm->state = VM_RUNNING;
	pthread_mutex_unlock(&vm->control.lock);
	if (r < 0)
		return error_host(err, r, "cannot start the thread of vCPU %u",
				  i - 1);
	return 0;
}

/* What the MP table says of the processors. */
static void processor_signature(const struct processor *cpu,
				struct load_request *request)
{
	const struct kvm_cpuid_entry2 *leaf = cpuid_find(cpu->supported, 1, 0);

	if (!leaf)
		return;
	request->cpu_signature = leaf->eax;
	request->cpu_features = leaf->edx;
}

/* From the machine as it is built to running vCPUs; at each boot. */
static int power_on(struct trapmap_vm *vm, struct error *err)
{
	struct load_request request = {
		.kernel = &vm->config.kernel,
		.initrd = vm->config.initrd,
		.initrds = vm->config.initrds,
		.cmdline = vm->config.cmdline ? vm->config.cmdline : "",
		.mem = vm->config.mem,
		.cpus = vm->config.cpus,
	};
	struct processor cpu = { 0 };
	struct boot_plan plan;
	int r;

	r = create_kvm(vm, err);
	if (r < 0)
		return r;
	r = processor_init(&cpu, vm->sys_fd, vm->config.cpus, vm->config.cpu,
			   err);
	if (r == 0)
		r = create_vcpus(vm, &cpu, err);
	if (r == 0)
		processor_signature(&cpu, &request);
	processor_done(&cpu);
	if (r < 0)
		return r;
	r = load_guest(&vm->mem.gmem, &request, &plan, err);
	if (r < 0)
		return r;
	r = set_start_state(vm, &plan, err);
	if (r < 0)
		return r;
	vm_loop_clock_run(vm->loop);
	return start_vcpus(vm, err);
}

/* The contrary; the vCPU threads have quit, or were never started. */
static void power_off(struct trapmap_vm *vm)
{
	unsigned i;

	for (i = 0; vm->vcpu && i < vm->config.cpus; i++) {
		vcpu_join(&vm->vcpu[i]);
		vcpu_done(&vm->vcpu[i]);
	}
	if (vm->vm_fd >= 0)
		close(vm->vm_fd);
	vm->vm_fd = -1;
}

static void reboot(struct trapmap_vm *vm)
{
	struct error err;
	int r;

	machine_reset(&vm->machine);
	power_off(vm);
	pthread_mutex_lock(&vm->control.lock);
	vm->reboot = false;
	vm->control.quit = vm->ending;
	pthread_mutex_unlock(&vm->control.lock);
	r = mem_clear(&vm->mem, &err);
	if (r == 0)
		r = power_on(vm, &err);
	if (r < 0)
		vm_end(vm, TRAPMAP_END_HOST_FAILURE, TRAPMAP_END_HOST_FAILURE,
		       -1, "the host failed: cannot reboot: %s", err.text);
}

/* ---- the loop's part ---------------------------------------------------- */

static bool wants_postmortem(enum trapmap_end_kind kind)
{
	return kind == TRAPMAP_END_CRASH || kind == TRAPMAP_END_TIMEOUT;
}

/*
 * Whatever has changed: all vCPUs have quit, the console is out. Runs on the
 * loop's thread until the VM has ended.
 */
static void vm_progress(void *opaque, unsigned events)
{
	struct trapmap_vm *vm = opaque;
	bool quit, again;
	unsigned i;

	clear_eventfd(vm->progress_fd);

	pthread_mutex_lock(&vm->control.lock);
	quit = vm->live == 0 && vm->state == VM_RUNNING;
	again = quit && vm->reboot && !vm->ending;
	pthread_mutex_unlock(&vm->control.lock);
	if (!quit)
		return;
	if (again) {
		reboot(vm);
		/* A failure to reboot is an end, with no vCPU to report it. */
		vm_progress_soon(vm);
		return;
	}

	for (i = 0; i < vm->config.cpus; i++)
		vcpu_join(&vm->vcpu[i]);
	vm_loop_clock_hold(vm->loop);
	if (wants_postmortem(vm->end.kind) && !vm->postmortem)
		vm->postmortem = postmortem_text(vm->vcpu, vm->config.cpus,
						 &vm->mem.gmem);
	if (chardev_fd_pending(vm->machine.console) > 0)
		return; /* console_drained() comes */

	pthread_mutex_lock(&vm->control.lock);
	vm->state = VM_ENDED;
	pthread_cond_broadcast(&vm->control.changed);
	pthread_mutex_unlock(&vm->control.lock);
	set_eventfd(vm->event_fd);
}

/* ---- start and done ----------------------------------------------------- */

static int check_limits(struct trapmap_vm *vm, struct error *err)
{
	unsigned cpus = vm->config.cpus;
	int max = kvm_check(vm->sys_fd, KVM_CAP_MAX_VCPUS);

	if (max <= 0)
		max = kvm_check(vm->sys_fd, KVM_CAP_NR_VCPUS);
	if (max <= 0)
		max = 4; /* what api.rst says of a KVM that knows neither */
	if (max > VM_MAX_CPUS)
		max = VM_MAX_CPUS;
	if (cpus > (unsigned)max)
		return error_set(err, ERROR_INPUT, -E2BIG,
				 "%u vCPUs were asked for; at most %d can be "
				 "had here (see `trapmap doctor`)",
				 cpus, max);
	if (!kvm_check(vm->sys_fd, KVM_CAP_IRQCHIP))
		return error_set(err, ERROR_HOST, -EOPNOTSUPP,
				 "KVM here has no interrupt controllers "
				 "(KVM_CAP_IRQCHIP), which a guest needs");
	return 0;
}

static int start(struct trapmap_vm *vm, struct error *err)
{
	const struct machine_host host = {
		.end = { .request = end_requested, .opaque = vm },
		.throttle = console_throttle,
		.drained = console_drained,
		.console_failed = console_failed,
		.opaque = vm,
	};
	const char *path = vm->config.kvm_path;
	unsigned i;
	int r;

	r = kvm_open(path ? path : KVM_DEVICE_PATH, &vm->sys_fd, err);
	if (r < 0)
		return r;
	r = check_limits(vm, err);
	if (r < 0)
		return r;
	r = mem_init(&vm->mem, vm->config.mem, err);
	if (r < 0)
		return r;

	vm->vcpu = calloc(vm->config.cpus, sizeof(*vm->vcpu));
	if (!vm->vcpu)
		return error_host(err, -ENOMEM, "cannot start");
	for (i = 0; i < vm->config.cpus; i++)
		vm->vcpu[i] = (struct vcpu){
			.fd = -1,
			.pio = &vm->machine.pio,
			.mmio = &vm->machine.mmio,
			.control = &vm->control,
		};
	vm->control.ended = vcpu_ended;
	vm->control.quit_done = vcpu_quit_done;
	vm->control.opaque = vm;

	r = vm_loop_new(&vm->loop);
	if (r == 0)
		r = loop_watch_new(vm->loop, vm->progress_fd, LOOP_IN,
				   vm_progress, vm, &vm->progress);
	if (r < 0)
		return error_host(err, r, "cannot start");
	r = machine_init(&vm->machine, &vm->config.machine, &host, vm->loop,
			 &vm->vm_fd, err);
	if (r < 0)
		return r;
	r = power_on(vm, err);
	if (r < 0)
		return r;
	/* Last: the guest runs, so nobody waits for this thread. */
	r = vm_loop_start(vm->loop);
	if (r < 0)
		return error_host(err, r, "cannot start the I/O thread");
	return 0;
}

int vm_start(struct trapmap_vm *vm)
{
	int r = start(vm, &vm->error);

	if (r < 0) {
		pthread_mutex_lock(&vm->control.lock);
		vm->state = VM_FAILED;
		vm->control.quit = true;
		if (vm->vcpu)
			kick_all(vm);
		pthread_mutex_unlock(&vm->control.lock);
	}
	return r;
}

/* control.changed goes by the monotonic clock, see trapmap_vm_new(). */
static struct timespec deadline_in(int ms)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += ms / 1000;
	ts.tv_nsec += (long)(ms % 1000) * NSEC_PER_MSEC;
	if (ts.tv_nsec >= NSEC_PER_SEC) {
		ts.tv_sec++;
		ts.tv_nsec -= NSEC_PER_SEC;
	}
	return ts;
}

int vm_wait(struct trapmap_vm *vm, int timeout_ms)
{
	struct timespec until = { 0 };
	int r = 0;

	if (timeout_ms >= 0)
		until = deadline_in(timeout_ms);
	pthread_mutex_lock(&vm->control.lock);
	while (vm->state == VM_RUNNING && r == 0) {
		if (timeout_ms < 0)
			pthread_cond_wait(&vm->control.changed,
					  &vm->control.lock);
		else
			r = -pthread_cond_timedwait(&vm->control.changed,
						    &vm->control.lock, &until);
	}
	if (vm->state == VM_ENDED)
		r = 0;
	else if (vm->state != VM_RUNNING)
		r = -ESRCH;
	pthread_mutex_unlock(&vm->control.lock);
	return r;
}

void vm_done(struct trapmap_vm *vm)
{

	if (vm_wait(vm, 0) == -ETIMEDOUT) {
		vm_end(vm, TRAPMAP_END_STOPPED, TRAPMAP_END_STOPPED, -1,
		       "the embedder freed the VM");
		do {
			chardev_fd_discard(vm->machine.console);
			vm_progress_soon(vm);
		} while (vm_wait(vm, 10) == -ETIMEDOUT);
	}
	if (vm->loop)
		vm_loop_stop(vm->loop);
	power_off(vm);
	machine_done(&vm->machine);
	if (vm->loop)
		loop_watch_free(vm->loop, vm->progress);
	vm_loop_free(vm->loop);
	mem_done(&vm->mem);
	free(vm->vcpu);
	free(vm->postmortem);
	if (vm->sys_fd >= 0)
		close(vm->sys_fd);
}

/* ---- pause -------------------------------------------------------------- */

/* Called with control.lock held. */
static bool all_stand(const struct trapmap_vm *vm)
{
	unsigned i;

	for (i = 0; i < vm->config.cpus; i++)
		if (!vm->vcpu[i].standing)
			return false;
	return true;
}

int vm_pause(struct trapmap_vm *vm)
{
	int r = -ESRCH;

	pthread_mutex_lock(&vm->control.lock);
	if (vm->state == VM_RUNNING && !vm->ending) {
		vm->control.pause = true;
		kick_all(vm);
		while (vm->state == VM_RUNNING && !vm->ending && !all_stand(vm))
			pthread_cond_wait(&vm->control.changed,
					  &vm->control.lock);
		if (!vm->ending)
			r = 0;
	}
	pthread_mutex_unlock(&vm->control.lock);
	if (r == 0)
		vm_loop_clock_hold(vm->loop);
	return r;
}

int vm_resume(struct trapmap_vm *vm)
{
	int r = -ESRCH;

	pthread_mutex_lock(&vm->control.lock);
	if (vm->state == VM_RUNNING) {
		if (vm->control.pause && !vm->ending)
			vm_loop_clock_run(vm->loop);
		vm->control.pause = false;
		pthread_cond_broadcast(&vm->control.changed);
		r = 0;
	}
	pthread_mutex_unlock(&vm->control.lock);
	return r;
}
