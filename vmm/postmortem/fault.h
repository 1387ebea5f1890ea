/* SPDX-License-Identifier: MIT */
/*
 * fault.h: why a processor shut down. From its state after the triple fault and
 * guest memory it finds out what could not be delivered, as the processor would
 * have tried: SDM volume 3, 6.12 to 6.15.
 */
#ifndef TRAPMAP_POSTMORTEM_FAULT_H
#define TRAPMAP_POSTMORTEM_FAULT_H

#include <stddef.h>

struct gmem;
struct kvm_regs;
struct kvm_sregs;
struct kvm_vcpu_events;

/*
 * A clause for people, such as "#PF at 0xdead000 (fetch); its handler cannot be
 * reached: IDT limit 0". Says only what the state shows; where it shows nothing
 * the text is "".
 */
void fault_explain(const struct kvm_regs *regs, const struct kvm_sregs *sregs,
		   const struct kvm_vcpu_events *events, const struct gmem *gm,
		   char *text, size_t size);

#endif
