// SPDX-License-Identifier: MIT
#include "outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "say.h"

/* Its name: hidden, and of this process only. */
static char *name_beside(const char *path)
{
	const char *slash = strrchr(path, '/');
	int dir_len = slash ? (int)(slash + 1 - path) : 0;
	char *name;

	if (asprintf(&name, "%.*s.%s.%ld", dir_len, path, path + dir_len,
		     (long)getpid()) < 0)
		return NULL;
	return name;
}

static int create_beside(const struct outfile *file)
{
	int fd = open(file->beside,
		      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		      0666);

	return fd < 0 ? -errno : fd;
}

/* The descriptor of ours that a path stands for, or -1. */
static int own_fd(const char *path)
{
	static const char folder[] = "/dev/fd/";
	char *end;
	long fd;

	if (strcmp(path, "/dev/stdout") == 0)
		return STDOUT_FILENO;
	if (strcmp(path, "/dev/stderr") == 0)
		return STDERR_FILENO;
	if (strncmp(path, folder, sizeof(folder) - 1))
		return -1;
	path += sizeof(folder) - 1;
	fd = strtol(path, &end, 10);
	return *end || end == path || fd < 0 || fd > INT_MAX ? -1 : (int)fd;
}

/* To open it anew could begin a file again that others write to as well. */
static int duplicate(int fd)
{
	fd = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	return fd < 0 ? -errno : fd;
}

int outfile_own(const char *path)
{
	int fd = own_fd(path);

	return fd < 0 ? -ENOENT : duplicate(fd);
}

int outfile_open(struct outfile *file, const char *path)
{
	struct stat st;
	int fd = own_fd(path);
	bool exists;

	if (fd >= 0) {
		file->fd = duplicate(fd);
		return file->fd < 0 ? file->fd : 0;
	}
	exists = stat(path, &st) == 0;
	if (!exists && errno != ENOENT)
		return -errno;
	/* A link keeps leading to it. Where it leads nowhere, open() below. */
	file->path = exists ? realpath(path, NULL) : strdup(path);
	if (!file->path)
		return -errno;
	if (!exists || S_ISREG(st.st_mode)) {
		file->beside = name_beside(file->path);
		if (!file->beside)
			return -ENOMEM;
		/* A file that is write-protected is meant to stay. */
		if (exists && access(file->path, W_OK))
			return -errno;
		fd = create_beside(file);
		if (fd >= 0) {
			close(fd);
			unlink(file->beside);
			return 0;
		}
		free(file->beside);
		file->beside = NULL;
		if (!exists)
			return fd;
	}
	file->rewrite = exists && S_ISREG(st.st_mode);
	file->fd = open(file->path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
	return file->fd < 0 ? -errno : 0;
}

static int write_beside(const struct outfile *file, const void *buf, size_t len)
{
	struct stat st;
	int fd = create_beside(file), r;

	if (fd < 0)
		return fd;
	r = write_all(fd, buf, len);
	/* A file that was there keeps who may read it. */
	if (r == 0 && stat(file->path, &st) == 0 &&
	    fchmod(fd, st.st_mode & 07777))
		r = -errno;
	if (close(fd) && r == 0)
		r = -errno;
	if (r == 0 && rename(file->beside, file->path))
		r = -errno;
	if (r)
		unlink(file->beside);
	return r;
}

int outfile_write(struct outfile *file, const void *buf, size_t len)
{
	if (file->beside)
		return write_beside(file, buf, len);
	if (file->rewrite && ftruncate(file->fd, 0))
		return -errno;
	return write_all(file->fd, buf, len);
}

void outfile_done(struct outfile *file)
{
	free(file->path);
	free(file->beside);
	if (file->fd >= 0)
		close(file->fd);
	*file = (struct outfile)OUTFILE_INIT;
}
