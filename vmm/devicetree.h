/* SPDX-License-Identifier: MIT */
/*
 * devicetree.h: the machine as a flattened devicetree, for kernels that read
 * one (Linux on x86: with CONFIG_OF, handed over as SETUP_DTB). Not "fdt.h":
 * libfdt has a header of that name.
 */
#ifndef TRAPMAP_DEVICETREE_H
#define TRAPMAP_DEVICETREE_H

#include <stddef.h>
#include <stdint.h>

#include "core/gmem.h"
#include "platform.h"

struct devicetree_config {
	struct platform platform;
	const char *model; /* what the board is called; NULL: as ours is */
	const char *cmdline; /* NULL: none */
	gpa_t initrd;
	uint64_t initrd_len; /* 0: none */
};

/*
 * Builds the blob; *ret_blob is the caller's, to free(), and any kernel takes
 * it as it is. Returns 0 or -ENOMEM.
 */
int devicetree_build(const struct devicetree_config *m, void **ret_blob,
		     size_t *ret_len);

#endif
