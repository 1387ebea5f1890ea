/* SPDX-License-Identifier: MIT */
/* acpi_rig.h: ACPI tables of some boards, and a guest's way to find one. */
#ifndef TRAPMAP_TEST_ACPI_RIG_H
#define TRAPMAP_TEST_ACPI_RIG_H

#include "test.h"

#include <stdbool.h>
#include <string.h>

#include "a_pc.h"
#include "core/base.h"
#include "layout.h"
#include "x86/acpi.h"

#define GPA LAYOUT_ACPI

static uint8_t mem[LAYOUT_ACPI_MAX];

static struct platform pci; /* with every slot in use */

static inline void rig_init(void)
{
	pci = a_pc(MIB(64), 2, TRAPMAP_TRANSPORT_PCI, 31);
}

/* What a devicetree may describe: nothing is where a PC has it. */
static inline struct platform board(void)
{
	struct platform p = a_pc(MIB(64), 2, TRAPMAP_TRANSPORT_MMIO, 1);

	p.rtc.base = 0x270;
	p.uart[0] = (struct platform_place){ TRAPMAP_SPACE_MMIO, true, 2, 17,
					     0xd0100000 };
	p.uart[1] = (struct platform_place){ TRAPMAP_SPACE_MMIO, true, 0, 18,
					     0xd0101000 };
	p.uart[2] = (struct platform_place){ TRAPMAP_SPACE_PIO, true, 0, 4,
					     0x3e8 };
	p.uart[3] = (struct platform_place){ TRAPMAP_SPACE_PIO, true, 0, 4,
					     0x2e8 };
	return p;
}

static inline size_t build_for(const struct platform *platform)
{
	size_t used = 0;

	memset(mem, 0xa5, sizeof(mem));
	assert_int_equal(acpi_build(mem, sizeof(mem), GPA, platform, &used), 0);
	assert_in_range(used, 1, sizeof(mem));
	return used;
}

static inline size_t build(unsigned cpus)
{
	const struct platform mmio =
		a_pc(MIB(64), cpus, TRAPMAP_TRANSPORT_MMIO, 8);

	return build_for(&mmio);
}

static inline uint8_t sum(const uint8_t *p, size_t len)
{
	uint8_t s = 0;

	while (len-- > 0)
		s += *p++;
	return s;
}

/* A guest's look at an address that it read from a table. */
static inline const uint8_t *at(uint64_t gpa)
{
	assert_in_range(gpa, GPA, GPA + sizeof(mem) - 1);
	return mem + (gpa - GPA);
}

static inline const uint8_t *table_at(uint64_t gpa, const char *signature)
{
	const uint8_t *t = at(gpa);

	assert_memory_equal(t, signature, 4);
	assert_in_range(gpa + get_le32(t + 4), GPA, GPA + sizeof(mem));
	if (strcmp(signature, "FACS") != 0)
		assert_int_equal(sum(t, get_le32(t + 4)), 0);
	return t;
}

static inline const uint8_t *find(const char *signature)
{
	const uint8_t *xsdt = table_at(get_le64(mem + 24), "XSDT");
	size_t off;

	for (off = 36; off < get_le32(xsdt + 4); off += 8)
		if (!memcmp(at(get_le64(xsdt + off)), signature, 4))
			return table_at(get_le64(xsdt + off), signature);
	fail_msg("no %s", signature);
	return NULL;
}

static inline void assert_gas(const uint8_t *gas, uint64_t port, unsigned bits)
{
	assert_int_equal(gas[0], 1); /* system I/O */
	assert_int_equal(gas[1], bits);
	assert_int_equal(gas[2], 0);
	assert_int_equal(get_le64(gas + 4), port);
}

static inline bool contains(const uint8_t *t, const void *bytes, size_t len)
{
	return memmem(t, get_le32(t + 4), bytes, len) != NULL;
}

#endif
