// SPDX-License-Identifier: MIT
/*
 * pci-empty.c: no PCI, as a kernel finds out at its start: neither mechanism
 * answers, and each function's identification is all ones.
 *
 * case pci-empty
 *	options: --strict-io
 *	status: 0
 *	out: nothing on bus 0
 */
#include "guest.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA 0xcfc
#define ENABLE 0x80000000u
#define CLASS 0x08

static uint32_t read_config(unsigned devfn, unsigned reg)
{
	outl(CONFIG_ADDRESS, ENABLE | devfn << 8 | reg);
	return inl(CONFIG_DATA);
}

int guest_main(void)
{
	unsigned devfn;

	/* Linux' check for mechanism #1, then the one for #2. */
	outb(CONFIG_ADDRESS + 3, 1);
	outl(CONFIG_ADDRESS, ENABLE);
	CHECK_EQ(inl(CONFIG_ADDRESS), 0xffffffff);
	outb(CONFIG_ADDRESS + 3, 0);
	outb(CONFIG_ADDRESS, 0);
	outb(CONFIG_ADDRESS + 2, 0);
	CHECK_EQ(inb(CONFIG_ADDRESS), 0xff);

	for (devfn = 0; devfn < 256; devfn++) {
		CHECK_EQ(read_config(devfn, 0), 0xffffffff);
		CHECK_EQ(inw(CONFIG_DATA), 0xffff);
	}
	CHECK_EQ(read_config(0, CLASS), 0xffffffff);
	outl(CONFIG_DATA, 0);
	CHECK_EQ(inl(CONFIG_DATA), 0xffffffff);
	CHECK_EQ(inw(CONFIG_DATA + 2), 0xffff);
	CHECK_EQ(inb(CONFIG_DATA + 1), 0xff);
	print("nothing on bus 0\n");
	return 0;
}
