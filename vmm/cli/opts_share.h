/* SPDX-License-Identifier: MIT */
/* opts_share.h: what --share keeps. */
#ifndef TRAPMAP_CLI_OPTS_SHARE_H
#define TRAPMAP_CLI_OPTS_SHARE_H

#include <stdbool.h>

#include "attached.h"

struct opts_share {
	struct attached attached;
	char *path, *tag, *iothread;
	bool read_only;
};

#endif
