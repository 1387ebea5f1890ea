/* SPDX-License-Identifier: MIT */
/* opts_fw_cfg.h: --fw-cfg, a file for the guest's firmware. */
#ifndef TRAPMAP_CLI_OPTS_FW_CFG_H
#define TRAPMAP_CLI_OPTS_FW_CFG_H

#include "attached.h"

struct opts_fw_cfg {
	struct attached attached;
	char *name;
	char *path; /* one of the two */
	char *string;
};

#endif
