/* SPDX-License-Identifier: MIT */
/*
 * exit.h: what a VM exit means. A pure function from (buses, struct kvm_run) to
 * what to do next: no ioctl, no lock, no allocation, so that tests feed it
 * made-up exits.
 */
#ifndef TRAPMAP_EXIT_H
#define TRAPMAP_EXIT_H

#include "trapmap/trapmap.h"

struct bus;
struct kvm_run;

enum exit_action {
	EXIT_RESUME, /* enter the guest again */
	EXIT_HALTED, /* HLT, and no local APIC in KVM that could wake it */
	EXIT_ENDED, /* the run is over: struct exit_end says how */
};

struct exit_end {
	enum trapmap_end_kind kind;
	char text[256]; /* a clause: "triple fault (KVM_EXIT_SHUTDOWN)" */
};

/*
 * Handles the exit that KVM_RUN left in *run, and puts results for the guest
 * there. *ret_end is filled for EXIT_ENDED only.
 */
enum exit_action exit_handle(struct bus *pio, struct bus *mmio,
			     struct kvm_run *run, struct exit_end *ret_end);

#endif
