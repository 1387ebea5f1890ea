/* SPDX-License-Identifier: MIT */
/* opts_net.h: what --net keeps. */
#ifndef TRAPMAP_CLI_OPTS_NET_H
#define TRAPMAP_CLI_OPTS_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "attached.h"
#include "opts_parts.h"

struct opts_net {
	struct attached attached;
	char *kind, *tap, *fd_text, *queues_text, *mac, *iothread;
	struct opts_texts forward;
	bool vhost, offline;
	bool none; /* no network, and no other --net */
	int fd;
	uint32_t queues;
};

#endif
