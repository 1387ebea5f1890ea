// SPDX-License-Identifier: MIT
/* Attributes, of things and of filesystems; and locks, which are none of ours. */
#include <errno.h>
#include <fcntl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "backend/p9_share_parts.h"

/* All up to st_blocks: P9_STATS_BASIC. */
#define ATTR_BASIC 0x7ffu

/* Tsetattr's valid bits. */
enum {
	SET_MODE = BIT(0),
	SET_UID = BIT(1),
	SET_GID = BIT(2),
	SET_SIZE = BIT(3),
	SET_ATIME = BIT(4),
	SET_MTIME = BIT(5),
	SET_CTIME = BIT(6),
	SET_ATIME_TO = BIT(7),
	SET_MTIME_TO = BIT(8),
};

enum { LOCK_SUCCESS = 0, LOCK_UNLCK = 2 };

static void put_time(struct p9_answer *a, const struct timespec *ts)
{
	p9_put64(a, (uint64_t)ts->tv_sec);
	p9_put64(a, (uint64_t)ts->tv_nsec);
}

static void put_attr(struct p9_request *req, const struct stat *st)
{
	struct p9_qid qid = p9_qid(req->share, st);
	struct p9_answer *a = &req->answer;

	p9_put64(a, ATTR_BASIC);
	p9_put_qid(a, &qid);
	p9_put32(a, st->st_mode);
	p9_put32(a, st->st_uid);
	p9_put32(a, st->st_gid);
	p9_put64(a, st->st_nlink);
	p9_put64(a, st->st_rdev);
	p9_put64(a, (uint64_t)st->st_size);
	p9_put64(a, (uint64_t)st->st_blksize);
	p9_put64(a, (uint64_t)st->st_blocks);
	put_time(a, &st->st_atim);
	put_time(a, &st->st_mtim);
	put_time(a, &st->st_ctim);
	/* btime, gen, data_version: reserved, and not valid. */
	put_time(a, &(const struct timespec){ 0 });
	p9_put64(a, 0);
	p9_put64(a, 0);
}

int p9_getattr(struct p9_request *req)
{
	struct p9_thing thing;
	struct p9_held held = { 0 };
	struct stat st = { 0 };
	int r = p9_hold(req->share, req->call.fid, &held);

	if (r < 0)
		return r;
	r = p9_thing(req->share, &held, &thing);
	if (r == 0) {
		if (fstat(thing.fd, &st) < 0)
			r = -errno;
		else
			put_attr(req, &st);
		p9_thing_done(req->share, &thing);
	}
	p9_let_go(req->share, &held);
	return r;
}

/* ---- changes ------------------------------------------------------------ */

