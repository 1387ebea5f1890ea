// SPDX-License-Identifier: MIT
/*
 * pci.c: looks for a device on PCI bus 0 by configuration mechanism 1, as those
 * tests do that skip themselves where there is none. 32-bit code.
 */
#include "kut.h"

#define PCI_ADDRESS 0xcf8
#define PCI_DATA 0xcfc
#define PCI_ENABLE 0x80000000u

int test_main(int argc, char **argv)
{
	unsigned device, found = 0;

	for (device = 0; device < 32; device++) {
		outl(PCI_ADDRESS, PCI_ENABLE | device << 11);
		found += inl(PCI_DATA) != UINT32_MAX;
	}
	put("devices: ");
	put_number(found);
	put("\n");
	/* Whatever there is, an empty slot reads as all ones in all widths. */
	outl(PCI_ADDRESS, PCI_ENABLE | 31 << 11 | 7 << 8);
	report(inl(PCI_DATA) == UINT32_MAX, "no function: 32 bits");
	report(inw(PCI_DATA) == UINT16_MAX, "no function: 16 bits");
	report(inb(PCI_DATA + 3) == UINT8_MAX, "no function: 8 bits");
	if (!found)
		report_skip("no PCI device to look at");
	return report_summary();
}
