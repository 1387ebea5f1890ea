/* SPDX-License-Identifier: MIT */
/*
 * dtsource.h: a devicetree from a file, which is a blob or, where dtc is installed, a
 * source.
 */
#ifndef TRAPMAP_CLI_DTSOURCE_H
#define TRAPMAP_CLI_DTSOURCE_H

#include <stddef.h>

struct run_opts;
struct trapmap_vm;

/*
 * Reads the blob, or has dtc make one of the source; which of them it is, its first
 * bytes say. *ret_blob is the caller's to free(). Returns 0, or an exit status, and has
 * said why: nothing but a whole blob is there, or no dtc, or it finds the source wrong.
 */
int dtsource_read(const char *option, const char *path, void **ret_blob,
		  size_t *ret_len);

/* --machine and --dtb. Returns an exit status, and has said why. */
int dtsource_apply(const struct run_opts *opts, struct trapmap_vm *vm);

#endif
