/* SPDX-License-Identifier: MIT */
/* opts_balloon.h: what --balloon keeps. */
#ifndef TRAPMAP_CLI_OPTS_BALLOON_H
#define TRAPMAP_CLI_OPTS_BALLOON_H

#include <stdbool.h>
#include <stdint.h>

#include "attached.h"

struct opts_balloon {
	struct attached attached;
	char *size; /* NULL: nothing is to be given up at first */
	uint64_t target;
	bool reporting, deflate_on_oom;
};

#endif
