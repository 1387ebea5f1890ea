// SPDX-License-Identifier: MIT
/*
 * acpi.c: the ACPI tables. Source: ACPI specification 6.4; sections are named
 * at each table.
 *
 * The fixed hardware is there (PM1, the PM timer, the reset register), so this
 * is not a "hardware-reduced" machine, and there is no SMM: SMI_CMD is 0, which
 * says that ACPI mode is always on.
 *
 * Not here: C- and P-states, S1 to S4, GPEs, HPET, NUMA, hot-plug. There is no
 * method in the DSDT, so an operating system interprets no byte code.
 */
#include "x86/acpi.h"

#include <errno.h>
#include <string.h>

#include "acpi_pm.h"
#include "core/base.h"
#include "layout.h"
#include "rtc_calendar.h"
#include "x86/aml.h"
#include "x86/dsdt.h"

#define OEM_ID "TRPMAP"
#define OEM_TABLE_ID "TRAPMAP "
#define CREATOR_ID "TMAP"
#define REVISION 4 /* of the OEM and the creator; raise with the DSDT */

#define RSDP_LEN 36
#define HEADER_LEN 36
#define FACS_LEN 64
#define FACS_ALIGN 64
#define FADT_LEN 276
#define MCFG_LEN 60
#define SPCR_LEN 80
#define TABLE_ALIGN 16

/* 5.2.9.3, IAPC_BOOT_ARCH. Bit 1 is clear: no keyboard controller to probe. */
#define BOOT_LEGACY_DEVICES BIT(0)
#define BOOT_VGA_NOT_PRESENT BIT(2)
#define BOOT_NO_CMOS_RTC BIT(5)

/* 5.2.9, table 5.10: fixed feature flags. */
#define FADT_WBINVD BIT(0)
#define FADT_PROC_C1 BIT(2)
#define FADT_SLP_BUTTON BIT(5) /* set: no fixed sleep button */
#define FADT_FIX_RTC BIT(6) /* set: PM1 has no RTC status */
#define FADT_TMR_VAL_EXT BIT(8)
#define FADT_RESET_REG_SUP BIT(10)
/* PWR_BUTTON (4) stays clear: there is one, and PM1 reports it. */

/* Worst-case latencies that mean "no C2" and "no C3". */
#define NO_C2_LATENCY 101
#define NO_C3_LATENCY 1001

/* MPS INTI flags (5.2.12.5). */
#define INTI_CONFORMS 0x0
#define INTI_LEVEL_HIGH 0xd

#define MADT_PCAT_COMPAT BIT(0)
#define MADT_LOCAL_APIC 0
#define MADT_IO_APIC 1
#define MADT_SOURCE_OVERRIDE 2
#define MADT_LOCAL_APIC_NMI 4
#define MADT_LOCAL_X2APIC 9
#define MADT_LOCAL_X2APIC_NMI 10
#define ALL_PROCESSORS 0xff
#define ALL_X2APIC_PROCESSORS 0xffffffffu

enum gas_space { GAS_MEMORY = 0, GAS_IO = 1 };
enum gas_access { GAS_BYTE = 1, GAS_WORD = 2, GAS_DWORD = 3 };

/* Where the next table goes; its memory is zero. */
struct out {
	uint8_t *buf;
	size_t cap;
	size_t len;
	gpa_t gpa;
};

static uint8_t *reserve(struct out *o, size_t len, size_t align)
{
	size_t at = align_up(o->len, align);
	uint8_t *p = o->buf + at;

	if (at > o->cap || len > o->cap - at)
		return NULL;
	memset(o->buf + o->len, 0, at + len - o->len);
	o->len = at + len;
	return p;
}

static gpa_t address(const struct out *o, const uint8_t *p)
{
	return o->gpa + (size_t)(p - o->buf);
}

static uint8_t checksum(const uint8_t *p, size_t len)
{
	uint8_t sum = 0;

	while (len-- > 0)
		sum += *p++;
	return (uint8_t)-sum;
}

/* 5.2.6, System Description Table Header; when the rest is written. */
static void finish(uint8_t *t, const char *signature, uint8_t revision,
		   size_t len)
{
	memcpy(t, signature, 4);
	put_le32(t + 4, (uint32_t)len);
	t[8] = revision;
	t[9] = 0;
	memcpy(t + 10, OEM_ID, 6);
	memcpy(t + 16, OEM_TABLE_ID, 8);
	put_le32(t + 24, REVISION);
	memcpy(t + 28, CREATOR_ID, 4);
	put_le32(t + 32, REVISION);
	t[9] = checksum(t, len);
}

