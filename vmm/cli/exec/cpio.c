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
/* The format has 32 bits for a size. */
#define FILE_MAX UINT32_MAX

static bool make_room(struct cpio *cpio, size_t len)
{
	size_t room = cpio->room ? cpio->room : 65536;
	uint8_t *data;

	if (cpio->failed)
		return false;
	if (cpio->room - cpio->len >= len)
		return true;
	while (room - cpio->len < len)
		room *= 2;
	data = realloc(cpio->data, room);
	cpio->failed = !data;
	if (!data)
		return false;
	cpio->data = data;
	cpio->room = room;
	return true;
}

static void put(struct cpio *cpio, const void *data, size_t len)
{
	size_t pad = -(cpio->len + len) % ALIGN;

	if (!make_room(cpio, len + pad))
		return;
	if (len > 0)
		memcpy(cpio->data + cpio->len, data, len);
	memset(cpio->data + cpio->len + len, 0, pad);
	cpio->len += len + pad;
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

/* Those that path lies in, from the top. */
static void add_folders(struct cpio *cpio, const char *path)
{
	char folder[PATH_MAX];
	const char *slash;

	for (slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path),
			 path);
		put_header(cpio, folder, S_IFDIR | 0755, 0);
	}
}

void cpio_add(struct cpio *cpio, const char *path, mode_t mode,
	      const void *data, size_t len)
{
	if (strlen(path) >= PATH_MAX || len > FILE_MAX) {
		cpio->failed = true;
		return;
	}
	add_folders(cpio, path);
	put_header(cpio, path, mode, len);
	put(cpio, data, len);
}

int cpio_add_file(struct cpio *cpio, const char *path, mode_t mode,
		  const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *data;
	ssize_t n;
	int r = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (!S_ISREG(st.st_mode))
		r = -EINVAL;
	else if (st.st_size > FILE_MAX)
		r = -EFBIG;
	if (r < 0) {
		close(fd);
		return r;
	}
	data = malloc((size_t)st.st_size + 1);
	n = data ? read(fd, data, (size_t)st.st_size) : 0;
	if (!data)
		r = -ENOMEM;
	else if (n < 0)
		r = -errno;
	else
		/* One that became shorter meanwhile is taken as it is. */
		cpio_add(cpio, path, mode, data, (size_t)n);
	free(data);
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
	*cpio = (struct cpio){ 0 };
}
