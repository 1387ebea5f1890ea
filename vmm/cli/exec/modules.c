// SPDX-License-Identifier: MIT
#include "exec/modules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A list is a few hundred kilobytes; what is much larger is something else. */
#define LIST_MAX (16 << 20)

/* A file's text, which ends in a zero byte. NULL with 0: it is not there. */
static int read_list(const char *folder, const char *name, char **ret_text)
{
	char *path = NULL, *text = NULL;
	struct stat st;
	int fd, r = 0;
	ssize_t n;

	if (asprintf(&path, "%s/%s", folder, name) < 0)
		return -ENOMEM;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	free(path);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (!S_ISREG(st.st_mode) || st.st_size > LIST_MAX)
		r = -EINVAL;
	if (r == 0) {
		text = malloc((size_t)st.st_size + 1);
		/* One that became shorter meanwhile is taken as it is. */
		n = text ? read(fd, text, (size_t)st.st_size) : 0;
		if (!text)
			r = -ENOMEM;
		else if (n < 0)
			r = -errno;
		else
			text[n] = '\0';
	}
	close(fd);
	if (r < 0) {
		free(text);
		return r;
	}
	*ret_text = text;
	return 0;
}

int modules_init(struct modules *modules, const char *folder)
{
	int r;

	*modules = (struct modules){ 0 };
	if (!folder)
		return 0;
	modules->folder = strdup(folder);
	if (!modules->folder)
		return -ENOMEM;
	r = read_list(folder, "modules.dep", &modules->dep);
	if (r == 0)
		r = read_list(folder, "modules.builtin", &modules->builtin);
	return r;
}

/* "kernel/fs/9p/9p.ko.xz" is called "9p"; '-' and '_' are the same. */
static bool is_called(const char *path, size_t len, const char *name)
{
	const char *end = path + len, *p = end;

	while (p > path && p[-1] != '/')
		p--;
	for (; *name && p < end; name++, p++) {
		char a = *name == '-' ? '_' : *name;
		char b = *p == '-' ? '_' : *p;

		if (a != b)
			return false;
	}
	return !*name && end - p >= 3 && strncmp(p, ".ko", 3) == 0;
}

static bool is_builtin(const struct modules *modules, const char *name)
{
	const char *line = modules->builtin;

	while (line && *line) {
		size_t len = strcspn(line, "\n");

		if (is_called(line, len, name))
			return true;
		line += len + (line[len] == '\n');
	}
	return false;
}

static bool has(const struct modules *modules, const char *path, size_t len)
{
	size_t i;

	for (i = 0; i < modules->count; i++)
		if (strncmp(modules->file[i], path, len) == 0 &&
		    !modules->file[i][len])
			return true;
	return false;
}

static bool add(struct modules *modules, const char *path, size_t len)
{
	if (has(modules, path, len))
		return true;
	if (modules->count == MODULES_MAX)
		return false;
	modules->file[modules->count] = strndup(path, len);
	if (!modules->file[modules->count])
		return false;
	modules->count++;
	return true;
}

/*
 * "FILE: FILE...": behind the colon is what it needs, with all that this needs in its
 * turn, so that from the end each comes before what needs it.
 */
static bool add_line(struct modules *modules, const char *line, size_t colon)
{
	const char *begin = line + colon + 1;
	const char *end = begin + strcspn(begin, "\n");

	while (end > begin) {
		const char *word = end;

		while (word > begin && word[-1] != ' ')
			word--;
		if (word < end && !add(modules, word, (size_t)(end - word)))
			return false;
		end = word > begin ? word - 1 : begin;
	}
	return add(modules, line, colon);
}

enum modules_where modules_add(struct modules *modules, const char *name)
{
	const char *line = modules->dep;

	if (is_builtin(modules, name))
		return MODULES_BUILTIN;
	while (line && *line) {
		size_t colon = strcspn(line, ":\n");
		size_t len = strcspn(line, "\n");

		if (line[colon] == ':' && is_called(line, colon, name))
			return add_line(modules, line, colon) ? MODULES_FILE
							      : MODULES_ABSENT;
		line += len + (line[len] == '\n');
	}
	return modules->builtin ? MODULES_ABSENT : MODULES_UNKNOWN;
}

void modules_done(struct modules *modules)
{
	while (modules->count)
		free(modules->file[--modules->count]);
	free(modules->folder);
	free(modules->dep);
	free(modules->builtin);
	*modules = (struct modules){ 0 };
}