/* 5.2.3.2, Generic Address Structure. */
static void put_gas_in(uint8_t *p, enum gas_space space, uint64_t address,
		       unsigned bytes, enum gas_access access)
{
	p[0] = (uint8_t)space;
	p[1] = (uint8_t)(bytes * 8);
	p[2] = 0;
	p[3] = (uint8_t)access;
	put_le64(p + 4, address);
}

static void put_gas(uint8_t *p, uint16_t port, unsigned bytes,
		    enum gas_access access)
{
	put_gas_in(p, GAS_IO, port, bytes, access);
}

/* 5.2.11.1. Revision 2: integers have 64 bits. */
static uint8_t *build_dsdt(struct out *o, const struct platform *platform)
{
	uint8_t *t = reserve(o, HEADER_LEN, TABLE_ALIGN);
	struct aml a;

	if (!t)
		return NULL;
	a = (struct aml){ .buf = t + HEADER_LEN, .cap = o->cap - o->len };
	dsdt_write(&a, platform);
	if (a.full)
		return NULL;
	o->len += a.len;
	finish(t, "DSDT", 2, HEADER_LEN + a.len);
	return t;
}

/* 5.2.10. Nobody sleeps here, but an operating system looks for it. */
static uint8_t *build_facs(struct out *o)
{
	uint8_t *t = reserve(o, FACS_LEN, FACS_ALIGN);

	if (!t)
		return NULL;
	memcpy(t, "FACS", 4);
	put_le32(t + 4, FACS_LEN);
	t[32] = 2; /* Version */
	return t;
}

/*
 * 5.2.9. A kernel looks for the RTC at a PC's ports, so one that lies elsewhere is
 * none to it.
 */
static uint8_t *build_fadt(struct out *o, const struct platform *platform,
			   gpa_t facs, gpa_t dsdt)
{
	uint8_t *t = reserve(o, FADT_LEN, TABLE_ALIGN);
	uint32_t flags = FADT_WBINVD | FADT_PROC_C1 | FADT_SLP_BUTTON |
			 FADT_RESET_REG_SUP;
	uint16_t boot_arch = BOOT_LEGACY_DEVICES | BOOT_VGA_NOT_PRESENT;

	if (!t)
		return NULL;
	if (ACPI_PM_TIMER_BITS == 32)
		flags |= FADT_TMR_VAL_EXT;
	if (platform_has_cmos_rtc(platform)) {
		t[106] = RTC_DATE_ALARM; /* DAY_ALRM; MON_ALRM is 0: none */
		t[108] = RTC_CENTURY; /* indexes into the RTC's RAM */
	} else {
		flags |= FADT_FIX_RTC;
		boot_arch |= BOOT_NO_CMOS_RTC;
	}

	put_le32(t + 36, (uint32_t)facs); /* FIRMWARE_CTRL; X_ must stay 0 */
	put_le32(t + 40, (uint32_t)dsdt); /* DSDT */
	put_le16(t + 46, LAYOUT_IRQ_SCI); /* SCI_INT */
	put_le32(t + 56, LAYOUT_PORT_PM_EVENT); /* PM1a_EVT_BLK */
	put_le32(t + 64, LAYOUT_PORT_PM_CONTROL); /* PM1a_CNT_BLK */
	put_le32(t + 76, LAYOUT_PORT_PM_TIMER); /* PM_TMR_BLK */
	t[88] = 4; /* PM1_EVT_LEN */
	t[89] = 2; /* PM1_CNT_LEN */
	t[91] = 4; /* PM_TMR_LEN */
	put_le16(t + 96, NO_C2_LATENCY); /* P_LVL2_LAT */
	put_le16(t + 98, NO_C3_LATENCY); /* P_LVL3_LAT */
	put_le16(t + 109, boot_arch);
	put_le32(t + 112, flags);
	put_gas(t + 116, LAYOUT_PORT_PM_RESET, 1, GAS_BYTE); /* RESET_REG */
	t[128] = ACPI_PM_RESET_VALUE;
	t[131] = 4; /* minor version: 6.4 */
	put_le64(t + 140, dsdt); /* X_DSDT */
	put_gas(t + 148, LAYOUT_PORT_PM_EVENT, 4, GAS_WORD);
	put_gas(t + 172, LAYOUT_PORT_PM_CONTROL, 2, GAS_WORD);
	put_gas(t + 208, LAYOUT_PORT_PM_TIMER, 4, GAS_DWORD);
	memcpy(t + 268, "TRAPMAP", 8); /* Hypervisor Vendor Identity */
	finish(t, "FACP", 6, FADT_LEN);
	return t;
}

