/* SPDX-License-Identifier: MIT */
/*
 * walk.h: the pieces that reading a board is made of: one pass over the tree, which
 * keeps what its ancestors say of the node that it is at. Everything here returns 0 or
 * more, or -EINVAL with a line in walk.err, or -ENOMEM.
 */
#ifndef TRAPMAP_BOARD_WALK_H
#define TRAPMAP_BOARD_WALK_H

#include <libfdt.h>
#include <stdbool.h>
#include <stdint.h>

#include "board/read.h"

#define BOARD_DEPTH_MAX 16
#define BOARD_RANGES_MAX 16 /* of memory, before they are joined */
#define BOARD_CLAIMS_MAX 64
#define BOARD_PATH_LEN 128

struct board_level {
	int node;
	/* What the addresses of its children are made of. */
	uint32_t address_cells;
	uint32_t size_cells;
	uint32_t interrupt_parent; /* a phandle; 0: none up to here */
	bool isa; /* they are of the ISA bus */
	bool cpus; /* it is /cpus */
};

struct board_range {
	uint64_t base;
	uint64_t len;
	int node;
};

/* Addresses or ports that are taken, by a node or by what every board has. */
struct board_claim {
	enum trapmap_space space;
	uint64_t base;
	uint64_t last;
	int node; /* -1: see who */
	const char *who;
};

struct board_cpu {
	uint32_t apic_id;
	int node;
};

struct board_walk {
	const void *fdt;
	struct tree_board *board;
	struct board_level level[BOARD_DEPTH_MAX];
	int depth; /* of the node that is looked at */
	struct board_range ram[BOARD_RANGES_MAX];
	unsigned rams;
	struct board_claim claim[BOARD_CLAIMS_MAX];
	unsigned claims;
	int irq_node[LAYOUT_IOAPIC_PINS]; /* -1: none */
	int irq_partner; /* with whom this node may share one; -1: nobody */
	struct board_cpu *cpu; /* PLATFORM_CPUS_MAX of them */
	unsigned cpus;
	struct platform_place uart[PLATFORM_UARTS]; /* as they come */
	int uart_node[PLATFORM_UARTS];
	unsigned uarts;
	int pci; /* node; -1: none */
	int chosen;
	int aliases;
	char *err;
};

/* ---- walk.c: nodes and their properties ---- */

/* For messages: in printable characters, and not all of a long one. */
const char *board_path(const struct board_walk *w, int node,
		       char path[BOARD_PATH_LEN]);

/* "PATH: ..." */
int board_refuse(struct board_walk *w, int node, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* "PATH and PATH: ...", where b has no path (-1) its name. */
int board_refuse_both(struct board_walk *w, int a, int b, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static inline int board_node(const struct board_walk *w)
{
	return w->level[w->depth].node;
}

/* Its name up to the '@'. */
bool board_named(const struct board_walk *w, int node, const char *name);
bool board_compatible(const struct board_walk *w, int node, const char *name);

/* NULL with *ret 0 where there is none. */
int board_string(struct board_walk *w, int node, const char *name,
		 const char **ret);
int board_u32(struct board_walk *w, int node, const char *name, uint32_t without,
	      uint32_t *ret);
/* -1 where there is none. */
int board_cells(struct board_walk *w, int node, const char *name,
		const fdt32_t **ret, int *ret_count);

/* The n cells at c as one number; n is 1 or 2. */
uint64_t board_number(const fdt32_t *c, uint32_t n);

/* Fills level[depth] for a node. Returns 1 where it is not in use. */
int board_enter(struct board_walk *w, int node, int depth);

/* Says that nothing serves it. */
int board_note(struct board_walk *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* ---- address.c: of the node that is looked at ---- */

/* Where its registers are for the processor, at least `least` bytes. */
int board_address(struct board_walk *w, uint64_t least,
		  struct platform_place *ret_place, uint64_t *ret_len);

/* Its one interrupt, which is nobody else's from then on; without one -1. */
int board_interrupt(struct board_walk *w, int *ret_irq);

/* ---- claims.c ---- */

void board_claim_fixed(struct board_walk *w);
int board_claim(struct board_walk *w, int node, enum trapmap_space space,
		uint64_t base, uint64_t len);
int board_claim_irq(struct board_walk *w, unsigned irq);

/* ---- one kind of node each; what they return a device may pass on ---- */

int board_memory(struct board_walk *w); /* memory.c */
int board_memory_done(struct board_walk *w);
int board_cpu(struct board_walk *w); /* cpus.c */
int board_cpus_done(struct board_walk *w);
/* devices.c. Returns 1 where what is below the node is not to be looked at. */
int board_device(struct board_walk *w);
int board_chosen_done(struct board_walk *w); /* chosen.c: UARTs, too */

#endif
