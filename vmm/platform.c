// SPDX-License-Identifier: MIT
#include "platform.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"

/*
 * A kernel that is told on its command line looks the number up nowhere: Linux
 * knows by itself only the interrupts of ISA. These are the ones that no device of
 * the board has, but for the last, which COM2 and COM4 have where they are there.
 */
static const uint8_t isa_irqs[] = { 5, 6, 7, 10, 11, 14, 15, 3 };

_Static_assert(sizeof(isa_irqs) == LAYOUT_VIRTIO_MAX, "an IRQ each");

static const struct platform_place pc_uart[PLATFORM_UARTS] = {
	{ TRAPMAP_SPACE_PIO, true, 0, LAYOUT_IRQ_COM1, LAYOUT_PORT_COM1 },
	{ TRAPMAP_SPACE_PIO, true, 0, LAYOUT_IRQ_COM2, LAYOUT_PORT_COM2 },
	{ TRAPMAP_SPACE_PIO, true, 0, LAYOUT_IRQ_COM1, LAYOUT_PORT_COM3 },
	{ TRAPMAP_SPACE_PIO, true, 0, LAYOUT_IRQ_COM2, LAYOUT_PORT_COM4 },
};

static const struct platform_place pc_rtc = {
	TRAPMAP_SPACE_PIO, true, 0, LAYOUT_IRQ_RTC, LAYOUT_PORT_RTC
};

struct platform platform_pc(uint64_t mem, unsigned cpus,
			    enum trapmap_transport transport)
{
	struct platform p = {
		.mem = mem,
		.cpus = cpus,
		.rtc = pc_rtc,
		.transport = transport,
	};
	uint64_t low = mem < LAYOUT_HOLE ? mem : LAYOUT_HOLE;
	unsigned i;

	p.ram[p.rams++] = (struct platform_ram){ 0, low };
	if (mem > low)
		p.ram[p.rams++] =
			(struct platform_ram){ LAYOUT_HOLE_END, mem - low };
	platform_add_pc_uart(&p, 0);
	if (transport == TRAPMAP_TRANSPORT_PCI)
		return p;
	for (i = 0; i < LAYOUT_VIRTIO_MAX; i++)
		p.slot[p.slots++] = (struct platform_place){
			.there = true,
			.space = TRAPMAP_SPACE_MMIO,
			.base = LAYOUT_VIRTIO_AT(i),
			.irq = transport == TRAPMAP_TRANSPORT_MMIO_CMDLINE ?
				       isa_irqs[i] :
				       (uint8_t)(LAYOUT_IRQ_VIRTIO + i),
		};
	return p;
}

void platform_add_pc_uart(struct platform *p, unsigned i)
{
	p->uart[i] = pc_uart[i];
	/* It is the last of isa_irqs. */
	if (p->slots && p->slot[p->slots - 1].irq == p->uart[i].irq)
		p->slots--;
}

unsigned platform_virtio_mmio(const struct platform *p)
{
	return p->transport == TRAPMAP_TRANSPORT_MMIO ? p->virtio : 0;
}

uint64_t platform_low_ram_end(const struct platform *p)
{
	return p->ram[0].len;
}

unsigned platform_pci_irq(unsigned slot)
{
	return LAYOUT_IRQ_PCI + slot % LAYOUT_IRQ_PCI_COUNT;
}

/* Where "--" stands as a word, not within quotes; else the end. */
static size_t kernels_part(const char *cmdline)
{
	bool quoted = false, start = true;
	size_t i;

	for (i = 0; cmdline[i]; i++) {
		if (start && !quoted && cmdline[i] == '-' &&
		    cmdline[i + 1] == '-' &&
		    (cmdline[i + 2] == ' ' || !cmdline[i + 2]))
			return i;
		if (cmdline[i] == '"')
			quoted = !quoted;
		start = cmdline[i] == ' ';
	}
	return i;
}

/* " virtio_mmio.device=4K@0x7fffffff00007000:15" and some. */
#define WORD_MAX 56

char *platform_linux_cmdline(const struct platform *p, const char *cmdline)
{
	size_t len = strlen(cmdline), own = kernels_part(cmdline), at = own;
	size_t room = len + (size_t)p->virtio * WORD_MAX + 2;
	char *line = malloc(room);
	unsigned i;

	if (!line)
		return NULL;
	memcpy(line, cmdline, len + 1);
	if (p->transport != TRAPMAP_TRANSPORT_MMIO_CMDLINE)
		return line;
	for (i = 0; i < p->virtio; i++)
		at += (size_t)snprintf(
			line + at, room - at, "%svirtio_mmio.device=%uK@%#llx:%u",
			at == 0 || line[at - 1] == ' ' ? "" : " ",
			LAYOUT_VIRTIO_STEP / 1024,
			(unsigned long long)p->slot[i].base, p->slot[i].irq);
	if (own < len && at > own)
		line[at++] = ' ';
	memcpy(line + at, cmdline + own, len - own + 1);
	return line;
}
