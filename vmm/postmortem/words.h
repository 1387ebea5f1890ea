/* SPDX-License-Identifier: MIT */
/*
 * words.h: what states, exits, places and bits are called, the same for people
 * and programs.
 */
#ifndef TRAPMAP_POSTMORTEM_WORDS_H
#define TRAPMAP_POSTMORTEM_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "postmortem/postmortem.h"

/* "crash", as in the report's verdict.kind; takes 2 ("not-run") too. */
const char *words_kind(int kind);
/* "software", "VT-x", "AMD-V" or "unknown". */
const char *words_kvm(enum trapmap_kvm_kind kind);
/* "halted, interrupts off" */
const char *words_state(enum pm_state state);
/* "64-bit mode" */
const char *words_mode(enum pm_mode mode);
/* "serial", "debug console" */
const char *words_stream(enum watch_stream stream);

/* "not-present": how a walk ended. */
const char *words_walk(enum walk_end end);

/*
 * What a PC has at a port or address that this machine has nothing at, or NULL;
 * and that range, which all of it shares.
 */
const char *words_place(bool is_mmio, uint64_t addr, uint64_t *ret_first,
			uint64_t *ret_last);

enum words_register { WORDS_CR0, WORDS_CR4, WORDS_EFER, WORDS_RFLAGS };

/* The names of the bits that are set, a blank between. */
void words_bits(enum words_register which, uint64_t val, char *text,
		size_t size);

/* "code, 64-bit, DPL 0" */
void words_segment(const struct kvm_segment *seg, char *text, size_t size);

/*
 * "name+0x12" of addr in the guest's kernel, or "" where nothing is known; and
 * whether there was a name.
 */
bool words_symbol(const struct postmortem *pm, uint64_t addr, char *text,
		  size_t size);

/*
 * The current privilege level: SDM volume 3, 5.5. KVM keeps it in SS's DPL; real
 * mode has 0.
 */
unsigned words_cpl(const struct pm_vcpu *vcpu);

/* Microseconds from the end to that moment, below 0 before it. */
double words_when(const struct postmortem *pm, uint64_t tsc);

/* The device that answers there, or NULL. */
const char *words_device(const struct postmortem *pm,
			 const struct flight_record *rec);

#endif
