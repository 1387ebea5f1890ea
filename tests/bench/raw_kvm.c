// SPDX-License-Identifier: MIT
/*
 * raw_kvm.c: guest_start with nothing around it, to measure a start against.
 *
 *	raw_kvm [-i] [-m MIB]		runs it; -i: with interrupt controllers
 *	raw_kvm -d start|idle		writes a guest to stdout, for others
 */
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "guests.h"
#include "raw_vm.h"

static int run(const struct raw_vm *vm)
{
	while (ioctl(vm->vcpu, KVM_RUN, NULL) == 0) {
		if (vm->run->exit_reason != KVM_EXIT_IO)
			return 1;
		if (vm->run->io.port == PORT_END)
			return GUEST_STATUS;
		if (vm->run->io.port == PORT_SAY &&
		    write(STDOUT_FILENO, "x", 1) != 1)
			return 1;
	}
	perror("KVM_RUN");
	return 1;
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
	size_t mem_len = 64ul << 20;
	bool irqchip = false;
	struct raw_vm vm;
	int opt;

	while ((opt = getopt(argc, argv, "d:im:")) != -1)
		switch (opt) {
		case 'd': return dump(optarg);
		case 'i': irqchip = true; break;
		case 'm': mem_len = strtoul(optarg, NULL, 0) << 20; break;
		default: return 2;
		}
	if (raw_vm_new(mem_len, irqchip, guest_start,
		       (size_t)(guest_start_end - guest_start), &vm) < 0) {
		perror("cannot create a VM");
		return 1;
	}
	return run(&vm);
}
