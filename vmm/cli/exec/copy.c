// SPDX-License-Identifier: MIT
#include "exec/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exec/interp.h"
#include "exec/program.h"

/* Of a script whose interpreter is a script, and so on. */
#define DEPTH_MAX 4

/* Folders of more are not what somebody wants in memory. */
#define FOLDERS_MAX (UINT64_C(1) << 30)

static int fail(struct copy *copy, int r, const char *what, const char *path)
{
	snprintf(copy->err, COPY_ERR_SIZE, "%s '%s': %s", what, path,
		 strerror(-r));
	return r;
}

/* Whether this is the first time. */
static bool is_new(struct copy *copy, const char *path)
{
	size_t i, room;
	char **seen;

	for (i = 0; i < copy->count; i++)
		if (strcmp(copy->seen[i], path) == 0)
			return false;
	if (copy->count == copy->room) {
		room = copy->room ? copy->room * 2 : 64;
		seen = reallocarray(copy->seen, room, sizeof(*seen));
		if (!seen)
			return true;
		copy->seen = seen;
		copy->room = room;
	}
	copy->seen[copy->count] = strdup(path);
	if (copy->seen[copy->count])
		copy->count++;
	return true;
}

static int add_file(struct copy *copy, const char *path, mode_t mode,
		    const uint8_t **ret_data, size_t *ret_len)
{
	int r = cpio_add_file(copy->cpio, path + 1, S_IFREG | (mode & 07777),
			      path, ret_data, ret_len);

	return r < 0 ? fail(copy, r, "cannot copy", path) : 0;
}

/* ---- programs ----------------------------------------------------------- */

static int add_program(struct copy *copy, const char *path, unsigned depth);

static int add_library(struct copy *copy, const char *path)
{
	struct stat st;

	if (!is_new(copy, path))
		return 0;
	if (stat(path, &st) < 0)
		return fail(copy, -errno, "cannot copy", path);
	return add_file(copy, path, st.st_mode, NULL, NULL);
}

/*
 * "NAME => PATH (ADDRESS)", or "PATH (ADDRESS)"; of "PATH => PATH (ADDRESS)" the
 * first is the name asked for.
 */
static int add_listed(struct copy *copy, char *line)
{
	char *end = strstr(line, " ("), *path = line + strspn(line, " \t");
	char *arrow;

	if (!end)
		return 0;
	*end = '\0';
	arrow = strstr(path, " => ");
	if (arrow)
		path = arrow + 4;
	return *path == '/' ? add_library(copy, path) : 0;
}

/* Returns the process that writes what the loader says to *ret_list, or -errno. */
static pid_t start_list(const char *loader, const char *path, FILE **ret_list)
{
	FILE *list;
	pid_t pid;
	int fd[2];

	if (pipe2(fd, O_CLOEXEC) < 0)
		return -errno;
	list = fdopen(fd[0], "r");
	pid = list ? fork() : -1;
	if (pid == 0) {
		dup2(fd[1], STDOUT_FILENO);
		execl(loader, loader, "--list", path, (char *)NULL);
		_exit(127);
	}
	if (pid < 0)
		pid = -errno;
	close(fd[1]);
	if (pid < 0 && list)
		fclose(list);
	else if (pid < 0)
		close(fd[0]);
	*ret_list = list;
	return pid;
}

static int add_libraries(struct copy *copy, const char *loader,
			 const char *path)
{
	int r = 0, status = 0;
	FILE *list = NULL;
	char *line = NULL;
	size_t room = 0;
	pid_t pid;

	pid = start_list(loader, path, &list);
	if (pid < 0)
		return fail(copy, pid, "cannot ask for the libraries of", path);
	/* To its end, or the other would wait for us to read. */
	while (getline(&line, &room, list) > 0)
		if (r == 0)
			r = add_listed(copy, line);
	free(line);
	fclose(list);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (r < 0 || status == 0)
		return r;
	snprintf(copy->err, COPY_ERR_SIZE,
		 "cannot tell which libraries '%s' needs: '%.255s --list' failed",
		 path, loader);
	return -ENOEXEC;
}

