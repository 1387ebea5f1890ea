/* SPDX-License-Identifier: MIT */
/* e820.h: the memory map, as INT 15h AX=E820h reports it. */
#ifndef TRAPMAP_X86_E820_H
#define TRAPMAP_X86_E820_H

#include <stdint.h>

#include "platform.h"

/* Low RAM, EBDA, BIOS, ECAM, KVM's pages, ROM, and all RAM above 1 MiB. */
#define E820_MAX (6 + PLATFORM_RAM_MAX)

enum e820_type { E820_RAM = 1, E820_RESERVED = 2 };

struct e820_range {
	uint64_t base;
	uint64_t len;
	enum e820_type type;
};

/*
 * The map of a machine, by layout.h. Ascending and disjoint. Returns how many
 * entries there are.
 */
unsigned e820_build(const struct platform *platform,
		    struct e820_range map[E820_MAX]);

#endif
