// SPDX-License-Identifier: MIT
/*
 * What the client holds: fids, which are numbers of its own choice, and open files.
 *
 * A fid costs memory and no descriptor: Linux holds one for each name that it
 * remembers, hundreds of thousands perhaps. Open files are descriptors of this
 * process, which are few: readers of the same file share one, and of what the
 * process may have at the time of its start, a share takes half at most.
 */
#include "backend/p9_share_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define FIDS_MAX (1u << 19)
#define FILES_MIN 16u
#define FILES_MAX (1u << 16)

struct fid {
	struct p9_link link;
	uint32_t number;
	struct p9_held held;
};

static uint32_t hash_of(uint32_t number)
{
	return number * 2654435761u ^ number >> 15;
}

static struct fid *find(struct p9_share *s, uint32_t number)
{
	struct p9_link *link = p9_table_first(&s->fids, hash_of(number));
	struct fid *fid;

	for (; link; link = p9_table_next(link)) {
		fid = container_of(link, struct fid, link);
		if (fid->number == number)
			return fid;
	}
	return NULL;
}

int p9_fids_init(struct p9_share *s)
{
	struct rlimit limit;
	int r;

	s->files_max = FILES_MAX;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
	    limit.rlim_cur / 2 < FILES_MAX)
		s->files_max = (unsigned)limit.rlim_cur / 2;
	if (s->files_max < FILES_MIN)
		s->files_max = FILES_MIN;
	pthread_rwlock_init(&s->names, NULL);
	pthread_mutex_init(&s->lock, NULL);
	r = p9_table_init(&s->fids);
	return r < 0 ? r : p9_tree_init(&s->tree);
}

void p9_fids_done(struct p9_share *s)
{
	if (s->fids.bucket)
		p9_fids_clear(s);
	p9_table_done(&s->fids);
	p9_tree_done(&s->tree);
	pthread_mutex_destroy(&s->lock);
	pthread_rwlock_destroy(&s->names);
}

/* ---- open files --------------------------------------------------------- */

struct p9_file *p9_file_get(struct p9_file *file)
{
	file->refs++;
	return file;
}

/* With s->lock held. Returns the file if it is to be closed, without it. */
static struct p9_file *drop_file(struct p9_share *s, struct p9_file *file)
{
	struct p9_file **at;

	if (!file || --file->refs > 0)
		return NULL;
	for (at = &file->node->files; *at != file; at = &(*at)->next)
		;
	*at = file->next;
	p9_node_put(&s->tree, file->node);
	s->files--;
	return file;
}

static void close_file(struct p9_file *file)
{
	if (!file)
		return;
	close(file->fd);
	pthread_mutex_destroy(&file->lock);
	free(file);
}

void p9_file_put(struct p9_share *s, struct p9_file *file)
{
	pthread_mutex_lock(&s->lock);
	file = drop_file(s, file);
	pthread_mutex_unlock(&s->lock);
	close_file(file);
}

struct p9_file *p9_file_find(struct p9_share *s, struct p9_node *node,
			     const struct stat *st)
{
	struct p9_file *file;

	pthread_mutex_lock(&s->lock);
	for (file = node->files; file; file = file->next)
		if (file->shared && file->dev == st->st_dev &&
		    file->ino == st->st_ino)
			break;
	if (file)
		p9_file_get(file);
	pthread_mutex_unlock(&s->lock);
	return file;
}

int p9_file_new(struct p9_share *s, struct p9_node *node, int fd, bool shared,
		struct p9_file **ret_file)
{
	struct p9_file *file = calloc(1, sizeof(*file));
	struct stat st;
	int r = -ENOMEM;

	if (!file)
		goto failed;
	pthread_mutex_init(&file->lock, NULL);
	if (fstat(fd, &st) < 0) {
		r = -errno;
		goto failed;
	}
	file->refs = 1;
	file->fd = fd;
	file->shared = shared;
	file->dev = st.st_dev;
	file->ino = st.st_ino;
	file->folder = S_ISDIR(st.st_mode);

