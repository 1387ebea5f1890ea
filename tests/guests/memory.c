// SPDX-License-Identifier: MIT
/*
 * memory.c: the memory map adds up to the size that the command line gives in
 * MiB, the first and the last bytes of each range of RAM are memory of their
 * own, and behind the last one nothing is.
 *
 * case memory-2M
 *	options: -m 2 --params 2
 *	status: 0
 * case memory-64M
 *	options: -m 64 --params 64
 *	status: 0
 *	out: 2 ranges of RAM
 * case memory-3G
 *	options: -m 3G --params 3072
 *	status: 0
 *	out: 2 ranges of RAM
 * case memory-4G
 *	options: -m 4096 --params 4096
 *	status: 0
 *	out: 3 ranges of RAM
 * case memory-6G
 *	options: -m 6G --params 6144
 *	status: 0
 *	out: 3 ranges of RAM
 * case memory-memfd
 *	options: -m 6G,backing=memfd --params 6144
 *	status: 0
 *	out: 3 ranges of RAM
 *	report: guest.memory.backing = memfd
 * case memory-file
 *	options: -m 16,backing=file=$dir/ram --params 16
 *	status: 0
 *	out: 2 ranges of RAM
 *	check: [ "$(stat -c '%s %a' "$dir/ram")" = '16777216 600' ]
 *	report: guest.memory.backing = file
 * case memory-file-is-not-lost-for-nothing
 *	setup: echo precious >"$dir/ram"
 *	options: -m 16,backing=file=$dir/ram -i /dev/null/none
 *	status: 2
 *	err: ^trapmap: /dev/null/none: Not a directory$
 *	check: [ "$(cat "$dir/ram")" = precious ]
 * case memory-taken-at-once
 *	options: -m 64,prealloc,thp=off --params 64
 *	status: 0
 *	out: 2 ranges of RAM
 *	report: guest.memory.prealloc = true
 * case memory-locked
 *	if: [ "$(ulimit -l)" = unlimited ] || [ "$(ulimit -l)" -ge 4096 ]
 *	options: -m 4,lock --params 4
 *	status: 0
 *	out: 2 ranges of RAM
 * case memory-huge-pages
 *	if: [ "$(cat /sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages)" -ge 8 ]
 *	options: -m 16,backing=hugetlb --params 16
 *	status: 0
 *	out: 2 ranges of RAM
 * case memory-no-huge-pages
 *	if: [ "$(cat /sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages)" -lt 4096 ]
 *	options: -m 8G,backing=hugetlb --params 8192
 *	status: 4
 *	err: takes 4096 huge pages of 2 MiB, and of [0-9]+ here [0-9]+ are free
 */
#include "guest.h"

#define LOW_RAM_LOST 0x60400 /* from the EBDA to 1 MiB */
#define HOLE 0xc0000000ull
#define HIGH 0x100000000ull
#define MAX 16

static uint64_t spots[MAX];
static uint64_t before[MAX];

static volatile uint64_t *spot(unsigned i)
{
	return spots[i] < HIGH ? (volatile uint64_t *)spots[i]
			       : map_page(spots[i]);
}

int guest_main(void)
{
	const char *s = boot_cmdline();
	uint64_t mem = parse_number(&s) << 20, ram = 0, end = 0;
	const struct e820_entry *map;
	unsigned i, n = boot_e820(&map), ranges = 0;

	for (i = 0; i < n; i++) {
		CHECK(map[i].len && map[i].base >= end);
		end = map[i].base + map[i].len;
		if (map[i].type != E820_RAM)
			continue;
		CHECK(end <= HOLE || map[i].base >= HIGH);
		ram += map[i].len;
		spots[2 * ranges] = map[i].base;
		spots[2 * ranges + 1] = end - 8;
		ranges++;
		CHECK(2 * ranges <= MAX);
	}
	print("%u ranges of RAM\n", ranges);
	CHECK_EQ(ram, mem - LOW_RAM_LOST);

	/* All marks first, so that two addresses of one byte are found out. */
	for (i = 0; i < 2 * ranges; i++) {
		before[i] = *spot(i);
		/* Where this very program lies, reading must do. */
		if (spots[i] != 0x100000)
			*spot(i) = spots[i] ^ 0x5a5a5a5a5a5a5a5a;
	}
	for (i = 0; i < 2 * ranges; i++) {
		if (spots[i] == 0x100000)
			continue;
		CHECK_EQ(*spot(i), spots[i] ^ 0x5a5a5a5a5a5a5a5a);
		*spot(i) = before[i];
	}

	end = spots[2 * ranges - 1] + 8;
	CHECK_EQ(end, mem <= HOLE ? mem : HIGH + mem - HOLE);
	map_page(end);
	*(volatile uint32_t *)end = 1;
	CHECK_EQ(*(volatile uint32_t *)end, 0xffffffff);
	return 0;
}
