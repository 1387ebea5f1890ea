// SPDX-License-Identifier: MIT
/*
 * walk.c: the guest's own page tables, followed as the processor does.
 *
 * Sources: SDM volume 3, chapter 4 (tables 4-3 to 4-20 for the entries' bits).
 *
 * Not here: protection keys, SMEP, SMAP and shadow stacks (they decide on an
 * access, not on where it leads); accessed and dirty bits; what the processor
 * still has in its TLB, and the PDPTEs of PAE paging, of which the processor
 * has copies since CR3 was loaded: here they are read from memory.
 */
#include "postmortem/walk.h"

#include <string.h>

#include "core/base.h"

#define CR0_PG BIT64(31)
#define CR4_PSE BIT64(4)
#define CR4_PAE BIT64(5)
#define CR4_LA57 BIT64(12)
#define EFER_LMA BIT64(10)
#define EFER_NXE BIT64(11)

#define ENTRY_P BIT64(0)
#define ENTRY_RW BIT64(1)
#define ENTRY_US BIT64(2)
#define ENTRY_PS BIT64(7)
#define ENTRY_NX BIT64(63)

#define PHYS_BITS_MAX 52
/* PSE-36 has room for no more in an entry of four bytes. */
#define PSE36_BITS_MAX 40

enum paging { PAGING_32, PAGING_PAE, PAGING_LONG };

/* Where a linear address's bits for a level begin, and what may be there. */
struct shape {
	const char *name;
	unsigned shift;
	unsigned bits; /* of the index */
	bool large;    /* PS makes a page of it */
};

static const struct shape shape_32[] = {
	{ "PDE", 22, 10, true },
	{ "PTE", 12, 10, false },
};

static const struct shape shape_pae[] = {
	{ "PDPTE", 30, 2, false },
	{ "PDE", 21, 9, true },
	{ "PTE", 12, 9, false },
};

static const struct shape shape_long[] = {
	{ "PML5E", 48, 9, false }, /* with CR4.LA57 only */
	{ "PML4E", 39, 9, false }, { "PDPTE", 30, 9, true },
	{ "PDE", 21, 9, true },	   { "PTE", 12, 9, false },
};

/* Bits first to last, both included; none where last is below first. */
static uint64_t bits(unsigned first, unsigned last)
{
	if (last < first)
		return 0;
	return (last == 63 ? 0 : BIT64(last + 1)) - BIT64(first);
}

static unsigned phys_bits(const struct walk_mode *mode)
{
	unsigned n = mode->phys_bits;

	return n == 0 || n > PHYS_BITS_MAX ? PHYS_BITS_MAX : n;
}

static bool is_canonical(const struct walk_mode *mode, uint64_t linear)
{
	unsigned spare = mode->cr4 & CR4_LA57 ? 7 : 16;

	return (uint64_t)((int64_t)(linear << spare) >> spare) == linear;
}

/* What must be zero in a present entry of 4 bytes. */
static uint64_t reserved_32(const struct walk_mode *mode, bool large)
{
	unsigned m = phys_bits(mode);

	if (m > PSE36_BITS_MAX)
		m = PSE36_BITS_MAX;
	/* Bits 20:13 are the address's 39:32, as far as there are so many. */
	return large ? bits(m > 32 ? m - 19 : 13, 21) : 0;
}

/* The same of 8 bytes. */
static uint64_t reserved_64(const struct walk_mode *mode, enum paging paging,
			    const struct shape *s, bool large)
{
	uint64_t mask = bits(phys_bits(mode), 51);

	if (paging == PAGING_PAE) {
		mask |= bits(52, 62);
		if (s->shift == 30) /* has no RW, US or NX either */
			return mask | ENTRY_NX | bits(1, 2) | bits(5, 8);
	}
	if (!(mode->efer & EFER_NXE))
		mask |= ENTRY_NX;
	if (large)
		mask |= bits(13, s->shift - 1);
	else if (s->shift > 30)
		mask |= ENTRY_PS;
	return mask;
}

/* Where a page that a PDE of 4 bytes maps begins. */
static gpa_t pse36_base(uint64_t entry)
{
	return (entry & bits(22, 31)) | (entry & bits(13, 20)) << 19;
}

static bool read_entry(const struct gmem *gm, gpa_t gpa, unsigned size,
		       uint64_t *ret_entry)
{
	uint8_t raw[8];

	if (gmem_read(gm, gpa, raw, size) < 0)
		return false;
	*ret_entry = size == 4 ? get_le32(raw) : get_le64(raw);
	return true;
}

