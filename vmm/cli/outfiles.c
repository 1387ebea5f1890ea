// SPDX-License-Identifier: MIT
#include "outfiles.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "outfile.h"

static int open_or_make(const char *path, bool *ret_made)
{
	const int flags = O_WRONLY | O_NOCTTY | O_CLOEXEC;
	int fd = open(path, flags);

	*ret_made = false;
	if (fd >= 0 || errno != ENOENT)
		return fd < 0 ? -errno : fd;
	fd = open(path, flags | O_CREAT | O_EXCL, 0666);
	if (fd >= 0) {
		*ret_made = true;
		return fd;
	}
	/* A link that leads to no file, or one that came meanwhile. */
	if (errno == EEXIST)
		fd = open(path, flags | O_CREAT, 0666);
	return fd < 0 ? -errno : fd;
}

/* Keeps a duplicate of fd. Returns 0 or -errno. */
static int keep(struct outfiles *files, int fd, const char *made)
{
	struct outfiles_one *one;

	one = reallocarray(files->one, files->count + 1, sizeof(*one));
	if (!one)
		return -ENOMEM;
	files->one = one;
	one += files->count;
	*one = (struct outfiles_one){ .fd = -1 };
	one->fd = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (one->fd < 0)
		return -errno;
	one->made = made ? strdup(made) : NULL;
	files->count++;
	return made && !one->made ? -ENOMEM : 0;
}

int outfiles_open(struct outfiles *files, const char *path)
{
	int fd = outfile_own(path), r;
	bool made;

	if (fd != -ENOENT)
		return fd;
	fd = open_or_make(path, &made);
	if (fd < 0)
		return fd;
	r = keep(files, fd, made ? path : NULL);
	if (r < 0) {
		close(fd);
		if (made)
			unlink(path);
		return r;
	}
	return fd;
}

/* Of a device or a pipe there is nothing to begin. */
static int begin(int fd)
{
	struct stat st;

	if (fstat(fd, &st) || (S_ISREG(st.st_mode) && ftruncate(fd, 0)))
		return -errno;
	return 0;
}

static void forget(struct outfiles *files)
{
	size_t i;

	for (i = 0; i < files->count; i++) {
		close(files->one[i].fd);
		free(files->one[i].made);
	}
	free(files->one);
	*files = (struct outfiles)OUTFILES_INIT;
}

int outfiles_begin(struct outfiles *files)
{
	int r = 0, one;
	size_t i;

	for (i = 0; i < files->count; i++) {
		one = begin(files->one[i].fd);
		if (one)
			r = one;
	}
	forget(files);
	return r;
}

/* Whether the file is still the one at that path, and has been left empty. */
static bool is_ours(const struct outfiles_one *one)
{
	struct stat a, b;

	return fstat(one->fd, &a) == 0 && lstat(one->made, &b) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino && b.st_size == 0;
}

void outfiles_done(struct outfiles *files)
{
	size_t i;

	for (i = 0; i < files->count; i++)
		if (files->one[i].made && is_ours(&files->one[i]))
			unlink(files->one[i].made);
	forget(files);
}