static int set_owner(const struct p9_call *c, int fd)
{
	uid_t uid = c->valid & SET_UID ? c->uid : (uid_t)-1;
	gid_t gid = c->valid & SET_GID ? c->gid : (gid_t)-1;

	if (!(c->valid & (SET_UID | SET_GID | SET_CTIME)))
		return 0;
	/* Alone the ctime is the present one, which this makes it. */
	return fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

static int set_mode(struct p9_share *s, const struct p9_call *c,
		    const struct stat *st, int fd)
{
	uint32_t may = S_ISDIR(st->st_mode) ? 03777 : 0777;
	char name[P9_PROC_NAME_LEN];

	if (!(c->valid & SET_MODE))
		return 0;
	if (S_ISLNK(st->st_mode))
		return -EOPNOTSUPP;
	return fchmodat(s->proc, p9_proc_name(fd, name), c->mode & may, 0) < 0 ?
		       -errno :
		       0;
}

static int set_size(struct p9_share *s, const struct p9_call *c,
		    const struct stat *st, int fd)
{
	int file, r = 0;

	if (!(c->valid & SET_SIZE))
		return 0;
	if (!S_ISREG(st->st_mode))
		return S_ISDIR(st->st_mode) ? -EISDIR : -EINVAL;
	if (c->size > INT64_MAX)
		return -EFBIG;
	if (ftruncate(fd, (off_t)c->size) == 0)
		return 0;
	/* It is not open for writing. */
	file = p9_open(s, fd, st, O_WRONLY);
	if (file < 0)
		return file;
	if (ftruncate(file, (off_t)c->size) < 0)
		r = -errno;
	close(file);
	return r;
}

static struct timespec time_of(uint32_t valid, uint32_t set, uint32_t set_to,
			       int64_t sec, uint64_t nsec)
{
	if (!(valid & set))
		return (struct timespec){ .tv_nsec = UTIME_OMIT };
	if (!(valid & set_to))
		return (struct timespec){ .tv_nsec = UTIME_NOW };
	return (struct timespec){ .tv_sec = sec, .tv_nsec = (long)nsec };
}

static int set_times(struct p9_share *s, const struct p9_call *c, int fd)
{
	const struct timespec times[2] = {
		time_of(c->valid, SET_ATIME, SET_ATIME_TO, c->atime_sec,
			c->atime_nsec),
		time_of(c->valid, SET_MTIME, SET_MTIME_TO, c->mtime_sec,
			c->mtime_nsec),
	};
	char name[P9_PROC_NAME_LEN];

	if (!(c->valid & (SET_ATIME | SET_MTIME)))
		return 0;
	/* Not a number that stands for something else. */
	if ((c->valid & SET_ATIME_TO && c->atime_nsec >= NSEC_PER_SEC) ||
	    (c->valid & SET_MTIME_TO && c->mtime_nsec >= NSEC_PER_SEC))
		return -EINVAL;
	return utimensat(s->proc, p9_proc_name(fd, name), times, 0) < 0 ?
		       -errno :
		       0;
}

int p9_setattr(struct p9_request *req)
{
	const struct p9_call *c = &req->call;
	struct p9_share *s = req->share;
	struct p9_thing thing;
	struct p9_held held = { 0 };
	struct stat st = { 0 };
	int r = p9_hold(s, c->fid, &held);

	if (r < 0)
		return r;
	r = p9_thing(s, &held, &thing);
	if (r == 0) {
		/* The times last: a new size changes one. */
		if (fstat(thing.fd, &st) < 0)
			r = -errno;
		else
			r = set_owner(c, thing.fd) ?:
			    set_mode(s, c, &st, thing.fd) ?:
			    set_size(s, c, &st, thing.fd) ?:
			    set_times(s, c, thing.fd);
		p9_thing_done(s, &thing);
	}
	p9_let_go(s, &held);
	return r;
}

/* ---- filesystems -------------------------------------------------------- */

int p9_statfs(struct p9_request *req)
{
	struct p9_answer *a = &req->answer;
	struct p9_thing thing;
	struct p9_held held = { 0 };
	struct statfs fs = { 0 };
	uint32_t id[2];
	int r = p9_hold(req->share, req->call.fid, &held);

	if (r < 0)
		return r;
	r = p9_thing(req->share, &held, &thing);
	if (r == 0) {
		if (fstatfs(thing.fd, &fs) < 0)
			r = -errno;
		p9_thing_done(req->share, &thing);
	}
	p9_let_go(req->share, &held);
	if (r < 0)
		return r;
	memcpy(id, &fs.f_fsid, sizeof(id));
	p9_put32(a, (uint32_t)fs.f_type);
	p9_put32(a, (uint32_t)fs.f_bsize);
	p9_put64(a, fs.f_blocks);
	p9_put64(a, fs.f_bfree);
	p9_put64(a, fs.f_bavail);
	p9_put64(a, fs.f_files);
	p9_put64(a, fs.f_ffree);
	p9_put64(a, id[0] | (uint64_t)id[1] << 32);
	p9_put32(a, (uint32_t)fs.f_namelen);
	return 0;
}

/* ---- locks -------------------------------------------------------------- */

/* Whether the fid is open, for what is answered without a look at the file. */
static int check_open(struct p9_request *req)
{
	struct p9_held held = { 0 };
	int r = p9_hold(req->share, req->call.fid, &held);

	if (r < 0)
		return r;
	r = held.file ? 0 : -EBADF;
	p9_let_go(req->share, &held);
	return r;
}

int p9_lock(struct p9_request *req)
{
	p9_put8(&req->answer, LOCK_SUCCESS);
	return check_open(req);
}

int p9_getlock(struct p9_request *req)
{
	const struct p9_call *c = &req->call;
	struct p9_answer *a = &req->answer;

	p9_put8(a, LOCK_UNLCK);
	p9_put64(a, c->offset);
	p9_put64(a, c->length);
	p9_put32(a, c->proc_id);
	p9_put_string(a, c->name.s, c->name.len);
	return check_open(req);
}
