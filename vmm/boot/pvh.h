/* SPDX-License-Identifier: MIT */
/*
 * pvh.h: what a kernel finds that is entered by its PVH note. Source: Xen's
 * xen/include/public/arch-x86/hvm/start_info.h.
 */
#ifndef TRAPMAP_BOOT_PVH_H
#define TRAPMAP_BOOT_PVH_H

#include <stdint.h>

#include "boot/plan.h"
#include "core/gmem.h"
#include "x86/e820.h"

#define PVH_MAGIC 0x336ec578u

/* A file that the kernel gets beside itself. */
struct pvh_module {
	const char *cmdline; /* NULL: it has none */
	gpa_t gpa;
	uint64_t len;
};

struct pvh_boot {
	const char *cmdline; /* not NULL */
	uint32_t cmdline_max; /* without its NUL */
	const struct e820_range *e820;
	unsigned e820_count;
	const struct pvh_module *module;
	unsigned modules;
	gpa_t acpi_rsdp; /* 0: none */
};

/*
 * Writes hvm_start_info to LAYOUT_PVH and what it points to. Returns 0, or
 * -EINVAL with *err and nothing written: the command line or what is to be told
 * of the modules is too long.
 */
int pvh_write(const struct gmem *gm, const struct pvh_boot *boot,
	      struct boot_error *err);

#endif
