// SPDX-License-Identifier: MIT
/*
 * devicetree.c: the machine as a devicetree. Sources: Devicetree Specification 0.4;
 * the ISA bus binding of IEEE 1275; Linux's bindings intel,ce4100-ioapic,
 * intel,ce4100-lapic, ns16550, rtc-cmos, virtio,mmio and host-generic-pci. The
 * numbers are layout.h's.
 *
 * Not here: KVM's 8259A and 8254, which every PC kernel takes for granted; the
 * ACPI PM block, which has no binding. The memory map is e820.c's.
 */
#include "devicetree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libfdt.h>

#include "core/base.h"
#include "layout.h"
#include "virtio/mmio.h"
#include "x86/e820.h"

#define PHANDLE_IOAPIC 1

/* Sense cells of intel,ce4100-ioapic. */
#define EDGE_RISING 0
#define LEVEL_LOW 1

#define UART_CLOCK_HZ 1843200
#define ISA_IO 1 /* the first cell of an ISA address: port space */

/* IEEE 1275's PCI binding: 32-bit memory; the slot in the first cell of three. */
#define PCI_MEMORY32 0x02000000u
#define PCI_SLOT(slot) ((uint32_t)(slot) << 11)
#define PCI_PINS 4

/* Registers of an 8250, however far apart. */
#define UART_REGS 8u

#define NAME_MAX_LEN 64

/*
 * A blob under construction: the first error stays, and what comes after it is
 * skipped, so that the tree below reads without a check on each line.
 */
struct tree {
	void *blob;
	int r;
};

static void begin(struct tree *t, const char *name)
{
	if (t->r == 0)
		t->r = fdt_begin_node(t->blob, name);
}

static void end(struct tree *t)
{
	if (t->r == 0)
		t->r = fdt_end_node(t->blob);
}

static void prop(struct tree *t, const char *name, const void *val, size_t len)
{
	if (t->r == 0)
		t->r = fdt_property(t->blob, name, val, (int)len);
}

static void prop_string(struct tree *t, const char *name, const char *val)
{
	prop(t, name, val, strlen(val) + 1);
}

static void prop_flag(struct tree *t, const char *name)
{
	prop(t, name, NULL, 0);
}

#define CELLS_MAX 112 /* of an interrupt map */

static void prop_cells(struct tree *t, const char *name, unsigned count,
		       const uint32_t *cell)
{
	fdt32_t be[CELLS_MAX];
	unsigned i;

	for (i = 0; i < count; i++)
		be[i] = cpu_to_fdt32(cell[i]);
	prop(t, name, be, count * sizeof(*be));
}

