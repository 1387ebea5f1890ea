/* SPDX-License-Identifier: MIT */
/* text.h: the parts of postmortem_text(). */
#ifndef TRAPMAP_POSTMORTEM_TEXT_H
#define TRAPMAP_POSTMORTEM_TEXT_H

#include <stdio.h>

#include "postmortem/postmortem.h"

/* Registers, code, walks, stack. */
void text_vcpu(FILE *f, const struct postmortem *pm,
	       const struct pm_vcpu *vcpu);

/* The last exits, alike ones folded, at most `lines` lines. */
void text_exits(FILE *f, const struct postmortem *pm,
		const struct pm_vcpu *vcpu, unsigned lines);

/* "12.3 us before the end"; us is not negative. */
void text_before(FILE *f, double us);

/* One exit, without its time: "out 0x3f8 <- 0x41  (uart16550)". */
void text_exit(FILE *f, const struct postmortem *pm,
	       const struct flight_record *rec);

#endif
