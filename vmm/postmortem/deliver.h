/* SPDX-License-Identifier: MIT */
/*
 * deliver.h: what happens when a processor in a given state has an exception or
 * interrupt to deliver. Nothing changes: it only says how far it would get.
 */
#ifndef TRAPMAP_POSTMORTEM_DELIVER_H
#define TRAPMAP_POSTMORTEM_DELIVER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/gmem.h"
#include "postmortem/walk.h"

#define VECTOR_DE 0
#define VECTOR_DF 8
#define VECTOR_TS 10
#define VECTOR_NP 11
#define VECTOR_SS 12
#define VECTOR_GP 13
#define VECTOR_PF 14

enum deliver_mode {
	DELIVER_REAL,
	DELIVER_PROTECTED, /* virtual-8086 mode too, with cpl 3 */
	DELIVER_LONG,	   /* 64-bit and compatibility mode */
};

struct deliver_table {
	uint64_t base;
	uint32_t limit;
};

struct deliver_state {
	const struct gmem *gm;
	struct walk_mode paging;
	enum deliver_mode mode;
	unsigned cpl;
	uint64_t rsp;
	struct deliver_table idt, gdt, ldt, tss;
	bool tss16; /* TR has a 16-bit TSS */
	struct deliver_table ss;
	bool ss_down, ss_big; /* expand-down; with 32-bit ESP */
};

struct delivery {
	/*
	 * The exception that comes of the attempt; -1: none, the handler's
	 * first instruction is reached (or, where `why` says so, cannot be
	 * fetched).
	 */
	int raises;
	char why[128]; /* completes "cannot be delivered: " */
};

/* "#UD" for 6; NULL for what is not an exception. */
const char *vector_name(unsigned vector);

/* Whether the processor pushes an error code with it. */
bool vector_has_error_code(unsigned vector);

/*
 * The exception that is delivered when `second` is raised while `first` is
 * being delivered; -1: the processor shuts down. SDM volume 3, table 6-5.
 */
int vector_combine(unsigned first, unsigned second);

void deliver(const struct deliver_state *s, unsigned vector,
	     struct delivery *ret_delivery);

/*
 * Why the stack cannot take len bytes below rsp (in SS where there are
 * segments), after name: NULL if it can, or "is not mapped". The exception is
 * put into *ret_raises.
 */
const char *deliver_stack(const struct deliver_state *s,
			  const struct deliver_table *ss, uint64_t rsp,
			  unsigned len, int *ret_raises);

#endif