#define PROP_CELLS(t, name, ...)                                          \
	prop_cells(t, name,                                               \
		   sizeof((uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t), \
		   (uint32_t[]){ __VA_ARGS__ })

static void prop_u64(struct tree *t, const char *name, uint64_t val)
{
	PROP_CELLS(t, name, (uint32_t)(val >> 32), (uint32_t)val);
}

static void put_memory(struct tree *t, const struct platform *p)
{
	struct e820_range map[E820_MAX];
	unsigned n = e820_build(p, map), i, cells = 0;
	uint32_t reg[4 * E820_MAX];

	for (i = 0; i < n; i++) {
		if (map[i].type != E820_RAM)
			continue;
		reg[cells++] = (uint32_t)(map[i].base >> 32);
		reg[cells++] = (uint32_t)map[i].base;
		reg[cells++] = (uint32_t)(map[i].len >> 32);
		reg[cells++] = (uint32_t)map[i].len;
	}
	begin(t, "memory@0");
	prop_string(t, "device_type", "memory");
	prop_cells(t, "reg", cells, reg);
	end(t);
}

static void put_cpus(struct tree *t, const struct platform *p)
{
	char name[16];
	unsigned i;

	begin(t, "cpus");
	PROP_CELLS(t, "#address-cells", 1);
	PROP_CELLS(t, "#size-cells", 0);
	for (i = 0; i < p->cpus; i++) {
		uint32_t apic_id = platform_apic_id(p, i);

		snprintf(name, sizeof(name), "cpu@%x", apic_id);
		begin(t, name);
		prop_string(t, "device_type", "cpu");
		/* What Linux looks for: the first x86 that had a devicetree. */
		prop_string(t, "compatible", "intel,ce4100");
		PROP_CELLS(t, "reg", apic_id);
		end(t);
	}
	end(t);
}

static void put_interrupt_controllers(struct tree *t)
{
	begin(t, "interrupt-controller@fec00000");
	prop_string(t, "compatible", "intel,ce4100-ioapic");
	prop_flag(t, "interrupt-controller");
	PROP_CELLS(t, "#interrupt-cells", 2);
	PROP_CELLS(t, "#address-cells", 0);
	PROP_CELLS(t, "reg", 0, LAYOUT_IOAPIC, 0, 0x1000);
	PROP_CELLS(t, "phandle", PHANDLE_IOAPIC);
	end(t);

	/* It has no node's interrupts, only those of its processor. */
	begin(t, "lapic@fee00000");
	prop_string(t, "compatible", "intel,ce4100-lapic");
	PROP_CELLS(t, "reg", 0, LAYOUT_LAPIC, 0, 0x1000);
	end(t);
}

static bool on_isa(const struct platform_place *place)
{
	return place->there && place->space == TRAPMAP_SPACE_PIO;
}

/* "serial@i3f8" on the ISA bus, "serial@d1000000" elsewhere. */
static void uart_name(const struct platform_place *uart, const char *before,
		      char name[NAME_MAX_LEN])
{
	snprintf(name, NAME_MAX_LEN, "%sserial@%s%llx", before,
		 on_isa(uart) ? "i" : "", (unsigned long long)uart->base);
}

static void uart_path(const struct platform_place *uart, char path[NAME_MAX_LEN])
{
	uart_name(uart, on_isa(uart) ? "/soc/isa@0/" : "/soc/", path);
}

static void put_uart(struct tree *t, const struct platform_place *uart)
{
	char name[NAME_MAX_LEN];

	uart_name(uart, "", name);
	begin(t, name);
	prop_string(t, "device_type", "serial");
	prop_string(t, "compatible", "ns16550a");
	if (on_isa(uart)) {
		PROP_CELLS(t, "reg", ISA_IO, (uint32_t)uart->base, UART_REGS);
	} else {
		PROP_CELLS(t, "reg", (uint32_t)(uart->base >> 32),
			   (uint32_t)uart->base, 0,
			   UART_REGS << uart->reg_shift);
		PROP_CELLS(t, "reg-shift", uart->reg_shift);
		PROP_CELLS(t, "interrupt-parent", PHANDLE_IOAPIC);
	}
	PROP_CELLS(t, "clock-frequency", UART_CLOCK_HZ);
	PROP_CELLS(t, "interrupts", uart->irq, EDGE_RISING);
	end(t);
}

static void put_uarts(struct tree *t, const struct platform *p, bool isa)
{
	unsigned i;

	for (i = 0; i < PLATFORM_UARTS; i++)
		if (p->uart[i].there && on_isa(&p->uart[i]) == isa)
			put_uart(t, &p->uart[i]);
}

static void put_isa(struct tree *t, const struct platform *p)
{
	char name[NAME_MAX_LEN];

	begin(t, "isa@0");
	prop_string(t, "device_type", "isa");
	prop_string(t, "compatible", "isa");
	PROP_CELLS(t, "#address-cells", 2);
	PROP_CELLS(t, "#size-cells", 1);
	/* Ports are no memory: they map onto themselves. */
	PROP_CELLS(t, "ranges", ISA_IO, 0, 0, 0, 0x10000);
	PROP_CELLS(t, "interrupt-parent", PHANDLE_IOAPIC);
	put_uarts(t, p, true);
	if (p->rtc.there) {
		snprintf(name, sizeof(name), "rtc@i%llx",
			 (unsigned long long)p->rtc.base);
		begin(t, name);
		prop_string(t, "compatible", "motorola,mc146818");
		PROP_CELLS(t, "reg", ISA_IO, (uint32_t)p->rtc.base, 2);
		PROP_CELLS(t, "interrupts", p->rtc.irq, EDGE_RISING);
		end(t);
	}
	end(t);
}

static void put_virtio(struct tree *t, const struct platform *p)
{
	char name[32];
	unsigned i;

	for (i = 0; i < platform_virtio_mmio(p); i++) {
		const struct platform_place *slot = &p->slot[i];

		snprintf(name, sizeof(name), "virtio@%llx",
			 (unsigned long long)slot->base);
		begin(t, name);
		prop_string(t, "compatible", "virtio,mmio");
		PROP_CELLS(t, "reg", (uint32_t)(slot->base >> 32),
			   (uint32_t)slot->base, 0, VIRTIO_MMIO_LEN);
		PROP_CELLS(t, "interrupt-parent", PHANDLE_IOAPIC);
		PROP_CELLS(t, "interrupts", slot->irq, EDGE_RISING);
		end(t);
	}
}

/* Every pin of every slot: where it leads goes by the slot's last two bits. */
static void put_interrupt_map(struct tree *t)
{
	uint32_t map[PCI_PINS * PCI_PINS][7];
	unsigned slot, pin, n = 0;

	for (slot = 0; slot < PCI_PINS; slot++)
		for (pin = 0; pin < PCI_PINS; pin++, n++) {
			map[n][0] = PCI_SLOT(slot);
			map[n][1] = map[n][2] = 0;
			map[n][3] = pin + 1;
			map[n][4] = PHANDLE_IOAPIC;
			map[n][5] = platform_pci_irq(slot + pin);
			map[n][6] = LEVEL_LOW;
		}
	PROP_CELLS(t, "interrupt-map-mask", PCI_SLOT(PCI_PINS - 1), 0, 0, 7);
	prop_cells(t, "interrupt-map", 7 * n, map[0]);
}

static void put_pci(struct tree *t)
{
	char name[32];

	snprintf(name, sizeof(name), "pci@%x", LAYOUT_ECAM);
	begin(t, name);
	prop_string(t, "device_type", "pci");
	prop_string(t, "compatible", "pci-host-ecam-generic");
	PROP_CELLS(t, "reg", 0, LAYOUT_ECAM, 0, LAYOUT_ECAM_LEN);
	PROP_CELLS(t, "bus-range", 0, 0);
	PROP_CELLS(t, "#address-cells", 3);
	PROP_CELLS(t, "#size-cells", 2);
	PROP_CELLS(t, "ranges", PCI_MEMORY32, 0, LAYOUT_PCI_WINDOW, 0,
		   LAYOUT_PCI_WINDOW, 0, LAYOUT_PCI_WINDOW_LEN);
	prop_flag(t, "dma-coherent");
	PROP_CELLS(t, "#interrupt-cells", 1);
	put_interrupt_map(t);
	end(t);
}

static void put_soc(struct tree *t, const struct platform *p)
{
	/* Linux on x86 looks into no bus but this SoC's; others into any. */
	static const char compatible[] = "intel,ce4100-cp\0simple-bus";

	begin(t, "soc");
	prop(t, "compatible", compatible, sizeof(compatible));
	PROP_CELLS(t, "#address-cells", 2);
	PROP_CELLS(t, "#size-cells", 2);
	prop_flag(t, "ranges");
	put_interrupt_controllers(t);
	put_isa(t, p);
	put_uarts(t, p, false);
	put_virtio(t, p);
	if (platform_has_pci(p))
		put_pci(t);
	end(t);
}

/* Which of them is ttyS0, ttyS1 and so on. */
static void put_aliases(struct tree *t, const struct platform *p)
{
	char name[] = "serial0", path[NAME_MAX_LEN];
	unsigned i;

	begin(t, "aliases");
	for (i = 0; i < PLATFORM_UARTS; i++) {
		if (!p->uart[i].there)
			continue;
		name[sizeof(name) - 2] = (char)('0' + i);
		uart_path(&p->uart[i], path);
		prop_string(t, name, path);
	}
	end(t);
}

static void put_chosen(struct tree *t, const struct devicetree_config *m)
{
	const struct platform_place *console = &m->platform.uart[0];
	char path[NAME_MAX_LEN];

	begin(t, "chosen");
	if (m->cmdline)
		prop_string(t, "bootargs", m->cmdline);
	if (console->there) {
		uart_path(console, path);
		prop_string(t, "stdout-path", path);
	}
	if (m->initrd_len > 0) {
		prop_u64(t, "linux,initrd-start", m->initrd);
		prop_u64(t, "linux,initrd-end", m->initrd + m->initrd_len);
	}
	end(t);
}

static int write_tree(const struct devicetree_config *m, void *blob, size_t len)
{
	struct tree t = { .blob = blob };

	t.r = fdt_create(blob, (int)len);
	if (t.r == 0)
		t.r = fdt_finish_reservemap(blob);
	begin(&t, "");
	prop_string(&t, "model", m->model ? m->model : "Trapmap PC");
	prop_string(&t, "compatible", "trapmap,pc");
	PROP_CELLS(&t, "#address-cells", 2);
	PROP_CELLS(&t, "#size-cells", 2);
	put_aliases(&t, &m->platform);
	put_chosen(&t, m);
	put_memory(&t, &m->platform);
	put_cpus(&t, &m->platform);
	put_soc(&t, &m->platform);
	end(&t);
	if (t.r == 0)
		t.r = fdt_finish(blob);
	return t.r;
}

/*
 * A node of /cpus takes 80 bytes, one of virtio 132; all the rest fits in the
 * first part.
 */
#define FIXED_LEN 4096
#define CPU_LEN 128
#define VIRTIO_LEN 192

int devicetree_build(const struct devicetree_config *m, void **ret_blob,
		     size_t *ret_len)
{
	size_t len = FIXED_LEN + CPU_LEN * (size_t)m->platform.cpus +
		     VIRTIO_LEN * (size_t)m->platform.virtio +
		     (m->cmdline ? strlen(m->cmdline) : 0) +
		     (m->model ? strlen(m->model) : 0);
	void *blob;

	if (len > INT32_MAX)
		return -ENOMEM;
	blob = malloc(len);
	if (!blob)
		return -ENOMEM;
	if (write_tree(m, blob, len)) {
		free(blob);
		return -ENOMEM;
	}
	*ret_blob = blob;
	*ret_len = fdt_totalsize(blob);
	return 0;
}
