/* SPDX-License-Identifier: MIT */
/* opts_vsock.h: what --vsock keeps. */
#ifndef TRAPMAP_CLI_OPTS_VSOCK_H
#define TRAPMAP_CLI_OPTS_VSOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "attached.h"

struct opts_vsock {
	struct attached attached;
	char *path; /* "vhost": none, but the host's kernel */
	char *cid_text;
	uint32_t cid; /* 0: the default */
};

#endif
