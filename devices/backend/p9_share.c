// SPDX-License-Identifier: MIT
/*
 * The session of a 9P2000.L client: its messages in, the answers out; version, attach
 * and walk. By diod's protocol.md, the Plan 9 manual's section 5 for what is older,
 * and what Linux's client does (net/9p, fs/9p).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "backend/p9_share_parts.h"

#define VERSION "9P2000.L"

static struct p9_share *to_share(struct p9_server *server)
{
	return container_of(server, struct p9_share, server);
}

/* ---- version, attach, walk ---------------------------------------------- */

static bool is_string(const struct p9_string *string, const char *s)
{
	return string->len == strlen(s) && !memcmp(string->s, s, string->len);
}

static int version(struct p9_request *req)
{
	struct p9_share *s = req->share;
	uint32_t msize = req->call.msize;

	if (msize > P9_MSIZE_MAX)
		msize = P9_MSIZE_MAX;
	if (msize < P9_MSIZE_MIN)
		return -EMSGSIZE;
	/* It begins anew: version(5). */
	p9_fids_clear(s);
	p9_put32(&req->answer, msize);
	if (!is_string(&req->call.name, VERSION)) {
		atomic_store(&s->msize, 0);
		p9_put_string(&req->answer, "unknown", 7);
		return 0;
	}
	atomic_store(&s->msize, msize);
	p9_put_string(&req->answer, VERSION, strlen(VERSION));
	return 0;
}

static int attach(struct p9_request *req)
{
	const struct p9_call *c = &req->call;
	struct p9_share *s = req->share;
	struct p9_node *node;
	struct p9_qid qid = { 0 };
	struct stat st;

	if (c->fid2 != P9_NOFID)
		return -EINVAL; /* an afid: there is no Tauth */
	if (c->name.len > 0 && !is_string(&c->name, "/"))
		return -ENOENT;
	if (fstat(s->root, &st) < 0)
		return -errno;
	qid = p9_qid(s, &st);
	p9_put_qid(&req->answer, &qid);
	pthread_mutex_lock(&s->lock);
	node = p9_node_get(&s->tree.root);
	pthread_mutex_unlock(&s->lock);
	return p9_fid_put(s, c->fid, node, false);
}

/* Finds what has this path, and tells what it is. */
static int find_qid(struct p9_share *s, const struct p9_node *node,
		    const char *name, struct p9_qid *ret_qid)
{
	int r = 0, fd = p9_find(s, node, name);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else
		*ret_qid = p9_qid(s, &st);
	close(fd);
	return r;
}

/* From *node to what has this name there. With s->names held. */
static int step(struct p9_share *s, struct p9_node **node,
		const struct p9_string *string, struct p9_qid *ret_qid)
{
	bool up = is_string(string, "..");
	struct p9_node *to = *node;
	char name[NAME_MAX + 1];
	int r;

	if (up) {
		/* intro(5): the root is its own parent. */
		if (to != &s->tree.root)
			to = to->parent;
		r = to ? find_qid(s, to, NULL, ret_qid) : -ENOENT;
	} else {
		r = p9_name(string, name) ?: find_qid(s, to, name, ret_qid);
	}
	if (r < 0)
		return r;
	pthread_mutex_lock(&s->lock);
	to = up ? p9_node_get(to) : p9_tree_child(&s->tree, to, name);
	if (to) {
		p9_node_put(&s->tree, *node);
		*node = to;
	}
	pthread_mutex_unlock(&s->lock);
	return to ? 0 : -ENOMEM;
}

/* walk(5): as far as it goes; that it does not go all the way the count tells. */
static int walk(struct p9_request *req)
{
	const struct p9_call *c = &req->call;
	struct p9_share *s = req->share;
	struct p9_node *node;
	struct p9_held held;
	struct p9_qid qid = { 0 };
	unsigned n;
	int r = p9_hold(s, c->fid, &held);

	if (r < 0)
		return r;
	pthread_mutex_lock(&s->lock);
	node = p9_node_get(held.node);
	pthread_mutex_unlock(&s->lock);

	p9_put16(&req->answer, 0);
	pthread_rwlock_rdlock(&s->names);
	for (n = 0; n < c->nwname; n++) {
		r = step(s, &node, &c->wname[n], &qid);
		if (r < 0)
			break;
		p9_put_qid(&req->answer, &qid);
	}
	pthread_rwlock_unlock(&s->names);
	put_le16(req->answer.buf + P9_HEADER_LEN, (uint16_t)n);

	if (n < c->nwname || (c->fid2 == c->fid && n == 0)) {
		pthread_mutex_lock(&s->lock);
		p9_node_put(&s->tree, node);
		pthread_mutex_unlock(&s->lock);
		if (n > 0)
			r = 0;
	} else {
		r = p9_fid_put(s, c->fid2, node, c->fid2 == c->fid);
	}
	p9_let_go(s, &held);
	return r;
}

static int remove_and_clunk(struct p9_request *req)
{
	int r = req->share->read_only ? -EROFS : p9_remove(req);

	/* remove(5): whatever becomes of it. */
	return p9_fid_clunk(req->share, req->call.fid) ?: r;
}

/* ---- messages ----------------------------------------------------------- */

static bool changes(uint8_t type)
{
	switch (type) {
	case P9_TLCREATE:
	case P9_TSYMLINK:
	case P9_TMKNOD:
	case P9_TRENAME:
	case P9_TSETATTR:
	case P9_TXATTRCREATE:
	case P9_TLINK:
	case P9_TMKDIR:
	case P9_TRENAMEAT:
	case P9_TUNLINKAT:
	case P9_TWRITE: return true;
	}
	return false;
}

