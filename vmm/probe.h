/* SPDX-License-Identifier: MIT */
/*
 * probe.h: can KVM here run the instructions that a stock Linux kernel needs?
 * Found out by running them, each in a virtual machine of its own.
 */
#ifndef TRAPMAP_PROBE_H
#define TRAPMAP_PROBE_H

enum probe_result {
	PROBE_RAN,
	PROBE_NOT_OFFERED, /* CPUID does not offer it, so no guest will use it */
	PROBE_REFUSED, /* KVM ended the guest */
	PROBE_STUCK, /* the instruction did not complete in time */
	PROBE_FAILED, /* the host gave no virtual machine to try it in */
};

/* The probes there are; each with the instructions' names. */
enum probe { PROBE_BASE, PROBE_INT3, PROBE_XSAVE, PROBE_CX16, PROBE_COUNT };

const char *probe_name(enum probe probe);

/*
 * Runs one, on the calling thread, in a quarter of a second at most. The
 * caller's signal mask is back as it was on return.
 */
enum probe_result probe_run(int sys_fd, enum probe probe);

#endif
