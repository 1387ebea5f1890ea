/* SPDX-License-Identifier: MIT */
/*
 * debug_exit.h: the two ports on which a test guest says how it ended. See
 * trapmap/guest_abi.h for what they promise.
 */
#ifndef TRAPMAP_DEBUG_EXIT_H
#define TRAPMAP_DEBUG_EXIT_H

#include "core/end.h"

struct device;

/* Port 0xf4, four ports long: END_DEBUG_EXIT with the value written. */
int debug_exit_new(const struct end_sink *end, struct device **ret_dev);

/* Port 0x560, four ports long: END_TEST_EXIT with the value written. */
int test_exit_new(const struct end_sink *end, struct device **ret_dev);

#endif
