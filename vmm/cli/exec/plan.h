/* SPDX-License-Identifier: MIT */
/* plan.h: what the guest's init is to do: the items of firmware/exec/init.h. */
#ifndef TRAPMAP_CLI_EXEC_PLAN_H
#define TRAPMAP_CLI_EXEC_PLAN_H

#include <stdbool.h>
#include <stdio.h>

#include "exec/cpio.h"
#include "exec/exec_opts.h"
#include "exec/modules.h"

/*
 * Writes the plan into the archive, and the modules that it names. program is the
 * command's path; root is the tag of the share with the host's files, NULL where they
 * have been copied. Returns 0, or an exit status, having said why.
 */
int plan_make(struct cpio *cpio, const struct exec_opts *opts,
	      const struct modules *modules, const char *program,
	      const char *root);

#endif
