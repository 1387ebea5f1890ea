/* SPDX-License-Identifier: MIT */
/*
 * source.h: a file that the guest gets (kernel, initrd), from a path, a
 * descriptor or memory. Regular files are read where they are wanted, straight
 * into guest memory; what cannot be read twice (a pipe) is read once, whole.
 */
#ifndef TRAPMAP_SOURCE_H
#define TRAPMAP_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

/* The most that is read from a pipe. */
#define SOURCE_PIPE_MAX (UINT64_C(1) << 30)

struct source {
	char *name; /* for messages: the path, or "file descriptor 7" */
	int fd; /* -1 where data has it all */
	const uint8_t *data;
	uint8_t *owned; /* data, where it is ours to free */
	uint64_t len; /* known after source_open() */
};

/* Bytes of the caller's. name is copied. Returns 0 or -ENOMEM. */
int source_from_data(struct source *src, const char *name, const void *data,
		     size_t len);
/* Copies the path; opens nothing yet. Returns 0 or -ENOMEM. */
int source_from_path(struct source *src, const char *path);
/* Duplicates fd. Returns 0 or -errno. */
int source_from_fd(struct source *src, int fd);

/*
 * Opens what is not open and learns its length. Again: no effect. Returns 0, or
 * -errno with *err: no such file, a directory, empty, unreadable.
 */
int source_open(struct source *src, struct error *err);

/*
 * Reads len bytes at off, which lie within the length. Returns 0, or -errno
 * with *err (the file has shrunk meanwhile, or an I/O error).
 */
int source_read(const struct source *src, uint64_t off, void *buf,
		uint64_t len, struct error *err);

void source_done(struct source *src);

#endif
