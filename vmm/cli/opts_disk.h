/* SPDX-License-Identifier: MIT */
/* opts_disk.h: what --disk keeps. */
#ifndef TRAPMAP_CLI_OPTS_DISK_H
#define TRAPMAP_CLI_OPTS_DISK_H

#include <stdatomic.h>
#include <stdbool.h>

#include "attached.h"

struct opts_disk {
	struct attached attached;
	char *path, *serial, *iothread;
	char *format_text, *werror_text;
	enum trapmap_disk_format format;
	enum trapmap_disk_werror werror;
	bool read_only, direct, temporary, pinned, root;
	/* For want of room on the host, the VM has paused. */
	atomic_bool paused;
	/* What the image could not do. */
	atomic_ullong failures;
	atomic_int first; /* an errno */
};

#endif
