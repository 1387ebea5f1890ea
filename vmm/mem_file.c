// SPDX-License-Identifier: MIT
#include "mem_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "backend/file_lock.h"
#include "core/base.h"
#include "mem_room.h"

#define SECTOR 512u /* what st_blocks counts */

struct file {
	const char *path;
	uint64_t len;
	int fd;
	bool made; /* by ourselves */
	struct stat st;
	struct statfs fs;
};

static int refuse(struct error *err, const struct file *f, int r,
		  const char *why)
{
	return error_set(err, ERROR_INPUT, r, "guest memory '%s': %s", f->path,
			 why);
}

static int open_it(struct file *f, struct error *err)
{
	/* A FIFO must not keep us waiting. */
	const int flags = O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

	f->fd = open(f->path, flags);
	if (f->fd < 0 && errno == ENOENT) {
		f->fd = open(f->path, flags | O_CREAT | O_EXCL, 0600);
		f->made = f->fd >= 0;
	}
	/* Made by somebody else meanwhile; or a link that leads nowhere. */
	if (f->fd < 0 && errno == EEXIST)
		f->fd = open(f->path, flags);
	if (f->fd < 0)
		return refuse(err, f, -errno,
			      strerrordesc_np(errno) ?: "unknown error");
	if (fstat(f->fd, &f->st) < 0 || fstatfs(f->fd, &f->fs) < 0)
		return refuse(err, f, -errno, "cannot be looked at");
	if (!S_ISREG(f->st.st_mode))
		return refuse(err, f, -EINVAL, "a regular file expected");
	if (file_lock(f->fd, false) == -EBUSY)
		return refuse(err, f, -EBUSY,
			      "somebody else uses it, another VM perhaps");
	return 0;
}

static int no_room(const struct file *f, uint64_t room, const char *where,
		   struct error *err)
{
	char size[32];

	return error_set(err, ERROR_HOST, -ENOSPC,
			 "guest memory '%s': %s are needed, and %s has room for "
			 "%llu MiB",
			 f->path, mem_size_text(size, f->len), where,
			 (unsigned long long)(room / MIB(1)));
}

/* A mapping takes the pages, and tells how many there are. */
static int check_huge(const struct file *f, struct error *err)
{
	uint64_t page = (uint64_t)f->fs.f_bsize;
	char size[32], text[32];

	if (f->len % page == 0)
		return 0;
	return error_set(err, ERROR_INPUT, -EINVAL,
			 "guest memory '%s': %s are not whole huge pages of %s; "
			 "ask for a multiple of that",
			 f->path, mem_size_text(size, f->len),
			 mem_size_text(text, page));
}

static int check_room(const struct file *f, bool in_memory, struct error *err)
{
	uint64_t held = (uint64_t)f->st.st_blocks * SECTOR, room;
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
	const char *what = NULL;

	/* Beyond it the kernel would send SIGXFSZ. */
	(void)getrlimit(RLIMIT_FSIZE, &limit);
	if (limit.rlim_cur != RLIM_INFINITY && f->len > limit.rlim_cur)
		return no_room(f, limit.rlim_cur,
			       "a file of this process (ulimit -f)", err);
	room = (uint64_t)f->fs.f_bavail * (uint64_t)f->fs.f_bsize + held;
	/* Some say nothing: a tmpfs without a limit. */
	if (f->fs.f_blocks && f->len > room)
		return no_room(f, room, "its file system", err);
	if (!in_memory)
		return 0;
	room = mem_room_available(&what);
	if (room < UINT64_MAX - held && f->len > room + held)
		return no_room(f, room, what, err);
	return 0;
}

static int make_room(const struct file *f, struct error *err)
{
	int r = 0;

	if (ftruncate(f->fd, 0) < 0 || ftruncate(f->fd, (off_t)f->len) < 0)
		return refuse(err, f, -errno, "cannot be given its size");
	if (fallocate(f->fd, 0, 0, (off_t)f->len) < 0)
		r = -errno;
	/* Where that is unknown, what was found to be free has to do. */
	if (r == 0 || r == -EOPNOTSUPP || r == -ENOSYS)
		return 0;
	return error_host(err, r, "guest memory '%s': cannot be given its size",
			  f->path);
}

int mem_file_open(const char *path, uint64_t len, bool at_once, int *ret_fd,
		  bool *ret_made, uint64_t *ret_page_size, struct error *err)
{
	struct file f = { .path = path, .len = len, .fd = -1 };
	bool huge, in_memory;
	int r;

	r = open_it(&f, err);
	huge = r == 0 && f.fs.f_type == HUGETLBFS_MAGIC;
	/* What is given to a file of a tmpfs is taken from memory then. */
	in_memory = at_once || f.fs.f_type == TMPFS_MAGIC;
	if (r == 0)
		r = huge ? check_huge(&f, err) : check_room(&f, in_memory, err);
	if (r == 0 && !huge)
		r = make_room(&f, err);
	if (r == 0 && huge &&
	    (ftruncate(f.fd, 0) < 0 || ftruncate(f.fd, (off_t)len) < 0))
		r = refuse(err, &f, -errno, "cannot be given its size");
	if (r < 0) {
		if (f.fd >= 0)
			close(f.fd);
		if (f.made)
			unlink(path);
		return r;
	}
	*ret_fd = f.fd;
	*ret_made = f.made;
	*ret_page_size = huge ? (uint64_t)f.fs.f_bsize : 0;
	return 0;
}
