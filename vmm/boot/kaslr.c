// SPDX-License-Identifier: MIT
/*
 * kaslr.c: what handle_relocations() and find_random_virt_addr() of Linux's
 * arch/x86/boot/compressed/ do.
 *
 * A kernel with CONFIG_RANDOMIZE_BASE has behind its ELF file the places that hold
 * a virtual address (arch/x86/tools/relocs.c, emit_relocs()): words of 32 bits, the
 * low half of the place's own address, in tables that each begin with a zero word.
 * First those of 64 bits, then, before Linux 6.15, those of 32 bits that are
 * relative to per-CPU data and so go the other way, then those of 32 bits.
 *
 * Physical addresses stay: what they hide, a guest's own page tables hide too, and
 * initrd and kernel would have to make room for each other.
 */
#include "boot/kaslr.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/base.h"

#define START_LOW UINT64_C(0x80000000) /* of __START_KERNEL_map, the low half */
#define KERNEL_IMAGE_SIZE GIB(1)
#define TABLES_MAX 3

enum how { ADD_64, SUBTRACT_32, ADD_32 };

/* The first one's, the last one's, and one's between them. */
static enum how how_of(unsigned tables, unsigned table)
{
	if (table == 0)
		return ADD_64;
	return table + 1 < tables ? SUBTRACT_32 : ADD_32;
}

bool kaslr_is_off(const char *cmdline)
{
	static const char word[] = "nokaslr";
	const size_t len = sizeof(word) - 1;
	const char *at = cmdline;

	while ((at = strstr(at, word))) {
		bool begins = at == cmdline || (uint8_t)at[-1] <= ' ';

		at += len;
		if (begins && (uint8_t)*at <= ' ')
			return true;
	}
	return false;
}

/*
 * The tables begin where the last of the file's own parts ends, so that no place
 * lies in them.
 */
static int find_tables(const struct kaslr *k, size_t *ret_off,
		       struct boot_error *err)
{
	uint64_t end;
	Elf64_Ehdr e;
	unsigned i;

	memcpy(&e, k->image, sizeof(e));
	end = e.e_phoff + (uint64_t)e.e_phnum * e.e_phentsize;
	for (i = 0; i < k->plan->segments; i++) {
		const struct boot_segment *s = &k->plan->segment[i];

		if (end < s->file_off + s->file_len)
			end = s->file_off + s->file_len;
	}
	if (e.e_shoff > k->len)
		return boot_refuse(err, offsetof(Elf64_Ehdr, e_shoff),
				   "ELF's section headers are at 0x%" PRIx64
				   ", the file ends at 0x%zx",
				   e.e_shoff, k->len);
	if (e.e_shoff &&
	    end < e.e_shoff + (uint64_t)e.e_shnum * e.e_shentsize)
		end = e.e_shoff + (uint64_t)e.e_shnum * e.e_shentsize;
	if (end > k->len)
		return boot_refuse(err, k->len,
				   "ELF is truncated: its section headers end at 0x%" PRIx64
				   ", the file at 0x%zx",
				   end, k->len);
	*ret_off = (size_t)end;
	return 0;
}

static int count_tables(const struct kaslr *k, size_t off,
			unsigned *ret_tables, struct boot_error *err)
{
	unsigned n = 0;
	size_t at;

	if ((k->len - off) % 4 || get_le32(k->image + off) != 0)
		return boot_refuse(err, off,
				   "0x%zx bytes behind the ELF kernel that are not its relocations",
				   k->len - off);
	for (at = off; at < k->len; at += 4)
		n += get_le32(k->image + at) == 0;
	if (n < 2 || n > TABLES_MAX)
		return boot_refuse(err, off,
				   "kernel has %u tables of relocations; 2 or 3 expected",
				   n);
	*ret_tables = n;
	return 0;
}

/* Where in the file the bytes of a place are. */
static uint8_t *place(const struct kaslr *k, uint32_t word, unsigned size)
{
	const struct boot_plan *plan = k->plan;
	unsigned i;

	for (i = 0; i < plan->segments; i++) {
		const struct boot_segment *s = &plan->segment[i];
		uint64_t off = word - START_LOW - s->gpa;

		if (word >= START_LOW && off < s->file_len &&
		    size <= s->file_len - off)
			return k->image + s->file_off + off;
	}
	return NULL;
}

static void change(uint8_t *at, enum how how, uint64_t distance)
{
	uint64_t wide;
	uint32_t narrow;

	if (how == ADD_64) {
		memcpy(&wide, at, sizeof(wide));
		wide += distance;
		memcpy(at, &wide, sizeof(wide));
		return;
	}
	memcpy(&narrow, at, sizeof(narrow));
	narrow += how == ADD_32 ? (uint32_t)distance : -(uint32_t)distance;
	memcpy(at, &narrow, sizeof(narrow));
}

static int apply(const struct kaslr *k, size_t off, unsigned tables,
		 uint64_t distance, struct boot_error *err)
{
	unsigned table = 0;
	size_t at;

	/* A zero begins each table. */
	for (at = off + 4; at < k->len; at += 4) {
		uint32_t word = get_le32(k->image + at);
		enum how how;
		uint8_t *to;

		if (word == 0) {
			table++;
			continue;
		}
		how = how_of(tables, table);
		to = place(k, word, how == ADD_64 ? 8 : 4);
		if (!to)
			return boot_refuse(err, at,
					   "kernel has a relocation at 0x%x, which is outside of it",
					   word);
		change(to, how, distance);
	}
	return 0;
}

int kaslr_move(const struct kaslr *k, uint64_t random, uint64_t *ret_distance,
	       struct boot_error *err)
{
	const gpa_t base = k->plan->reserve;
	uint64_t slots, distance;
	unsigned tables = 0;
	size_t off = 0;
	int r;

	r = find_tables(k, &off, err);
	if (r < 0)
		return r;
	if (off == k->len)
		return 0;
	r = count_tables(k, off, &tables, err);
	if (r < 0)
		return r;
	if (k->align == 0 || base > KERNEL_IMAGE_SIZE ||
	    k->need > KERNEL_IMAGE_SIZE - base)
		return 0;
	slots = 1 + (KERNEL_IMAGE_SIZE - base - k->need) / k->align;
	distance = random % slots * k->align;
	r = apply(k, off, tables, distance, err);
	if (r < 0)
		return r;
	*ret_distance = distance;
	return 1;
}
