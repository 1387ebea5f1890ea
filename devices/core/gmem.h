/* SPDX-License-Identifier: MIT */
/*
 * gmem.h: guest-physical memory. The only place that turns a guest-physical
 * address into a host pointer, always with a length.
 *
 * The guest may change any byte at any time: read once into a local with
 * gmem_read(), then check the local.
 */
#ifndef TRAPMAP_CORE_GMEM_H
#define TRAPMAP_CORE_GMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A guest-physical address. An integer, so that nobody dereferences it. */
typedef uint64_t gpa_t;

#define GMEM_MAX_REGIONS 8

struct gmem_region {
	gpa_t base;
	uint64_t len;
	uint8_t *host;
	bool rom; /* not RAM: only gmem_read() and gmem_rom() see it */
};

struct gmem {
	struct gmem_region region[GMEM_MAX_REGIONS]; /* ascending, disjoint */
	unsigned count;
};

/*
 * Adds RAM of len bytes at base, backed by host; regions come in ascending
 * order. Returns 0, -EINVAL (empty, overflow, or not above the one before) or
 * -ENOSPC. host stays the caller's.
 */
int gmem_add(struct gmem *gm, gpa_t base, uint64_t len, void *host);
/* The same for what no guest and no device writes to. */
int gmem_add_rom(struct gmem *gm, gpa_t base, uint64_t len, void *host);

/*
 * The host's address of [gpa, gpa + len), or NULL unless all of it lies in one
 * region. len may be 0: then gpa itself must lie in or at the end of one.
 */
void *gmem_ptr(const struct gmem *gm, gpa_t gpa, uint64_t len);
/* The same in ROM, for what fills it. */
void *gmem_rom(const struct gmem *gm, gpa_t gpa, uint64_t len);

/* Copies; 0, or -EFAULT with nothing copied. */
int gmem_read(const struct gmem *gm, gpa_t gpa, void *buf, size_t len);
int gmem_write(const struct gmem *gm, gpa_t gpa, const void *buf, size_t len);

#endif
