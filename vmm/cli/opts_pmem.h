/* SPDX-License-Identifier: MIT */
/* opts_pmem.h: what --pmem keeps. */
#ifndef TRAPMAP_CLI_OPTS_PMEM_H
#define TRAPMAP_CLI_OPTS_PMEM_H

#include "attached.h"

struct opts_pmem {
	struct attached attached;
	char *path;
};

#endif
