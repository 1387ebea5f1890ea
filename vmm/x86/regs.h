/* SPDX-License-Identifier: MIT */
/*
 * regs.h: the state in which the first vCPU starts, and registers by name.
 */
#ifndef TRAPMAP_X86_REGS_H
#define TRAPMAP_X86_REGS_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

#include "boot/plan.h"
#include "core/gmem.h"

/*
 * Writes what a protocol needs beside registers where layout.h says: for
 * BOOT_LINUX32 a GDT; for BOOT_LINUX64 also identity page tables, which map all
 * RAM below the hole with 2 MiB pages; for others nothing.
 */
void regs_write_tables(const struct gmem *gm, enum boot_protocol protocol);

/*
 * Puts the start state of plan->protocol into *regs and *sregs, which hold the
 * vCPU's state after reset (as KVM_GET_REGS and KVM_GET_SREGS gave it).
 */
void regs_start(const struct boot_plan *plan, struct kvm_regs *regs,
		struct kvm_sregs *sregs);

/*
 * A register by name (see trapmap_vcpu_get_reg()). NULL if there is none.
 * regs_name_get() and _set() move it between *val and the structures; set
 * leaves alone the bits that the register does not have.
 */
struct reg_name;
const struct reg_name *regs_find(const char *name);
bool regs_is_special(const struct reg_name *reg); /* in kvm_sregs */
uint64_t regs_name_get(const struct reg_name *reg, const struct kvm_regs *regs,
		       const struct kvm_sregs *sregs);
void regs_name_set(const struct reg_name *reg, struct kvm_regs *regs,
		   struct kvm_sregs *sregs, uint64_t val);

#endif
