/* SPDX-License-Identifier: MIT */
/*
 * acpi.h: the ACPI tables: RSDP, XSDT, FADT, FACS, MADT, MCFG, SPCR, DSDT. Sources:
 * ACPI specification 6.4; for SPCR Microsoft's document of that name.
 */
#ifndef TRAPMAP_X86_ACPI_H
#define TRAPMAP_X86_ACPI_H

#include <stddef.h>
#include <stdint.h>

#include "core/gmem.h"
#include "platform.h"

/*
 * Writes all tables into buf, which the guest sees at gpa (a multiple of 64). The
 * RSDP comes first, so its address is gpa. Returns 0 with the bytes used, or
 * -ENOSPC.
 */
int acpi_build(uint8_t *buf, size_t len, gpa_t gpa,
	       const struct platform *platform, size_t *ret_used);

#endif
