// SPDX-License-Identifier: MIT
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base.h"

int source_from_data(struct source *src, const char *name, const void *data,
		     size_t len)
{
	*src = (struct source){ .fd = -1, .data = data, .len = len };
	src->name = strdup(name);
	return src->name ? 0 : -ENOMEM;
}

int source_from_path(struct source *src, const char *path)
{
	*src = (struct source){ .fd = -1 };
	src->name = strdup(path);
	return src->name ? 0 : -ENOMEM;
}

int source_from_fd(struct source *src, int fd)
{
	*src = (struct source){ .fd = fcntl(fd, F_DUPFD_CLOEXEC, 3) };
	if (src->fd < 0)
		return -errno;
	if (asprintf(&src->name, "file descriptor %d", fd) < 0) {
		src->name = NULL;
		source_done(src);
		return -ENOMEM;
	}
	return 0;
}

void source_done(struct source *src)
{
	if (src->fd >= 0)
		close(src->fd);
	free(src->owned);
	free(src->name);
	*src = (struct source){ .fd = -1 };
}

static int refuse(struct error *err, const struct source *src, int code,
		  const char *why)
{
	return error_set(err, ERROR_INPUT, code, "%s: %s", src->name, why);
}

static int read_pipe(struct source *src, struct error *err)
{
	uint64_t room = 0, len = 0;
	uint8_t *buf = NULL;

	for (;;) {
		ssize_t n;

		if (len == room) {
			uint8_t *bigger;

			room = room ? room * 2 : MIB(1);
			if (room > SOURCE_PIPE_MAX) {
				free(buf);
				return refuse(err, src, -EFBIG,
					      "too long for a pipe; "
					      "use a regular file");
			}
			bigger = realloc(buf, room);
			if (!bigger) {
				free(buf);
				return error_host(err, -ENOMEM, "%s",
						  src->name);
			}
			buf = bigger;
		}
		n = read(src->fd, buf + len, room - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			n = -errno;
			free(buf);
			return refuse(err, src, (int)n, strerrordesc_np((int)-n));
		}
		if (n == 0)
			break;
		len += (uint64_t)n;
	}
	src->owned = buf;
	src->data = buf;
	src->len = len;
	return 0;
}

int source_open(struct source *src, struct error *err)
{
	struct stat st;
	off_t was, end;
	int r = 0;

	if (src->data)
		goto check;
	if (src->fd < 0)
		src->fd = open(src->name, O_RDONLY | O_CLOEXEC);
	if (src->fd < 0 || fstat(src->fd, &st) < 0) {
		r = -errno;
		return refuse(err, src, r, strerrordesc_np(-r));
	}
	if (S_ISDIR(st.st_mode))
		return refuse(err, src, -EISDIR,
			      "is a directory; a file was expected");
	/* Files of /proc have a size of 0 and a content all the same. */
	if (S_ISREG(st.st_mode) && st.st_size > 0) {
		src->len = (uint64_t)st.st_size;
	} else if (S_ISBLK(st.st_mode)) {
		/* A descriptor of the caller's shares its offset with us. */
		was = lseek(src->fd, 0, SEEK_CUR);
		end = lseek(src->fd, 0, SEEK_END);
		if (was < 0 || end < 0 || lseek(src->fd, was, SEEK_SET) < 0)
			return refuse(err, src, -errno, "cannot be sized");
		src->len = (uint64_t)end;
	} else {
		r = read_pipe(src, err);
		if (r < 0)
			return r;
	}
check:
	if (src->len == 0)
		return refuse(err, src, -EINVAL, "the file is empty");
	return 0;
}

int source_read(const struct source *src, uint64_t off, void *buf,
		uint64_t len, struct error *err)
{
	uint8_t *dst = buf;

	if (src->data) {
		memcpy(dst, src->data + off, len);
		return 0;
	}
	while (len > 0) {
		ssize_t n = pread(src->fd, dst, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_host(err, -errno, "%s: read failed",
					  src->name);
		if (n == 0)
			return refuse(err, src, -EIO,
				      "the file became shorter while "
				      "it was read");
		dst += n;
		off += (uint64_t)n;
		len -= (uint64_t)n;
	}
	return 0;
}
