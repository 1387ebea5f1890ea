/* SPDX-License-Identifier: MIT */
/*
 * irqchip.h: the interrupt controllers and the timer that live in KVM (two
 * 8259A, IOAPIC, local APICs, 8254), and what leads into them: lines, which a
 * device sets (KVM_IRQ_LINE), and eventfds, on which an event is an interrupt
 * without a word to us (KVM_IRQFD).
 *
 * A VM in KVM does not outlive a reboot; what is registered here does, and is put
 * into the next one.
 */
#ifndef TRAPMAP_IRQCHIP_H
#define TRAPMAP_IRQCHIP_H

#include <pthread.h>
#include <stdbool.h>

#include "core/irq.h"
#include "core/msi.h"
#include "error.h"

struct irqchip_edge;
struct irqchip_msi;

struct irqchip {
	const int *vm_fd; /* follows the VM through a reboot */
	/* Guards all below; no other lock is taken under it. */
	pthread_mutex_t lock;
	struct irqchip_edge *edges;
	struct irqchip_msi *msis;
	unsigned next_gsi; /* for messages: above the controllers' inputs */
};

/* vm_fd outlives it, and may change while no vCPU runs. */
void irqchip_init(struct irqchip *ic, const int *vm_fd);

/* Nothing uses what it gave any more. Accepts one that is all zero. */
void irqchip_done(struct irqchip *ic);

/*
 * Creates the controllers in a new VM, before its vCPUs, with all that is
 * registered. Returns 0, or -errno with *err.
 */
int irqchip_create(struct irqchip *ic, struct error *err);

/*
 * Whether a device can wake a processor that has halted with interrupts off: the
 * IOAPIC passes an input on as an NMI, an SMI or an INIT.
 */
bool irqchip_wakes_halted(int vm_fd);

/* One input of the controllers; the opaque of an irq_line. */
struct irqchip_input {
	const int *vm_fd;
	unsigned gsi;
};

/* A device's line into *input, which must outlive the line. */
struct irq_line irqchip_line(struct irqchip_input *input, const int *vm_fd,
			     unsigned gsi);

/*
 * An eventfd, not blocking, on which an event is an edge at this input: it goes up
 * and down again. Before there is a VM. Returns 0 with the descriptor, which stays
 * the irqchip's, or -errno.
 */
int irqchip_edge(struct irqchip *ic, unsigned gsi, int *ret_fd);

/*
 * A device's message-signalled interrupts, vectors 0 to `vectors` - 1; they live
 * as long as the irqchip. Returns 0 or -ENOMEM.
 */
int irqchip_msi(struct irqchip *ic, unsigned vectors, struct msi *ret_msi);

#endif
