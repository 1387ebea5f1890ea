// SPDX-License-Identifier: MIT
/*
 * raw_kvm.c: the yardstick: the least that runs a guest on /dev/kvm. One memory
 * slot, one vCPU, the process's only thread, and no look at what it was not
 * asked for.
 *
 *	raw_kvm [-i] [-m MIB] start		guest_start
 *	raw_kvm [-i] [-m MIB] exits ACCESS N	guest_exits; prints ns an exit
 *	raw_kvm dump start|idle			a guest's bytes, for others
 *
 * -i adds KVM's interrupt controllers and timer, which a PC has.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guests.h"

/* Where Trapmap puts a flat real-mode binary, and what it enters it with. */
#define GUEST_GPA 0x10000

static int fail(const char *what)
{
	perror(what);
	return 1;
}

static int create(bool irqchip, size_t mem_len, uint8_t **ret_mem)
{
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
	struct kvm_userspace_memory_region slot = { .memory_size = mem_len };
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), vm;
	uint8_t *mem;

	if (kvm < 0)
		return -1;
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm < 0)
		return -1;
	if (irqchip && (ioctl(vm, KVM_CREATE_IRQCHIP, 0) < 0 ||
			ioctl(vm, KVM_CREATE_PIT2, &pit) < 0))
		return -1;
	mem = mmap(NULL, mem_len, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mem == MAP_FAILED)
		return -1;
	slot.userspace_addr = (uintptr_t)mem;
	if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot) < 0)
		return -1;
	*ret_mem = mem;
	return vm;
}

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

static int run(int vcpu, struct kvm_run *run, unsigned count)
{
	double mark = 0;

	for (;;) {
		if (ioctl(vcpu, KVM_RUN, NULL) < 0)
			return fail("KVM_RUN");
		if (run->exit_reason != KVM_EXIT_IO) {
			fprintf(stderr, "exit reason %u\n", run->exit_reason);
			return 1;
		}
		switch (run->io.port) {
		case PORT_SAY:
			if (write(STDOUT_FILENO, "x", 1) != 1)
				return fail("write");
			break;
		case PORT_MARK:
			if (mark > 0)
				printf("%.1f\n", (now_ns() - mark) / count);
			mark = now_ns();
			break;
		case 0xf4: return GUEST_STATUS;
		}
	}
}

static int dump(const char *name)
{
	const uint8_t *from = guest_idle, *to = guest_idle_end;

	if (strcmp(name, "start") == 0) {
		from = guest_start;
		to = guest_start_end;
	}
	return fwrite(from, (size_t)(to - from), 1, stdout) == 1 ? 0 : 1;
}

int main(int argc, char **argv)
{
	size_t mem_len = 64ul << 20, code_len;
	uint8_t code[GUEST_MAX], *mem;
	unsigned count = 0;
	bool irqchip = false;
	int opt, vm, vcpu;
	void *shared;

	while ((opt = getopt(argc, argv, "im:")) != -1) {
		if (opt == 'm')
			mem_len = strtoul(optarg, NULL, 0) << 20;
		irqchip |= opt == 'i';
	}
	argv += optind;
	argc -= optind;
	if (argc == 2 && strcmp(argv[0], "dump") == 0)
		return dump(argv[1]);
	if (argc == 3 && strcmp(argv[0], "exits") == 0) {
		count = (unsigned)strtoul(argv[2], NULL, 0);
		code_len = make_exits_guest(code, argv[1], count);
	} else {
		code_len = (size_t)(guest_start_end - guest_start);
		memcpy(code, guest_start, code_len);
	}

	vm = create(irqchip, mem_len, &mem);
	if (vm < 0)
		return fail("cannot create a VM");
	memcpy(mem + GUEST_GPA, code, code_len);
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	if (vcpu < 0)
		return fail("KVM_CREATE_VCPU");
	/* struct kvm_run, and the page with the data of port accesses. */
	shared = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	if (shared == MAP_FAILED || set_registers(vcpu) < 0)
		return fail("cannot set the vCPU up");
	return run(vcpu, shared, count);
}
