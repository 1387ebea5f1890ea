/* SPDX-License-Identifier: MIT */
/*
 * multiboot.h: what a multiboot kernel finds when it starts. Source: Multiboot
 * Specification 0.6.96, 3.2 "Machine state" and 3.3 "Boot information format".
 */
#ifndef TRAPMAP_BOOT_MULTIBOOT_H
#define TRAPMAP_BOOT_MULTIBOOT_H

#include <stddef.h>
#include <stdint.h>

#include "boot/plan.h"
#include "core/gmem.h"
#include "x86/e820.h"

#define MULTIBOOT_HEADER_MAGIC 0x1badb002u
#define MULTIBOOT_LOADER_MAGIC 0x2badb002u /* in EAX */

/* A file that the kernel gets beside itself. */
struct multiboot_module {
	const char *name; /* its string */
	gpa_t gpa; /* at a page's start */
	uint64_t len;
};

struct multiboot_boot {
	const char *kernel; /* the first word of the command line */
	const char *cmdline; /* the rest of it */
	const struct e820_range *e820;
	unsigned e820_count;
	const struct multiboot_module *module;
	unsigned modules;
};

/* The offset of an image's header, which tells that it is one; or -1. */
int64_t multiboot_find(const struct boot_image *image);

/*
 * Writes the information structure to LAYOUT_MULTIBOOT and what it points to.
 * Returns 0, or -EINVAL with *err: the command line or the modules' names are
 * too long.
 */
int multiboot_write(const struct gmem *gm, const struct multiboot_boot *boot,
		    struct boot_error *err);

#endif
