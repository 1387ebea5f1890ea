/* SPDX-License-Identifier: MIT */
/* exec_opts.h: what "trapmap exec" was asked to do. */
#ifndef TRAPMAP_CLI_EXEC_EXEC_OPTS_H
#define TRAPMAP_CLI_EXEC_EXEC_OPTS_H

#include <stdbool.h>

#include "opts.h"

#define EXEC_SHARES_MAX 8
#define EXEC_COPIES_MAX 64

enum exec_root {
	EXEC_ROOT_AUTO, /* by 9p if the kernel is known to have it, or nothing is known */
	EXEC_ROOT_9P,
	EXEC_ROOT_COPY,
};

struct exec_opts {
	struct run_opts run; /* the machine, and what is attached beside ours */
	enum exec_root root;
	const char *modules; /* NULL: where the kernel's are looked for */
	const char *dir; /* NULL: the current one */
	const char *log; /* NULL: the kernel's console goes nowhere */
	const char *share[EXEC_SHARES_MAX];
	unsigned shares;
	const char *copy[EXEC_COPIES_MAX];
	unsigned copies;
	unsigned disks, networks; /* how many are attached */
	char **command; /* of argv, up to a NULL */
};

/*
 * As run_opts_parse(), for the words behind "exec"; released by
 * exec_opts_done().
 */
int exec_opts_parse(int argc, char **argv, struct exec_opts *ret_opts,
		    char err[OPTS_ERR_SIZE]);
void exec_opts_done(struct exec_opts *opts);

#endif
