/* SPDX-License-Identifier: MIT */
/*
 * pc_testdev.h: the test device of KVM's unit tests: a port and memory that
 * keep what they are given, a page flush, and interrupts on demand.
 */
#ifndef TRAPMAP_PC_TESTDEV_H
#define TRAPMAP_PC_TESTDEV_H

#include "core/irq.h"

struct device;
struct gmem;

#define PC_TESTDEV_LINES 24

struct pc_testdev_config {
	/* Whose pages can be flushed; NULL: none. Outlives the device. */
	const struct gmem *ram;
	struct irq_line line[PC_TESTDEV_LINES];
};

/* Its parts, each in a range of its own, by the offset in the device. */
#define PC_TESTDEV_IOPORT 0x0
#define PC_TESTDEV_IOPORT_LEN 4
#define PC_TESTDEV_FLUSH 0x4
#define PC_TESTDEV_FLUSH_LEN 4
#define PC_TESTDEV_BYTE 0x8
#define PC_TESTDEV_BYTE_LEN 1
#define PC_TESTDEV_IRQ 0x100 /* a port a line */
#define PC_TESTDEV_IRQ_LEN PC_TESTDEV_LINES
#define PC_TESTDEV_IOMEM 0x10000
#define PC_TESTDEV_IOMEM_LEN 0x10000

int pc_testdev_new(const struct pc_testdev_config *config,
		   struct device **ret_dev);

#endif
