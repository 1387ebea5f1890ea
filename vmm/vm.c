// SPDX-License-Identifier: MIT
#include "vm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "attach/attach.h"
#include "core/base.h"
#include "kvm.h"
#include "load_firmware.h"
#include "loop.h"
#include "postmortem/gather.h"
#include "postmortem/symbols.h"
#include "stuck.h"
#include "trace.h"

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

void vm_clock_run(struct trapmap_vm *vm)
{
	vm_loop_clock_run(vm->loop);
	iothreads_clock_run(&vm->iothreads);
}

void vm_clock_hold(struct trapmap_vm *vm)
{
	vm_loop_clock_hold(vm->loop);
	iothreads_clock_hold(&vm->iothreads);
}

/* ---- the loop's part ---------------------------------------------------- */

/*
 * Whatever has changed: all vCPUs have quit, the consoles are out. Runs on the
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
	if (!quit || !machine_output_finish(&vm->machine))
		return; /* console_drained() comes */
	if (again) {
		vm_reboot(vm);
		/* A failure to reboot is an end, with no vCPU to report it. */
		vm_progress_soon(vm);
		return;
	}

	for (i = 0; i < vm->config.cpus; i++)
		vcpu_join(&vm->vcpu[i]);
	vm_clock_hold(vm);
	observe_settle(vm);
	vm_explain_end(vm);
	vm_settle(vm);
	vm_take_postmortem(vm);
	if (!observe_drain(vm, vm->observe.trace ? vm_kernel_offset(vm) : 0))
		return; /* the trace's writer says when it is done */
	if (machine_output_pending(&vm->machine) > 0)
		return; /* console_drained() comes */
	machine_keep_rtc(&vm->machine);

	pthread_mutex_lock(&vm->control.lock);
	vm->state = VM_ENDED;
	pthread_cond_broadcast(&vm->control.changed);
	pthread_mutex_unlock(&vm->control.lock);
	set_eventfd(vm->event_fd);
}

/* ---- start and done ----------------------------------------------------- */

static int check_limits(struct trapmap_vm *vm, struct error *err)
{
	if (!kvm_check(vm->sys_fd, KVM_CAP_IRQCHIP))
		return error_set(err, ERROR_HOST, -EOPNOTSUPP,
				 "KVM here has no interrupt controllers "
				 "(KVM_CAP_IRQCHIP), which a guest needs");
	if (!kvm_check(vm->sys_fd, KVM_CAP_IMMEDIATE_EXIT))
		return error_set(err, ERROR_HOST, -EOPNOTSUPP,
				 "KVM here cannot stop a vCPU between two "
				 "instructions (KVM_CAP_IMMEDIATE_EXIT); Linux "
				 "4.13 or later is needed");
	return 0;
}

/* What is in a file that becomes guest memory must not go for one that is missing. */
static int open_sources(struct trapmap_vm *vm, struct error *err)
{
	struct vm_config *c = &vm->config;
	unsigned i;
	int r = 0;

	if (c->memory.backing != TRAPMAP_MEMORY_FILE)
		return 0;
	if (c->kernel.name)
		r = source_open(&c->kernel, err);
	for (i = 0; r == 0 && i < c->initrds; i++)
		r = source_open(&c->initrd[i], err);
	return r;
}

static int prepare(struct trapmap_vm *vm, struct error *err)
{
	struct machine_host host;
	const char *path = vm->config.kvm_path;
	unsigned i;
	int r;

	r = kvm_open(path ? path : KVM_DEVICE_PATH, &vm->sys_fd, err);
	if (r < 0)
		return r;
	r = check_limits(vm, err);
	if (r < 0)
		return r;
	if (vm->config.symbols.name) {
		r = symbols_check(&vm->config.symbols, err);
		if (r < 0)
			return r;
	}
	r = board_make(vm, err);
	if (r < 0)
		return r;
	r = vm_arrange_processors(vm, err) ?: vm_arrange_serial(vm, err);
	if (r < 0)
		return r;
	if (vm->config.firmware.name) {
		if (vm->config.boot != TRAPMAP_BOOT_AUTO)
			return error_set(err, ERROR_INPUT, -EINVAL,
					 "a boot protocol was chosen, but "
					 "firmware boots the kernel in its own "
					 "way; leave one of them out");
		r = load_firmware_size(&vm->config.firmware,
				       &vm->config.machine.platform.rom, err);
		if (r < 0)
			return r;
	}
	r = open_sources(vm, err);
	if (r == 0)
		r = mem_init_on(&vm->mem, &vm->config.machine.platform,
				&vm->config.memory, err);
	if (r < 0)
		return r;

	vm->vcpu = calloc(vm->config.cpus, sizeof(*vm->vcpu));
	if (!vm->vcpu)
		return error_host(err, -ENOMEM, "cannot start");
	for (i = 0; i < vm->config.cpus; i++)
		vm->vcpu[i] = (struct vcpu){
			.fd = -1,
			.host_cpu = vm_host_cpu(vm, i),
			.kvm_stats = KVM_STATS_INIT,
			.pio = &vm->machine.pio,
			.mmio = &vm->machine.mmio,
			.control = &vm->control,
		};
	vm_hooks(vm, &host);
	vm->control.kick_signal = vm->config.kick_signal;
	vm->control.watchdog = vm->config.watchdog_ms != 0;

	r = vm_loop_new(&vm->loop);
	if (r == 0)
		r = loop_watch_new(vm->loop, vm->progress_fd, LOOP_IN,
				   vm_progress, vm, &vm->progress);
	if (r == 0)
		r = settle_init(vm);
	if (r < 0)
		return error_host(err, r, "cannot start");
	vm->config.machine.ram = &vm->mem.gmem;
	vm->config.machine.iothreads = &vm->iothreads;
	r = machine_init(&vm->machine, &vm->config.machine, &host, vm->loop,
			 &vm->vm_fd, err);
	if (r < 0)
		return r;
	vm->machine.pio.strict = vm->config.strict_io;
	vm->machine.mmio.strict = vm->config.strict_io;
	return vm_load(vm, err);
}

