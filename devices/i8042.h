/* SPDX-License-Identifier: MIT */
/* i8042.h: the keyboard controller, with no keyboard and no mouse on it. */
#ifndef TRAPMAP_I8042_H
#define TRAPMAP_I8042_H

#include "core/end.h"
#include "core/irq.h"

struct device;

struct i8042_config {
	struct irq_line irq_kbd; /* ISA IRQ 1 */
	struct irq_line irq_aux; /* ISA IRQ 12 */
	struct end_sink end; /* END_RESET: the CPU reset line was pulsed */
};

/* Offset 0 is the data port (0x60), 4 the command port (0x64). */
int i8042_new(const struct i8042_config *config, struct device **ret_dev);

#endif
