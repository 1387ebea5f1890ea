/* SPDX-License-Identifier: MIT */
/*
 * aml.h: writes ACPI machine language, as much as a DSDT without methods needs.
 * Source: ACPI specification 6.4, section 20 (encoding) and 6.4 (resources).
 *
 * Nothing here fails: what does not fit sets `full`, and the caller looks at it
 * once, at the end.
 */
#ifndef TRAPMAP_X86_AML_H
#define TRAPMAP_X86_AML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aml {
	uint8_t *buf;
	size_t cap;
	size_t len;
	bool full;
};

/*
 * Scope and device enclose what follows, up to the aml_close() that gets their
 * result. A name is one segment, always of four characters: "_SB_".
 */
size_t aml_open_scope(struct aml *a, const char *name);
size_t aml_open_device(struct aml *a, const char *name);
void aml_close(struct aml *a, size_t start);

/* Name (name, value) */
void aml_name_integer(struct aml *a, const char *name, uint64_t value);
void aml_name_string(struct aml *a, const char *name, const char *value);
/* Name (name, EisaId (id)); id is three capitals and four digits, "PNP0501". */
void aml_name_eisaid(struct aml *a, const char *name, const char *id);
/* Name (name, Package (count) {...}), count at most 255 */
void aml_name_integers(struct aml *a, const char *name, const uint8_t *value,
		       unsigned count);

/* Name (name, Package (count) {...}): open, count elements, aml_close(). */
size_t aml_open_name_package(struct aml *a, const char *name, unsigned count);
/* An element: Package (count) {...}, likewise; and an integer. */
size_t aml_open_package(struct aml *a, unsigned count);
void aml_integer(struct aml *a, uint64_t value);

/*
 * Name (_CRS, ResourceTemplate () {...}): open, any number of resources, close.
 */
size_t aml_open_crs(struct aml *a);
void aml_crs_io(struct aml *a, uint16_t port, uint8_t len);
/* Edge-triggered, active high, not shared. */
void aml_crs_isa_irq(struct aml *a, unsigned irq);
/* The same, shared. */
void aml_crs_isa_irq_shared(struct aml *a, unsigned irq);
/* Read and write, fixed. */
void aml_crs_memory(struct aml *a, uint32_t base, uint32_t len);
/* By its number at the IOAPICs: edge-triggered, active high, not shared. */
void aml_crs_edge_irq(struct aml *a, uint32_t gsi);
/* What a bridge passes on: count buses, and memory that is not cached. */
void aml_crs_bus(struct aml *a, uint16_t first, uint16_t count);
void aml_crs_window(struct aml *a, uint32_t base, uint32_t len);
void aml_close_crs(struct aml *a, size_t start);

#endif
