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
	char dir[PATH_MAX], *whole = NULL;
	int n;

	if (path[0] == '/')
		n = asprintf(&whole, "%s", path);
	else if (getcwd(dir, sizeof(dir)))
		n = asprintf(&whole, "%s/%s", dir, path);
	else
		n = -1;
	if (n < 0)
		return EXEC_CANNOT;
	*ret_path = whole;
	return 0;
}

int program_in_path(const char *word, char **ret_path)
{
	const char *path = getenv("PATH"), *next;
	int status = EXEC_NOT_FOUND, n;
	char file[PATH_MAX];

	for (; *word && path; path = next) {
		size_t len = strcspn(path, ":");

		next = path[len] ? path + len + 1 : NULL;
		/* An empty one is the current folder. */
		n = snprintf(file, sizeof(file), "%.*s/%s", len ? (int)len : 1,
			     len ? path : ".", word);
		if (n >= (int)sizeof(file) || !is_file(file))
			continue;
		if (access(file, X_OK) == 0)
			return absolute(file, ret_path);
		status = EXEC_NOT_EXECUTABLE;
	}
	return status;
}

static int is_given(const char *word, char **ret_path)
{
	int err = access(word, F_OK) < 0 ? errno : 0;

	if (err) {
		say("'%s': %s", word, strerror(err));
		return err == ENOENT || err == ENOTDIR ? EXEC_NOT_FOUND :
							 EXEC_NOT_EXECUTABLE;
	}
	if (!is_file(word)) {
		say("'%s': is no file", word);
		return EXEC_NOT_EXECUTABLE;
	}
	if (access(word, X_OK) < 0) {
		say("'%s': is not executable", word);
		return EXEC_NOT_EXECUTABLE;
	}
	return absolute(word, ret_path);
}

int program_find(const char *word, char **ret_path)
{
	int status;

	if (strchr(word, '/')) {
		status = is_given(word, ret_path);
	} else {
		status = program_in_path(word, ret_path);
		if (status == EXEC_NOT_FOUND)
			say("'%s': no such command in $PATH", word);
		else if (status == EXEC_NOT_EXECUTABLE)
			say("'%s': what $PATH has of that name is not "
			    "executable",
			    word);
	}
	if (status == EXEC_CANNOT)
		say("'%s': %s", word, strerror(errno));
	return status;
}
