/* SPDX-License-Identifier: MIT */
/* devices.h: the ports and the folders of the guest of "trapmap exec". */
#ifndef TRAPMAP_CLI_EXEC_DEVICES_H
#define TRAPMAP_CLI_EXEC_DEVICES_H

#include <stdatomic.h>
#include <stdbool.h>

#include "exec/exec_opts.h"

#define DEVICES_ROOT_TAG "root"
#define DEVICES_SHARE_TAG "share%u" /* and its number */

/*
 * Attaches ports for stdin, stdout, stderr and the result, which goes to result_fd,
 * the host's files if the guest gets them by 9p, and the shares. *met is set once
 * the guest has opened the port for the result, by a thread of the VM's. Returns 0,
 * or an exit status, having said why.
 */
int devices_attach(struct exec_opts *opts, bool by_9p, int result_fd,
		   atomic_bool *met);

/* Where the kernel's console goes. Returns the same. */
int devices_log(struct exec_opts *opts);

#endif
