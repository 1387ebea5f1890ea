// SPDX-License-Identifier: MIT
/*
 * claims.c: what is taken. Beside the nodes of the tree a board has what KVM has
 * itself and what Trapmap always adds, which no binding speaks of; each of them
 * answers wherever a tree might want something else.
 */
#include "board/walk.h"

#include <errno.h>

#include "acpi_pm.h"
#include "core/base.h"
#include "fw_cfg.h"
#include "pc_testdev.h"
#include "pci/host.h"
#include "trapmap/guest_abi.h"

#define PIO TRAPMAP_SPACE_PIO
#define MMIO TRAPMAP_SPACE_MMIO

static const struct {
	enum trapmap_space space;
	uint64_t base;
	uint64_t len;
	const char *who;
} fixed[] = {
	{ PIO, 0x20, 2, "the interrupt controller's (8259A)" },
	{ PIO, 0x40, 4, "the timer's (8254)" },
	{ PIO, LAYOUT_PORT_I8042_DATA, 1, "the keyboard controller's" },
	{ PIO, 0x61, 1, "the timer's (8254)" },
	{ PIO, LAYOUT_PORT_I8042_COMMAND, 1, "the keyboard controller's" },
	{ PIO, TRAPMAP_POST_PORT, 1, "the POST code's" },
	{ PIO, 0xa0, 2, "the interrupt controller's (8259A)" },
	{ PIO, LAYOUT_PORT_TESTDEV, PC_TESTDEV_IOPORT_LEN, "the test device's" },
	{ PIO, LAYOUT_PORT_TESTDEV_FLUSH, PC_TESTDEV_FLUSH_LEN,
	  "the test device's" },
	{ PIO, LAYOUT_PORT_TESTDEV_BYTE, PC_TESTDEV_BYTE_LEN,
	  "the test device's" },
	{ PIO, TRAPMAP_DEBUGCON_PORT, 1, "the debug console's" },
	{ PIO, TRAPMAP_DEBUG_EXIT_PORT, 4, "debug-exit's" },
	{ PIO, TRAPMAP_DEBUGCON_PORT_2, 1, "the debug console's" },
	{ PIO, 0x4d0, 2, "the interrupt controller's (8259A)" },
	{ PIO, TRAPMAP_PVPANIC_PORT, 1, "pvpanic's" },
	{ PIO, LAYOUT_PORT_FW_CFG, FW_CFG_LEN, "fw_cfg's" },
	{ PIO, TRAPMAP_TEST_EXIT_PORT, 4, "test-exit's" },
	{ PIO, LAYOUT_PORT_PM_EVENT, ACPI_PM_LEN, "ACPI's power management" },
	{ PIO, LAYOUT_PORT_PCI_CONFIG, PCI_HOST_PORTS_LEN,
	  "PCI's configuration" },
	{ PIO, LAYOUT_PORT_TESTDEV_IRQ, PC_TESTDEV_IRQ_LEN, "the test device's" },
	{ MMIO, LAYOUT_IOAPIC, 0x1000, "the IOAPIC's" },
	/* With what message-signalled interrupts are written to. */
	{ MMIO, LAYOUT_LAPIC, 0x100000, "the local APICs'" },
	{ MMIO, LAYOUT_IDENTITY_MAP, LAYOUT_TSS_END - LAYOUT_IDENTITY_MAP,
	  "KVM's" },
	{ MMIO, LAYOUT_HOLE_END - LAYOUT_ROM_MAX, LAYOUT_ROM_MAX,
	  "firmware's and the test device's" },
};

static const struct {
	uint8_t irq;
	const char *who;
} fixed_irq[] = {
	{ 0, "the timer's" },
	{ LAYOUT_IRQ_KEYBOARD, "the keyboard controller's" },
	{ 2, "the timer's" },
	{ LAYOUT_IRQ_SCI, "ACPI's (SCI)" },
	{ LAYOUT_IRQ_MOUSE, "the keyboard controller's" },
};

void board_claim_fixed(struct board_walk *w)
{
	unsigned i;

	_Static_assert(ARRAY_SIZE(fixed) + BOARD_RANGES_MAX + PLATFORM_UARTS +
				       LAYOUT_VIRTIO_MAX + 4 <=
			       BOARD_CLAIMS_MAX,
		       "room for all");
	for (i = 0; i < ARRAY_SIZE(fixed); i++)
		w->claim[w->claims++] = (struct board_claim){
			.space = fixed[i].space,
			.base = fixed[i].base,
			.last = fixed[i].base + fixed[i].len - 1,
			.node = -1,
			.who = fixed[i].who,
		};
}

int board_claim(struct board_walk *w, int node, enum trapmap_space space,
		uint64_t base, uint64_t len)
{
	const char *what = space == PIO ? "port" : "address";
	uint64_t last = base + (len - 1), shared;
	unsigned i;

	for (i = 0; i < w->claims; i++) {
		const struct board_claim *c = &w->claim[i];

		if (c->space != space || c->base > last || base > c->last)
			continue;
		shared = c->base > base ? c->base : base;
		if (c->node >= 0)
			return board_refuse_both(w, c->node, node,
						 "both have %s %#llx", what,
						 (unsigned long long)shared);
		return board_refuse(w, node,
				    "%s %#llx is %s, which every board has",
				    what, (unsigned long long)shared, c->who);
	}
	if (w->claims == BOARD_CLAIMS_MAX)
		return board_refuse(w, node, "one device too many");
	w->claim[w->claims++] = (struct board_claim){
		.space = space,
		.base = base,
		.last = last,
		.node = node,
	};
	return 0;
}

int board_claim_irq(struct board_walk *w, unsigned irq)
{
	int node = board_node(w);
	unsigned i;

	if (irq >= LAYOUT_IOAPIC_PINS)
		return board_refuse(w, node,
				    "interrupt %u: the IOAPIC has inputs 0 to %d",
				    irq, LAYOUT_IOAPIC_PINS - 1);
	for (i = 0; i < ARRAY_SIZE(fixed_irq); i++)
		if (fixed_irq[i].irq == irq)
			return board_refuse(w, node,
					    "interrupt %u is %s, which every "
					    "board has",
					    irq, fixed_irq[i].who);
	if (w->irq_node[irq] >= 0 && w->irq_node[irq] == w->irq_partner)
		return 0;
	if (w->irq_node[irq] >= 0)
		return board_refuse_both(w, w->irq_node[irq], node,
					 "both have interrupt %u", irq);
	w->irq_node[irq] = node;
	return 0;
}