/* A trace is begun here: until now nothing is written anywhere. */
static int start(struct trapmap_vm *vm, struct error *err)
{
	int r = observe_start(vm, err);

	if (r == 0)
		r = vm_run(vm, err);
	if (r < 0)
		return r;
	r = stuck_new(vm, &vm->stuck);
	if (r < 0)
		return error_host(err, r, "cannot start");
	/* Last: the guest runs, so nobody waits for these threads. */
	r = vm_loop_start(vm->loop, "trapmap-io") ?:
	    iothreads_start(&vm->iothreads);
	if (r < 0)
		return error_host(err, r, "cannot start the I/O threads");
	return 0;
}

static void failed(struct trapmap_vm *vm)
{
	mem_back_abandon(&vm->mem.back);
	pthread_mutex_lock(&vm->control.lock);
	vm->state = VM_FAILED;
	vm->control.quit = true;
	if (vm->vcpu)
		vm_kick_all(vm);
	pthread_mutex_unlock(&vm->control.lock);
}

int vm_prepare(struct trapmap_vm *vm)
{
	int r = prepare(vm, &vm->error);

	if (r < 0) {
		failed(vm);
		return r;
	}
	pthread_mutex_lock(&vm->control.lock);
	vm->state = VM_PREPARED;
	pthread_mutex_unlock(&vm->control.lock);
	return 0;
}

int vm_start(struct trapmap_vm *vm)
{
	int r = start(vm, &vm->error);

	if (r < 0)
		failed(vm);
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
		vm->unwanted = true;
		vm_end(vm, TRAPMAP_END_STOPPED, TRAPMAP_END_STOPPED, -1,
		       "the embedder freed the VM");
		if (vm->observe.trace)
			trace_abandon(vm->observe.trace);
		do {
			machine_output_discard(&vm->machine);
			vm_progress_soon(vm);
		} while (vm_wait(vm, 10) == -ETIMEDOUT);
	}
	if (vm->loop)
		vm_loop_stop(vm->loop);
	iothreads_stop(&vm->iothreads);
	/* Where the start failed late the vCPUs run until here. */
	vm_power_off(vm);
	vm->stuck = stuck_free(vm->stuck);
	settle_done(vm);
	vm_postmortem_done(vm);
	observe_done(vm);
	machine_done(&vm->machine);
	fw_items_done(&vm->fw_items);
	if (vm->loop)
		loop_watch_free(vm->loop, vm->progress);
	vm_loop_free(vm->loop);
	iothreads_done(&vm->iothreads);
	mem_done(&vm->mem);
	free(vm->vcpu);
	free(vm->devicetree);
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
		vm_kick_all(vm);
		while (vm->state == VM_RUNNING && !vm->ending &&
		       vm->control.pause && !all_stand(vm))
			pthread_cond_wait(&vm->control.changed,
					  &vm->control.lock);
		if (!vm->ending)
			r = 0;
		/* Unless another thread's resume came in between. */
		if (r == 0 && vm->control.pause)
			vm_clock_hold(vm);
	}
	pthread_mutex_unlock(&vm->control.lock);
	return r;
}

int vm_resume(struct trapmap_vm *vm)
{
	unsigned i;
	int r = -ESRCH;

	pthread_mutex_lock(&vm->control.lock);
	if (vm->state == VM_RUNNING) {
		if (vm->control.pause && !vm->ending)
			vm_clock_run(vm);
		vm->control.pause = false;
		pthread_cond_broadcast(&vm->control.changed);
		r = 0;
	}
	pthread_mutex_unlock(&vm->control.lock);
	/* What they take up again may have them ask for another pause. */
	for (i = 0; r == 0 && i < vm->config.machine.attached_count; i++) {
		struct attachment *at = vm->config.attached[i];

		if (at->ops->resume && at->vd)
			at->ops->resume(at);
	}
	return r;
}
