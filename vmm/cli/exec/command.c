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

/*
 * A kernel that this KVM cannot run would keep its user waiting, without a word. To
 * ask takes milliseconds, its boot seconds.
 */
static int check_host(const struct exec_opts *opts)
{
	struct trapmap_host host = TRAPMAP_HOST_INIT;
	int r = trapmap_host_probe(opts->run.machine.kvm_path, &host);
	int status = 0;

	if (r == 0 && host.error == 0 && !host.boots_linux) {
		say("no Linux kernel boots on this host: %s (see 'trapmap doctor')",
		    host.boots_linux_text);
		status = EXEC_CANNOT;
	}
	if (r == 0)
		trapmap_host_done(&host);
	return status;
}

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
	status = guest_prepare(&guest, &opts) ?: check_host(&opts);
	if (status == 0)
		status = guest_status(&guest, run_guest(&opts.run));
	guest_done(&guest);
	exec_opts_done(&opts);
	return status;
}
