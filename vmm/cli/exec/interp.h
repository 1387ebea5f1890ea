/* SPDX-License-Identifier: MIT */
/* interp.h: what a kernel runs in place of a file, to run the file. */
#ifndef TRAPMAP_CLI_EXEC_INTERP_H
#define TRAPMAP_CLI_EXEC_INTERP_H

#include <stddef.h>
#include <stdint.h>

#define INTERP_MAX 4096

enum interp {
	INTERP_NONE, /* what the processor runs, or no program at all */
	INTERP_LOADER, /* that of a program with shared libraries */
	INTERP_SCRIPT, /* the first word of a script */
};

/*
 * Looks at the content of a file. ret_path is the interpreter's, "" for
 * INTERP_NONE; ret_word the word behind it in a script's first line, "" if there is
 * none: of "#!/usr/bin/env python3" it names the interpreter.
 */
enum interp interp_find(const uint8_t *image, size_t len,
			char ret_path[INTERP_MAX], char ret_word[INTERP_MAX]);

#endif
