/* SPDX-License-Identifier: MIT */
/*
 * linux.h: what a kernel finds in memory by the x86 boot protocol: boot_params,
 * command line, initrd, setup_data. Source: Documentation/arch/x86/boot.rst.
 */
#ifndef TRAPMAP_BOOT_LINUX_H
#define TRAPMAP_BOOT_LINUX_H

#include <stddef.h>
#include <stdint.h>

#include "boot/plan.h"
#include "core/gmem.h"
#include "x86/e820.h"

struct linux_boot {
	const struct boot_plan *plan;
	/* The kernel's setup header, plan->setup_len bytes; NULL if none. */
	const uint8_t *setup;
	const char *cmdline; /* not NULL */
	gpa_t initrd;
	uint64_t initrd_len; /* 0: none */
	const struct e820_range *e820;
	unsigned e820_count;
	gpa_t acpi_rsdp; /* 0: none */
	const uint8_t *rng_seed; /* SETUP_RNG_SEED; NULL: none */
	unsigned rng_seed_len;
	const void *dtb; /* SETUP_DTB; NULL: none */
	size_t dtb_len;
};

/*
 * Writes boot_params, command line and setup_data where layout.h says. Returns
 * 0, or -EINVAL with *err and nothing written: the command line or another part
 * is too long, or there is no memory where layout.h has it. err->off is 0 here
 * and below, for it is not the file that is at fault.
 */
int linux_boot_write(const struct gmem *gm, const struct linux_boot *boot,
		     struct boot_error *err);

/*
 * The same for a kernel whose setup code runs, and lies at LAYOUT_SETUP already:
 * fills in its header. Memory map and ACPI tables the setup code and the kernel
 * find themselves.
 */
int linux_setup_write(const struct gmem *gm, const struct linux_boot *boot,
		      struct boot_error *err);

/*
 * Where len bytes of initrd go in a machine with this RAM: as high as the
 * kernel allows, on a page, below the hole, clear of the kernel. Returns 0, or
 * -EINVAL with *err, which says how much room there was.
 */
int linux_place_initrd(const struct gmem *gm, const struct boot_plan *plan,
		       uint64_t len, gpa_t *ret_gpa, struct boot_error *err);

#endif
