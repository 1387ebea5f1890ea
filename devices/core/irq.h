/* SPDX-License-Identifier: MIT */
/*
 * irq.h: an interrupt line as a device sees it: a level, nothing more.
 *
 * The board decides which controller input it reaches and whether that input
 * acts on the edge or the level. A device computes the level from its state
 * in one update_irq() and sets it at the end of every change of state; a level
 * that does not change costs nothing.
 */
#ifndef TRAPMAP_CORE_IRQ_H
#define TRAPMAP_CORE_IRQ_H

#include <stdbool.h>

struct irq_line {
	/* Thread: whichever thread runs the device, with its lock held. */
	void (*set)(void *opaque, bool level);
	void *opaque;
	bool level; /* what was last set; starts low */
};

static inline void irq_set(struct irq_line *line, bool level)
{
	if (line->level == level || !line->set)
		return;
	line->level = level;
	line->set(line->opaque, level);
}

#endif
