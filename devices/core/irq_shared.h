/* SPDX-License-Identifier: MIT */
/*
 * irq_shared.h: an interrupt line that several devices raise: high while one of them
 * has it high, as where outputs are wired together.
 *
 * Where the controller's input acts on edges, a device that asks while another has
 * the line high makes no edge. So it is for the handler to go round all devices until
 * none asks any more; then the line has been low, and whoever asks next makes an edge.
 * Linux does so for the serial ports of one interrupt.
 */
#ifndef TRAPMAP_CORE_IRQ_SHARED_H
#define TRAPMAP_CORE_IRQ_SHARED_H

#include <pthread.h>

#include "core/irq.h"

struct irq_shared {
	/* Taken under a device's lock, for the levels to be set in order. */
	pthread_mutex_t lock;
	struct irq_line out;
	unsigned high; /* lines that are */
};

void irq_shared_init(struct irq_shared *shared, struct irq_line out);

/* No line of it is used any more. */
void irq_shared_done(struct irq_shared *shared);

/* Another line into it, which it must outlive. */
struct irq_line irq_shared_line(struct irq_shared *shared);

#endif
