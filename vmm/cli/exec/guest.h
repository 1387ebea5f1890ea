/* SPDX-License-Identifier: MIT */
/*
 * guest.h: what "trapmap exec" puts into its machine: the ports and the folders, and
 * an initramfs with the init of firmware/exec, modules, and the plan that it carries
 * out; and what has become of the command.
 */
#ifndef TRAPMAP_CLI_EXEC_GUEST_H
#define TRAPMAP_CLI_EXEC_GUEST_H

#include <stdatomic.h>

#include "exec/cpio.h"
#include "exec/exec_opts.h"

struct guest {
	struct exec_opts *opts;
	char *program; /* the command's path */
	struct cpio initramfs;
	char *params; /* the kernel's command line */
	int result[2]; /* a pipe: what became of the command */
	atomic_bool met; /* the init has found us */
};

/*
 * Prepares opts->run. Returns 0, or an exit status, having said why; guest_done()
 * is due either way, after the run.
 */
int guest_prepare(struct guest *guest, struct exec_opts *opts);

/*
 * After the run: the exit status of the command, or of the lack of one, having said
 * why. status is the run's.
 */
int guest_status(struct guest *guest, int status);

void guest_done(struct guest *guest);

#endif
