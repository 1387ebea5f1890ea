/* SPDX-License-Identifier: MIT */
/* exec_manual.h: the options of "trapmap exec", by number; those that it has in
 * common with "trapmap run" have the numbers of opts_parts.h. */
#ifndef TRAPMAP_CLI_EXEC_EXEC_MANUAL_H
#define TRAPMAP_CLI_EXEC_EXEC_MANUAL_H

#include "opts_parts.h"

enum {
	EXEC_SHARE = OPT_RUN_END,
	EXEC_ROOT,
	EXEC_COPY,
	EXEC_MODULES,
	EXEC_DIR,
	EXEC_LOG,
};

#endif
