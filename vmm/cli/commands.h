/* SPDX-License-Identifier: MIT */
/*
 * commands.h: what the first word can be. A command is given that word as
 * argv[0] and returns the process's exit status.
 */
#ifndef TRAPMAP_CLI_COMMANDS_H
#define TRAPMAP_CLI_COMMANDS_H

int cmd_run(int argc, char **argv);
int cmd_exec(int argc, char **argv);
int cmd_test(int argc, char **argv);
int cmd_trace(int argc, char **argv);
int cmd_doctor(int argc, char **argv);

/* Prints the version as an answer. Returns the exit status. */
int print_version(void);

/*
 * Ends an answer on stdout. Returns 0, or the exit status for "it could not be
 * written", having said so.
 */
int finish_stdout(int status);

#endif
