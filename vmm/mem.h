/* SPDX-License-Identifier: MIT */
/*
 * mem.h: the owner of guest memory: one mapping of the host (mem_back.h), laid out
 * as layout.h says and put into KVM's slots; and behind it windows onto other
 * memory of the host's, which the guest can only read.
 *
 * A window is no part of the struct gmem: no device can be led to write into it,
 * and nothing of ours reads it, so that a file which is cut short meanwhile is the
 * guest's problem (KVM_RUN fails with EFAULT) and not a SIGBUS here.
 *
 * Nothing is touched here: a page costs host memory once the guest (or a
 * loader) writes to it, so a large machine starts as fast as a small one.
 */
#ifndef TRAPMAP_MEM_H
#define TRAPMAP_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/gmem.h"
#include "error.h"
#include "mem_back.h"
#include "platform.h"
#include "trapmap/trapmap.h"

#define MEM_MIN (UINT64_C(1) << 20)
#define MEM_PAGE 4096u

/* As many as there can be devices. */
#define MEM_WINDOWS_MAX TRAPMAP_ATTACHED_MAX

struct mem_window {
	gpa_t gpa;
	uint64_t len;
	void *host;
};

struct mem {
	struct mem_back back;
	uint64_t size; /* of guest memory */
	void *rom; /* of firmware, which the guest can only read; NULL: none */
	uint64_t rom_len;
	struct gmem gmem;
	struct mem_window window[MEM_WINDOWS_MAX]; /* ascending, above all RAM */
	unsigned windows;
};

/*
 * Maps the platform's RAM, zeroed, and room for its firmware. Returns 0, or -errno
 * with *err.
 */
int mem_init(struct mem *mem, const struct platform *platform,
	     struct error *err);
/* The same on memory of another kind. */
int mem_init_on(struct mem *mem, const struct platform *platform,
		const struct mem_back_config *config, struct error *err);
void mem_done(struct mem *mem);

/*
 * Finds a place for a window, at a multiple of align (a power of two) and below
 * 2^phys_bits. host stays the caller's, and where it is until mem_done(). Returns
 * 0, or -ENOSPC. Before mem_attach().
 */
int mem_add_window(struct mem *mem, unsigned phys_bits, void *host,
		   uint64_t len, uint64_t align, gpa_t *ret_gpa);

/* Tells a VM of KVM's about it. Returns 0, or -errno with *err. */
int mem_attach(const struct mem *mem, int vm_fd, struct error *err);

/*
 * Gives whole pages of guest memory back to the host; what is read there next are
 * zeroes. Returns 0 or -errno (see mem_back_keeps()). Any thread, while vCPUs run.
 */
int mem_discard(const struct mem *mem, void *host, size_t len);

/*
 * Back to zeroes, and the host's pages given back, unless somebody has them pinned:
 * who does goes on with those that he has. No vCPU may run.
 */
int mem_clear(struct mem *mem, bool pinned, struct error *err);

#endif
