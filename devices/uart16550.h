/* SPDX-License-Identifier: MIT */
/* uart16550.h: a 16550A serial port. */
#ifndef TRAPMAP_UART16550_H
#define TRAPMAP_UART16550_H

#include "core/irq.h"

struct chardev;
struct device;
struct loop;

struct uart_config {
	struct loop *loop; /* for the receive time-out; outlives the device */
	struct chardev *chr; /* the line's other end; outlives it; NULL: none */
	struct irq_line irq;
};

/* Eight registers at offsets 0 to 7. Returns 0 or -errno. */
int uart_new(const struct uart_config *config, struct device **ret_dev);

/* A break on the line to the guest. Any thread, dev's lock not held. */
void uart_break(struct device *dev);

#endif
