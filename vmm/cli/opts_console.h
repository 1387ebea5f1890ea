/* SPDX-License-Identifier: MIT */
/* opts_console.h: what --console keeps. */
#ifndef TRAPMAP_CLI_OPTS_CONSOLE_H
#define TRAPMAP_CLI_OPTS_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>

#include "attached.h"

struct opts_console {
	struct attached attached;
	char *to; /* "stdio" or "null"; else one of the next two */
	char *file, *socket;
	char *name;    /* NULL: a console */
	uint32_t port; /* its number among all of them */
	/* The descriptors of one that is stdio, from whoever adds it. */
	int in_fd, out_fd;
};

/* The one that is stdio, or NULL. */
struct opts_console *opts_console_stdio(const struct run_opts *opts);

/*
 * After all options: has the serial port make way for a console on stdio, unless
 * both were asked to be there. Returns 0, or -EINVAL with a line in err.
 */
int opts_console_check(struct run_opts *opts, char *err);

#endif
