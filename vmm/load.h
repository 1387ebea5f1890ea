/* SPDX-License-Identifier: MIT */
/*
 * load.h: puts kernel, initrds, command line and tables into guest memory.
 */
#ifndef TRAPMAP_LOAD_H
#define TRAPMAP_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/plan.h"
#include "core/gmem.h"
#include "error.h"
#include "platform.h"
#include "source.h"
#include "trapmap/trapmap.h"

#define LOAD_MAX_INITRDS 64

struct load_request {
	/* Runs in place of the kernel, which it finds in fw_cfg; NULL: none. */
	struct source *firmware;
	struct source *kernel;
	enum trapmap_boot boot;
	struct source *initrd;
	unsigned initrds; /* at most LOAD_MAX_INITRDS */
	const char *cmdline; /* not NULL */
	struct platform platform;
	/* For Linux: the tree of this board (own), a file's, or none. */
	bool dtb_own;
	const char *board_model; /* of the own; NULL: devicetree.h's */
	bool dtb_asked; /* a kernel that takes none is refused */
	const void *dtb; /* NULL: none of a file */
	size_t dtb_len;
};

struct loaded {
	struct boot_plan plan; /* with the state in which vCPU 0 starts */
	gpa_t initrd;
	uint64_t initrd_len; /* 0: none */
};

/*
 * Guest memory is all zeroes before. Returns 0, or -errno with *err.
 */
int load_guest(const struct gmem *gm, const struct load_request *request,
	       struct loaded *ret_loaded, struct error *err);

#endif
