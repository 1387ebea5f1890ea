/* SPDX-License-Identifier: MIT */
/* postmortem.h: what is left to see of a guest that ended badly. */
#ifndef TRAPMAP_POSTMORTEM_H
#define TRAPMAP_POSTMORTEM_H

struct gmem;
struct vcpu;

/*
 * Lines for people: each vCPU's registers and the bytes at its RIP. The vCPUs'
 * threads have quit. The caller's, to free(); NULL where memory ran out.
 */
char *postmortem_text(const struct vcpu *vcpu, unsigned count,
		      const struct gmem *gm);

#endif
