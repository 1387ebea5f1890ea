// SPDX-License-Identifier: MIT
/*
 * paging.c: grows the boot loader's page tables, which map RAM below 3 GiB one
 * to one, by whatever else a guest wants to touch: APIC registers, RAM above
 * 4 GiB, addresses where nothing is. Source: SDM volume 3, chapter 4.
 */
#include "guest.h"

#define PTE_PRESENT 0x1ull
#define PTE_WRITE 0x2ull
#define PTE_LARGE 0x80ull
#define PTE_ADDRESS 0x000ffffffffff000ull
#define PAGE_2M 0x200000ull

static uint64_t pool[PAGING_POOL][512] __attribute__((aligned(4096)));
static unsigned pool_used;

/* The table that an entry points to, made if there is none. */
static uint64_t *next_table(uint64_t *entry)
{
	if (!(*entry & PTE_PRESENT)) {
		CHECK(pool_used < PAGING_POOL);
		*entry = (uintptr_t)pool[pool_used++] | PTE_PRESENT | PTE_WRITE;
	}
	return (uint64_t *)(*entry & PTE_ADDRESS);
}

void *map_page(uint64_t gpa)
{
	uint64_t *table = (uint64_t *)(read_cr3() & PTE_ADDRESS);

	table = next_table(&table[gpa >> 39 & 511]);
	if (table[gpa >> 30 & 511] & PTE_LARGE)
		return (void *)gpa;
	table = next_table(&table[gpa >> 30 & 511]);
	if (!(table[gpa >> 21 & 511] & PTE_PRESENT)) {
		table[gpa >> 21 & 511] = (gpa & ~(PAGE_2M - 1)) | PTE_PRESENT |
					 PTE_WRITE | PTE_LARGE;
		write_cr3(read_cr3());
	}
	return (void *)gpa;
}
