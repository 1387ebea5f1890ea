// SPDX-License-Identifier: MIT
/* command.c: "trapmap exec": a run whose guest is made for one command. */
#include <stdio.h>

#include "commands.h"
#include "exec/exec_opts.h"
#include "exec/guest.h"
#include "exec/program.h"
#include "manual.h"
#include "run.h"
#include "say.h"

int cmd_exec(int argc, char **argv)
{
	struct exec_opts opts;
	struct guest guest;
	char err[OPTS_ERR_SIZE];
	int status;

	switch (exec_opts_parse(argc, argv, &opts, err)) {
	case OPTS_RUN: break;
	case OPTS_HELP:
		manual_help(stdout, &exec_manual);
		return finish_stdout(0);
	default: say("%s", err); return EXEC_CANNOT;
	}
	status = guest_prepare(&guest, &opts);
	if (status == 0)
		status = guest_status(&guest, run_guest(&opts.run));
	guest_done(&guest);
	exec_opts_done(&opts);
	return status;
}
