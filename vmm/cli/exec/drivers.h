/* SPDX-License-Identifier: MIT */
/* drivers.h: what the kernel of "trapmap exec" has to have, and where it has it. */
#ifndef TRAPMAP_CLI_EXEC_DRIVERS_H
#define TRAPMAP_CLI_EXEC_DRIVERS_H

#include <stdbool.h>

#include "exec/exec_opts.h"
#include "exec/modules.h"

/*
 * Finds the modules to load, and whether the host's files come by 9p. Returns 0, or
 * an exit status, having said why; modules_done() is due either way.
 */
int drivers_find(const struct exec_opts *opts, struct modules *ret_modules,
		 bool *ret_9p);

#endif
