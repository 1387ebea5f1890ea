// SPDX-License-Identifier: MIT
/*
 * acpi.c: finds ACPI tables and ends the run by the registers that the FADT
 * names. Source: ACPI specification 6.4, chapters 4 and 5.
 *
 * Not done: AML. A real kernel reads the sleep type of S5 from \_S5 in the
 * DSDT; Trapmap's is 0, and that is what is written here.
 */
#include <trapmap/guest_abi.h>

#include "guest.h"

#define RSDP_XSDT 24	     /* offset of the XSDT's address */
#define FADT_RESET_SPACE 116 /* a generic address: its space */
#define FADT_RESET_ADDRESS 120
#define FADT_RESET_VALUE 128
#define SPACE_IO 1
#define PM1_SLP_EN 0x2000
#define SLP_TYP_S5 0

const struct acpi_header *acpi_find(const char *signature)
{
	const uint8_t *rsdp = (const uint8_t *)boot_rsdp();
	const struct acpi_header *xsdt, *table;
	const uint8_t *p, *end;
	uint64_t addr;

	if (!rsdp)
		return NULL;
	memcpy(&addr, rsdp + RSDP_XSDT, sizeof(addr));
	xsdt = (const struct acpi_header *)addr;
	end = (const uint8_t *)xsdt + xsdt->length;
	for (p = (const uint8_t *)(xsdt + 1); p + 8 <= end; p += 8) {
		memcpy(&addr, p, sizeof(addr));
		table = (const struct acpi_header *)addr;
		if (!memcmp(table->signature, signature, 4))
			return table;
	}
	return NULL;
}

bool acpi_checksum_ok(const void *p, size_t len)
{
	const uint8_t *b = p;
	uint8_t sum = 0;

	while (len--)
		sum = (uint8_t)(sum + *b++);
	return !sum;
}

uint32_t acpi_fadt32(unsigned offset)
{
	const struct acpi_header *fadt = acpi_find("FACP");
	uint32_t val;

	if (!fadt || offset + sizeof(val) > fadt->length)
		return 0;
	memcpy(&val, (const uint8_t *)fadt + offset, sizeof(val));
	return val;
}

void halt_forever(void)
{
	for (;;)
		asm volatile("cli; hlt");
}

void test_exit(uint32_t value)
{
	outl(TRAPMAP_TEST_EXIT_PORT, value);
	halt_forever();
}

void acpi_power_off(void)
{
	uint16_t port = (uint16_t)acpi_fadt32(FADT_PM1A_CONTROL);

	CHECK(port);
	outw(port, PM1_SLP_EN | SLP_TYP_S5 << 10);
	halt_forever();
}

void acpi_reset(void)
{
	CHECK((acpi_fadt32(FADT_RESET_SPACE) & 0xff) == SPACE_IO);
	outb((uint16_t)acpi_fadt32(FADT_RESET_ADDRESS),
	     (uint8_t)acpi_fadt32(FADT_RESET_VALUE));
	halt_forever();
}
