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

struct devicetree_config {
	uint64_t mem; /* bytes of RAM, at least 1 MiB */
	unsigned virtio; /* virtio-mmio transports, at layout.h's places */
	unsigned cpus; /* 1 to 255; APIC ids 0 to cpus - 1 */
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
