// SPDX-License-Identifier: MIT
/*
 * docgen.c: writes the man pages and the shell completions, while Trapmap is
 * built. Usage: trapmap-docgen man|bash|zsh [COMMAND] >FILE
 */
#include <stdio.h>
#include <string.h>

#include "manual.h"

static int man(const char *name)
{
	const struct manual *const *m;

	if (!*name) {
		manual_overview_man(stdout);
		return 0;
	}
	for (m = manuals; *m; m++)
		if (strcmp((*m)->name, name) == 0) {
			manual_man(stdout, *m);
			return 0;
		}
	fprintf(stderr, "trapmap-docgen: no command '%s'\n", name);
	return 2;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int status = 0;

	if (strcmp(what, "man") == 0) {
		status = man(argc > 2 ? argv[2] : "");
	} else if (strcmp(what, "bash") == 0) {
		complete_bash(stdout);
	} else if (strcmp(what, "zsh") == 0) {
		complete_zsh(stdout);
	} else {
		fputs("usage: trapmap-docgen man|bash|zsh [COMMAND]\n", stderr);
		return 2;
	}
	return fflush(stdout) || ferror(stdout) ? 1 : status;
}
