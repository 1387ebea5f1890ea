// SPDX-License-Identifier: MIT
/*
 * The rest of the public interface: check, translate, nothing else.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "acpi_pm.h"
#include "boot/builtin.h"
#include "core/gmem.h"
#include "devicetree.h"
#include "kvm.h"
#include "postmortem/gather.h"
#include "vm.h"
#include "x86/regs.h"

const char *trapmap_version(void)
{
	return TRAPMAP_VERSION;
}

int trapmap_vm_new(struct trapmap_vm **ret_vm)
{
	struct trapmap_vm *vm = calloc(1, sizeof(*vm));
	pthread_condattr_t attr;

	if (!vm)
		return -ENOMEM;
	if (vm_config_init(&vm->config) < 0) {
		free(vm);
		return -ENOMEM;
	}
	notices_init(&vm->notices);
	vm->sys_fd = -1;
	vm->vm_fd = -1;
	pthread_mutex_init(&vm->control.lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&vm->control.changed, &attr);
	pthread_condattr_destroy(&attr);
	vm->progress_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	vm->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (vm->progress_fd < 0 || vm->event_fd < 0) {
		int r = -errno;

		trapmap_vm_free(vm);
		return r;
	}
	*ret_vm = vm;
	return 0;
}

struct trapmap_vm *trapmap_vm_free(struct trapmap_vm *vm)
{
	if (!vm)
		return NULL;
	vm_done(vm);
	vm_config_done(&vm->config);
	if (vm->progress_fd >= 0)
		close(vm->progress_fd);
	if (vm->event_fd >= 0)
		close(vm->event_fd);
	notices_done(&vm->notices);
	pthread_cond_destroy(&vm->control.changed);
	pthread_mutex_destroy(&vm->control.lock);
	free(vm);
	return NULL;
}

const char *trapmap_vm_error(const struct trapmap_vm *vm)
{
	return vm->error.text;
}

int trapmap_vm_prepare(struct trapmap_vm *vm)
{
	struct vm_config *c = &vm->config;
	int r;

	r = vm_configurable(vm);
	if (r < 0)
		return r;
	if (!c->kernel.name && !c->firmware.name) {
		r = source_from_data(&c->kernel, "the built-in guest",
				     builtin_guest,
				     (size_t)(builtin_guest_end -
					      builtin_guest));
		if (r < 0)
			return error_host(&vm->error, r, "cannot start");
	}
	return vm_prepare(vm);
}

int trapmap_vm_start(struct trapmap_vm *vm)
{
	int r = 0;

	if (vm_state_of(vm) != VM_PREPARED)
		r = trapmap_vm_prepare(vm);
	return r < 0 ? r : vm_start(vm);
}

int trapmap_vm_start_status(const struct trapmap_vm *vm)
{
	/* Its lock is no part of what is asked about. */
	struct trapmap_vm *asked = (struct trapmap_vm *)(uintptr_t)vm;

	return vm_state_of(asked) == VM_FAILED ? (int)vm->error.status : 0;
}

static bool is_built(struct trapmap_vm *vm)
{
	enum vm_state state = vm_state_of(vm);

	return state != VM_CONFIGURED && state != VM_FAILED;
}

static bool has_started(struct trapmap_vm *vm)
{
	enum vm_state state = vm_state_of(vm);

	return state == VM_RUNNING || state == VM_ENDED;
}

int trapmap_vm_power_button(struct trapmap_vm *vm)
{
	if (!has_started(vm))
		return -ESRCH;
	acpi_pm_power_button(vm->machine.pm);
	return 0;
}

int trapmap_vm_pause(struct trapmap_vm *vm)
{
	return vm_pause(vm);
}

int trapmap_vm_resume(struct trapmap_vm *vm)
{
	return vm_resume(vm);
}

int trapmap_vm_stop(struct trapmap_vm *vm, enum trapmap_end_kind kind,
		    int signal)
{
	if (!has_started(vm))
		return -ESRCH;
	if (kind == TRAPMAP_END_TIMEOUT && signal == 0) {
		vm_end(vm, kind, (int)kind, -1, "the time limit ran out");
		return 0;
	}
	if (kind != TRAPMAP_END_STOPPED || signal < 0 || signal >= NSIG)
		return -EINVAL;
	if (signal == 0)
		vm_end(vm, kind, (int)kind, -1, "stopped");
	else
		vm_end(vm, kind, (int)kind + signal, -1,
		       "stopped by signal %d (%s)", signal,
		       sigdescr_np(signal) ?: "unknown");
	return 0;
}

size_t trapmap_vm_discard_output(struct trapmap_vm *vm)
{
	size_t n;

	if (!has_started(vm))
		return 0;
	n = machine_output_discard(&vm->machine);
	vm_progress_soon(vm);
	return n;
}

int trapmap_vm_wait(struct trapmap_vm *vm, int timeout_ms,
		    struct trapmap_end *ret_end)
{
	int r;

	if (ret_end && ret_end->size != sizeof(*ret_end))
		return -EINVAL;
	r = vm_wait(vm, timeout_ms);
	if (r == 0 && ret_end)
		*ret_end = vm->end;
	return r;
}

