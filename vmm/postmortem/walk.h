/* SPDX-License-Identifier: MIT */
/*
 * walk.h: how the guest's own page tables translate an address, level by level.
 * A pure function over guest memory: what the processor would do, SDM volume 3,
 * chapter 4 (and APM volume 2, chapter 5), for all its paging modes.
 */
#ifndef TRAPMAP_POSTMORTEM_WALK_H
#define TRAPMAP_POSTMORTEM_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/gmem.h"

struct walk_mode {
	uint64_t cr0, cr3, cr4, efer;
	unsigned phys_bits; /* MAXPHYADDR; 0: 52 */
};

enum walk_end {
	WALK_MAPPED, /* ret->gpa is where it leads */
	WALK_NO_PAGING, /* CR0.PG is clear: gpa is the address itself */
	WALK_NOT_PRESENT, /* the last level's entry has P clear */
	WALK_RESERVED, /* the last level's entry has a reserved bit set */
	WALK_NOT_RAM, /* the last level's table lies where there is no RAM */
	WALK_NOT_CANONICAL,
};

#define WALK_LEVELS 5

struct walk_level {
	const char *name; /* "PML5E", "PML4E", "PDPTE", "PDE", "PTE" */
	gpa_t gpa; /* where the entry lies */
	uint64_t entry; /* 0 for WALK_NOT_RAM's */
};

struct walk {
	uint64_t linear;
	enum walk_end end;
	struct walk_level level[WALK_LEVELS]; /* from the top */
	unsigned levels;
	gpa_t gpa; /* WALK_MAPPED, WALK_NO_PAGING */
	uint64_t page_size; /* WALK_MAPPED */
	bool writable, user, executable; /* WALK_MAPPED: of all levels */
};

void walk_linear(const struct gmem *gm, const struct walk_mode *mode,
		 uint64_t linear, struct walk *ret_walk);

/*
 * Copies up to len bytes at linear, across pages, as far as they are mapped to
 * RAM. Returns how many.
 */
size_t walk_read(const struct gmem *gm, const struct walk_mode *mode,
		 uint64_t linear, void *buf, size_t len);

#endif
