/* SPDX-License-Identifier: MIT */
/*
 * fault_cause.h: what came first of the exceptions that ended in a shutdown.
 */
#ifndef TRAPMAP_POSTMORTEM_FAULT_CAUSE_H
#define TRAPMAP_POSTMORTEM_FAULT_CAUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "postmortem/deliver.h"
#include "postmortem/walk.h"

struct kvm_regs;
struct kvm_sregs;
struct kvm_vcpu_events;

#define FAULT_CODE_LEN 15 /* of the longest instruction */

/* A processor that stands as it did when it shut down. */
struct fault_subject {
	const struct kvm_regs *regs;
	const struct kvm_sregs *sregs;
	const struct kvm_vcpu_events *events;
	struct deliver_state state;
	bool is_64;   /* 64-bit mode */
	uint64_t rip; /* linear */
	struct walk at_rip;
	uint8_t code[FAULT_CODE_LEN];
	size_t code_len; /* 0: RIP is not mapped to RAM */
};

struct fault_cause {
	int vector;   /* -1: unknown */
	bool certain; /* else it follows from the instruction at RIP only */
	char text[160];
};

void fault_cause_find(const struct fault_subject *s,
		      struct fault_cause *ret_cause);

/* Text of limited size that grows; what does not fit is cut. */
struct fault_line {
	char *text;
	size_t len, size;
};

struct fault_line fault_line_in(char *text, size_t size);
void fault_say(struct fault_line *line, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
