/* SPDX-License-Identifier: MIT */
/*
 * topology.h: how processors are arranged, and the APIC id of each. Pure numbers.
 */
#ifndef TRAPMAP_X86_TOPOLOGY_H
#define TRAPMAP_X86_TOPOLOGY_H

#include <stddef.h>
#include <stdint.h>

/*
 * Processors in order: first the threads of a core, then the cores of a socket.
 * All zero: one socket with a core of one thread for each processor.
 */
struct topology {
	unsigned sockets;
	unsigned cores;	  /* of a socket */
	unsigned threads; /* of a core */
};

/* What xAPIC mode can address; 255 is everybody. */
#define TOPOLOGY_XAPIC_IDS 255u

/*
 * Fills in the numbers that are 0 of an arrangement of `cpus` processors: the first
 * of cores, sockets and threads that was left out takes what is left of them, the
 * others are 1. Returns 0, or -EINVAL with a sentence in err: they do not come to
 * that many.
 */
int topology_fill(const struct topology *asked, unsigned cpus,
		  struct topology *ret, char *err, size_t errlen);

/* ceil(log2(n)): the bits that n ids take. */
unsigned topology_order(unsigned n);

/*
 * How many bits of an APIC id tell the threads of a core apart, and how many the
 * processors of a socket.
 */
unsigned topology_core_shift(const struct topology *t);
unsigned topology_socket_shift(const struct topology *t);

/* Processors of a socket. */
static inline unsigned topology_socket_cpus(const struct topology *t)
{
	return t->cores * t->threads;
}

/* Ascending; there are gaps where cores or threads are no power of two. */
uint32_t topology_apic_id(const struct topology *t, unsigned cpu);

#endif
