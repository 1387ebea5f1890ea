/* SPDX-License-Identifier: MIT */
/* run.h: one guest, from its options to its end. */
#ifndef TRAPMAP_CLI_RUN_H
#define TRAPMAP_CLI_RUN_H

#include "opts.h"

/*
 * Runs it with this process's terminal and signals, and says how it ended. Returns
 * the exit status. Once in a process: signals stay blocked.
 */
int run_guest(const struct run_opts *opts);

#endif
