// SPDX-License-Identifier: MIT
/*
 * A PCI function. PCI Local Bus Specification 3.0, chapter 6.
 *
 * The configuration space is bytes and a mask of those bits that can be written; so
 * a BAR that all ones are written to reads back as its size, without a word here.
 *
 * Not modelled: I/O and prefetchable BARs, an expansion ROM, MSI (MSI-X only), power
 * management, more than one function a device, errors (SERR, parity), latency. Bus
 * Master is kept but not asked: a device without it works all the same. A conventional
 * function: no PCI Express capability, nothing beyond the first 256 bytes.
 */
#include "pci/function.h"

#include <string.h>

#include "core/base.h"
#include "pci/msix.h"

#define CAPABILITIES_START 0x40

/* 6.2.5.1: bits 2:1 of a BAR. */
#define BAR_64 0x4u

static bool overlap(unsigned off, unsigned len, unsigned reg, unsigned reg_len)
{
	return off < reg + reg_len && reg < off + len;
}

static unsigned bar_register(unsigned bar)
{
	return PCI_BAR_0 + 4 * bar;
}

/* ---- making one --------------------------------------------------------- */

static void set_initial(struct pci_function *pf, unsigned off, const void *p,
			unsigned len)
{
	memcpy(pf->config + off, p, len);
	memcpy(pf->initial + off, p, len);
}

static void set_initial_16(struct pci_function *pf, unsigned off, uint16_t val)
{
	uint8_t le[2];

	put_le16(le, val);
	set_initial(pf, off, le, sizeof(le));
}

static void set_initial_32(struct pci_function *pf, unsigned off, uint32_t val)
{
	uint8_t le[4];

	put_le32(le, val);
	set_initial(pf, off, le, sizeof(le));
}

void pci_function_init(struct pci_function *pf,
		       const struct pci_function_config *config)
{
	uint16_t bits = PCI_COMMAND_MASTER;

	*pf = (struct pci_function){
		.ops = config->ops,
		.dev = config->dev,
		.cap_end = CAPABILITIES_START,
	};
	set_initial_16(pf, PCI_VENDOR_ID, config->vendor_id);
	set_initial_16(pf, PCI_DEVICE_ID, config->device_id);
	set_initial_32(pf, PCI_REVISION_ID,
		       config->revision_id | config->class_code << 8);
	set_initial_16(pf, PCI_SUBSYSTEM_VENDOR_ID,
		       config->subsystem_vendor_id);
	set_initial_16(pf, PCI_SUBSYSTEM_ID, config->subsystem_id);
	pf->writable[PCI_CACHE_LINE_SIZE] = 0xff;
	if (config->pin) {
		bits |= PCI_COMMAND_INTX_DISABLE;
		/* 6.2.4: which input it is nobody has found out yet. */
		set_initial_16(pf, PCI_INTERRUPT_LINE,
			       (uint16_t)(0xff | config->pin << 8));
		pf->writable[PCI_INTERRUPT_LINE] = 0xff;
	}
	put_le16(pf->writable + PCI_COMMAND, bits);
}

void pci_function_add_bar(struct pci_function *pf, unsigned bar, uint64_t len,
			  uint64_t dev_off, bool is_64)
{
	uint64_t mask = ~(len - 1);

	pf->bar[bar] = (struct pci_bar){
		.len = len,
		.dev_off = dev_off,
		.is_64 = is_64,
		.base = BUS_NOWHERE,
	};
	pf->writable[PCI_COMMAND] |= PCI_COMMAND_MEMORY;
	set_initial_32(pf, bar_register(bar), is_64 ? BAR_64 : 0);
	put_le32(pf->writable + bar_register(bar), (uint32_t)mask);
	if (is_64)
		put_le32(pf->writable + bar_register(bar + 1),
			 (uint32_t)(mask >> 32));
}

unsigned pci_function_add_capability(struct pci_function *pf, uint8_t id,
				     const void *body, const void *writable,
				     unsigned len)
{
	unsigned at = pf->cap_end, link;
	uint8_t where = (uint8_t)at;

	if (len < 2 || len > PCI_CONFIG_SPACE_LEN - at)
		return 0;
	/* 6.7: a chain that begins in the header. */
	link = pf->cap_last ? pf->cap_last + 1 : PCI_CAPABILITIES_POINTER;
	set_initial(pf, link, &where, 1);
	set_initial_16(pf, PCI_STATUS, PCI_STATUS_CAPABILITIES);
	set_initial(pf, at, &id, 1);
	set_initial(pf, at + 2, body, len - 2);
	if (writable)
		memcpy(pf->writable + at + 2, writable, len - 2);
	pf->cap_last = at;
	pf->cap_end = (unsigned)align_up(at + len, 4);
	return at;
}

