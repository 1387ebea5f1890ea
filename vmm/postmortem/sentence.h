/* SPDX-License-Identifier: MIT */
/* sentence.h: an end in one sentence, as a kernel developer would say it. */
#ifndef TRAPMAP_POSTMORTEM_SENTENCE_H
#define TRAPMAP_POSTMORTEM_SENTENCE_H

#include <stddef.h>

#include "postmortem/postmortem.h"

/* What the last exit of the vCPU that crashed tells. */
struct sentence_crash {
	uint32_t reason; /* KVM_EXIT_* */
	uint64_t detail; /* the suberror */
	/* Of an exception that came to no handler: fault_explain()'s clause, or "". */
	const char *fault;
	/* Of a failed emulation: the instruction, disassembled (or "") and raw. */
	const char *insn;
	const uint8_t *bytes;
	unsigned len;
};

/*
 * Puts it into text. Returns false where there is no more to say than
 * KVM did: text is untouched.
 */
bool sentence_crash(const struct postmortem *pm, const struct pm_vcpu *vcpu,
		    const struct sentence_crash *crash, char *text,
		    size_t size);

/* ", at 0x1234 (name+0x12)" of the vCPU, or "". */
void sentence_place(const struct postmortem *pm, const struct pm_vcpu *vcpu,
		    char *text, size_t size);

#endif
