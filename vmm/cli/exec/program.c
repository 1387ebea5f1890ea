// SPDX-License-Identifier: MIT
#include "exec/program.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "say.h"

static bool is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/*
 * Its absolute path, links in it and all: a program may go by the name that it was
 * called by.
 */
static int absolute(const char *path, char **ret_path)
{
	char dir[PATH_MAX];
	int n;

	if (path[0] == '/')
		n = asprintf(ret_path, "%s", path);
	else if (getcwd(dir, sizeof(dir)))
		n = asprintf(ret_path, "%s/%s", dir, path);
	else
		n = -1;
	if (n >= 0)
		return 0;
	say("'%s': %s", path, strerror(errno));
	return EXEC_CANNOT;
}

static int given(const char *word, char **ret_path)
{
	if (!is_file(word)) {
		say("'%s': %s", word,
		    access(word, F_OK) == 0 ? "is no file" : strerror(errno));
		return access(word, F_OK) == 0 ? EXEC_NOT_EXECUTABLE :
						 EXEC_NOT_FOUND;
	}
	if (access(word, X_OK) < 0) {
		say("'%s': is not executable", word);
		return EXEC_NOT_EXECUTABLE;
	}
	return absolute(word, ret_path);
}

int program_find(const char *word, char **ret_path)
{
	const char *path = getenv("PATH"), *next;
	char file[PATH_MAX];

	if (strchr(word, '/'))
		return given(word, ret_path);
	for (; *word && path; path = next) {
		size_t len = strcspn(path, ":");

		next = path[len] ? path + len + 1 : NULL;
		/* An empty one is the current folder. */
		snprintf(file, sizeof(file), "%.*s/%s", len ? (int)len : 1,
			 len ? path : ".", word);
		if (is_file(file) && access(file, X_OK) == 0)
			return absolute(file, ret_path);
	}
	say("'%s': no such command in $PATH", word);
	return EXEC_NOT_FOUND;
}
