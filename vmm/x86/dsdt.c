// SPDX-License-Identifier: MIT
/*
 * dsdt.c: what the DSDT says. Sources: ACPI specification 6.4; for PCI also the PCI
 * Firmware Specification 3.3, chapter 4.
 *
 * Of PCI there is what a kernel cannot find out for itself: which addresses the
 * bridge passes on, and where INTA of each function leads. The host bridge calls
 * itself a conventional one (PNP0A03): its functions are, and of a PCI Express one
 * Linux expects _OSC, a method.
 */
#include "x86/dsdt.h"

#include "acpi_pm.h"
#include "core/base.h"
#include "fw_cfg.h"
#include "layout.h"
#include "trapmap/guest_abi.h"
#include "virtio/mmio.h"

#define UART_PORTS 8
#define PCI_CONFIG_PORTS 8 /* CONFIG_ADDRESS and CONFIG_DATA */

/* _STA (6.3.7): present, enabled, functioning; to be shown to people, or not. */
#define STA_SHOWN 0xf
#define STA_HIDDEN 0xb

/*
 * PNP0501 has a register a byte. One that is spread out is the devicetree's alone,
 * and so is what lies above 4 GiB.
 */
static bool can_name(const struct platform_place *uart)
{
	return uart->there && uart->reg_shift == 0 &&
	       (uart->space == TRAPMAP_SPACE_PIO || uart->base >> 32 == 0);
}

static bool shares_irq(const struct platform *p, unsigned n)
{
	unsigned i;

	for (i = 0; i < PLATFORM_UARTS; i++)
		if (i != n && can_name(&p->uart[i]) &&
		    p->uart[i].irq == p->uart[n].irq)
			return true;
	return false;
}

static void crs_irq(struct aml *a, unsigned irq, bool shared)
{
	if (irq >= 16)
		aml_crs_edge_irq(a, irq);
	else if (shared)
		aml_crs_isa_irq_shared(a, irq);
	else
		aml_crs_isa_irq(a, irq);
}

static void dsdt_uart(struct aml *a, const struct platform *p, unsigned n)
{
	const struct platform_place *uart = &p->uart[n];
	const char name[] = { 'C', 'O', 'M', (char)('1' + n), '\0' };
	size_t dev = aml_open_device(a, name), crs;

	aml_name_eisaid(a, "_HID", "PNP0501"); /* 16550A */
	aml_name_integer(a, "_UID", n + 1);
	crs = aml_open_crs(a);
	if (uart->space == TRAPMAP_SPACE_PIO)
		aml_crs_io(a, (uint16_t)uart->base, UART_PORTS);
	else
		aml_crs_memory(a, (uint32_t)uart->base, UART_PORTS);
	crs_irq(a, uart->irq, shares_irq(p, n));
	aml_close_crs(a, crs);
	aml_close(a, dev);
}

const struct platform_place *dsdt_console(const struct platform *p)
{
	unsigned n;

	for (n = 0; n < PLATFORM_UARTS; n++)
		if (can_name(&p->uart[n]))
			return &p->uart[n];
	return NULL;
}

static void dsdt_rtc(struct aml *a, const struct platform *p)
{
	size_t dev = aml_open_device(a, "RTC_"), crs;

	aml_name_eisaid(a, "_HID", "PNP0B00");
	crs = aml_open_crs(a);
	aml_crs_io(a, (uint16_t)p->rtc.base, 2);
	crs_irq(a, p->rtc.irq, false);
	aml_close_crs(a, crs);
	aml_close(a, dev);
}

/*
 * Ports that no driver should be given. Those below 0x100 are left out: an
 * operating system takes them for the PC's own (0x80 for DMA, 0xf0 for the FPU).
 */
static void dsdt_motherboard(struct aml *a, const struct platform *p)
{
	size_t dev = aml_open_device(a, "MBRD"), crs;

	aml_name_eisaid(a, "_HID", "PNP0C02");
	crs = aml_open_crs(a);
	aml_crs_io(a, LAYOUT_PORT_PM_EVENT, ACPI_PM_LEN);
	aml_crs_io(a, TRAPMAP_TEST_EXIT_PORT, 4);
	aml_crs_io(a, TRAPMAP_DEBUGCON_PORT_2, 1);
	/* PCI Firmware Specification 3.3, 4.1.2: MCFG's is reserved here. */
	if (platform_has_pci(p))
		aml_crs_memory(a, LAYOUT_ECAM, LAYOUT_ECAM_LEN);
	aml_close_crs(a, crs);
	aml_close(a, dev);
}

/*
 * A device of QEMU's that is ports and nothing else. What its driver looks for
 * is in QEMU's docs/specs; _STA is as QEMU has it.
 */