/* What interprets a script; of env(1) also the one that it looks for. */
static int add_interpreter(struct copy *copy, const char *path,
			   const char *word, unsigned depth)
{
	const char *name = strrchr(path, '/');
	char *found;
	int r;

	r = add_program(copy, path, depth);
	if (r < 0 || strcmp(name, "/env") != 0 || !*word ||
	    program_in_path(word, &found) != 0)
		return r;
	r = add_program(copy, found, depth);
	free(found);
	return r;
}

static int add_program(struct copy *copy, const char *path, unsigned depth)
{
	char with[INTERP_MAX], word[INTERP_MAX];
	const uint8_t *data = NULL;
	enum interp interp;
	struct stat st;
	size_t len = 0;
	int r;

	if (!is_new(copy, path))
		return 0;
	if (stat(path, &st) < 0)
		return fail(copy, -errno, "cannot copy", path);
	r = add_file(copy, path, st.st_mode, &data, &len);
	if (r < 0)
		return r;
	/* What the guest gets is what is looked at. */
	interp = interp_find(data, len, with, word);
	if (interp == INTERP_NONE || with[0] != '/' || depth == DEPTH_MAX)
		return 0;
	if (interp == INTERP_SCRIPT)
		return add_interpreter(copy, with, word, depth + 1);
	r = add_library(copy, with);
	return r < 0 ? r : add_libraries(copy, with, path);
}

/* ---- folders ------------------------------------------------------------ */

static int add_link(struct copy *copy, const FTSENT *e)
{
	char target[PATH_MAX];
	ssize_t n = readlink(e->fts_accpath, target, sizeof(target));

	if (n < 0)
		return fail(copy, -errno, "cannot read", e->fts_path);
	cpio_add(copy->cpio, e->fts_path + 1, S_IFLNK | 0777, target, (size_t)n);
	return 0;
}

static int add_entry(struct copy *copy, const FTSENT *e)
{
	switch (e->fts_info) {
	case FTS_D:
		cpio_add(copy->cpio, e->fts_path + 1,
			 S_IFDIR | (e->fts_statp->st_mode & 07777), NULL, 0);
		return 0;
	case FTS_SL:
	case FTS_SLNONE: return add_link(copy, e);
	case FTS_F:
		copy->len += (uint64_t)e->fts_statp->st_size;
		if (copy->len > FOLDERS_MAX) {
			snprintf(copy->err, COPY_ERR_SIZE,
				 "cannot copy '%s': more than 1 GiB in all",
				 e->fts_path);
			return -EFBIG;
		}
		return add_file(copy, e->fts_path, e->fts_statp->st_mode, NULL,
				NULL);
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS:
		return fail(copy, -e->fts_errno, "cannot read", e->fts_path);
	default: return 0; /* a folder's end; a device, a socket */
	}
}

static int add_folder(struct copy *copy, char *path)
{
	char *const roots[] = { path, NULL };
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *e;
	int r = 0;

	if (!fts)
		return fail(copy, -errno, "cannot read", path);
	while (r == 0 && (errno = 0, e = fts_read(fts)))
		r = add_entry(copy, e);
	if (r == 0 && errno)
		r = fail(copy, -errno, "cannot read", path);
	fts_close(fts);
	return r;
}

int copy_path(struct copy *copy, const char *path)
{
	struct stat st;
	char *folder;
	int r;

	if (stat(path, &st) < 0)
		return fail(copy, -errno, "cannot copy", path);
	if (S_ISREG(st.st_mode))
		return st.st_mode & 0111 ? add_program(copy, path, 0)
					 : add_library(copy, path);
	if (!S_ISDIR(st.st_mode)) {
		snprintf(copy->err, COPY_ERR_SIZE,
			 "cannot copy '%s': neither a file nor a folder", path);
		return -EINVAL;
	}
	folder = strdup(path);
	if (!folder)
		return fail(copy, -ENOMEM, "cannot copy", path);
	r = add_folder(copy, folder);
	free(folder);
	return r;
}

void copy_done(struct copy *copy)
{
	while (copy->count)
		free(copy->seen[--copy->count]);
	free(copy->seen);
	*copy = (struct copy){ 0 };
}
