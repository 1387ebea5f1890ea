/* SPDX-License-Identifier: MIT */
/* debugcon.h: the debug console, a port that takes characters. */
#ifndef TRAPMAP_DEBUGCON_H
#define TRAPMAP_DEBUGCON_H

#include <stdint.h>

struct chardev;
struct device;

/*
 * One port long; may lie at several. Each byte written goes to chr, which is
 * never attached to (there is no input) and stays the caller's.
 */
int debugcon_new(struct chardev *chr, struct device **ret_dev);

/* How many bytes the guest has written since the reset. Any thread. */
uint64_t debugcon_count(struct device *dev);

#endif
