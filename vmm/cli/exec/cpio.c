// SPDX-License-Identifier: MIT
#include "exec/cpio.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER_LEN 110
#define ALIGN 4

/* Room for len bytes and their padding; NULL: there is no memory. */
static uint8_t *make_room(struct cpio *cpio, size_t len)
{
	size_t room = cpio->room ? cpio->room : 65536;
	uint8_t *data;

	if (cpio->failed)
		return NULL;
	len += ALIGN - 1;
	if (cpio->room - cpio->len < len) {
		while (room - cpio->len < len)
			room *= 2;
		data = realloc(cpio->data, room);
		if (!data) {
			cpio->failed = true;
			return NULL;
		}
		cpio->data = data;
		cpio->room = room;
	}
	return cpio->data + cpio->len;
}

/* len bytes are there: pads them. */
static void take_room(struct cpio *cpio, size_t len)
{
	size_t pad = -(cpio->len + len) % ALIGN;

	memset(cpio->data + cpio->len + len, 0, pad);
	cpio->len += len + pad;
}

static void put(struct cpio *cpio, const void *data, size_t len)
{
	uint8_t *to = make_room(cpio, len);

	if (!to)
		return;
	if (len > 0)
		memcpy(to, data, len);
	take_room(cpio, len);
}

/* Header and name, as which the padding counts them. */
static void put_header(struct cpio *cpio, const char *path, mode_t mode,
		       size_t len)
{
	char head[HEADER_LEN + PATH_MAX + 1];
	int n;

	/* inode, mode, uid, gid, nlink, mtime, size, device, rdevice, name, check */
	n = snprintf(
		head, sizeof(head),
		"070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s",
		++cpio->inode, (unsigned)mode, 0u, 0u, 1u, 0u, (unsigned)len,
		0u, 0u, 0u, 0u, (unsigned)strlen(path) + 1, 0u, path);
	put(cpio, head, (size_t)n + 1);
}

/* Whether the first len bytes of path are the last folder, or one that it is in. */
static bool is_there(const struct cpio *cpio, const char *path, size_t len)
{
	const char *folder = cpio->folder;

	return folder && strncmp(folder, path, len) == 0 &&
	       (folder[len] == '/' || !folder[len]);
}

/* Those that path lies in, from the top. */
static void add_folders(struct cpio *cpio, const char *path)
{
	const char *slash, *last = strrchr(path, '/');
	char folder[PATH_MAX];

	for (slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		size_t len = (size_t)(slash - path);

		if (is_there(cpio, path, len))
			continue;
		snprintf(folder, sizeof(folder), "%.*s", (int)len, path);
		put_header(cpio, folder, S_IFDIR | 0755, 0);
	}
	free(cpio->folder);
	cpio->folder = last ? strndup(path, (size_t)(last - path)) : NULL;
}

/* All before the content. */
static bool begin(struct cpio *cpio, const char *path, mode_t mode, size_t len)
{
	if (strlen(path) >= PATH_MAX || len > CPIO_FILE_MAX) {
		cpio->failed = true;
		return false;
	}
	add_folders(cpio, path);
	put_header(cpio, path, mode, len);
	if (S_ISDIR(mode)) {
		free(cpio->folder);
		cpio->folder = strdup(path);
	}
	return !cpio->failed;
}

void cpio_add(struct cpio *cpio, const char *path, mode_t mode,
	      const void *data, size_t len)
{
	if (begin(cpio, path, mode, len))
		put(cpio, data, len);
}

/* Exactly len bytes, of which those that a file no longer has are zero. */
static int read_all(int fd, uint8_t *to, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = read(fd, to, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		to += n;
		len -= (size_t)n;
	}
	memset(to, 0, len);
	return 0;
}

static int add_fd(struct cpio *cpio, const char *path, mode_t mode, int fd,
		  const uint8_t **ret_data, size_t *ret_len)
{
	size_t began = cpio->len, len;
	struct stat st;
	uint8_t *to;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((uint64_t)st.st_size > CPIO_FILE_MAX)
		return -EFBIG;
	len = (size_t)st.st_size;
	to = begin(cpio, path, mode, len) ? make_room(cpio, len) : NULL;
	if (!to)
		return -ENOMEM;
	r = read_all(fd, to, len);
	if (r < 0) {
		/* As if it had never begun. */
		cpio->len = began;
		free(cpio->folder);
		cpio->folder = NULL;
		return r;
	}
	take_room(cpio, len);
	if (ret_data) {
		*ret_data = to;
		*ret_len = len;
	}
	return 0;
}

int cpio_add_file(struct cpio *cpio, const char *path, mode_t mode,
		  const char *file, const uint8_t **ret_data, size_t *ret_len)
{
	/* What is no file is not waited for. */
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK), r;

	if (fd < 0)
		return -errno;
	r = add_fd(cpio, path, mode, fd, ret_data, ret_len);
	close(fd);
	return r;
}

int cpio_end(struct cpio *cpio)
{
	put_header(cpio, "TRAILER!!!", 0, 0);
	return cpio->failed ? -ENOMEM : 0;
}

void cpio_done(struct cpio *cpio)
{
	free(cpio->data);
	free(cpio->folder);
	*cpio = (struct cpio){ 0 };
}
