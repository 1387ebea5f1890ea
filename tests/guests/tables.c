// SPDX-License-Identifier: MIT
/*
 * tables.c: each ACPI and MP table is where the one before says, has its
 * signature, and adds up to zero.
 *
 * case tables
 *	options: -c 3
 *	status: 0
 *	match: ^XSDT FACP DSDT FACS APIC SPCR $
 *	out: MP table
 * case tables-pci
 *	options: -c 3 --transport pci
 *	status: 0
 *	match: ^XSDT FACP DSDT FACS APIC MCFG SPCR $
 *	out: MP table
 */
#include "guest.h"

#define FADT_FACS 36
#define FADT_DSDT 40
#define FADT_X_DSDT 140
#define MADT_LAPIC_ADDRESS 36

static void check_table(const struct acpi_header *t, const char *signature)
{
	CHECK(t);
	CHECK(!memcmp(t->signature, signature, 4));
	CHECK(t->length >= sizeof(*t) && t->length < 0x10000);
	CHECK(acpi_checksum_ok(t, t->length));
	print("%s ", signature);
}

static void check_acpi(void)
{
	const uint8_t *rsdp = (const uint8_t *)boot_rsdp();
	const struct acpi_header *fadt = acpi_find("FACP");
	const uint8_t *madt = (const uint8_t *)acpi_find("APIC");
	const struct acpi_header *mcfg = acpi_find("MCFG");
	const struct acpi_header *spcr = acpi_find("SPCR");
	uint64_t addr;
	uint32_t facs;

	CHECK(rsdp && !((uintptr_t)rsdp & 15));
	CHECK(!memcmp(rsdp, "RSD PTR ", 8));
	CHECK(acpi_checksum_ok(rsdp, 20) && acpi_checksum_ok(rsdp, 36));
	CHECK(rsdp[15] >= 2);

	memcpy(&addr, rsdp + 24, 8);
	check_table((const void *)addr, "XSDT");
	check_table(fadt, "FACP");
	memcpy(&addr, (const uint8_t *)fadt + FADT_X_DSDT, 8);
	if (!addr)
		addr = acpi_fadt32(FADT_DSDT);
	check_table((const void *)addr, "DSDT");
	facs = acpi_fadt32(FADT_FACS);
	if (facs) {
		CHECK(!(facs & 63) &&
		      !memcmp((void *)(uintptr_t)facs, "FACS", 4));
		print("FACS ");
	}
	check_table((const void *)madt, "APIC");
	CHECK_EQ(*(const uint32_t *)(madt + MADT_LAPIC_ADDRESS), 0xfee00000);
	if (mcfg)
		check_table(mcfg, "MCFG");
	if (spcr)
		check_table(spcr, "SPCR");
	print("\n");
}

static void check_mp(void)
{
	const uint8_t *p = (const uint8_t *)0xf0000, *config;
	uint32_t addr;
	unsigned i, cpus = 0;

	while (memcmp(p, "_MP_", 4)) {
		p += 16;
		CHECK(p < (const uint8_t *)0x100000);
	}
	CHECK(acpi_checksum_ok(p, 16));
	memcpy(&addr, p + 4, 4);
	config = (const uint8_t *)(uintptr_t)addr;
	CHECK(!memcmp(config, "PCMP", 4));
	CHECK(acpi_checksum_ok(config, config[4] | config[5] << 8));
	p = config + 44;
	for (i = config[34] | config[35] << 8; i; i--) {
		cpus += *p == 0;
		p += *p == 0 ? 20 : 8;
	}
	CHECK_EQ(cpus, 3);
	CHECK_EQ(p - config, config[4] | config[5] << 8);
	print("MP table\n");
}

int guest_main(void)
{
	uint32_t ids[SMP_MAX];

	check_acpi();
	CHECK_EQ(smp_list(ids), 3);
	CHECK(ids[0] == 0 && ids[1] == 1 && ids[2] == 2);
	check_mp();
	return 0;
}
