/* SPDX-License-Identifier: MIT */
/*
 * outfile.h: a file that appears whole or not at all: what is written goes to a
 * file beside it, which then takes its name. A device or a pipe is written as it
 * is, and so is a file in a folder that takes no new ones.
 */
#ifndef TRAPMAP_CLI_OUTFILE_H
#define TRAPMAP_CLI_OUTFILE_H

#include <stdbool.h>
#include <stddef.h>

struct outfile {
	char *path; /* where links lead; NULL: none */
	char *beside; /* the other file's name; NULL: written as it is */
	int fd; /* of what is written as it is, or -1 */
	bool rewrite; /* it is a file, whose old content goes */
};

#define OUTFILE_INIT { .fd = -1 }

/*
 * /dev/stdout, /dev/stderr and /dev/fd/N are our own descriptors, from where they
 * stand. Returns a duplicate, or -errno; -ENOENT: path is none of them.
 */
int outfile_own(const char *path);

/*
 * Finds out that it can be written, and leaves it as it is until
 * outfile_write(). Returns 0 or -errno.
 */
int outfile_open(struct outfile *file, const char *path);

/* Once. Returns 0 or -errno, where there is then no file, or the old one. */
int outfile_write(struct outfile *file, const void *buf, size_t len);

void outfile_done(struct outfile *file);

#endif
