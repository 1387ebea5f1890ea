/* SPDX-License-Identifier: MIT */
/* opts_cpus.h: what --cpus keeps. */
#ifndef TRAPMAP_CLI_OPTS_CPUS_H
#define TRAPMAP_CLI_OPTS_CPUS_H

#include <stdint.h>

#include <trapmap/trapmap.h>

struct opts_cpus {
	/* All 0: the library's own arrangement. */
	struct trapmap_topology topology;
	uint32_t *affinity; /* NULL: any processor of the host's */
	unsigned affinity_count;
};

#define OPTS_CPUS_INIT { .topology = TRAPMAP_TOPOLOGY_INIT }

/*
 * Reads --cpus; *ret_count is how many. What was there before is replaced. Returns
 * 0, or -EINVAL with a line in err.
 */
int opts_cpus(const char *text, struct opts_cpus *cpus, uint32_t *ret_count,
	      char *err);

/* Returns 0, or what the library refused it with. */
int opts_cpus_apply(const struct opts_cpus *cpus, struct trapmap_vm *vm);

void opts_cpus_done(struct opts_cpus *cpus);

#endif
