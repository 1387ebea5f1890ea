// SPDX-License-Identifier: MIT
/*
 * Files and folders that are open. What is read goes straight from the file to where
 * the client wants it, and what is written the other way.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backend/p9_share_parts.h"

#define SPANS_MAX 256
#define FOLDER_READ (32u << 10)
#define POSITION_UNKNOWN UINT64_MAX

/* ---- opening ------------------------------------------------------------ */

/* Returns flags of open(2), or -errno. The rest of the client's is its own affair. */
static int flags_of(const struct p9_share *s, uint32_t flags)
{
	int to = (int)(flags & P9_ACCMODE);

	if (to == P9_ACCMODE)
		return -EINVAL;
	if (to == O_RDONLY)
		return to;
	if (s->read_only)
		return -EROFS;
	return to | (flags & P9_TRUNC ? O_TRUNC : 0) |
	       (flags & P9_APPEND ? O_APPEND : 0) |
	       (flags & P9_DSYNC ? O_DSYNC : 0) | (flags & P9_SYNC ? O_SYNC : 0);
}

static int open_thing(struct p9_share *s, struct p9_node *node, int fd,
		      int flags, struct stat *ret_st, struct p9_file **ret_file)
{
	struct p9_file *file;
	bool shared;
	struct stat st = { 0 };
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	shared = flags == O_RDONLY && S_ISREG(st.st_mode);
	file = shared ? p9_file_find(s, node, &st) : NULL;
	if (!file) {
		r = p9_open(s, fd, &st, flags);
		if (r >= 0)
			r = p9_file_new(s, node, r, shared, &file);
		if (r < 0)
			return r;
	}
	*ret_st = st;
	*ret_file = file;
	return 0;
}

static int finish_open(struct p9_request *req, struct p9_file *file,
		       const struct stat *st)
{
	struct p9_qid qid = p9_qid(req->share, st);
	int r = p9_fid_open(req->share, req->call.fid, file);

	p9_put_qid(&req->answer, &qid);
	p9_put32(&req->answer, 0); /* iounit: by msize */
	return r;
}

int p9_lopen(struct p9_request *req)
{
	struct p9_share *s = req->share;
	int flags = flags_of(s, req->call.flags), r;
	struct p9_file *file = NULL;
	struct p9_thing thing;
	struct p9_held held = { 0 };
	struct stat st = { 0 };

	if (flags < 0)
		return flags;
	r = p9_hold(s, req->call.fid, &held);
	if (r < 0)
		return r;
	r = held.file ? -EBUSY : p9_thing(s, &held, &thing);
	if (r == 0) {
		r = open_thing(s, held.node, thing.fd, flags, &st, &file);
		p9_thing_done(s, &thing);
	}
	if (r == 0 && (req->call.flags & P9_DIRECTORY) && file &&
	    !file->folder) {
		p9_file_put(s, file);
		r = -ENOTDIR;
	}
	if (r == 0)
		r = finish_open(req, file, &st);
	p9_let_go(s, &held);
	return r;
}

/*
 * A new file; or one that has come there meanwhile, unless that must not be. Opened as
 * any other then: it may be anything.
 */
static int create(struct p9_share *s, struct p9_node *node, int folder,
		  const char *name, const struct p9_call *c, int flags,
		  struct stat *ret_st, struct p9_file **ret_file)
{
	struct stat st = { 0 };
	int fd, r;

	fd = openat(folder, name,
		    flags | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC |
			    O_NONBLOCK | O_NOCTTY,
		    c->mode & 0777);
	if (fd >= 0) {
		if (fstat(fd, &st) < 0) {
			r = -errno;
			close(fd);
			return r;
		}
		*ret_st = st;
		return p9_file_new(s, node, fd, false, ret_file);
	}
	if (errno != EEXIST || (c->flags & P9_EXCL))
		return -errno;
	fd = p9_find_in(folder, name);
	if (fd < 0)
		return fd;
	r = open_thing(s, node, fd, flags, ret_st, ret_file);
	close(fd);
	return r;
}

int p9_lcreate(struct p9_request *req)
{
	struct p9_share *s = req->share;
	int flags = flags_of(s, req->call.flags), folder, r;
	struct p9_file *file = NULL;
	struct p9_node *node = NULL;
	char name[NAME_MAX + 1] = "";
	struct p9_held held = { 0 };
	struct stat st = { 0 };

	if (flags < 0)
		return flags;
	r = p9_name(&req->call.name, name) ?:
	    p9_hold(s, req->call.fid, &held);
	if (r < 0)
		return r;
	pthread_rwlock_rdlock(&s->names);
	folder = held.file ? -EBUSY : p9_find_folder(s, held.node);
	r = folder < 0 ? folder : 0;
	if (r == 0) {
		pthread_mutex_lock(&s->lock);
		node = p9_tree_child(&s->tree, held.node, name);
		pthread_mutex_unlock(&s->lock);
		r = node ? create(s, node, folder, name, &req->call, flags, &st,
				  &file) :
			   -ENOMEM;
		close(folder);
	}
	pthread_rwlock_unlock(&s->names);
	if (r == 0)
		r = finish_open(req, file, &st);
	p9_let_go(s, &held);
	if (node) {
		pthread_mutex_lock(&s->lock);
		p9_node_put(&s->tree, node);
		pthread_mutex_unlock(&s->lock);
	}
	return r;
}

/* ---- files -------------------------------------------------------------- */

/* The open file of the call's fid; or -EBADF, and what it must not be. */
static int hold_open(struct p9_request *req, bool folder,
		     struct p9_held *ret_held)
{
	int r = p9_hold(req->share, req->call.fid, ret_held);

