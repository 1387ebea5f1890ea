/* SPDX-License-Identifier: MIT */
/*
 * platform.h: the board as data: memory, processors, and where each device answers
 * and interrupts. One description that the board is built from (machine.c), and that
 * all speak of who tell the guest: the memory map, ACPI, the MP table, the
 * devicetree, the command line. It is a PC's, or what a devicetree describes.
 */
#ifndef TRAPMAP_PLATFORM_H
#define TRAPMAP_PLATFORM_H

#include <stdbool.h>
#include <stdint.h>

#include "layout.h"
#include "trapmap/trapmap.h"
#include "x86/topology.h"

/* What TRAPMAP_TRANSPORT_DEFAULT stands for. */
#define PLATFORM_TRANSPORT TRAPMAP_TRANSPORT_MMIO

/* As many as the area of the ACPI tables has room to name. */
#define PLATFORM_CPUS_MAX 1024

/* COM1 to COM4. */
#define PLATFORM_UARTS 4
#define PLATFORM_RAM_MAX 4

struct platform_ram {
	uint64_t base;
	uint64_t len;
};

/* Where a device answers, and the IOAPIC's input that it raises. */
struct platform_place {
	enum trapmap_space space;
	bool there;
	uint8_t reg_shift; /* of a UART: a register every 1 << reg_shift bytes */
	uint8_t irq;
	uint64_t base;
};

struct platform {
	/*
	 * RAM in whole pages, ascending, outside of [LAYOUT_HOLE,
	 * LAYOUT_HOLE_END). The first begins at 0 and has at least 1 MiB, of
	 * which [LAYOUT_LOW_RAM_END, LAYOUT_BIOS) is none.
	 */
	struct platform_ram ram[PLATFORM_RAM_MAX];
	unsigned rams;
	uint64_t mem; /* bytes of it in all */
	uint64_t rom; /* bytes of firmware up to LAYOUT_HOLE_END; 0: none */

	unsigned cpus; /* 1 to PLATFORM_CPUS_MAX */
	struct topology topology; /* of them; all zero as topology.h says */
	uint32_t cpu_signature; /* CPUID.1:EAX and :EDX, for the MP table */
	uint32_t cpu_features;

	struct platform_place uart[PLATFORM_UARTS];
	struct platform_place rtc;

	enum trapmap_transport transport; /* not _DEFAULT */
	/* Where virtio-mmio devices can be; `slots` of them. */
	struct platform_place slot[LAYOUT_VIRTIO_MAX];
	unsigned slots;
	/*
	 * Virtio devices that are there. Of virtio-mmio: the first of the slots;
	 * of PCI: in the slots from 1 on, one function each, which interrupts by
	 * INTA.
	 */
	unsigned virtio;
	uint32_t disks; /* bit n: the virtio device n is a disk */
};

/* A PC with this memory, at least 1 MiB, and these processors; no virtio yet. */
struct platform platform_pc(uint64_t mem, unsigned cpus,
			    enum trapmap_transport transport);

/*
 * Gives it COM1 to COM4, by i from 0 on, where a PC has them. (With COM2 or COM4 a
 * virtio slot goes that would have their interrupt.)
 */
void platform_add_pc_uart(struct platform *p, unsigned i);

/* The local APIC id of a processor, which KVM and all tables know it by. */
static inline uint32_t platform_apic_id(const struct platform *p, unsigned cpu)
{
	return topology_apic_id(&p->topology, cpu);
}

/* Virtio-mmio transports that tables and trees are to name. */
unsigned platform_virtio_mmio(const struct platform *p);

static inline bool platform_has_pci(const struct platform *p)
{
	return p->transport == TRAPMAP_TRANSPORT_PCI;
}

/* Whether the clock is where a PC has it, and where ACPI has a kernel look. */
static inline bool platform_has_cmos_rtc(const struct platform *p)
{
	return p->rtc.there && p->rtc.space == TRAPMAP_SPACE_PIO &&
	       p->rtc.base == LAYOUT_PORT_RTC;
}

/* The IOAPIC's input of INTA of a PCI slot. */
unsigned platform_pci_irq(unsigned slot);

/* Where memory ends that begins at 0: the most a loader can use. */
uint64_t platform_low_ram_end(const struct platform *p);

/*
 * The command line that a Linux kernel gets: cmdline, with the transports behind it
 * where nothing else names them, but before a "--", behind which init's arguments
 * are. The caller frees it. NULL: out of memory.
 */
char *platform_linux_cmdline(const struct platform *p, const char *cmdline);

#endif
