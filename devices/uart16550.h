/* SPDX-License-Identifier: MIT */
/* uart16550.h: a 16550A serial port. */
#ifndef TRAPMAP_UART16550_H
#define TRAPMAP_UART16550_H

#include <stdint.h>

#include "core/irq.h"

struct chardev;
struct device;
struct loop;

struct uart_config {
	struct loop *loop; /* for the receive time-out; outlives the device */
	struct chardev *chr; /* the line's other end; outlives it; NULL: none */
	struct irq_line irq;
	unsigned reg_shift; /* up to UART_REG_SHIFT_MAX */
};

#define UART_REG_SHIFT_MAX 3

/*
 * Eight registers, 1 << reg_shift bytes apart: the low byte of that many, which are
 * else 0. Returns 0, -EINVAL or -ENOMEM.
 */
int uart_new(const struct uart_config *config, struct device **ret_dev);

/* How many bytes the registers lie in. */
static inline uint64_t uart_len(unsigned reg_shift)
{
	return UINT64_C(8) << reg_shift;
}

/* A break on the line to the guest. Any thread, dev's lock not held. */
void uart_break(struct device *dev);

#endif
