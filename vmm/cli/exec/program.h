/* SPDX-License-Identifier: MIT */
/* program.h: which program a command's first word is. */
#ifndef TRAPMAP_CLI_EXEC_PROGRAM_H
#define TRAPMAP_CLI_EXEC_PROGRAM_H

/* Exit statuses, as env(1) and timeout(1) have them. */
enum {
	EXEC_CANNOT = 125,
	EXEC_NOT_EXECUTABLE = 126,
	EXEC_NOT_FOUND = 127,
};

/*
 * By $PATH as a shell does, unless it has a '/'. Returns 0 with an absolute path, to
 * be freed, or an exit status, having said why.
 */
int program_find(const char *word, char **ret_path);

/* The same of a word without a '/', but nothing is said. */
int program_in_path(const char *word, char **ret_path);

#endif