	pthread_mutex_lock(&s->lock);
	r = s->files < s->files_max ? 0 : -EMFILE;
	if (r == 0) {
		s->files++;
		file->node = p9_node_get(node);
		file->next = node->files;
		node->files = file;
	}
	pthread_mutex_unlock(&s->lock);
	if (r == 0) {
		*ret_file = file;
		return 0;
	}
failed:
	if (file)
		pthread_mutex_destroy(&file->lock);
	free(file);
	close(fd);
	return r;
}

/* ---- fids --------------------------------------------------------------- */

int p9_hold(struct p9_share *s, uint32_t number, struct p9_held *ret_held)
{
	struct fid *fid;

	pthread_mutex_lock(&s->lock);
	fid = find(s, number);
	if (fid) {
		ret_held->node = p9_node_get(fid->held.node);
		ret_held->file = fid->held.file;
		if (ret_held->file)
			p9_file_get(ret_held->file);
	}
	pthread_mutex_unlock(&s->lock);
	return fid ? 0 : -EBADF;
}

void p9_let_go(struct p9_share *s, struct p9_held *held)
{
	struct p9_file *file;

	pthread_mutex_lock(&s->lock);
	file = drop_file(s, held->file);
	p9_node_put(&s->tree, held->node);
	pthread_mutex_unlock(&s->lock);
	close_file(file);
}

static int put(struct p9_share *s, uint32_t number, struct p9_node *node,
	       bool over)
{
	struct fid *fid = find(s, number);

	if (fid) {
		if (!over || fid->held.file)
			return -EBUSY;
		p9_node_put(&s->tree, fid->held.node);
		fid->held.node = node;
		return 0;
	}
	if (over || number == P9_NOFID)
		return -EBADF;
	if (s->fids.count >= FIDS_MAX)
		return -ENFILE;
	fid = calloc(1, sizeof(*fid));
	if (!fid)
		return -ENOMEM;
	fid->number = number;
	fid->held.node = node;
	p9_table_add(&s->fids, &fid->link, hash_of(number));
	return 0;
}

int p9_fid_put(struct p9_share *s, uint32_t number, struct p9_node *node,
	       bool over)
{
	int r;

	pthread_mutex_lock(&s->lock);
	r = put(s, number, node, over);
	if (r < 0)
		p9_node_put(&s->tree, node);
	pthread_mutex_unlock(&s->lock);
	return r;
}

int p9_fid_open(struct p9_share *s, uint32_t number, struct p9_file *file)
{
	struct p9_file *closed = NULL;
	struct fid *fid;
	int r = 0;

	pthread_mutex_lock(&s->lock);
	fid = find(s, number);
	if (!fid)
		r = -EBADF; /* clunked meanwhile */
	else if (fid->held.file)
		r = -EBUSY;
	if (r == 0) {
		p9_node_get(file->node);
		p9_node_put(&s->tree, fid->held.node);
		fid->held.node = file->node;
		fid->held.file = file;
	} else {
		closed = drop_file(s, file);
	}
	pthread_mutex_unlock(&s->lock);
	close_file(closed);
	return r;
}

/* With s->lock held. Takes it out and frees it. */
static struct p9_held take_out(struct p9_share *s, struct fid *fid)
{
	struct p9_held held = fid->held;

	p9_table_remove(&s->fids, &fid->link);
	free(fid);
	return held;
}

int p9_fid_clunk(struct p9_share *s, uint32_t number)
{
	struct p9_held held = { NULL, NULL };
	struct fid *fid;

	pthread_mutex_lock(&s->lock);
	fid = find(s, number);
	if (fid)
		held = take_out(s, fid);
	pthread_mutex_unlock(&s->lock);
	if (!held.node)
		return -EBADF;
	p9_let_go(s, &held);
	return 0;
}

void p9_fids_clear(struct p9_share *s)
{
	struct p9_held held;
	struct p9_link *link;
	uint32_t hint = 0;

	for (;;) {
		pthread_mutex_lock(&s->lock);
		link = p9_table_any(&s->fids, &hint);
		if (link)
			held = take_out(s, container_of(link, struct fid, link));
		pthread_mutex_unlock(&s->lock);
		if (!link)
			break;
		p9_let_go(s, &held);
	}
}
