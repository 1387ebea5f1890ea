/* SPDX-License-Identifier: MIT */
/*
 * irqchip.h: the interrupt controllers and the timer that live in KVM (two
 * 8259A, IOAPIC, local APICs, 8254), and the lines of devices into them.
 */
#ifndef TRAPMAP_IRQCHIP_H
#define TRAPMAP_IRQCHIP_H

#include "core/irq.h"
#include "error.h"

/* One input of the controllers; the opaque of an irq_line. */
struct irqchip_input {
	const int *vm_fd; /* follows the VM through a reboot */
	unsigned gsi;
};

/* Creates them in a new VM, before its vCPUs. Returns 0, or -errno with *err. */
int irqchip_create(int vm_fd, struct error *err);

/*
 * Whether a device can wake a processor that has halted with interrupts off: the
 * IOAPIC passes an input on as an NMI, an SMI or an INIT.
 */
bool irqchip_wakes_halted(int vm_fd);

/* A device's line into *input, which must outlive the line. */
struct irq_line irqchip_line(struct irqchip_input *input, const int *vm_fd,
			     unsigned gsi);

#endif
