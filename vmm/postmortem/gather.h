/* SPDX-License-Identifier: MIT */
/*
 * gather.h: takes a struct postmortem out of a VM whose vCPUs have quit. The
 * functions on a VM are for the loop's thread, or for one thread after the end.
 */
#ifndef TRAPMAP_POSTMORTEM_GATHER_H
#define TRAPMAP_POSTMORTEM_GATHER_H

#include <stdint.h>

struct disasm;
struct flight;
struct gmem;
struct pm_vcpu;
struct trapmap_vm;

/*
 * A crash gets its sentence (end_text), a stuck vCPU its place. Before
 * vm_settle(), which adds to it.
 */
void vm_explain_end(struct trapmap_vm *vm);

/* Makes vm->postmortem, for an end that asks for one. After vm_settle(). */
void vm_take_postmortem(struct trapmap_vm *vm);

/* trapmap_vm_report(); the VM's own. NULL: memory ran out. */
const char *vm_report(struct trapmap_vm *vm);

/*
 * What KASLR added to the addresses of the kernel's symbols. 0: nothing, or
 * there are no symbols, or they do not tell.
 */
uint64_t vm_kernel_offset(struct trapmap_vm *vm);

/* Releases what the above made. Before the vCPUs go. */
void vm_postmortem_done(struct trapmap_vm *vm);

/* ---- gather_vcpu.c ------------------------------------------------------ */

/* All that KVM and guest memory tell. disasm may be NULL. */
void gather_vcpu(unsigned id, int fd, const struct flight *flight,
		 const struct gmem *gm, struct disasm *disasm,
		 struct pm_vcpu *ret_vcpu);

/* What follows from the registers: mode, code, stack and their page walks. */
void gather_memory(struct pm_vcpu *vcpu, const struct gmem *gm,
		   struct disasm *disasm);

/* The last exits, in order. Without memory there are none. */
void gather_exits(struct pm_vcpu *vcpu, const struct flight *flight);

#endif
