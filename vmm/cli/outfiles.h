/* SPDX-License-Identifier: MIT */
/*
 * outfiles.h: files that are written as the guest goes, each begun anew; but only
 * once it is sure that there will be a run, or they stay as they were.
 */
#ifndef TRAPMAP_CLI_OUTFILES_H
#define TRAPMAP_CLI_OUTFILES_H

#include <stdbool.h>
#include <stddef.h>

struct outfiles_one {
	int fd;
	char *made; /* its path, where it was not there before */
};

struct outfiles {
	struct outfiles_one *one;
	size_t count;
};

#define OUTFILES_INIT { .one = NULL }

/*
 * Opens a file to write to, from where a begun one starts; /dev/stdout, /dev/stderr
 * and /dev/fd/N are our own descriptors, from where they stand. Returns a descriptor,
 * which is the caller's, or -errno.
 */
int outfiles_open(struct outfiles *files, const char *path);

/*
 * The run is about to begin: their old content goes. Returns 0 or -errno, with the
 * others begun all the same.
 */
int outfiles_begin(struct outfiles *files);

/* Where they were not begun, those go that were not there before. */
void outfiles_done(struct outfiles *files);

#endif
