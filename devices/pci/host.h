/* SPDX-License-Identifier: MIT */
/*
 * host.h: a PCI host bridge with one bus: configuration access by ports and by
 * memory, and BARs that an operating system may move. PCI Local Bus Specification
 * 3.0; PCI Express Base Specification 3.0, 7.2.2 (ECAM).
 *
 * Locking: the host's own lock guards configuration accesses; a function's lock is
 * taken under it.
 */
#ifndef TRAPMAP_PCI_HOST_H
#define TRAPMAP_PCI_HOST_H

#include <stdint.h>

#include "core/bus.h"
#include "core/device.h"
#include "core/irq.h"

#define PCI_SLOTS 32 /* the first is the bridge's own */
#define PCI_PINS 4

/* 3.2.2.3.2: CONFIG_ADDRESS and CONFIG_DATA. */
#define PCI_HOST_PORTS_LEN 8
/* 4 KiB a function, 8 functions a slot, 32 slots: one bus. */
#define PCI_HOST_ECAM_LEN 0x100000

struct pci_function; /* pci/function.h */
struct pci_host;

struct pci_host_config {
	struct bus *mmio; /* where BARs answer; outlives the host */
	/*
	 * Inputs of the interrupt controller, level: the pin of a slot leads to
	 * (slot + pin) % PCI_PINS, pin 0 being INTA.
	 */
	struct irq_line pin[PCI_PINS];
	/* Where BARs are put at first, below 4 GiB. */
	uint64_t window, window_len;
};

/* Returns 0 or -ENOMEM. */
int pci_host_new(const struct pci_host_config *config,
		 struct pci_host **ret_host);

/*
 * The device, for reset and free (after all functions), and for the bus: offset 0
 * on is ECAM, PCI_HOST_ECAM_LEN on are the ports.
 */
struct device *pci_host_device(struct pci_host *host);

/*
 * Puts a function in a slot, 1 to PCI_SLOTS - 1, with its BARs in the window; it
 * stays the caller's. Returns 0, -EEXIST, -ENOSPC (the window is full) or -ENOMEM.
 */
int pci_host_add(struct pci_host *host, unsigned slot,
		 struct pci_function *function);

#endif
