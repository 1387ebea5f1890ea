// SPDX-License-Identifier: MIT
/*
 * Opening a raw image: what it is, how large, how it must be aligned, and that
 * nobody else uses it.
 *
 * Not modelled: an image that grows or shrinks while the guest runs (what is cut
 * off reads as an error), zoned devices.
 */
#include "backend/block_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/block_file_io.h"
#include "core/base.h"
#include "core/loop.h"

#define DEPTH_DEFAULT 128
#define SECTOR 512u
/* What a page cache writes at least, and a file's blocks usually are. */
#define PHYSICAL_DEFAULT 4096u
#define ALIGN_MAX 4096u

static struct block_file *to_file(struct block *blk)
{
	return container_of(blk, struct block_file, block);
}

static int check_type(mode_t mode)
{
	if (S_ISDIR(mode))
		return -EISDIR;
	return S_ISREG(mode) || S_ISBLK(mode) ? 0 : -ENOTBLK;
}

/* A file descriptor for config->path. */
static int open_path(const struct block_file_config *config)
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
static int dup_given(const struct block_file_config *config)
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

static int lock_file(int fd, bool read_only)
{
	struct flock lock = {
		.l_type = read_only ? F_RDLCK : F_WRLCK,
		.l_whence = SEEK_SET, /* from 0 to wherever it ends */
	};

	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	if (errno == EAGAIN || errno == EACCES)
		return -EBUSY;
	if (errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP)
		return 0;
	return -errno;
}

/* It would go with the last reference to the open file; the kernel may have one. */
static void unlock_file(int fd)
{
	struct flock lock = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

	(void)fcntl(fd, F_OFD_SETLK, &lock);
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

/* Size and sizes of blocks. */
static int measure(struct block_file *bf, bool read_only)
{
	uint32_t logical = SECTOR, physical = PHYSICAL_DEFAULT;
	struct block_info *info = &bf->block.info;
	uint64_t size;
	struct stat st;
	int n, r;

	if (fstat(bf->fd, &st) < 0)
		return -errno;
	r = check_type(st.st_mode);
	if (r < 0)
		return r;
	size = (uint64_t)st.st_size;
	if (S_ISBLK(st.st_mode)) {
		if (ioctl(bf->fd, BLKGETSIZE64, &size) < 0)
			return -errno;
		if (ioctl(bf->fd, BLKSSZGET, &n) == 0 && n > (int)SECTOR)
			logical = (uint32_t)n;
		if (ioctl(bf->fd, BLKPBSZGET, &n) == 0 && n > 0)
			physical = (uint32_t)n;
	}
	bf->align = 1;
	if (fcntl(bf->fd, F_GETFL) & O_DIRECT) {
		r = find_align(bf->fd, logical, &bf->align);
		if (r < 0)
			return r;
		logical = bf->align;
	}
	*info = (struct block_info){
		.size = align_down(size, logical),
		.block_size = logical,
		.physical_size = physical > logical ? physical : logical,
		.read_only = read_only,
		.discard = !read_only,
		.write_zeroes = !read_only,
	};
	return info->size ? 0 : -ENODATA;
}

static int open_engine(struct block_file *bf, enum block_file_engine which,
		       unsigned depth)
{
	int r = -EOPNOTSUPP;

	if (which != BLOCK_FILE_THREADS)
		r = block_uring_new(bf->fd, depth, &bf->engine);
	if (which == BLOCK_FILE_THREADS || (r < 0 && which == BLOCK_FILE_AUTO))
		r = block_threads_new(bf->fd, depth, &bf->engine);
	return r;
}

static void on_ready(void *opaque, unsigned events)
{
	struct block_file *bf = opaque;

	bf->ready(bf->opaque);
}

static void file_attach(struct block *blk, void (*ready)(void *opaque),
			void *opaque)
{
	struct block_file *bf = to_file(blk);

	bf->ready = ready;
	bf->opaque = opaque;
	loop_watch_set(bf->loop, bf->watch, LOOP_IN);
}

static void file_free(struct block *blk)
{
	struct block_file *bf = to_file(blk);

	loop_watch_free(bf->loop, bf->watch);
	block_file_io_done(bf);
	block_engine_free(bf->engine);
	if (bf->locked)
		unlock_file(bf->fd);
	if (bf->fd >= 0)
		close(bf->fd);
	free(bf);
}

static const struct block_ops file_ops = {
	.attach = file_attach,
	.submit = block_file_submit,
	.kick = block_file_kick,
	.reap = block_file_reap,
	.drain = block_file_drain,
	.free = file_free,
};

static int open_all(struct block_file *bf,
		    const struct block_file_config *config)
{
	unsigned depth = config->depth ? config->depth : DEPTH_DEFAULT;
	int r;

	bf->fd = config->path ? open_path(config) : dup_given(config);
	if (bf->fd < 0)
		return bf->fd;
	r = lock_file(bf->fd, config->read_only);
	if (r < 0)
		return r;
	/* That of a descriptor which was given is not ours alone. */
	bf->locked = config->path;
	r = measure(bf, config->read_only) ?:
	    block_file_io_init(bf, depth) ?:
	    open_engine(bf, config->engine, depth);
	if (r < 0 || !bf->engine)
		return r < 0 ? r : -EINVAL;
	return loop_watch_new(bf->loop, bf->engine->ready_fd, 0, on_ready, bf,
			      &bf->watch);
}

int block_file_new(const struct block_file_config *config,
		   struct block **ret_blk)
{
	struct block_file *bf = calloc(1, sizeof(*bf));
	int r;

	if (!bf)
		return -ENOMEM;
	bf->block.ops = &file_ops;
	bf->loop = config->loop;
	r = open_all(bf, config);
	if (r < 0) {
		file_free(&bf->block);
		return r;
	}
	*ret_blk = &bf->block;
	return 0;
}

const char *block_file_engine_name(const struct block *blk)
{
	const struct block_file *bf = container_of(blk, const struct block_file,
						   block);

	return bf->engine->ops->name;
}
