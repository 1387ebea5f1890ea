/* SPDX-License-Identifier: MIT */
/*
 * attached.h: what options attach to the VM. Each kind is one file, opts_<kind>.c,
 * which reads the option, keeps what it said and hands it to the library.
 */
#ifndef TRAPMAP_CLI_ATTACHED_H
#define TRAPMAP_CLI_ATTACHED_H

#include <trapmap/trapmap.h>

struct attached;
struct run_opts;

struct attached_ops {
	const char *option; /* "--disk: " */
	const char *what; /* "a disk" */
	/* Returns what the library's function did. */
	int (*add)(struct attached *a, struct trapmap_vm *vm);
	/* A file that it is about, which no other option may write to. May be NULL. */
	const char *(*file)(const struct attached *a);
	/* After the end: says what went wrong, if anything. May be NULL. */
	void (*tell)(const struct attached *a);
	void (*free)(struct attached *a);
};

/* Embedded, first, in what a kind keeps. */
struct attached {
	const struct attached_ops *ops;
};

/* Takes a; if there is no room frees it and returns -EINVAL with a line in err. */
int attached_keep(struct run_opts *opts, struct attached *a, char *err);

/*
 * Adds all to the VM, in their order. Returns 0, or an exit status, having said
 * why. opts outlives the VM.
 */
int attached_add(const struct run_opts *opts, struct trapmap_vm *vm);

/* After the end. */
void attached_tell(const struct run_opts *opts);

/* What the file at `path` is for one of them, or NULL. */
const char *attached_use(const struct run_opts *opts, const char *path);

void attached_free(struct run_opts *opts);

#endif