static uint8_t *madt_override(uint8_t *p, uint8_t irq, uint32_t gsi,
			      uint16_t flags)
{
	p[0] = MADT_SOURCE_OVERRIDE;
	p[1] = 10;
	p[3] = irq; /* on bus 0, ISA */
	put_le32(p + 4, gsi);
	put_le16(p + 8, flags);
	return p + 10;
}

/*
 * 5.2.12.2, and 5.2.12.12 for an id that only x2APIC mode can address. The ACPI
 * Processor UID is the one that the DSDT has; it is never above the APIC id.
 */
static uint8_t *madt_processor(uint8_t *p, unsigned uid, uint32_t apic_id)
{
	if (apic_id < TOPOLOGY_XAPIC_IDS) {
		p[0] = MADT_LOCAL_APIC;
		p[1] = 8;
		p[2] = (uint8_t)uid;
		p[3] = (uint8_t)apic_id;
		put_le32(p + 4, BIT(0)); /* enabled */
		return p + 8;
	}
	p[0] = MADT_LOCAL_X2APIC;
	p[1] = 16;
	put_le32(p + 4, apic_id);
	put_le32(p + 8, BIT(0));
	put_le32(p + 12, uid);
	return p + 16;
}

/* 5.2.12.7 and 5.2.12.13: NMIs come through LINT1 of every processor. */
static uint8_t *madt_nmi(uint8_t *p, bool x2apic)
{
	p[0] = MADT_LOCAL_APIC_NMI;
	p[1] = 6;
	p[2] = ALL_PROCESSORS;
	put_le16(p + 3, INTI_CONFORMS);
	p[5] = 1;
	p += 6;
	if (!x2apic)
		return p;
	p[0] = MADT_LOCAL_X2APIC_NMI;
	p[1] = 12;
	put_le16(p + 2, INTI_CONFORMS);
	put_le32(p + 4, ALL_X2APIC_PROCESSORS);
	p[8] = 1;
	return p + 12;
}

/* The most that a MADT takes; what it does take, its header says. */
static size_t madt_room(unsigned cpus)
{
	return HEADER_LEN + 8 + 16 * (size_t)cpus + 12 + 2 * 10 + 6 + 12;
}

/* 5.2.12 */
static uint8_t *build_madt(struct out *o, const struct platform *platform)
{
	size_t at = align_up(o->len, TABLE_ALIGN), len;
	uint8_t *t = reserve(o, madt_room(platform->cpus), TABLE_ALIGN), *p;
	uint32_t apic_id = 0;
	unsigned i;

	if (!t)
		return NULL;
	put_le32(t + 36, LAYOUT_LAPIC);
	put_le32(t + 40, MADT_PCAT_COMPAT); /* there are two 8259A as well */
	p = t + 44;

	for (i = 0; i < platform->cpus; i++) {
		apic_id = platform_apic_id(platform, i);
		p = madt_processor(p, i, apic_id);
	}

	/* Its ID is 0, KVM's after a reset. Nothing addresses it by that. */
	p[0] = MADT_IO_APIC;
	p[1] = 12;
	put_le32(p + 4, LAYOUT_IOAPIC);
	p += 12;

	p = madt_override(p, 0, 2, INTI_CONFORMS);
	p = madt_override(p, LAYOUT_IRQ_SCI, LAYOUT_IRQ_SCI, INTI_LEVEL_HIGH);

	p = madt_nmi(p, apic_id >= TOPOLOGY_XAPIC_IDS);

	len = (size_t)(p - t);
	o->len = at + len;
	finish(t, "APIC", 5, len);
	return t;
}

/*
 * PCI Firmware Specification 3.3, 4.1.2: where the configuration space of bus 0 of
 * segment 0 is in memory.
 */
static uint8_t *build_mcfg(struct out *o)
{
	uint8_t *t = reserve(o, MCFG_LEN, TABLE_ALIGN);

	if (!t)
		return NULL;
	put_le64(t + 44, LAYOUT_ECAM);
	finish(t, "MCFG", 1, MCFG_LEN);
	return t;
}

