// SPDX-License-Identifier: MIT
/*
 * memory.c: how much memory there is, which the argument says in MiB (below
 * 3 GiB). 32-bit code without paging.
 */
#include "kut.h"

#define RAM 1
#define MIB (UINT64_C(1) << 20)

struct map_entry {
	uint32_t size; /* of what follows */
	uint64_t addr, len;
	uint32_t type;
} __attribute__((packed));

/* A loader may keep a little of it. */
static bool is_about(uint64_t found, uint64_t expected)
{
	return found <= expected && expected - found < MIB;
}

int test_main(int argc, char **argv)
{
	uint64_t expected = argc > 1 ? number(argv[1]) * MIB : 0, top = 0;
	volatile uint32_t *last;
	uint32_t off, cr0;

	asm("mov %%cr0, %0" : "=r"(cr0));
	report((cr0 & 1) && !(cr0 >> 31), "protected mode without paging");
	report(fw_cfg(FW_CFG_RAM_SIZE, 8) == expected, "fw_cfg: RAM size");

	report(boot_info->flags & MULTIBOOT_MEMORY, "multiboot: mem_upper");
	report(is_about(((uint64_t)boot_info->mem_upper << 10) + MIB, expected),
	       "multiboot: mem_upper is all above 1 MiB");
	report(boot_info->flags & MULTIBOOT_MMAP, "multiboot: memory map");
	for (off = 0; off < boot_info->mmap_length;) {
		const struct map_entry *e =
			(const void *)(uintptr_t)(boot_info->mmap_addr + off);

		if (e->type == RAM && e->addr + e->len > top)
			top = e->addr + e->len;
		off += e->size + 4;
	}
	report(is_about(top, expected),
	       "multiboot: the map ends with the memory");

	last = (uint32_t *)(uintptr_t)(top - 4);
	*last = 0x600dcafe;
	report(*last == 0x600dcafe, "its last word can be written");
	return report_summary();
}
