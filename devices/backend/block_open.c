// SPDX-License-Identifier: MIT
#include "backend/block_open.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "backend/file_lock.h"
#include "core/base.h"

#define SECTOR 512u
/* What a page cache writes at least, and a file's blocks usually are. */
#define PHYSICAL_DEFAULT 4096u
#define ALIGN_MAX 4096u
#define LOCK_TRIES 11 /* in a tenth of a second */

static int check_type(mode_t mode)
{
	if (S_ISDIR(mode))
		return -EISDIR;
	return S_ISREG(mode) || S_ISBLK(mode) ? 0 : -ENOTBLK;
}

/* A file descriptor for config->path. */
static int open_path(const struct block_open_config *config)
{
	int flags = O_CLOEXEC | O_NOCTTY, fd, r;
	struct stat st;

	/* First: to open a pipe would wait for its other end. */
	if (stat(config->path, &st) < 0)
		return -errno;
	r = check_type(st.st_mode);
	if (r < 0)
		return r;
	flags |= config->read_only ? O_RDONLY : O_RDWR;
	flags |= config->direct ? O_DIRECT : 0;
	/* Of a block device it means: nobody has it mounted (open(2)). */
	if (S_ISBLK(st.st_mode) && !config->read_only)
		flags |= O_EXCL;
	fd = open(config->path, flags);
	if (fd < 0)
		return errno == EINVAL && config->direct ? -EOPNOTSUPP : -errno;
	return fd;
}

/* A duplicate of config->fd, if it is fit for the purpose. */
static int dup_given(const struct block_open_config *config)
{
	int flags = fcntl(config->fd, F_GETFL), mode, fd;

	if (flags < 0)
		return -errno;
	mode = flags & O_ACCMODE;
	if (flags & O_PATH ||
	    (mode != O_RDWR && !(mode == O_RDONLY && config->read_only)))
		return -EBADF;
	if (config->direct && !(flags & O_DIRECT))
		return -EOPNOTSUPP;
	fd = fcntl(config->fd, F_DUPFD_CLOEXEC, 3);
	return fd < 0 ? -errno : fd;
}

/*
 * One who was killed may still hold it: the kernel takes its time with an io_uring,
 * and that keeps the file open. So not at once.
 */
static int lock_file(int fd, bool read_only)
{
	const struct timespec nap = { .tv_nsec = 10 * NSEC_PER_MSEC };
	unsigned tries;
	int r = -EBUSY;

	for (tries = 0; r == -EBUSY && tries < LOCK_TRIES; tries++) {
		if (tries > 0)
			nanosleep(&nap, NULL);
		r = file_lock(fd, read_only);
	}
	return r;
}

/* The least alignment that O_DIRECT takes, found out by reading. */
static int find_align(int fd, uint32_t block_size, uint32_t *ret_align)
{
	uint32_t align;
	uint8_t *pages;
	int r = -EOPNOTSUPP;

	pages = mmap(NULL, 2 * ALIGN_MAX, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED)
		return -ENOMEM;
	for (align = block_size; align <= ALIGN_MAX; align *= 2) {
		/* An address that is a multiple of align and of nothing more. */
		if (pread(fd, pages + align, align, 0) >= 0) {
			*ret_align = align;
			r = 0;
			break;
		}
		if (errno != EINVAL) {
			r = -errno;
			break;
		}
	}
	munmap(pages, 2 * ALIGN_MAX);
	return r;
}

static int measure(struct block_opened *file)
{
	struct stat st;
	int n, r;

	file->sector = SECTOR;
	file->physical_size = PHYSICAL_DEFAULT;
	file->align = 1;
	if (fstat(file->fd, &st) < 0)
		return -errno;
	r = check_type(st.st_mode);
	if (r < 0)
		return r;
	file->size = (uint64_t)st.st_size;
	file->device = S_ISBLK(st.st_mode);
	if (file->device) {
		if (ioctl(file->fd, BLKGETSIZE64, &file->size) < 0)
			return -errno;
		if (ioctl(file->fd, BLKSSZGET, &n) == 0 && n > (int)SECTOR)
			file->sector = (uint32_t)n;
		if (ioctl(file->fd, BLKPBSZGET, &n) == 0 && n > 0)
			file->physical_size = (uint32_t)n;
	}
	if (!(fcntl(file->fd, F_GETFL) & O_DIRECT))
		return 0;
	return find_align(file->fd, file->sector, &file->align);
}

int block_open(const struct block_open_config *config,
	       struct block_opened *ret_file)
{
	struct block_opened file = { .read_only = config->read_only };
	int r;

	file.fd = config->path ? open_path(config) : dup_given(config);
	if (file.fd < 0)
		return file.fd;
	r = lock_file(file.fd, config->read_only);
	/* That of a descriptor which was given is not ours alone. */
	file.locked = r == 0 && config->path;
	if (r == 0)
		r = measure(&file);
	if (r < 0) {
		block_opened_close(&file);
		return r;
	}
	*ret_file = file;
	return 0;
}

static int make_temporary(const char *dir)
{
	char *path;
	int fd, r;

	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
	if (fd >= 0)
		return fd;
	/* open(2): what says that the filesystem, or the kernel, has it not. */
	if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
		return -errno;
	if (asprintf(&path, "%s/trapmap-XXXXXX", dir) < 0)
		return -ENOMEM;
	fd = mkostemp(path, O_CLOEXEC);
	r = fd < 0 ? -errno : fd;
	if (fd >= 0)
		unlink(path);
	free(path);
	return r;
}

int block_open_temporary(struct block_opened *ret_file, const char **ret_dir)
{
	const char *const dirs[] = { secure_getenv("TMPDIR"), "/var/tmp",
				     "/tmp" };
	struct block_opened file = { .fd = -1 };
	unsigned i;
	int r;

	/* One that was asked for is the one. */
	i = dirs[0] && *dirs[0] ? 0 : 1;
	do {
		*ret_dir = dirs[i];
		file.fd = make_temporary(dirs[i]);
	} while (file.fd < 0 && i > 0 && ++i < 3);
	if (file.fd < 0)
		return file.fd;
	r = measure(&file);
	if (r < 0) {
		block_opened_close(&file);
		return r;
	}
	*ret_file = file;
	return 0;
}

int block_read_front(const struct block_opened *file,
		     uint8_t ret_front[BLOCK_OPEN_FRONT])
{
	uint8_t *pages;
	ssize_t n;
	int r = 0;

	/* On a page, and a page of it: what O_DIRECT may want. */
	pages = mmap(NULL, ALIGN_MAX, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED)
		return -ENOMEM;
	do
		n = pread(file->fd, pages, ALIGN_MAX, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		r = -errno;
	else
		memcpy(ret_front, pages, BLOCK_OPEN_FRONT);
	munmap(pages, ALIGN_MAX);
	return r;
}

void block_opened_close(struct block_opened *file)
{
	if (file->locked)
		file_unlock(file->fd);
	if (file->fd >= 0)
		close(file->fd);
	*file = (struct block_opened){ .fd = -1 };
}