/*
 * Microsoft's Serial Port Console Redirection Table, revision 2: the first serial
 * port is where a system without a screen has its console.
 */
static uint8_t *build_spcr(struct out *o, const struct platform_place *uart)
{
	uint8_t *t = reserve(o, SPCR_LEN, TABLE_ALIGN);

	if (!t)
		return NULL;
	t[36] = 0; /* Interface Type: a 16550 */
	put_gas_in(t + 40,
		   uart->space == TRAPMAP_SPACE_PIO ? GAS_IO : GAS_MEMORY,
		   uart->base, 1, GAS_BYTE);
	t[52] = 2; /* Interrupt Type: an I/O APIC's input */
	if (uart->irq < 16) {
		t[52] |= 1; /* and a PC's IRQ */
		t[53] = uart->irq;
	}
	put_le32(t + 54, uart->irq); /* Global System Interrupt */
	t[58] = 7; /* 115200 baud, */
	t[60] = 1; /* one stop bit, no parity, no flow control */
	t[62] = 2; /* Terminal Type: VT-UTF8 */
	put_le32(t + 64, 0xffffffff); /* it is no PCI device */
	finish(t, "SPCR", 2, SPCR_LEN);
	return t;
}

/* 5.2.7 and 5.2.8: the same list with addresses of 32 and of 64 bits. */
static uint8_t *build_root(struct out *o, const char *signature, size_t width,
			   const gpa_t *table, unsigned tables)
{
	size_t len = HEADER_LEN + tables * width;
	uint8_t *t = reserve(o, len, TABLE_ALIGN);
	unsigned i;

	if (!t)
		return NULL;
	for (i = 0; i < tables; i++) {
		if (width == 8)
			put_le64(t + HEADER_LEN + i * width, table[i]);
		else
			put_le32(t + HEADER_LEN + i * width,
				 (uint32_t)table[i]);
	}
	finish(t, signature, 1, len);
	return t;
}

/* 5.2.5.3 */
static void write_rsdp(uint8_t *t, gpa_t rsdt, gpa_t xsdt)
{
	memcpy(t, "RSD PTR ", 8);
	memcpy(t + 9, OEM_ID, 6);
	t[15] = 2; /* revision */
	put_le32(t + 16, (uint32_t)rsdt);
	put_le32(t + 20, RSDP_LEN);
	put_le64(t + 24, xsdt);
	t[8] = checksum(t, 20);
	t[32] = checksum(t, RSDP_LEN);
}

int acpi_build(uint8_t *buf, size_t len, gpa_t gpa,
	       const struct platform *platform, size_t *ret_used)
{
	struct out o = { .buf = buf, .cap = len, .gpa = gpa };
	const struct platform_place *console = dsdt_console(platform);
	uint8_t *rsdp, *facs, *dsdt, *fadt, *madt, *mcfg, *spcr, *rsdt, *xsdt;
	gpa_t table[4];
	unsigned tables = 0;

	rsdp = reserve(&o, RSDP_LEN, TABLE_ALIGN);
	if (!rsdp)
		return -ENOSPC;
	facs = build_facs(&o);
	dsdt = build_dsdt(&o, platform);
	if (!facs || !dsdt)
		return -ENOSPC;
	fadt = build_fadt(&o, platform, address(&o, facs), address(&o, dsdt));
	madt = build_madt(&o, platform);
	if (!fadt || !madt)
		return -ENOSPC;
	table[tables++] = address(&o, fadt);
	table[tables++] = address(&o, madt);
	if (platform_has_pci(platform)) {
		mcfg = build_mcfg(&o);
		if (!mcfg)
			return -ENOSPC;
		table[tables++] = address(&o, mcfg);
	}
	if (console) {
		spcr = build_spcr(&o, console);
		if (!spcr)
			return -ENOSPC;
		table[tables++] = address(&o, spcr);
	}
	/* The RSDT is for kernels that were written before ACPI 2.0. */
	rsdt = build_root(&o, "RSDT", 4, table, tables);
	xsdt = build_root(&o, "XSDT", 8, table, tables);
	if (!rsdt || !xsdt)
		return -ENOSPC;
	write_rsdp(rsdp, address(&o, rsdt), address(&o, xsdt));
	*ret_used = o.len;
	return 0;
}
