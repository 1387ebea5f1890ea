/* SPDX-License-Identifier: MIT */
/*
 * mem_back.h: what guest memory is made of on the host: private memory of the
 * process, a memfd, a file, or huge pages.
 */
#ifndef TRAPMAP_MEM_BACK_H
#define TRAPMAP_MEM_BACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "trapmap/trapmap.h"

/* As struct trapmap_memory, with what was 0 filled in; all zero: the default. */
struct mem_back_config {
	enum trapmap_memory_backing backing;
	char *path; /* of FILE */
	uint64_t page_size; /* of HUGETLB */
	enum trapmap_thp thp;
	bool prealloc;
	bool lock;
};

struct mem_back {
	struct mem_back_config config; /* its path stays the caller's */
	void *map; /* all that was reserved, with slack for alignment */
	uint64_t map_len;
	uint8_t *host; /* the first byte, at a multiple of MEM_BACK_ALIGN */
	uint64_t len;
	int fd; /* -1: none */
	bool made; /* the file, by ourselves */
};

/*
 * Host and guest addresses agree modulo this, so that KVM can map a huge page of the
 * host as one; or modulo a page of 1 GiB, where those were asked for.
 */
#define MEM_BACK_ALIGN (UINT64_C(2) << 20)

/*
 * Maps len bytes of zeroes. What there is not enough of is told with how much there
 * was. Returns 0, or -errno with *err.
 */
int mem_back_map(struct mem_back *b, const struct mem_back_config *config,
		 uint64_t len, struct error *err);
/* The start failed: a file that was made for it goes. */
void mem_back_abandon(struct mem_back *b);
/* Also after a failure, and of what is all zero but for fd. */
void mem_back_unmap(struct mem_back *b);

/*
 * Back to zeroes. The host's pages are given back, unless they are `pinned` by
 * somebody or were promised to the guest. Nobody may use them meanwhile.
 */
int mem_back_clear(struct mem_back *b, bool pinned, struct error *err);

/*
 * Gives pages back to the host; what is read there next are zeroes. Returns 0 or
 * -errno; -EOPNOTSUPP where mem_back_keeps() says why.
 */
int mem_back_discard(const struct mem_back *b, void *host, size_t len);

/* Why no page may be given back, as "locked memory"; NULL: they may. */
const char *mem_back_keeps(const struct mem_back_config *config);

/* "anon", "memfd", "file", "hugetlb" */
const char *mem_back_name(enum trapmap_memory_backing backing);

#endif