static int answer(struct p9_request *req)
{
	if (req->share->read_only && changes(req->call.type))
		return -EROFS;
	switch (req->call.type) {
	case P9_TVERSION: return version(req);
	case P9_TATTACH: return attach(req);
	case P9_TFLUSH: return 0; /* the device has seen to it */
	case P9_TWALK: return walk(req);
	case P9_TCLUNK: return p9_fid_clunk(req->share, req->call.fid);
	case P9_TREMOVE: return remove_and_clunk(req);
	case P9_TLOPEN: return p9_lopen(req);
	case P9_TLCREATE: return p9_lcreate(req);
	case P9_TREAD: return p9_read(req);
	case P9_TWRITE: return p9_write(req);
	case P9_TREADDIR: return p9_readdir(req);
	case P9_TFSYNC: return p9_fsync(req);
	case P9_TMKDIR:
	case P9_TMKNOD:
	case P9_TSYMLINK: return p9_make(req);
	case P9_TLINK: return p9_link(req);
	case P9_TRENAME: return p9_rename(req);
	case P9_TRENAMEAT: return p9_renameat(req);
	case P9_TUNLINKAT: return p9_unlinkat(req);
	case P9_TREADLINK: return p9_readlink(req);
	case P9_TGETATTR: return p9_getattr(req);
	case P9_TSETATTR: return p9_setattr(req);
	case P9_TSTATFS: return p9_statfs(req);
	case P9_TLOCK: return p9_lock(req);
	case P9_TGETLOCK: return p9_getlock(req);
	default: return -EOPNOTSUPP;
	}
}

/* The call of a message; its strings stay in buf. */
static int take_call(struct p9_request *req, const struct p9_message *m,
		     uint8_t buf[P9_CALL_MAX])
{
	uint32_t msize = atomic_load(&req->share->msize);
	size_t len = m->size;
	int r;

	if (m->size < P9_HEADER_LEN || m->size > m->chain->out_len)
		return -EPROTO;
	if (m->type != P9_TVERSION && msize == 0)
		return -EPROTO;
	if (m->type != P9_TVERSION && m->size > msize)
		return -EMSGSIZE;
	if (m->type == P9_TWRITE && len > P9_WRITE_DATA)
		len = P9_WRITE_DATA;
	if (len > P9_CALL_MAX)
		return -EMSGSIZE;
	virtq_copy_out(m->chain, P9_HEADER_LEN, buf + P9_HEADER_LEN,
		       len - P9_HEADER_LEN);
	r = p9_decode(m->type, buf, len, &req->call);
	if (r == 0 && m->type == P9_TWRITE &&
	    req->call.count != m->size - P9_WRITE_DATA)
		r = -EPROTO;
	return r;
}

static uint32_t share_serve(struct p9_server *server,
			    const struct p9_message *m)
{
	struct p9_request req = { .share = to_share(server),
				  .chain = m->chain };
	uint32_t msize = atomic_load(&req.share->msize);
	uint8_t buf[P9_CALL_MAX], type = (uint8_t)(m->type + 1);
	int r;

	req.room = msize ?: P9_MSIZE_MIN;
	if (req.room > m->chain->in_len)
		req.room = (uint32_t)m->chain->in_len;
	p9_begin(&req.answer);
	r = take_call(&req, m, buf) ?: answer(&req);
	if (r == 0 && (req.answer.full || req.answer.len > req.room))
		r = -EMSGSIZE;
	if (r < 0) {
		p9_begin(&req.answer);
		p9_put32(&req.answer, (uint32_t)-r);
		type = P9_RLERROR;
	}
	p9_finish(&req.answer, type, m->tag);
	virtq_copy_in(m->chain, 0, req.answer.buf, req.answer.len);
	return (uint32_t)req.answer.len + req.answer.data;
}

/* ---- life --------------------------------------------------------------- */

static void share_reset(struct p9_server *server)
{
	struct p9_share *s = to_share(server);

	p9_fids_clear(s);
	atomic_store(&s->msize, 0);
}

static void share_free(struct p9_server *server)
{
	struct p9_share *s = to_share(server);

	p9_fids_done(s);
	if (s->root >= 0)
		close(s->root);
	if (s->proc >= 0)
		close(s->proc);
	free(s);
}

static const struct p9_server_ops share_ops = {
	.serve = share_serve,
	.reset = share_reset,
	.free = share_free,
};

static int open_root(struct p9_share *s, const struct p9_share_config *config)
{
	struct stat st;
	int r;

	s->root = openat(config->path ? AT_FDCWD : config->fd,
			 config->path ?: ".",
			 O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s->root < 0)
		return -errno;
	if (fstat(s->root, &st) < 0 ||
	    faccessat(s->root, ".", R_OK | X_OK, AT_EACCESS) < 0)
		return -errno;
	s->root_dev = st.st_dev;
	/* Whether there is openat2(2). A container's filter may say EPERM. */
	r = p9_find_folder(s, &s->tree.root);
	if (r < 0)
		return r == -EPERM ? -ENOSYS : r;
	close(r);
	return 0;
}

static int open_proc(struct p9_share *s)
{
	struct statfs fs;

	s->proc = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s->proc < 0)
		return errno == EMFILE || errno == ENFILE ? -errno : -ENXIO;
	if (fstatfs(s->proc, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC)
		return -ENXIO;
	return 0;
}

int p9_share_new(const struct p9_share_config *config,
		 struct p9_server **ret_server)
{
	struct p9_share *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->server.ops = &share_ops;
	s->read_only = config->read_only;
	s->root = s->proc = -1;
	r = p9_fids_init(s) ?: open_root(s, config) ?: open_proc(s);
	if (r < 0) {
		share_free(&s->server);
		return r;
	}
	*ret_server = &s->server;
	return 0;
}
