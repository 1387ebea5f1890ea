/* SPDX-License-Identifier: MIT */
/* load_unpack.h: a bzImage loaded as the ELF kernel that is packed in it. */
#ifndef TRAPMAP_LOAD_UNPACK_H
#define TRAPMAP_LOAD_UNPACK_H

#include "boot/plan.h"
#include "error.h"
#include "source.h"

/*
 * Unpacks the kernel in file, of which *plan was made for TRAPMAP_BOOT_UNPACK and
 * fits into memory, and moves it by a random distance if it and the command line
 * allow that. *plan becomes that of the kernel, whose bytes *ret_inner then owns;
 * but for its setup header, which stays the one of file. Returns 0, or -errno with
 * *err.
 */
int load_unpack(const struct source *file, const char *cmdline,
		struct boot_plan *plan, struct source *ret_inner,
		struct error *err);

#endif
