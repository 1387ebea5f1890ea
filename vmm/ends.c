// SPDX-License-Identifier: MIT
/*
 * How a run ends, and whatever else devices, vCPUs and the console report: the
 * verdict and its sentence are made here.
 */
#include "vm.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "x86/processor.h"

void vm_kick_all(struct trapmap_vm *vm)
{
	unsigned i;

	for (i = 0; i < vm->config.cpus; i++)
		vcpu_kick(&vm->vcpu[i]);
	pthread_cond_broadcast(&vm->control.changed);
}

/* Called with control.lock held. */
__attribute__((format(printf, 5, 0)))
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
	if (!vm->over.ns)
		vm->over = tsc_mark();
	vm->control.quit = true;
	vm_kick_all(vm);
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
__attribute__((format(printf, 2, 3)))
static void end_host_failure(struct trapmap_vm *vm, const char *fmt, ...)
{
	va_list ap;

	pthread_mutex_lock(&vm->control.lock);
	if (vm->state != VM_ENDED &&
	    (!vm->ending || vm->end.kind == TRAPMAP_END_POWEROFF ||
	     vm->end.kind == TRAPMAP_END_GUEST_STATUS ||
	     vm->end.kind == TRAPMAP_END_RESET)) {
		va_start(ap, fmt);
		set_end(vm, TRAPMAP_END_HOST_FAILURE, TRAPMAP_END_HOST_FAILURE,
			-1, fmt, ap);
		va_end(ap);
	}
	pthread_mutex_unlock(&vm->control.lock);
	vm_progress_soon(vm);
}

static bool has_crashloaded(struct trapmap_vm *vm)
{
	bool crashloaded;

	pthread_mutex_lock(&vm->control.lock);
	crashloaded = vm->crashloaded;
	pthread_mutex_unlock(&vm->control.lock);
	return crashloaded;
}

static void reset_requested(struct trapmap_vm *vm, const char *who)
{
	enum trapmap_on_reset action = vm->config.on_reset;

	/* That of a panicked kernel is its end: else it could go on for ever. */
	if (action == TRAPMAP_ON_RESET_REBOOT &&
	    (watch_panic(vm->config.watch) || has_crashloaded(vm)))
		action = TRAPMAP_ON_RESET_END;
	switch (action) {
	case TRAPMAP_ON_RESET_REBOOT:
		pthread_mutex_lock(&vm->control.lock);
		if (!vm->ending) {
			vm->reboot = true;
			vm->control.quit = true;
			vm_kick_all(vm);
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
	case END_PANIC:
		vm_end(vm, TRAPMAP_END_PANIC, TRAPMAP_END_PANIC, -1,
		       "the guest panicked (%s)", who);
		return;
	case END_CRASHLOADED:
		pthread_mutex_lock(&vm->control.lock);
		vm->crashloaded = true;
		pthread_mutex_unlock(&vm->control.lock);
		return;
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
	case TRAPMAP_END_UNCLAIMED:
		vm_end(vm, end->kind, (int)end->kind, (int)vcpu,
		       "strict I/O: vCPU %u: %s", vcpu, end->text);
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
	vm->throttles += on ? 1 : -1u;
	atomic_store(&vm->control.throttle, vm->throttles > 0);
	/* Output by virtio is no exit: nothing else would stop its writer. */
	if (on && vm->throttles == 1 && vm->vcpu)
		vm_kick_all(vm);
	pthread_cond_broadcast(&vm->control.changed);
	pthread_mutex_unlock(&vm->control.lock);
}

static void console_output(void *opaque, enum watch_stream stream,
			   const uint8_t *buf, size_t len)
{
	settle_output(opaque, stream, buf, len);
}

static void console_drained(void *opaque)
{
	struct trapmap_vm *vm = opaque;
	bool ending;

	pthread_mutex_lock(&vm->control.lock);
	ending = vm->ending || vm->reboot;
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

static void debugcon_failed(void *opaque, int err)
{
	end_host_failure(opaque,
			 "the host failed: the debug console's output cannot "
			 "be written: %s",
			 strerrordesc_np(err) ?: "unknown error");
}

static void output_failed(void *opaque, const char *what, int err)
{
	end_host_failure(opaque,
			 "the host failed: the output of the %s cannot be "
			 "written: %s",
			 what, strerrordesc_np(err) ?: "unknown error");
}

/*
 * The guest's clock stands from now on, its processors within moments: to wait for
 * them here, with a device's lock, would be to wait for one that wants that lock.
 */
static void pause_soon(void *opaque)
{
	struct trapmap_vm *vm = opaque;

	pthread_mutex_lock(&vm->control.lock);
	if (vm->state == VM_RUNNING && !vm->ending && !vm->control.pause) {
		vm->control.pause = true;
		vm_clock_hold(vm);
		vm_kick_all(vm);
	}
	pthread_mutex_unlock(&vm->control.lock);
}

/* ---- what the board asks for while it is built --------------------------- */

static int map_window(void *opaque, void *host, uint64_t len, uint64_t align,
		      uint64_t *ret_gpa)
{
	struct trapmap_vm *vm = opaque;

	return mem_add_window(&vm->mem, processor_phys_bits(vm->sys_fd), host,
			      len, align, ret_gpa);
}

void vm_hooks(struct trapmap_vm *vm, struct machine_host *ret_host)
{
	vm->control.ended = vcpu_ended;
	vm->control.quit_done = vcpu_quit_done;
	vm->control.opaque = vm;
	*ret_host = (struct machine_host){
		.end = { .request = end_requested, .opaque = vm },
		.throttle = console_throttle,
		.drained = console_drained,
		.console_output = console_output,
		.console_failed = console_failed,
		.debugcon_failed = debugcon_failed,
		.output_failed = output_failed,
		.pause = pause_soon,
		.map = map_window,
		.notices = &vm->notices,
		.opaque = vm,
	};
}