int trapmap_vm_event_fd(struct trapmap_vm *vm)
{
	return vm->event_fd;
}

int trapmap_vm_trace_status(struct trapmap_vm *vm, uint64_t *ret_exits)
{
	if (vm_state_of(vm) != VM_ENDED || !vm->observe.trace)
		return -ESRCH;
	*ret_exits = vm->observe.trace_exits;
	return vm->observe.trace_error;
}

const char *trapmap_vm_stats(struct trapmap_vm *vm)
{
	if (vm_state_of(vm) != VM_ENDED || !vm->observe.stats_text)
		return "";
	return vm->observe.stats_text;
}

const char *trapmap_vm_postmortem(struct trapmap_vm *vm)
{
	if (vm_state_of(vm) != VM_ENDED || !vm->postmortem)
		return "";
	return vm->postmortem;
}

const char *trapmap_vm_report(struct trapmap_vm *vm)
{
	enum vm_state state = vm_state_of(vm);

	return state == VM_ENDED || state == VM_FAILED ? vm_report(vm) : NULL;
}

/* The descriptor of a vCPU that stands, or -errno. */
static int standing_vcpu(struct trapmap_vm *vm, uint32_t id)
{
	int fd = -EBUSY;

	if (id >= vm->config.cpus)
		return -ENOENT;
	pthread_mutex_lock(&vm->control.lock);
	if (vm->state == VM_RUNNING && vm->control.pause &&
	    vm->vcpu[id].standing)
		fd = vm->vcpu[id].fd;
	pthread_mutex_unlock(&vm->control.lock);
	return fd;
}

/* Reads register `name`, or writes it where set is not NULL. */
static int access_reg(struct trapmap_vm *vm, uint32_t vcpu, const char *name,
		      const uint64_t *set, uint64_t *get)
{
	const struct reg_name *reg = regs_find(name);
	struct kvm_sregs sregs = { 0 };
	struct kvm_regs regs = { 0 };
	bool special;
	int fd, r;

	if (!reg)
		return -ENOENT;
	fd = standing_vcpu(vm, vcpu);
	if (fd < 0)
		return fd;
	special = regs_is_special(reg);
	r = special ? kvm_ioctl(fd, KVM_GET_SREGS, &sregs) :
		      kvm_ioctl(fd, KVM_GET_REGS, &regs);
	if (r < 0)
		return r;
	if (!set) {
		*get = regs_name_get(reg, &regs, &sregs);
		return 0;
	}
	regs_name_set(reg, &regs, &sregs, *set);
	return special ? kvm_ioctl(fd, KVM_SET_SREGS, &sregs) :
			 kvm_ioctl(fd, KVM_SET_REGS, &regs);
}

int trapmap_vcpu_get_reg(struct trapmap_vm *vm, uint32_t vcpu,
			 const char *name, uint64_t *ret_val)
{
	return access_reg(vm, vcpu, name, NULL, ret_val);
}

int trapmap_vcpu_set_reg(struct trapmap_vm *vm, uint32_t vcpu,
			 const char *name, uint64_t val)
{
	return access_reg(vm, vcpu, name, &val, NULL);
}

static int build_devicetree(struct trapmap_vm *vm)
{
	struct devicetree_config config = {
		.platform = vm_platform(vm),
		.model = board_model(vm),
		.cmdline = vm->config.cmdline,
	};
	char *cmdline = NULL;
	bool is_linux;
	int r;

	pthread_mutex_lock(&vm->control.lock);
	config.initrd = vm->loaded.initrd;
	config.initrd_len = vm->loaded.initrd_len;
	is_linux = vm->loaded.plan.is_linux;
	pthread_mutex_unlock(&vm->control.lock);
	if (is_linux &&
	    config.platform.transport == TRAPMAP_TRANSPORT_MMIO_CMDLINE) {
		cmdline = platform_linux_cmdline(
			&config.platform, config.cmdline ? config.cmdline : "");
		if (!cmdline)
			return -ENOMEM;
		config.cmdline = cmdline;
	}
	r = devicetree_build(&config, &vm->devicetree, &vm->devicetree_len);
	free(cmdline);
	return r;
}

int trapmap_vm_devicetree(struct trapmap_vm *vm, const void **ret_blob,
			  size_t *ret_len)
{
	int r;

	if (!is_built(vm))
		return error_set(&vm->error, ERROR_INPUT, -ESRCH,
				 "the VM has not been started");
	if (!vm->devicetree) {
		r = build_devicetree(vm);
		if (r < 0)
			return error_host(&vm->error, r, "devicetree");
	}
	*ret_blob = vm->devicetree;
	*ret_len = vm->devicetree_len;
	return 0;
}

int trapmap_vm_read_mem(struct trapmap_vm *vm, uint64_t gpa, void *buf,
			size_t len)
{
	if (!is_built(vm))
		return -ESRCH;
	return gmem_read(&vm->mem.gmem, gpa, buf, len);
}

int trapmap_vm_write_mem(struct trapmap_vm *vm, uint64_t gpa, const void *buf,
			 size_t len)
{
	if (!is_built(vm))
		return -ESRCH;
	return gmem_write(&vm->mem.gmem, gpa, buf, len);
}
