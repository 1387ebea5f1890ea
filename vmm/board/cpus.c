// SPDX-License-Identifier: MIT
/*
 * cpus.c: /cpus. Sources: Devicetree Specification 0.4, 3.7 and 3.8; the reg of a
 * processor is its local APIC id, as Linux's arch/x86/kernel/devicetree.c reads it.
 *
 * Not here: cpu-map; the ids themselves say what processors share.
 */
#include "board/walk.h"

#include <errno.h>
#include <stdlib.h>

int board_cpu(struct board_walk *w)
{
	const struct board_level *cpus = &w->level[w->depth - 1];
	int node = board_node(w), count = 0, r;
	const fdt32_t *c = NULL;
	uint64_t id;

	if (!board_named(w, node, "cpu"))
		return 1;
	r = board_cells(w, node, "reg", &c, &count);
	if (r < 0)
		return r;
	if (!c || cpus->address_cells < 1 || cpus->address_cells > 2 ||
	    count != (int)cpus->address_cells)
		return board_refuse(w, node,
				    "reg has %d cells; expected its local APIC "
				    "id, of as many as /cpus says, 1 or 2",
				    c ? count : 0);
	id = board_number(c, cpus->address_cells);
	if (id > UINT32_MAX)
		return board_refuse(w, node, "local APIC id %#llx: too large",
				    (unsigned long long)id);
	if (w->cpus == PLATFORM_CPUS_MAX)
		return board_refuse(w, node, "more than %d processors",
				    PLATFORM_CPUS_MAX);
	w->cpu[w->cpus++] = (struct board_cpu){ (uint32_t)id, node };
	return 1;
}

static int by_id(const void *a, const void *b)
{
	const struct board_cpu *x = a, *y = b;

	return (x->apic_id > y->apic_id) - (x->apic_id < y->apic_id);
}

/* The first processor whose id is not that of the arrangement; w->cpus: none. */
static unsigned first_other(const struct board_walk *w, const struct topology *t)
{
	unsigned i = 0;

	while (i < w->cpus && w->cpu[i].apic_id == topology_apic_id(t, i))
		i++;
	return i;
}

/* Whether sockets, cores and threads make these ids. */
static bool arrange(const struct board_walk *w, struct topology *t)
{
	unsigned n = w->cpus;

	for (t->threads = 1; t->threads <= n; t->threads++)
		for (t->sockets = 1; t->threads * t->sockets <= n;
		     t->sockets++) {
			t->cores = n / (t->threads * t->sockets);
			if (t->sockets * t->cores * t->threads == n &&
			    first_other(w, t) == n)
				return true;
		}
	return false;
}

int board_cpus_done(struct board_walk *w)
{
	struct platform *p = &w->board->platform;
	struct topology none = { 0 }, t;
	unsigned i;

	if (w->cpus == 0)
		return 0;
	qsort(w->cpu, w->cpus, sizeof(*w->cpu), by_id);
	for (i = 1; i < w->cpus; i++)
		if (w->cpu[i].apic_id == w->cpu[i - 1].apic_id)
			return board_refuse_both(w, w->cpu[i - 1].node,
						 w->cpu[i].node,
						 "both have local APIC id %u",
						 w->cpu[i].apic_id);
	p->cpus = w->cpus;
	i = first_other(w, &none);
	if (i == w->cpus)
		return 0;
	if (!arrange(w, &t))
		return board_refuse(w, w->cpu[i].node,
				    "local APIC id %u; expected %u, or a gap as "
				    "sockets, cores and threads make one",
				    w->cpu[i].apic_id, i);
	p->topology = t;
	return 0;
}
