// SPDX-License-Identifier: MIT
/*
 * devices.c: the nodes that a model of ours serves, by their `compatible`. Sources:
 * Linux's bindings 8250, rtc-cmos, virtio/mmio, host-generic-pci,
 * intel,ce4100-ioapic and -lapic.
 *
 * Not here: clock rates, and all else that the binding of one of these has and that
 * changes nothing for who looks at its registers.
 */
#include "board/walk.h"

#include <errno.h>

#include "core/base.h"
#include "virtio/mmio.h"

#define UART_REGS 8u
#define UART_SHIFT_MAX 4
#define RTC_PORTS 2

/* An address and an interrupt, which are this node's from now on. */
static int place_device(struct board_walk *w, uint64_t least,
			struct platform_place *place)
{
	uint64_t len = 0;
	int r = board_address(w, least, place, &len);

	if (r == 0)
		r = board_claim(w, board_node(w), place->space, place->base,
				least);
	return r;
}

static int need_interrupt(struct board_walk *w, struct platform_place *place)
{
	int irq = -1, r = board_interrupt(w, &irq);

	if (r == 0 && irq < 0)
		return board_refuse(w, board_node(w), "it has no interrupts");
	if (r == 0)
		place->irq = (uint8_t)irq;
	return r;
}

/* COM1 and COM3 have one interrupt on every PC, COM2 and COM4 another. */
static int find_partner(const struct board_walk *w,
			const struct platform_place *uart)
{
	uint64_t first = uart->base | (LAYOUT_PORT_COM1 ^ LAYOUT_PORT_COM3);
	unsigned i;

	if (uart->space != TRAPMAP_SPACE_PIO ||
	    (first != LAYOUT_PORT_COM1 && first != LAYOUT_PORT_COM2))
		return -1;
	for (i = 0; i < w->uarts; i++)
		if (w->uart[i].space == TRAPMAP_SPACE_PIO &&
		    (w->uart[i].base |
		     (LAYOUT_PORT_COM1 ^ LAYOUT_PORT_COM3)) == first)
			return w->uart_node[i];
	return -1;
}

static int read_uart(struct board_walk *w)
{
	struct platform_place *uart = &w->uart[w->uarts];
	uint32_t shift = 0, width = 1, offset = 0;
	int node = board_node(w), r;

	if (w->uarts == PLATFORM_UARTS)
		return board_refuse(w, node,
				    "one serial port too many; there can be %d",
				    PLATFORM_UARTS);
	r = board_u32(w, node, "reg-shift", 0, &shift);
	if (r == 0)
		r = board_u32(w, node, "reg-io-width", 1, &width);
	if (r == 0)
		r = board_u32(w, node, "reg-offset", 0, &offset);
	if (r < 0)
		return r;
	if (width != 1 || offset != 0)
		return board_refuse(w, node,
				    "reg-io-width %u, reg-offset %u: expected "
				    "registers of one byte, from the first on",
				    width, offset);
	if (shift > UART_SHIFT_MAX ||
	    (shift && w->level[w->depth - 1].isa))
		return board_refuse(w, node,
				    "reg-shift %u: expected at most %d, and "
				    "none in port space",
				    shift, UART_SHIFT_MAX);
	r = place_device(w, (uint64_t)UART_REGS << shift, uart);
	if (r < 0)
		return r;
	w->irq_partner = find_partner(w, uart);
	r = need_interrupt(w, uart);
	w->irq_partner = -1;
	if (r < 0)
		return r;
	uart->reg_shift = (uint8_t)shift;
	w->uart_node[w->uarts++] = node;
	return 1;
}

static int read_rtc(struct board_walk *w)
{
	struct platform_place *rtc = &w->board->platform.rtc;
	int r;

	if (rtc->there)
		return board_refuse(w, board_node(w),
				    "a second clock; there can be one");
	r = place_device(w, RTC_PORTS, rtc);
	if (r == 0)
		r = need_interrupt(w, rtc);
	if (r == 0 && rtc->space != TRAPMAP_SPACE_PIO)
		return board_refuse(w, board_node(w),
				    "a clock in memory; expected one on the ISA "
				    "bus");
	return r < 0 ? r : 1;
}

