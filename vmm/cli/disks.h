/* SPDX-License-Identifier: MIT */
/* disks.h: the disks of a run, and what their images could not do. */
#ifndef TRAPMAP_CLI_DISKS_H
#define TRAPMAP_CLI_DISKS_H

#include <stdatomic.h>

#include <trapmap/trapmap.h>

#include "opts.h"

struct disk_trouble {
	atomic_ullong failures;
	atomic_int first; /* an errno */
};

struct disks {
	const struct run_opts *opts;
	struct disk_trouble trouble[TRAPMAP_DISKS_MAX];
};

/* Returns 0, or an exit status, having said why. disks outlives the VM. */
int disks_add(struct disks *disks, struct trapmap_vm *vm,
	      const struct run_opts *opts);

/* After the end: which of them had I/O errors. */
void disks_tell(struct disks *disks);

#endif
