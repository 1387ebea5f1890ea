// SPDX-License-Identifier: MIT
/* What makes names, changes them and removes them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "backend/p9_share_parts.h"

/* The folder that a fid stands for, by its name. */
static int find_folder_of(struct p9_share *s, uint32_t fid,
			  struct p9_held *ret_held)
{
	int r = p9_hold(s, fid, ret_held);

	if (r < 0)
		return r;
	r = p9_find_folder(s, ret_held->node);
	if (r < 0)
		p9_let_go(s, ret_held);
	return r;
}

/* ---- new names ---------------------------------------------------------- */

static int make_link(const struct p9_string *to, int folder, const char *name)
{
	char path[PATH_MAX];

	if (to->len >= sizeof(path))
		return -ENAMETOOLONG;
	if (to->len == 0 || memchr(to->s, '\0', to->len))
		return -EINVAL;
	memcpy(path, to->s, to->len);
	path[to->len] = '\0';
	return symlinkat(path, folder, name) < 0 ? -errno : 0;
}

/* Nothing that reaches a driver or another program of the host's. */
static int make_file(uint32_t mode, int folder, const char *name)
{
	int fd;

	if (!S_ISREG(mode) && (mode & S_IFMT) != 0)
		return -EPERM;
	fd = openat(folder, name,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    mode & 0777);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

int p9_make(struct p9_request *req)
{
	const struct p9_call *c = &req->call;
	char name[NAME_MAX + 1] = "";
	struct p9_held held = { 0 };
	struct p9_qid qid = { 0 };
	struct stat st = { 0 };
	int folder, r = p9_name(&c->name, name);

	if (r < 0)
		return r;
	pthread_rwlock_rdlock(&req->share->names);
	folder = find_folder_of(req->share, c->fid, &held);
	pthread_rwlock_unlock(&req->share->names);
	if (folder < 0)
		return folder;
	if (c->type == P9_TSYMLINK)
		r = make_link(&c->name2, folder, name);
	else if (c->type == P9_TMKNOD)
		r = make_file(c->mode, folder, name);
	else if (mkdirat(folder, name, c->mode & 01777) < 0)
		r = -errno;
	if (r == 0 && fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		r = -errno;
	close(folder);
	p9_let_go(req->share, &held);
	if (r == 0) {
		qid = p9_qid(req->share, &st);
		p9_put_qid(&req->answer, &qid);
	}
	return r;
}

/* fid is the folder, fid2 what gets one more name. */
int p9_link(struct p9_request *req)
{
	struct p9_share *s = req->share;
	struct p9_held held, from;
	char name[NAME_MAX + 1], proc_name[P9_PROC_NAME_LEN];
	struct p9_thing thing;
	int folder, r = p9_name(&req->call.name, name);

	if (r < 0)
		return r;
	pthread_rwlock_rdlock(&s->names);
	folder = find_folder_of(s, req->call.fid, &held);
	pthread_rwlock_unlock(&s->names);
	if (folder < 0)
		return folder;
	r = p9_hold(s, req->call.fid2, &from);
	if (r == 0) {
		r = p9_thing(s, &from, &thing);
		if (r == 0) {
			/* As far as to the thing: what it links to is not asked. */
			r = linkat(s->proc, p9_proc_name(thing.fd, proc_name),
				   folder, name, AT_SYMLINK_FOLLOW);
			r = r < 0 ? -errno : 0;
			p9_thing_done(s, &thing);
		}
		p9_let_go(s, &from);
	}
	close(folder);
	p9_let_go(s, &held);
	return r;
}

/* ---- other names -------------------------------------------------------- */

/* With s->names held for writing, and references to both. */
static int rename_in(struct p9_share *s, struct p9_node *from_parent,
		     const char *from, struct p9_node *to_parent,
		     const char *to)
{
	int from_fd, to_fd, r = 0;
	struct p9_node *node;

	from_fd = p9_find_folder(s, from_parent);
	if (from_fd < 0)
		return from_fd;
	to_fd = p9_find_folder(s, to_parent);
	if (to_fd < 0)
		r = to_fd;
	else if (renameat(from_fd, from, to_fd, to) < 0)
		r = -errno;
	if (r == 0) {
		pthread_mutex_lock(&s->lock);
		node = p9_tree_find(&s->tree, from_parent, from);
		if (!node)
			node = p9_tree_child(&s->tree, from_parent, from);
		else
			p9_node_get(node);
		if (node) {
			p9_tree_move(&s->tree, node, to_parent, to);
			p9_node_put(&s->tree, node);
		}
		pthread_mutex_unlock(&s->lock);
	}
	if (to_fd >= 0)
		close(to_fd);
	close(from_fd);
	return r;
}

int p9_renameat(struct p9_request *req)
{
	const struct p9_call *c = &req->call;
	struct p9_share *s = req->share;
	char from[NAME_MAX + 1] = "", to[NAME_MAX + 1] = "";
	struct p9_held held = { 0 }, to_held = { 0 };
	int r;

	r = p9_name(&c->name, from) ?: p9_name(&c->name2, to) ?:
	    p9_hold(s, c->fid, &held);
	if (r < 0)
		return r;
	r = p9_hold(s, c->fid2, &to_held);
	if (r == 0) {
		pthread_rwlock_wrlock(&s->names);
		r = rename_in(s, held.node, from, to_held.node, to);
		pthread_rwlock_unlock(&s->names);
		p9_let_go(s, &to_held);
	}
	p9_let_go(s, &held);
	return r;
}

/* The folder and the name of what a fid stands for. With s->names held. */
static int place_of(struct p9_share *s, const struct p9_held *held,
		    char name[NAME_MAX + 1], struct p9_node **ret_parent)
{
	if (held->node == &s->tree.root)
		return -EBUSY;
	if (!held->node || !held->node->parent)
		return -ENOENT;
	snprintf(name, NAME_MAX + 1, "%s", held->node->name);
	*ret_parent = held->node->parent;
	return 0;
}

int p9_rename(struct p9_request *req)
{
	struct p9_share *s = req->share;
	char from[NAME_MAX + 1] = "", to[NAME_MAX + 1] = "";
	struct p9_held held = { 0 }, to_held = { 0 };
	struct p9_node *parent = NULL;
	int r;

	r = p9_name(&req->call.name, to) ?: p9_hold(s, req->call.fid, &held);
	if (r < 0)
		return r;
	r = p9_hold(s, req->call.fid2, &to_held);
	if (r == 0) {
		pthread_rwlock_wrlock(&s->names);
		/* held has a reference, and so the parent has, till it moves. */
		r = place_of(s, &held, from, &parent);
		if (r == 0)
			r = rename_in(s, parent, from, to_held.node, to);
		pthread_rwlock_unlock(&s->names);
		p9_let_go(s, &to_held);
	}
	p9_let_go(s, &held);
	return r;
}

/* ---- no names ----------------------------------------------------------- */

/* With s->names held for writing. */
static int unlink_in(struct p9_share *s, struct p9_node *parent,
		     const char *name, int flags)
{
	int r = 0, folder = p9_find_folder(s, parent);
	struct p9_node *node;

	if (folder < 0)
		return folder;
	if (unlinkat(folder, name, flags) < 0)
		r = -errno;
	close(folder);
	if (r == 0) {
		pthread_mutex_lock(&s->lock);
		node = p9_tree_find(&s->tree, parent, name);
		if (node)
			p9_tree_kill(&s->tree, node);
		pthread_mutex_unlock(&s->lock);
	}
	return r;
}

int p9_unlinkat(struct p9_request *req)
{
	const struct p9_call *c = &req->call;
	struct p9_share *s = req->share;
	char name[NAME_MAX + 1] = "";
	struct p9_held held = { 0 };
	int r = p9_name(&c->name, name);

	if (r == 0 && (c->flags & ~(uint32_t)AT_REMOVEDIR))
		r = -EINVAL;
	if (r == 0)
		r = p9_hold(s, c->fid, &held);
	if (r < 0)
		return r;
	pthread_rwlock_wrlock(&s->names);
	r = unlink_in(s, held.node, name, (int)c->flags);
	pthread_rwlock_unlock(&s->names);
	p9_let_go(s, &held);
	return r;
}

int p9_remove(struct p9_request *req)
{
	struct p9_share *s = req->share;
	struct p9_node *parent = NULL;
	char name[NAME_MAX + 1] = "";
	struct p9_held held = { 0 };
	int r = p9_hold(s, req->call.fid, &held);

	if (r < 0)
		return r;
	pthread_rwlock_wrlock(&s->names);
	r = place_of(s, &held, name, &parent);
	if (r == 0)
		r = unlink_in(s, parent, name, 0);
	if (r == -EISDIR)
		r = unlink_in(s, parent, name, AT_REMOVEDIR);
	pthread_rwlock_unlock(&s->names);
	p9_let_go(s, &held);
	return r;
}

/* ---- links -------------------------------------------------------------- */

int p9_readlink(struct p9_request *req)
{
	struct p9_share *s = req->share;
	char path[PATH_MAX];
	struct p9_thing thing;
	struct p9_held held = { 0 };
	ssize_t len;
	int r = p9_hold(s, req->call.fid, &held);

	if (r < 0)
		return r;
	r = p9_thing(s, &held, &thing);
	if (r == 0) {
		len = readlinkat(thing.fd, "", path, sizeof(path));
		if (len < 0) /* of no link it says ENOENT */
			r = errno == ENOENT ? -EINVAL : -errno;
		else
			p9_put_string(&req->answer, path, (size_t)len);
		p9_thing_done(s, &thing);
	}
	p9_let_go(s, &held);
	return r;
}
