// SPDX-License-Identifier: MIT
/*
 * mptable.c: the MP tables, for kernels that read no ACPI. Source: Intel
 * MultiProcessor Specification 1.4, chapters 4 and 5; the section is named at
 * each entry.
 *
 * Not here: the extended table (its entries are about address ranges and the
 * hierarchy of buses), an IMCR (the machine starts in virtual-wire mode), and
 * processors whose APIC id does not fit in eight bits: a kernel that has only this
 * table runs without them.
 */
#include "x86/mptable.h"

#include <errno.h>
#include <string.h>

#include "core/base.h"
#include "layout.h"

#define FLOATING_LEN 16
#define HEADER_LEN 44
#define PROCESSOR_LEN 20
#define OTHER_LEN 8

#define SPEC_REV 4 /* 1.4 */
#define LAPIC_VERSION 0x14 /* integrated APIC; KVM's says so too */
#define IOAPIC_VERSION 0x11

/* 4.3, entry types. */
enum entry {
	ENTRY_PROCESSOR = 0,
	ENTRY_BUS = 1,
	ENTRY_IO_APIC = 2,
	ENTRY_IO_INTERRUPT = 3,
	ENTRY_LOCAL_INTERRUPT = 4,
};

#define PROCESSOR_ENABLED BIT(0)
#define PROCESSOR_BOOT BIT(1)

/* Table 4-10. */
enum interrupt_type { INTERRUPT_INT = 0, INTERRUPT_NMI = 1, INTERRUPT_EXT = 3 };
#define CONFORMS_TO_BUS 0x0
#define LEVEL_ACTIVE_HIGH 0xd

/* 4.3.2: a PCI bus's id is its number; buses come in ascending order. */
#define PCI_BUS 0
#define ISA_IRQS 16
#define ISA_CASCADE 2
#define ALL_LOCAL_APICS 0xff

struct table {
	uint8_t *next;
	uint16_t entries;
};

static uint8_t *add_entry(struct table *t, enum entry type)
{
	uint8_t *e = t->next;

	t->next += type == ENTRY_PROCESSOR ? PROCESSOR_LEN : OTHER_LEN;
	t->entries++;
	e[0] = (uint8_t)type;
	return e;
}

/* 4.3.1 */
static void add_processor(struct table *t, uint32_t apic_id, bool boots,
			  const struct platform *p)
{
	uint8_t *e = add_entry(t, ENTRY_PROCESSOR);

	e[1] = (uint8_t)apic_id;
	e[2] = LAPIC_VERSION;
	e[3] = PROCESSOR_ENABLED | (boots ? PROCESSOR_BOOT : 0);
	put_le32(e + 4, p->cpu_signature);
	put_le32(e + 8, p->cpu_features);
}

/* Processors that can be named here: ids ascend, and 255 means "all". */
static unsigned processors(const struct platform *p)
{
	unsigned n = p->cpus;

	while (platform_apic_id(p, n - 1) >= ALL_LOCAL_APICS)
		n--;
	return n;
}

/*
 * 4.3.3. The specification wants the APIC's id to be no processor's. KVM's
 * IOAPIC has id 0 after a reset and keeps four bits of what a guest writes;
 * an interrupt never carries it. 64-bit Linux uses the number in this table as
 * a name only; 32-bit Linux without an xAPIC writes it to the register and
 * wants it unique. So it is the first that no processor has. With 255
 * processors none is left, and it is KVM's own, 0.
 */
static uint8_t ioapic_id(const struct platform *p, unsigned cpus)
{
	unsigned i = 0;

	while (i < cpus && platform_apic_id(p, i) == i)
		i++;
	return i < ALL_LOCAL_APICS ? (uint8_t)i : 0;
}

/* 4.3.4 and 4.3.5; both have the same form. */
static void add_interrupt(struct table *t, enum entry entry,
			  enum interrupt_type type, uint16_t flags, uint8_t bus,
			  uint8_t irq, uint8_t apic, uint8_t pin)
{
	uint8_t *e = add_entry(t, entry);

	e[1] = (uint8_t)type;
	put_le16(e + 2, flags);
	e[4] = bus;
	e[5] = irq;
	e[6] = apic;
	e[7] = pin;
}