unsigned pci_function_add_msix(struct pci_function *pf, struct msix *msix,
			       unsigned bar, uint32_t table, uint32_t pba)
{
	uint8_t body[10], writable[10] = { 0 };

	put_le16(body, (uint16_t)(msix->count - 1));
	put_le32(body + 2, table | bar);
	put_le32(body + 6, pba | bar);
	put_le16(writable, MSIX_CONTROL_ENABLE | MSIX_CONTROL_FUNCTION_MASK);
	pf->msix_cap = pci_function_add_capability(pf, PCI_CAP_MSIX, body,
						   writable, 12);
	if (pf->msix_cap)
		pf->msix = msix;
	return pf->msix_cap;
}

/* ---- what follows from the registers ------------------------------------ */

static uint16_t command(const struct pci_function *pf)
{
	return get_le16(pf->config + PCI_COMMAND);
}

static void update_bar(struct pci_function *pf, unsigned i)
{
	struct pci_bar *bar = &pf->bar[i];
	const uint8_t *reg = pf->config + bar_register(i);
	uint64_t base = BUS_NOWHERE;

	if (command(pf) & PCI_COMMAND_MEMORY)
		base = (bar->is_64 ? get_le64(reg) : get_le32(reg)) &
		       ~UINT64_C(0xf);
	if (base == bar->base)
		return;
	bar->base = base;
	if (bar->window)
		bus_move_window(pf->bus, bar->window, base);
	if (pf->ops && pf->ops->moved)
		pf->ops->moved(pf, i, base);
}

static void update_bars(struct pci_function *pf)
{
	unsigned i;

	for (i = 0; i < PCI_BARS; i++)
		if (pf->bar[i].len)
			update_bar(pf, i);
}

static void update_intx(struct pci_function *pf)
{
	/* 6.2.3: the bit is the pin's state, whether it may go out or not. */
	pf->config[PCI_STATUS] &= (uint8_t)~PCI_STATUS_INTERRUPT;
	if (pf->asserted)
		pf->config[PCI_STATUS] |= PCI_STATUS_INTERRUPT;
	irq_set(&pf->intx,
		pf->asserted && !(command(pf) & PCI_COMMAND_INTX_DISABLE));
}

void pci_function_set_intx(struct pci_function *pf, bool asserted)
{
	pf->asserted = asserted;
	update_intx(pf);
}

static void update_msix(struct pci_function *pf)
{
	if (pf->msix)
		msix_set_control(pf->msix,
				 get_le16(pf->config + pf->msix_cap + 2));
}

void pci_function_reset(struct pci_function *pf)
{
	unsigned i;

	memcpy(pf->config, pf->initial, sizeof(pf->config));
	for (i = 0; i < PCI_BARS; i++) {
		uint8_t *reg = pf->config + bar_register(i);

		if (!pf->bar[i].len)
			continue;
		put_le32(reg, get_le32(reg) | (uint32_t)pf->bar[i].initial);
		if (pf->bar[i].is_64)
			put_le32(reg + 4, (uint32_t)(pf->bar[i].initial >> 32));
	}
	update_bars(pf);
	if (pf->msix)
		msix_reset(pf->msix);
	pf->asserted = false;
	update_intx(pf);
}

/* ---- accesses ----------------------------------------------------------- */

uint32_t pci_function_read(struct pci_function *pf, unsigned off, unsigned size)
{
	uint32_t val = 0;
	unsigned i;

	if (pf->ops && pf->ops->config_read)
		pf->ops->config_read(pf, off, size);
	for (i = 0; i < size; i++) {
		uint8_t byte = 0xff;

		if (off + i < PCI_CONFIG_SPACE_LEN)
			byte = pf->config[off + i];
		val |= (uint32_t)byte << 8 * i;
	}
	return val;
}

void pci_function_write(struct pci_function *pf, unsigned off, unsigned size,
			uint32_t val)
{
	unsigned i;

	for (i = 0; i < size && off + i < PCI_CONFIG_SPACE_LEN; i++) {
		uint8_t mask = pf->writable[off + i];
		uint8_t *byte = &pf->config[off + i];

		*byte = (uint8_t)((*byte & ~mask) | (val >> 8 * i & mask));
	}
	if (overlap(off, size, PCI_COMMAND, 2) ||
	    overlap(off, size, PCI_BAR_0, 4 * PCI_BARS))
		update_bars(pf);
	if (overlap(off, size, PCI_COMMAND, 2))
		update_intx(pf);
	if (pf->msix && overlap(off, size, pf->msix_cap + 2, 2))
		update_msix(pf);
	if (pf->ops && pf->ops->config_written)
		pf->ops->config_written(pf, off, size);
}