static int read_virtio(struct board_walk *w)
{
	struct platform *p = &w->board->platform;
	struct platform_place *slot = &p->slot[p->slots];
	int r;

	if (p->slots == LAYOUT_VIRTIO_MAX)
		return board_refuse(w, board_node(w),
				    "one virtio,mmio too many; there can be %d",
				    LAYOUT_VIRTIO_MAX);
	r = place_device(w, VIRTIO_MMIO_LEN, slot);
	if (r == 0 && (slot->space != TRAPMAP_SPACE_MMIO ||
		       slot->base % VIRTIO_MMIO_LEN))
		return board_refuse(w, board_node(w),
				    "it is at %#llx; expected a whole page of "
				    "memory",
				    (unsigned long long)slot->base);
	if (r == 0)
		r = need_interrupt(w, slot);
	if (r < 0)
		return r;
	p->slots++;
	return 1;
}

/* One that is KVM's, or the bridge: it is where it is. */
static int check_at(struct board_walk *w, uint64_t base, uint64_t least)
{
	struct platform_place place = { 0 };
	uint64_t len = 0;
	int r = board_address(w, least, &place, &len);

	if (r == 0 && (place.space != TRAPMAP_SPACE_MMIO || place.base != base))
		return board_refuse(w, board_node(w),
				    "it is at %#llx; expected %#llx, where it is "
				    "here",
				    (unsigned long long)place.base,
				    (unsigned long long)base);
	return r < 0 ? r : 1;
}

static int read_ioapic(struct board_walk *w)
{
	return check_at(w, LAYOUT_IOAPIC, 0x20);
}

static int read_lapic(struct board_walk *w)
{
	return check_at(w, LAYOUT_LAPIC, 0x400);
}

/* Its functions are what is put on it, so the tree's are not looked at. */
static int read_pci(struct board_walk *w)
{
	struct platform *p = &w->board->platform;
	int node = board_node(w), r;
	unsigned i;

	if (w->pci >= 0)
		return board_refuse_both(w, w->pci, node,
					 "there can be one PCI bus");
	r = check_at(w, LAYOUT_ECAM, LAYOUT_ECAM_LEN);
	if (r < 0)
		return r;
	r = board_claim(w, node, TRAPMAP_SPACE_MMIO, LAYOUT_ECAM,
			LAYOUT_ECAM_LEN);
	if (r == 0)
		r = board_claim(w, node, TRAPMAP_SPACE_MMIO, LAYOUT_PCI_WINDOW,
				LAYOUT_PCI_WINDOW_LEN);
	for (i = 0; r == 0 && i < LAYOUT_IRQ_PCI_COUNT; i++)
		r = board_claim_irq(w, platform_pci_irq(i));
	if (r < 0)
		return r;
	w->pci = node;
	p->transport = TRAPMAP_TRANSPORT_PCI;
	return 1;
}

/* What is below it is looked at, and it is nothing itself. */
static int read_bus(struct board_walk *w)
{
	(void)w;
	return 0;
}

static const struct {
	const char *compatible;
	int (*read)(struct board_walk *w);
} models[] = {
	{ "ns16550a", read_uart },
	{ "ns16550", read_uart },
	{ "motorola,mc146818", read_rtc },
	{ "virtio,mmio", read_virtio },
	{ "pci-host-ecam-generic", read_pci },
	{ "intel,ce4100-ioapic", read_ioapic },
	{ "intel,ce4100-lapic", read_lapic },
	{ "isa", read_bus },
	{ "simple-bus", read_bus },
	{ "intel,ce4100-cp", read_bus },
};

int board_device(struct board_walk *w)
{
	int node = board_node(w), r, len = 0;
	const char *compatible;
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(models); i++)
		if (board_compatible(w, node, models[i].compatible))
			return models[i].read(w);
	r = board_string(w, node, "compatible", &compatible);
	if (r < 0)
		return r;
	if (compatible)
		r = board_note(w, "no model for '%.64s'", compatible);
	else if (fdt_getprop(w->fdt, node, "reg", &len))
		r = board_note(w, "no model; it has no compatible");
	else
		return 0;
	return r < 0 ? r : 1;
}
