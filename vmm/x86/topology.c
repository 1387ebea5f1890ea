// SPDX-License-Identifier: MIT
/*
 * topology.c: sockets, cores and threads as APIC ids. Source: Intel SDM volume 3A,
 * 9.9.3 (and "Intel 64 Architecture Processor Topology Enumeration"): an id is made
 * of fields, each as wide as the highest number in it needs, so that a shift to the
 * right gives what a processor shares. AMD's APM volume 3, E.5, says the same.
 *
 * Not here: dies, modules and tiles, and sockets that are not alike.
 */
#include "x86/topology.h"

#include <errno.h>
#include <stdio.h>

#define PLURAL(n) ((n) == 1 ? "" : "s")

unsigned topology_order(unsigned n)
{
	unsigned bits = 0;

	while (bits < 31 && 1u << bits < n)
		bits++;
	return bits;
}

/* What is left of `cpus` for one number, beside two others; at least 1. */
static unsigned share(unsigned cpus, unsigned a, unsigned b)
{
	uint64_t n = cpus / ((uint64_t)a * b);

	return n ? (unsigned)n : 1;
}

int topology_fill(const struct topology *asked, unsigned cpus,
		  struct topology *ret, char *err, size_t errlen)
{
	struct topology t = {
		.sockets = asked->sockets ? asked->sockets : 1,
		.cores = asked->cores ? asked->cores : 1,
		.threads = asked->threads ? asked->threads : 1,
	};

	if (!asked->cores)
		t.cores = share(cpus, t.sockets, t.threads);
	else if (!asked->sockets)
		t.sockets = share(cpus, t.cores, t.threads);
	else if (!asked->threads)
		t.threads = share(cpus, t.sockets, t.cores);
	/* Each at most cpus, so that the product cannot overflow. */
	if (t.sockets > cpus || t.cores > cpus || t.threads > cpus ||
	    (uint64_t)t.sockets * t.cores > cpus ||
	    (uint64_t)t.sockets * t.cores * t.threads != cpus) {
		snprintf(err, errlen,
			 "%u socket%s of %u core%s of %u thread%s cannot be %u "
			 "processor%s: expected numbers whose product is that",
			 t.sockets, PLURAL(t.sockets), t.cores, PLURAL(t.cores),
			 t.threads, PLURAL(t.threads), cpus, PLURAL(cpus));
		return -EINVAL;
	}
	*ret = t;
	return 0;
}

unsigned topology_core_shift(const struct topology *t)
{
	return topology_order(t->threads);
}

unsigned topology_socket_shift(const struct topology *t)
{
	return topology_order(t->threads) + topology_order(t->cores);
}

uint32_t topology_apic_id(const struct topology *t, unsigned cpu)
{
	unsigned core;

	if (!t->threads || !t->cores)
		return cpu;
	core = cpu / t->threads;
	return core / t->cores << topology_socket_shift(t) |
	       core % t->cores << topology_core_shift(t) | cpu % t->threads;
}
