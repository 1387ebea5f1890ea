/* SPDX-License-Identifier: MIT */
/*
 * observe.h: what watches the vCPUs' exits, of one VM: the flight recorders, the
 * statistics and the trace.
 */
#ifndef TRAPMAP_OBSERVE_H
#define TRAPMAP_OBSERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "tsc.h"

struct flight;
struct stats;
struct stats_total;
struct trace;
struct trapmap_vm;

struct observe {
	struct tsc_mark from; /* the start */
	struct tsc_mark to; /* the end; once the vCPUs have quit */
	struct flight *flight; /* one a vCPU */
	struct stats **stats; /* one a vCPU; NULL: not asked for */
	struct trace *trace; /* NULL: not asked for */
	bool settled;

	/* Once settled; NULL where not asked for, or memory ran out. */
	struct stats_total *total;
	char *stats_text;

	/* Once the VM has ended. */
	uint64_t trace_exits;
	int trace_error;
};

/*
 * Makes what the VM's configuration asks for and hands it to the vCPUs. The board
 * has been built. Returns 0, or -errno with *err; observe_done() is due either way.
 */
int observe_start(struct trapmap_vm *vm, struct error *err);

/*
 * The run is over and the vCPUs have quit: adds up, and marks what nothing
 * claimed. Once is enough.
 */
void observe_settle(struct trapmap_vm *vm);

/*
 * Has the trace written to its end, with kernel_offset as trace_drain() takes it.
 * Returns whether it is; else vm_progress() will be called. After
 * observe_settle().
 */
bool observe_drain(struct trapmap_vm *vm, uint64_t kernel_offset);

/* The vCPUs have quit, the board is still there. */
void observe_done(struct trapmap_vm *vm);

#endif