static void dsdt_qemu(struct aml *a, const char *name, const char *hid,
		      unsigned sta, uint16_t port, uint8_t len)
{
	size_t dev = aml_open_device(a, name), crs;

	aml_name_string(a, "_HID", hid);
	aml_name_integer(a, "_STA", sta); /* 6.3.7 */
	crs = aml_open_crs(a);
	aml_crs_io(a, port, len);
	aml_close_crs(a, crs);
	aml_close(a, dev);
}

/*
 * A virtio-mmio transport, as Linux' virtio_mmio driver looks for it. The id was
 * Linaro's, who gave it to QEMU for this.
 */
static void dsdt_virtio(struct aml *a, const struct platform_place *slot,
			unsigned n)
{
	const char name[] = { 'V', 'I', 'O', (char)('0' + n), '\0' };
	size_t dev = aml_open_device(a, name), crs;

	aml_name_string(a, "_HID", "LNRO0005");
	aml_name_integer(a, "_UID", n);
	crs = aml_open_crs(a);
	aml_crs_memory(a, (uint32_t)slot->base, VIRTIO_MMIO_LEN);
	aml_crs_edge_irq(a, slot->irq);
	aml_close_crs(a, crs);
	aml_close(a, dev);
}

/* CP00 to CPFF, then C100 and on: with a digit where those have a P. */
static void dsdt_processor(struct aml *a, unsigned id)
{
	static const char hex[] = "0123456789ABCDEF";
	char name[] = "CPnn";
	size_t dev;

	if (id > 0xff)
		name[1] = hex[id >> 8 & 0xf];
	name[2] = hex[id >> 4 & 0xf];
	name[3] = hex[id & 0xf];
	dev = aml_open_device(a, name);
	aml_name_string(a, "_HID", "ACPI0007");
	aml_name_integer(a, "_UID", id); /* the MADT's ACPI Processor UID */
	aml_close(a, dev);
}

/*
 * 6.2.13: a slot's function by its address with the function's number left open, a
 * pin (0: INTA), no link device, and the number at the IOAPICs. Such an interrupt is
 * level, active low; KVM's IOAPIC looks at the level only.
 */
static void dsdt_pci_routing(struct aml *a, const struct platform *p)
{
	size_t prt = aml_open_name_package(a, "_PRT", p->virtio), entry;
	unsigned slot;

	for (slot = 1; slot <= p->virtio; slot++) {
		entry = aml_open_package(a, 4);
		aml_integer(a, (uint64_t)slot << 16 | 0xffff);
		aml_integer(a, 0);
		aml_integer(a, 0);
		aml_integer(a, platform_pci_irq(slot));
		aml_close(a, entry);
	}
	aml_close(a, prt);
}

static void dsdt_pci(struct aml *a, const struct platform *p)
{
	size_t dev = aml_open_device(a, "PCI0"), crs;

	aml_name_eisaid(a, "_HID", "PNP0A03");
	aml_name_integer(a, "_UID", 0);
	aml_name_integer(a, "_SEG", 0);
	aml_name_integer(a, "_BBN", 0);
	crs = aml_open_crs(a);
	aml_crs_bus(a, 0, 1);
	aml_crs_io(a, LAYOUT_PORT_PCI_CONFIG, PCI_CONFIG_PORTS);
	aml_crs_window(a, LAYOUT_PCI_WINDOW, LAYOUT_PCI_WINDOW_LEN);
	aml_close_crs(a, crs);
	dsdt_pci_routing(a, p);
	aml_close(a, dev);
}

void dsdt_write(struct aml *a, const struct platform *p)
{
	const uint8_t s5[4] = { ACPI_PM_S5, ACPI_PM_S5 }; /* 7.4.2 */
	size_t scope;
	unsigned i;

	aml_name_integers(a, "_S5_", s5, sizeof(s5));
	scope = aml_open_scope(a, "_SB_");
	for (i = 0; i < PLATFORM_UARTS; i++)
		if (can_name(&p->uart[i]))
			dsdt_uart(a, p, i);
	if (platform_has_cmos_rtc(p))
		dsdt_rtc(a, p);
	dsdt_motherboard(a, p);
	dsdt_qemu(a, "PEVT", "QEMU0001", STA_SHOWN, TRAPMAP_PVPANIC_PORT, 1);
	dsdt_qemu(a, "FWCF", "QEMU0002", STA_HIDDEN, LAYOUT_PORT_FW_CFG,
		  FW_CFG_LEN);
	for (i = 0; i < platform_virtio_mmio(p); i++)
		dsdt_virtio(a, &p->slot[i], i);
	if (platform_has_pci(p))
		dsdt_pci(a, p);
	for (i = 0; i < p->cpus; i++)
		dsdt_processor(a, i);
	aml_close(a, scope);
}