/* The timer is on pin 2, where the cascade's own interrupt would have been. */
static void add_isa_interrupts(struct table *t, uint8_t bus, uint8_t apic)
{
	uint8_t irq;

	for (irq = 0; irq < ISA_IRQS; irq++) {
		if (irq == ISA_CASCADE)
			continue;
		add_interrupt(t, ENTRY_IO_INTERRUPT, INTERRUPT_INT,
			      irq == LAYOUT_IRQ_SCI ? LEVEL_ACTIVE_HIGH :
						      CONFORMS_TO_BUS,
			      bus, irq, apic, irq == 0 ? 2 : irq);
	}
}

/* D.3: the slot in bits 6 to 2, the pin in the others; 0 is INTA. */
static void add_pci_interrupts(struct table *t, const struct platform *p,
			       uint8_t apic)
{
	unsigned slot;

	for (slot = 1; slot <= p->virtio; slot++)
		add_interrupt(t, ENTRY_IO_INTERRUPT, INTERRUPT_INT,
			      CONFORMS_TO_BUS, PCI_BUS, (uint8_t)(slot << 2),
			      apic, (uint8_t)platform_pci_irq(slot));
}

/* 4.3.2 */
static void add_bus(struct table *t, uint8_t id, const char *type)
{
	uint8_t *e = add_entry(t, ENTRY_BUS);

	e[1] = id;
	memcpy(e + 2, type, 6);
}

static void add_entries(struct table *t, const struct platform *p)
{
	uint8_t isa = platform_has_pci(p) ? PCI_BUS + 1 : 0;
	unsigned cpus = processors(p), i;
	uint8_t apic = ioapic_id(p, cpus), *e;

	for (i = 0; i < cpus; i++)
		add_processor(t, platform_apic_id(p, i), i == 0, p);

	if (platform_has_pci(p))
		add_bus(t, PCI_BUS, "PCI   ");
	add_bus(t, isa, "ISA   ");

	e = add_entry(t, ENTRY_IO_APIC);
	e[1] = apic;
	e[2] = IOAPIC_VERSION;
	e[3] = BIT(0); /* usable */
	put_le32(e + 4, LAYOUT_IOAPIC);

	add_isa_interrupts(t, isa, apic);
	if (platform_has_pci(p))
		add_pci_interrupts(t, p, apic);

	/* As KVM is wired: the 8259A to every LINT0, NMI to every LINT1. */
	add_interrupt(t, ENTRY_LOCAL_INTERRUPT, INTERRUPT_EXT, CONFORMS_TO_BUS,
		      isa, 0, ALL_LOCAL_APICS, 0);
	add_interrupt(t, ENTRY_LOCAL_INTERRUPT, INTERRUPT_NMI, CONFORMS_TO_BUS,
		      isa, 0, ALL_LOCAL_APICS, 1);
}

static uint8_t checksum(const uint8_t *p, size_t len)
{
	uint8_t sum = 0;

	while (len-- > 0)
		sum += *p++;
	return (uint8_t)-sum;
}

/* 4.1 */
static void write_floating(uint8_t *p, gpa_t config)
{
	memcpy(p, "_MP_", 4);
	put_le32(p + 4, (uint32_t)config);
	p[8] = 1; /* length, in paragraphs */
	p[9] = SPEC_REV;
	p[10] = checksum(p, FLOATING_LEN);
}

int mptable_build(uint8_t *buf, size_t len, gpa_t gpa,
		  const struct platform *p, size_t *ret_used)
{
	/* Beside processors: a bus, an IOAPIC, the ISA IRQs, LINT0 and LINT1. */
	size_t need = FLOATING_LEN + HEADER_LEN +
		      PROCESSOR_LEN * (size_t)processors(p) +
		      OTHER_LEN * (2 + (ISA_IRQS - 1) + 2);
	uint8_t *config = buf + FLOATING_LEN;
	struct table t;

	if (platform_has_pci(p))
		need += OTHER_LEN * (1 + (size_t)p->virtio);
	if (len < need)
		return -ENOSPC;
	memset(buf, 0, need);

	t = (struct table){ .next = config + HEADER_LEN };
	add_entries(&t, p);

	memcpy(config, "PCMP", 4); /* 4.2 */
	put_le16(config + 4, (uint16_t)(t.next - config));
	config[6] = SPEC_REV;
	memcpy(config + 8, "TRAPMAP ", 8);
	memcpy(config + 16, "TRAPMAP     ", 12);
	put_le16(config + 34, t.entries);
	put_le32(config + 36, LAYOUT_LAPIC);
	config[7] = checksum(config, (size_t)(t.next - config));

	write_floating(buf, gpa + FLOATING_LEN);
	*ret_used = need;
	return 0;
}
