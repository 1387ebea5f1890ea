// SPDX-License-Identifier: MIT
#include "raw_vm.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define GUEST_GPA 0x10000

/* struct kvm_run, and the page with the data of port accesses. */
#define SHARED_LEN 8192

static int set_registers(int vcpu)
{
	struct kvm_regs regs = { .rflags = 2 };
	struct kvm_sregs sregs;

	if (ioctl(vcpu, KVM_GET_SREGS, &sregs) < 0)
		return -1;
	sregs.cs.base = GUEST_GPA;
	sregs.cs.selector = GUEST_GPA >> 4;
	if (ioctl(vcpu, KVM_SET_SREGS, &sregs) < 0)
		return -1;
	return ioctl(vcpu, KVM_SET_REGS, &regs);
}

int raw_vm_new(size_t mem_len, bool irqchip, const void *code, size_t len,
	       struct raw_vm *ret_vm)
{
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
	struct kvm_userspace_memory_region slot = { .memory_size = mem_len };
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), vm, vcpu;
	uint8_t *mem;
	void *shared;

	if (kvm < 0)
		return -1;
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm < 0)
		return -1;
	mem = mmap(NULL, mem_len, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mem == MAP_FAILED)
		return -1;
	memcpy(mem + GUEST_GPA, code, len);
	slot.userspace_addr = (uintptr_t)mem;
	if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot) < 0)
		return -1;
	if (irqchip && (ioctl(vm, KVM_CREATE_IRQCHIP, 0) < 0 ||
			ioctl(vm, KVM_CREATE_PIT2, &pit) < 0))
		return -1;

	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	if (vcpu < 0)
		return -1;
	shared = mmap(NULL, SHARED_LEN, PROT_READ | PROT_WRITE, MAP_SHARED,
		      vcpu, 0);
	if (shared == MAP_FAILED || set_registers(vcpu) < 0)
		return -1;
	*ret_vm = (struct raw_vm){ .vcpu = vcpu, .run = shared };
	return 0;
}
