// SPDX-License-Identifier: MIT
/*
 * e820.c: the memory map. Sources: ACPI specification 6.4, section 15 (System
 * Address Map Interfaces); layout.h.
 *
 * The ACPI and MP tables lie in a reserved range, not in one of type 3 or 4:
 * they are not to be reclaimed. The gap at 0xa0000 (a VGA's) and the IOAPIC and
 * LAPIC have no entry, as on a PC: they are no memory.
 */
#include "x86/e820.h"

#include "layout.h"

unsigned e820_build(const struct platform *platform,
		    struct e820_range map[E820_MAX])
{
	uint64_t low = platform->ram[0].len;
	unsigned n = 0, i;

	map[n++] = (struct e820_range){ 0, LAYOUT_EBDA, E820_RAM };
	map[n++] = (struct e820_range){ LAYOUT_EBDA,
					LAYOUT_LOW_RAM_END - LAYOUT_EBDA,
					E820_RESERVED };
	map[n++] = (struct e820_range){ LAYOUT_BIOS,
					LAYOUT_HIGH_RAM - LAYOUT_BIOS,
					E820_RESERVED };
	if (low > LAYOUT_HIGH_RAM)
		map[n++] = (struct e820_range){ LAYOUT_HIGH_RAM,
						low - LAYOUT_HIGH_RAM,
						E820_RAM };
	for (i = 1; i < platform->rams && platform->ram[i].base < LAYOUT_HOLE;
	     i++)
		map[n++] = (struct e820_range){ platform->ram[i].base,
						platform->ram[i].len,
						E820_RAM };
	/* Linux asks here whether MCFG tells the truth. */
	if (platform_has_pci(platform))
		map[n++] = (struct e820_range){ LAYOUT_ECAM, LAYOUT_ECAM_LEN,
						E820_RESERVED };
	/* kvm-intel's pages. */
	map[n++] = (struct e820_range){ LAYOUT_IDENTITY_MAP,
					LAYOUT_TSS_END - LAYOUT_IDENTITY_MAP,
					E820_RESERVED };
	if (platform->rom)
		map[n++] = (struct e820_range){ LAYOUT_HOLE_END - platform->rom,
						platform->rom, E820_RESERVED };
	for (; i < platform->rams; i++)
		map[n++] = (struct e820_range){ platform->ram[i].base,
						platform->ram[i].len,
						E820_RAM };
	return n;
}
