/* SPDX-License-Identifier: MIT */
/*
 * attached.h: what options attach to the VM. Each kind is one file, opts_<kind>.c,
 * which reads the option, keeps what it said and hands it to the library.
 */
#ifndef TRAPMAP_CLI_ATTACHED_H
#define TRAPMAP_CLI_ATTACHED_H

#include <stdbool.h>

#include <trapmap/trapmap.h>

struct attached;
struct outfiles;
struct run_opts;

struct attached_ops {
	const char *option; /* "--disk: " */
	const char *what; /* "a disk" */
	/*
	 * Opens a file that it is to write to, after all else that may be refused.
	 * Returns 0, or an exit status, having said why. May be NULL.
	 */
	int (*open)(struct attached *a, struct outfiles *files);
	/* Returns what the library's function did. */
	int (*add)(struct attached *a, struct trapmap_vm *vm);
	/* A file that it is about, which no other option may write to. May be NULL. */
	const char *(*file)(const struct attached *a);
	bool writes; /* and that it itself overwrites */
	/*
	 * What it adds to the kernel's command line, to be freed. NULL: nothing,
	 * or no memory. May be NULL.
	 */
	char *(*params)(const struct attached *a, const struct run_opts *opts);
	/*
	 * Whether it has had the VM pause since it was last asked to forget that.
	 * Any thread. May be NULL.
	 */
	bool (*paused)(struct attached *a, bool forget);
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

/* The same for those that open(), which attached_add() leaves out. */
int attached_add_files(const struct run_opts *opts, struct trapmap_vm *vm,
		       struct outfiles *files);

/*
 * The kernel's command line, to be freed: what was given, or console=ttyS0 where
 * nothing was, and what they add. NULL: they add nothing.
 */
char *attached_params(const struct run_opts *opts);

/* Whether one of them has had the VM pause. Any thread. */
bool attached_paused(const struct run_opts *opts, bool forget);

/* After the end. */
void attached_tell(const struct run_opts *opts);

/* What the file at `path` is for one of them but `except`, or NULL. */
const char *attached_use(const struct run_opts *opts,
			 const struct attached *except, const char *path);

void attached_free(struct run_opts *opts);

#endif
