// SPDX-License-Identifier: MIT
/*
 * fw-cfg.c: how kernels without ACPI and without a boot protocol learn the
 * machine's size: QEMU's fw_cfg. The command line says what is expected: bytes
 * of memory, processors.
 *
 * case fw-cfg
 *	options: -m 64 -c 3 --params '67108864 3'
 *	status: 0
 * case fw-cfg-name-twice
 *	options: --fw-cfg opt/x,string=a --fw-cfg opt/x,string=b
 *	status: 2
 *	err: ^trapmap: --fw-cfg: fw_cfg file 'opt/x' is there already$
 * case fw-cfg-above-4-gib
 *	options: -m 5G --params '5368709120 1'
 *	status: 0
 */
#include "guest.h"

#define SELECTOR 0x510
#define DATA 0x511

#define SIGNATURE 0x0000
#define ID 0x0001
#define RAM_SIZE 0x0003
#define NB_CPUS 0x0005
#define MAX_CPUS 0x000f
#define FILE_DIR 0x0019
#define NO_ITEM 0x0002

/* The next n bytes, the first one lowest. */
static uint64_t bytes_of(unsigned n)
{
	uint64_t val = 0;
	unsigned i;

	for (i = 0; i < n; i++)
		val |= (uint64_t)inb(DATA) << (8 * i);
	return val;
}

/* An item of n bytes. */
static uint64_t item(uint16_t key, unsigned n)
{
	uint64_t val;

	outw(SELECTOR, key);
	val = bytes_of(n);
	/* Only zeros come after it. */
	CHECK_EQ(inb(DATA), 0);
	return val;
}

int guest_main(void)
{
	const char *s = boot_cmdline();
	uint64_t mem = parse_number(&s), cpus = parse_number(&s);
	uint8_t bytes[4];
	uint8_t *p = bytes;
	uint64_t n = sizeof(bytes);

	CHECK_EQ(item(SIGNATURE, 4), 0x554d4551); /* "QEMU" */
	CHECK_EQ(item(ID, 4), 3); /* both interfaces */
	CHECK_EQ(item(RAM_SIZE, 8), mem);
	CHECK_EQ(item(NB_CPUS, 2), cpus);
	CHECK_EQ(item(MAX_CPUS, 2), cpus);
	CHECK_EQ(item(NO_ITEM, 4), 0);
	/* "etc/e820", of 20 bytes a range; the first one is of memory. */
	outw(SELECTOR, FILE_DIR);
	CHECK_EQ(bytes_of(4), 0x01000000);
	CHECK(bytes_of(4) != 0);
	CHECK_EQ(bytes_of(2), 0x2000);
	outw(SELECTOR, 0x20);
	CHECK_EQ(bytes_of(8), 0);
	CHECK_EQ(bytes_of(8), 0x9fc00);
	CHECK_EQ(bytes_of(4), 1);

	/* As Linux and SeaBIOS read it. */
	outw(SELECTOR, SIGNATURE);
	asm volatile("rep insb" : "+D"(p), "+c"(n) : "d"(DATA) : "memory");
	CHECK(!memcmp(bytes, "QEMU", 4));
	return 0;
}