/* Follows the tables from table on, the top one, whose shape is *s. */
static enum walk_end descend(const struct gmem *gm,
			     const struct walk_mode *mode, enum paging paging,
			     gpa_t table, const struct shape *s, struct walk *w)
{
	unsigned size = paging == PAGING_32 ? 4 : 8;
	uint64_t address = bits(12,
				paging == PAGING_32 ? 31 : phys_bits(mode) - 1);

	w->writable = w->user = w->executable = true;
	for (;; s++) {
		struct walk_level *l = &w->level[w->levels++];
		uint64_t index = w->linear >> s->shift & bits(0, s->bits - 1);
		uint64_t entry = 0, reserved;
		bool large;

		l->name = s->name;
		l->gpa = table + index * size;
		if (!read_entry(gm, l->gpa, size, &entry))
			return WALK_NOT_RAM;
		l->entry = entry;
		if (!(entry & ENTRY_P))
			return WALK_NOT_PRESENT;
		large = s->large && entry & ENTRY_PS &&
			(paging != PAGING_32 || mode->cr4 & CR4_PSE);
		reserved = paging == PAGING_32
				   ? reserved_32(mode, large)
				   : reserved_64(mode, paging, s, large);
		if (entry & reserved)
			return WALK_RESERVED;
		if (paging != PAGING_PAE || s->shift != 30) {
			w->writable &= (entry & ENTRY_RW) != 0;
			w->user &= (entry & ENTRY_US) != 0;
			/* With NXE clear it is reserved, so clear too. */
			w->executable &= !(entry & ENTRY_NX);
		}
		if (large || s->shift == 12) {
			uint64_t within = bits(0, s->shift - 1);

			w->page_size = within + 1;
			w->gpa = (large && paging == PAGING_32
					  ? pse36_base(entry)
					  : entry & address & ~within) |
				 (w->linear & within);
			return WALK_MAPPED;
		}
		table = entry & address;
	}
}

void walk_linear(const struct gmem *gm, const struct walk_mode *mode,
		 uint64_t linear, struct walk *ret_walk)
{
	struct walk w = { .linear = linear };

	if (!(mode->efer & EFER_LMA))
		w.linear = (uint32_t)linear;
	if (!(mode->cr0 & CR0_PG)) {
		w.end = WALK_NO_PAGING;
		w.gpa = w.linear;
	} else if (mode->efer & EFER_LMA) {
		gpa_t table = mode->cr3 & bits(12, phys_bits(mode) - 1);

		w.end = WALK_NOT_CANONICAL;
		if (is_canonical(mode, linear))
			w.end = descend(gm, mode, PAGING_LONG, table,
					mode->cr4 & CR4_LA57 ? shape_long
							     : shape_long + 1,
					&w);
	} else if (mode->cr4 & CR4_PAE) {
		w.end = descend(gm, mode, PAGING_PAE, mode->cr3 & bits(5, 31),
				shape_pae, &w);
	} else {
		w.end = descend(gm, mode, PAGING_32, mode->cr3 & bits(12, 31),
				shape_32, &w);
	}
	if (w.end != WALK_MAPPED)
		w.writable = w.user = w.executable = false;
	*ret_walk = w;
}

/* Within one page: as many of len bytes as are RAM. */
static size_t read_ram(const struct gmem *gm, gpa_t gpa, uint8_t *dst,
		       size_t len)
{
	size_t n = 0;

	if (gmem_read(gm, gpa, dst, len) == 0)
		return len;
	while (n < len && gmem_read(gm, gpa + n, dst + n, 1) == 0)
		n++;
	return n;
}

size_t walk_read(const struct gmem *gm, const struct walk_mode *mode,
		 uint64_t linear, void *buf, size_t len)
{
	uint8_t *dst = buf;
	size_t done = 0;

	while (done < len) {
		size_t n = KIB(4) - ((linear + done) & (KIB(4) - 1)), got;
		struct walk w;

		if (n > len - done)
			n = len - done;
		walk_linear(gm, mode, linear + done, &w);
		if (w.end != WALK_MAPPED && w.end != WALK_NO_PAGING)
			break;
		got = read_ram(gm, w.gpa, dst + done, n);
		done += got;
		if (got < n)
			break;
	}
	return done;
}
