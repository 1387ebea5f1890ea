// SPDX-License-Identifier: MIT
#include "backend/unix_socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int make(const char *path, struct sockaddr_un *ret_addr)
{
	size_t len = strlen(path);
	int fd;

	*ret_addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (len > UNIX_SOCKET_PATH_MAX)
		return -ENAMETOOLONG;
	/* An empty path would be an abstract address. */
	if (len == 0)
		return -ENOENT;
	memcpy(ret_addr->sun_path, path, len);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

int unix_listener_init(struct unix_listener *l, const char *path, int backlog)
{
	struct sockaddr_un addr;
	struct stat st;
	int fd = make(path, &addr), r;

	if (fd < 0)
		return fd;
	if (bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	*l = (struct unix_listener){ .fd = fd, .path = strdup(path) };
	r = l->path ? 0 : -ENOMEM;
	if (r == 0 && (lstat(path, &st) < 0 || listen(fd, backlog) < 0))
		r = -errno;
	if (r < 0) {
		close(fd);
		unlink(path);
		free(l->path);
		*l = (struct unix_listener)UNIX_LISTENER_INIT;
		return r;
	}
	l->dev = st.st_dev;
	l->ino = st.st_ino;
	return 0;
}

void unix_listener_done(struct unix_listener *l)
{
	struct stat st;

	if (l->fd < 0)
		return;
	/* Another program's by now, perhaps. */
	if (lstat(l->path, &st) == 0 && st.st_dev == l->dev &&
	    st.st_ino == l->ino)
		unlink(l->path);
	close(l->fd);
	free(l->path);
	*l = (struct unix_listener)UNIX_LISTENER_INIT;
}

int unix_listener_accept(int listen_fd)
{
	int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int unix_socket_connect(const char *path)
{
	struct sockaddr_un addr;
	int fd = make(path, &addr), r;

	if (fd < 0)
		return fd;
	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	return fd;
}
