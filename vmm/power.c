// SPDX-License-Identifier: MIT
/*
 * From a board that is built to vCPUs that run, at the start and at each
 * reboot; and back.
 */
#include "vm.h"

#include <stdlib.h>
#include <unistd.h>

#include "attach/attach.h"
#include "core/base.h"
#include "kvm.h"
#include "load.h"
#include "loop.h"
#include "stuck.h"
#include "virtio/virtio.h"
#include "x86/processor.h"
#include "x86/regs.h"

/*
 * An access that KVM answers with #GP comes to exit.c, which answers the same,
 * and so is on record. A KVM without this (Linux before 5.10) keeps it to itself.
 */
static void report_msrs(int vm_fd)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_X86_USER_SPACE_MSR,
		.args = { KVM_MSR_EXIT_REASON_UNKNOWN |
			  KVM_MSR_EXIT_REASON_INVAL },
	};

	if (kvm_check(vm_fd, KVM_CAP_X86_USER_SPACE_MSR))
		(void)kvm_ioctl(vm_fd, KVM_ENABLE_CAP, &cap);
}

static int create_kvm(struct trapmap_vm *vm, struct error *err)
{
	int r;

	vm->vm_fd = kvm_ioctl_val(vm->sys_fd, KVM_CREATE_VM, 0);
	if (vm->vm_fd < 0)
		return error_host(err, vm->vm_fd,
				  "KVM refuses a virtual machine "
				  "(KVM_CREATE_VM)");
	/*
	 * Memory first: with interrupt routes there, each slot would wait for
	 * a grace period in the kernel.
	 */
	r = mem_attach(&vm->mem, vm->vm_fd, err);
	if (r < 0)
		return r;
	report_msrs(vm->vm_fd);
	r = vm_enable_x2apic_ids(vm, err);
	if (r < 0)
		return r;
	return irqchip_create(&vm->machine.irqchip, err);
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
		struct kvm_cpuid2 *cpuid = NULL;

		vcpu->id = i;
		vcpu->apic_id =
			platform_apic_id(&vm->config.machine.platform, i);
		r = vcpu_init(vcpu, vm->vm_fd, (size_t)run_size, err);
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
	if (!vm->began.ns)
		vm->began = tsc_mark();
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
	request->platform.cpu_signature = leaf->eax;
	request->platform.cpu_features = leaf->edx;
}

struct platform vm_platform(const struct trapmap_vm *vm)
{
	struct platform p = vm->config.machine.platform;
	unsigned i;

	p.virtio = vm->machine.virtio_count;
	for (i = 0; i < p.virtio; i++)
		if (vm->machine.virtio[i].vd->ops->id == VIRTIO_ID_BLOCK)
			p.disks |= BIT(i);
	return p;
}

int vm_load(struct trapmap_vm *vm, struct error *err)
{
	struct load_request request = {
		.firmware = vm->config.firmware.name ? &vm->config.firmware :
						       NULL,
		.kernel = &vm->config.kernel,
		.boot = vm->config.boot,
		.initrd = vm->config.initrd,
		.initrds = vm->config.initrds,
		.cmdline = vm->config.cmdline ? vm->config.cmdline : "",
		.platform = vm_platform(vm),
	};
	struct processor cpu = { 0 };
	struct loaded loaded;
	int r;

	board_request(vm, &request);
	r = create_kvm(vm, err);
	if (r < 0)
		return r;
	r = processor_init(&cpu, vm->sys_fd, &request.platform.topology,
			   vm->config.cpu, err);
	if (r == 0)
		r = create_vcpus(vm, &cpu, err);
	if (r == 0)
		processor_signature(&cpu, &request);
	processor_done(&cpu);
	if (r < 0)
		return r;
	r = load_guest(&vm->mem.gmem, &request, &loaded, err) ?:
	    fw_items_set(&vm->fw_items, vm->machine.fw_cfg, &request,
			 vm->config.fw_file, vm->config.fw_files, err);
	if (r < 0)
		return r;
	pthread_mutex_lock(&vm->control.lock);
	vm->loaded = loaded;
	pthread_mutex_unlock(&vm->control.lock);
	return set_start_state(vm, &loaded.plan, err);
}

int vm_run(struct trapmap_vm *vm, struct error *err)
{
	/* A pause that came while the guest asked for a reset still holds. */
	pthread_mutex_lock(&vm->control.lock);
	if (!vm->control.pause)
		vm_clock_run(vm);
	pthread_mutex_unlock(&vm->control.lock);
	return start_vcpus(vm, err);
}

void vm_power_off(struct trapmap_vm *vm)
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

void vm_reboot(struct trapmap_vm *vm)
{
	struct error err;
	int r;

	machine_reset(&vm->machine);
	vm_power_off(vm);
	pthread_mutex_lock(&vm->control.lock);
	vm->reboot = false;
	vm->control.quit = vm->ending;
	pthread_mutex_unlock(&vm->control.lock);
	r = mem_clear(&vm->mem, attach_pinned(vm) != NULL, &err);
	if (r == 0)
		r = vm_load(vm, &err) ?: vm_run(vm, &err);
	if (r == 0)
		stuck_reset(vm->stuck);
	if (r < 0)
		vm_end(vm, TRAPMAP_END_HOST_FAILURE, TRAPMAP_END_HOST_FAILURE,
		       -1, "the host failed: cannot reboot: %s", err.text);
}
