/* SPDX-License-Identifier: MIT */
/*
 * pvpanic.h: the port through which a guest says that it has panicked. See
 * trapmap/guest_abi.h for what the events promise.
 */
#ifndef TRAPMAP_PVPANIC_H
#define TRAPMAP_PVPANIC_H

#include "core/end.h"

struct device;

/* One port: END_PANIC or END_CRASHLOADED for the event written. */
int pvpanic_new(const struct end_sink *end, struct device **ret_dev);

#endif
