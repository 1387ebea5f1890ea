// SPDX-License-Identifier: MIT
/*
 * boot.c: what the boot loader left in boot_params. Source: the Linux kernel's
 * Documentation/arch/x86/{boot,zero-page}.rst.
 */
#include "guest.h"

#define BP_ACPI_RSDP_ADDR 0x070	   /* 8 */
#define BP_EXT_RAMDISK_IMAGE 0x0c0 /* 4 */
#define BP_EXT_RAMDISK_SIZE 0x0c4  /* 4 */
#define BP_EXT_CMD_LINE_PTR 0x0c8  /* 4 */
#define BP_E820_ENTRIES 0x1e8	   /* 1 */
#define BP_RAMDISK_IMAGE 0x218	   /* 4 */
#define BP_RAMDISK_SIZE 0x21c	   /* 4 */
#define BP_CMD_LINE_PTR 0x228	   /* 4 */
#define BP_E820_TABLE 0x2d0

extern const uint8_t *boot_params;
/* Set by start.S before anything else runs. */
const uint8_t *boot_params;

static uint32_t field32(unsigned off)
{
	uint32_t val;

	memcpy(&val, boot_params + off, sizeof(val));
	return val;
}

static uint64_t split_field(unsigned low, unsigned high)
{
	return field32(low) | (uint64_t)field32(high) << 32;
}

unsigned boot_e820(const struct e820_entry **ret_map)
{
	*ret_map = (const void *)(boot_params + BP_E820_TABLE);
	return boot_params[BP_E820_ENTRIES];
}

const char *boot_cmdline(void)
{
	uint64_t p = split_field(BP_CMD_LINE_PTR, BP_EXT_CMD_LINE_PTR);

	return p ? (const char *)p : "";
}

const uint8_t *boot_initrd(uint64_t *ret_len)
{
	*ret_len = split_field(BP_RAMDISK_SIZE, BP_EXT_RAMDISK_SIZE);
	if (!*ret_len)
		return NULL;
	return (const uint8_t *)split_field(BP_RAMDISK_IMAGE,
					    BP_EXT_RAMDISK_IMAGE);
}

uint64_t boot_rsdp(void)
{
	return split_field(BP_ACPI_RSDP_ADDR, BP_ACPI_RSDP_ADDR + 4);
}
