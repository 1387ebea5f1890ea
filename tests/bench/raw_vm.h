/* SPDX-License-Identifier: MIT */
/*
 * raw_vm.h: the yardstick: the least that runs a guest on /dev/kvm. One memory
 * slot, one vCPU in real mode, and nothing that a guest of this kind can do
 * without.
 */
#ifndef TRAPMAP_BENCH_RAW_VM_H
#define TRAPMAP_BENCH_RAW_VM_H

#include <stdbool.h>
#include <stddef.h>

struct kvm_run;

struct raw_vm {
	int vcpu;
	struct kvm_run *run;
};

/*
 * Puts code where Trapmap puts a flat real-mode binary. irqchip adds what a PC
 * has and KVM offers: interrupt controllers and a timer. Returns 0, or -1 with
 * errno; what has been made stays until the process ends.
 */
int raw_vm_new(size_t mem_len, bool irqchip, const void *code, size_t len,
	       struct raw_vm *ret_vm);

#endif
