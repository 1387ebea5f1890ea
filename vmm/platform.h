/* SPDX-License-Identifier: MIT */
/*
 * platform.h: what tables and trees say of the machine: one description for the
 * memory map, ACPI, the MP table, the devicetree and the command line.
 */
#ifndef TRAPMAP_PLATFORM_H
#define TRAPMAP_PLATFORM_H

#include <stdbool.h>
#include <stdint.h>

#include "trapmap/trapmap.h"

/* What TRAPMAP_TRANSPORT_DEFAULT stands for. */
#define PLATFORM_TRANSPORT TRAPMAP_TRANSPORT_MMIO

struct platform {
	uint64_t mem;			  /* bytes of RAM, at least 1 MiB */
	unsigned cpus;			  /* 1 to 255; APIC ids 0 to cpus - 1 */
	enum trapmap_transport transport; /* not _DEFAULT */
	/*
	 * Virtio devices. Of virtio-mmio: 0 to LAYOUT_VIRTIO_MAX, at
	 * LAYOUT_VIRTIO_AT(); of PCI: in the slots from 1 on, one function each,
	 * which interrupts by INTA.
	 */
	unsigned virtio;
	uint32_t cpu_signature; /* CPUID.1:EAX and :EDX, for the MP table */
	uint32_t cpu_features;
};

/* Virtio-mmio transports that tables and trees are to name. */
unsigned platform_virtio_mmio(const struct platform *p);

static inline bool platform_has_pci(const struct platform *p)
{
	return p->transport == TRAPMAP_TRANSPORT_PCI;
}

/* The IOAPIC's input of virtio-mmio transport n. */
unsigned platform_virtio_irq(enum trapmap_transport transport, unsigned n);

/* The IOAPIC's input of INTA of a PCI slot. */
unsigned platform_pci_irq(unsigned slot);

/*
 * The command line that a Linux kernel gets: cmdline, with the transports behind it
 * where nothing else names them, but before a "--", behind which init's arguments
 * are. The caller frees it. NULL: out of memory.
 */
char *platform_linux_cmdline(const struct platform *p, const char *cmdline);

#endif