	if (r < 0)
		return r;
	if (!ret_held->file)
		r = -EBADF;
	else if (ret_held->file->folder != folder)
		r = folder ? -ENOTDIR : -EISDIR;
	if (r < 0)
		p9_let_go(req->share, ret_held);
	return r;
}

int p9_read(struct p9_request *req)
{
	struct virtq_chain *chain = req->chain;
	struct iovec spans[SPANS_MAX], *iov;
	unsigned count = chain->in < SPANS_MAX ? chain->in : SPANS_MAX;
	uint32_t len = req->call.count;
	struct p9_held held = { 0 };
	ssize_t n;
	int r = hold_open(req, false, &held);

	if (r < 0)
		return r;
	if (len > req->room - P9_READ_DATA)
		len = req->room - P9_READ_DATA;
	/* A copy: the answer's head goes to the beginning of them later. */
	memcpy(spans, chain->iov + chain->out, count * sizeof(spans[0]));
	iov = virtq_trim(spans, &count, P9_READ_DATA, len);
	n = preadv(held.file->fd, iov, (int)count, (off_t)req->call.offset);
	if (n < 0)
		r = -errno;
	p9_let_go(req->share, &held);
	if (r == 0) {
		p9_put32(&req->answer, (uint32_t)n);
		req->answer.data = (uint32_t)n;
	}
	return r;
}

int p9_write(struct p9_request *req)
{
	struct virtq_chain *chain = req->chain;
	unsigned count = chain->out;
	struct p9_held held = { 0 };
	struct iovec *iov;
	ssize_t n;
	int r = hold_open(req, false, &held);

	if (r < 0)
		return r;
	iov = virtq_trim(chain->iov, &count, P9_WRITE_DATA, req->call.count);
	if (count > SPANS_MAX)
		count = SPANS_MAX;
	n = pwritev(held.file->fd, iov, (int)count, (off_t)req->call.offset);
	if (n < 0)
		r = -errno;
	p9_let_go(req->share, &held);
	p9_put32(&req->answer, (uint32_t)(n < 0 ? 0 : n));
	return r;
}

int p9_fsync(struct p9_request *req)
{
	struct p9_held held = { 0 };
	int r = p9_hold(req->share, req->call.fid, &held);

	if (r < 0)
		return r;
	if (!held.file)
		r = -EBADF;
	else if ((req->call.flags ? fdatasync(held.file->fd) :
				    fsync(held.file->fd)) < 0)
		r = -errno;
	p9_let_go(req->share, &held);
	return r;
}

/* ---- folders ------------------------------------------------------------ */

/*
 * One entry: qid[13] offset[8] type[1] name[s]. Returns its length, or 0 if there is
 * no room. The folder above the shared one is none of the client's business.
 */
static size_t put_entry(const struct p9_share *s, const struct p9_file *file,
			const struct dirent64 *entry, uint8_t *to, size_t room)
{
	size_t len = strlen(entry->d_name);
	bool up = strcmp(entry->d_name, "..") == 0;
	bool top = up && file->node == &s->tree.root;
	struct p9_qid qid = p9_entry_qid(s, file->dev,
					 top ? file->ino : entry->d_ino,
					 entry->d_type);

	if (24 + len > room)
		return 0;
	to[0] = qid.type;
	put_le32(to + 1, qid.version);
	put_le64(to + 5, qid.path);
	put_le64(to + 13, (uint64_t)entry->d_off);
	to[21] = entry->d_type;
	put_le16(to + 22, (uint16_t)len);
	memcpy(to + 24, entry->d_name, len);
	return 24 + len;
}

/*
 * Some entries from `offset` on, which is 0 or where an entry said that the next is.
 * With file->lock held. Returns how many bytes of them, or -errno.
 */
static ssize_t read_folder(const struct p9_share *s, struct p9_file *file,
			   uint64_t offset, uint8_t *from, uint8_t *to,
			   size_t room)
{
	size_t done = 0, n;
	ssize_t len, at;

	if (file->position != offset &&
	    lseek(file->fd, (off_t)offset, SEEK_SET) < 0)
		return -errno;
	file->position = POSITION_UNKNOWN;
	len = getdents64(file->fd, from,
			 room < FOLDER_READ ? room : FOLDER_READ);
	if (len < 0)
		return -errno;
	for (at = 0; at < len;) {
		struct dirent64 *entry = (struct dirent64 *)(void *)(from + at);

		n = put_entry(s, file, entry, to + done, room - done);
		if (n == 0)
			return done ? (ssize_t)done : -EINVAL;
		done += n;
		at += entry->d_reclen;
		offset = (uint64_t)entry->d_off;
	}
	file->position = offset;
	return (ssize_t)done;
}

int p9_readdir(struct p9_request *req)
{
	size_t room = req->room - P9_READ_DATA;
	struct p9_held held = { 0 };
	ssize_t len = -ENOMEM;
	uint8_t *buf;
	int r = hold_open(req, true, &held);

	if (r < 0)
		return r;
	if (room > req->call.count)
		room = req->call.count;
	if (room > FOLDER_READ)
		room = FOLDER_READ;
	buf = malloc(2 * FOLDER_READ);
	if (buf) {
		pthread_mutex_lock(&held.file->lock);
		len = read_folder(req->share, held.file, req->call.offset, buf,
				  buf + FOLDER_READ, room);
		pthread_mutex_unlock(&held.file->lock);
	}
	if (len >= 0) {
		virtq_copy_in(req->chain, P9_READ_DATA, buf + FOLDER_READ,
			      (size_t)len);
		p9_put32(&req->answer, (uint32_t)len);
		req->answer.data = (uint32_t)len;
	}
	free(buf);
	p9_let_go(req->share, &held);
	return len < 0 ? (int)len : 0;
}
