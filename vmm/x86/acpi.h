/* SPDX-License-Identifier: MIT */
/*
 * acpi.h: the ACPI tables: RSDP, XSDT, FADT, FACS, MADT, DSDT. Sources: ACPI
 * specification 6.4; addresses and interrupts: layout.h.
 */
#ifndef TRAPMAP_X86_ACPI_H
#define TRAPMAP_X86_ACPI_H

#include <stddef.h>
#include <stdint.h>

#include "core/gmem.h"

/*
 * Writes all tables for `cpus` processors (1 to 255, APIC ids 0 to cpus - 1) and
 * `virtio` transports (0 to LAYOUT_VIRTIO_MAX, each in its place) into buf, which the guest sees at gpa (a multiple of 64). The RSDP comes
 * first, so its address is gpa. Returns 0 with the bytes used, or -ENOSPC.
 */
int acpi_build(uint8_t *buf, size_t len, gpa_t gpa, unsigned cpus,
	       unsigned virtio, size_t *ret_used);

#endif
