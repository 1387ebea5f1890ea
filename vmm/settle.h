/* SPDX-License-Identifier: MIT */
/*
 * settle.h: what the guest's consoles say about the end of its run. A guest
 * whose kernel panics gets a last second for what it has to say; and an end
 * that looks well is checked against the rules (enum trapmap_rule).
 */
#ifndef TRAPMAP_SETTLE_H
#define TRAPMAP_SETTLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "watch.h"

struct loop_timer;
struct trapmap_vm;

struct settle {
	struct loop_timer *timer;
	/* VM clock, of the panic line and of the latest output after it. */
	_Atomic int64_t panic_at, spoke_at;
	bool done; /* the loop's thread only */
};

/* Before the guest runs. Returns 0 or -errno; settle_done() is due. */
int settle_init(struct trapmap_vm *vm);

/* Output of the guest's. Any thread, with a device's lock held. */
void settle_output(struct trapmap_vm *vm, enum watch_stream stream,
		   const uint8_t *buf, size_t len);

/*
 * All vCPUs have quit, and there is an end: gives it the kind and the words
 * that the consoles ask for. The loop's thread; the first call counts.
 */
void vm_settle(struct trapmap_vm *vm);

/* The loop's thread has stopped. */
void settle_done(struct trapmap_vm *vm);

#endif
