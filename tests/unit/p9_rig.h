/* SPDX-License-Identifier: MIT */
/*
 * p9_rig.h: a client of a shared folder in a folder of its own under /tmp, beside
 * which there is a secret. Messages are made here byte by byte, by diod's protocol.md;
 * numbers are numbers on purpose.
 */
#ifndef TRAPMAP_TEST_P9_RIG_H
#define TRAPMAP_TEST_P9_RIG_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/p9_share.h"
#include "core/base.h"
#include "empty_folder.h"
#include "test.h"

#define ROOT 0u
#define SECRET "nobody must read this"
#define NOFID 0xffffffffu

enum {
	STATFS = 8, LOPEN = 12, LCREATE = 14, SYMLINK = 16, MKNOD = 18,
	RENAME = 20, READLINK = 22, GETATTR = 24, SETATTR = 26, XATTRWALK = 30,
	XATTRCREATE = 32, READDIR = 40, FSYNC = 50, LOCK = 52, GETLOCK = 54,
	LINK = 70, MKDIR = 72, RENAMEAT = 74, UNLINKAT = 76, VERSION = 100,
	AUTH = 102, ATTACH = 104, FLUSH = 108, WALK = 110, READ = 116,
	WRITE = 118, CLUNK = 120, REMOVE = 122,
};

struct client {
	struct p9_server *server;
	uint8_t out[0x8000], in[0x8000];
	size_t len; /* of out */
	size_t room; /* for the answer */
	uint32_t got;
	/* Into how many pieces both are cut. */
	unsigned cut;
};

static char base[64], share_path[80];

static inline const char *in_base(const char *name)
{
	static _Thread_local char path[8][512];
	static _Thread_local unsigned n;

	n = (n + 1) % 8;
	snprintf(path[n], sizeof(path[n]), "%s/%s", base, name);
	return path[n];
}

static inline const char *in_share(const char *name)
{
	static _Thread_local char path[8][512];
	static _Thread_local unsigned n;

	n = (n + 1) % 8;
	snprintf(path[n], sizeof(path[n]), "%s/%s", share_path, name);
	return path[n];
}

static inline void put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static inline void assert_file(const char *path, const char *text)
{
	char buf[256] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_true(read(fd, buf, sizeof(buf) - 1) >= 0);
	close(fd);
	assert_string_equal(buf, text);
}

static inline void make_folders(void)
{
	snprintf(base, sizeof(base), "/tmp/test-p9-XXXXXX");
	assert_non_null(mkdtemp(base));
	snprintf(share_path, sizeof(share_path), "%s/share", base);
	assert_int_equal(mkdir(share_path, 0755), 0);
	assert_int_equal(mkdir(in_base("outside"), 0755), 0);
	put_file(in_base("outside/secret"), SECRET);
	put_file(in_base("secret"), SECRET);
	put_file(in_share("hello"), "hello world");
	assert_int_equal(mkdir(in_share("dir"), 0755), 0);
	put_file(in_share("dir/inner"), "inner");
}

static inline void remove_folders(void)
{
	empty_folder(open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	rmdir(base);
}

static inline struct p9_server *new_server(bool read_only)
{
	const struct p9_share_config config = { .path = share_path,
						.read_only = read_only };
	struct p9_server *server = NULL;

	assert_int_equal(p9_share_new(&config, &server), 0);
	return server;
}

/* ---- messages ----------------------------------------------------------- */

static inline void begin(struct client *c, uint8_t type)
{
	memset(c->out, 0, 7);
	c->out[4] = type;
	put_le16(c->out + 5, 0x1234);
	c->len = 7;
	c->room = sizeof(c->in);
}

static inline void p8(struct client *c, unsigned v)
{
	c->out[c->len++] = (uint8_t)v;
}

static inline void p16(struct client *c, unsigned v)
{
	put_le16(c->out + c->len, (uint16_t)v);
	c->len += 2;
}

static inline void p32(struct client *c, uint32_t v)
{
	put_le32(c->out + c->len, v);
	c->len += 4;
}

static inline void p64(struct client *c, uint64_t v)
{
	put_le64(c->out + c->len, v);
	c->len += 8;
}

static inline void pmem(struct client *c, const void *p, size_t len)
{
	memcpy(c->out + c->len, p, len);
	c->len += len;
}

static inline void pstr(struct client *c, const char *s)
{
	p16(c, (unsigned)strlen(s));
	pmem(c, s, strlen(s));
}

/* Cut into pieces of about the same length. */
static inline unsigned spans(struct iovec *iov, uint8_t *p, size_t len,
			     unsigned cut)
{
	unsigned n = 0;
	size_t piece = cut ? len / cut + 1 : len;

	for (; len > 0; n++) {
		iov[n].iov_base = p;
		iov[n].iov_len = piece < len ? piece : len;
		p += iov[n].iov_len;
		len -= iov[n].iov_len;
	}
	return n;
}

/* Sends what there is, saying that it has `size` bytes. Returns 0 or the errno. */
static inline int rpc_as(struct client *c, uint32_t size)
{
	struct iovec iov[64];
	struct virtq_chain chain = { .iov = iov };
	struct p9_message m = { .size = size, .type = c->out[4],
				.tag = get_le16(c->out + 5), .chain = &chain };

	put_le32(c->out, size);
	memset(c->in, 0xee, c->room);
	chain.out_len = c->len;
	chain.in_len = c->room;
	chain.out = spans(iov, c->out, c->len, c->cut);
	chain.in = spans(iov + chain.out, c->in, c->room, c->cut);
	c->got = p9_serve(c->server, &m);
	assert_in_range(c->got, 7, c->room);
	assert_int_equal(get_le32(c->in), c->got);
	assert_int_equal(get_le16(c->in + 5), m.tag);
	if (c->in[4] == 7) {
		assert_int_equal(c->got, 11);
		assert_int_not_equal(get_le32(c->in + 7), 0);
		return (int)get_le32(c->in + 7);
	}
	assert_int_equal(c->in[4], c->out[4] + 1);
	return 0;
}

static inline int rpc(struct client *c)
{
	return rpc_as(c, (uint32_t)c->len);
}

/* ---- calls -------------------------------------------------------------- */

static inline int t_version(struct client *c, uint32_t msize, const char *v)
{
	begin(c, VERSION);
	p32(c, msize);
	pstr(c, v);
	return rpc(c);
}

static inline int t_attach(struct client *c, uint32_t fid, const char *aname)
{
	begin(c, ATTACH);
	p32(c, fid);
	p32(c, NOFID);
	pstr(c, "root");
	pstr(c, aname);
	p32(c, 0);
	return rpc(c);
}

static inline void client_init(struct client *c, struct p9_server *server)
{
	memset(c, 0, sizeof(*c));
	c->server = server;
	assert_int_equal(t_version(c, 0x4000, "9P2000.L"), 0);
	assert_int_equal(t_attach(c, ROOT, ""), 0);
}

/* Names behind each other, as "a", "b", NULL. */
static inline int t_walk_to(struct client *c, uint32_t fid, uint32_t newfid,
			    const char *const *names)
{
	unsigned n = 0;

	begin(c, WALK);
	p32(c, fid);
	p32(c, newfid);
	while (names[n])
		n++;
	p16(c, n);
	for (n = 0; names[n]; n++)
		pstr(c, names[n]);
	return rpc(c);
}

#define t_walk(c, fid, newfid, ...) \
	t_walk_to(c, fid, newfid, (const char *const[]){ __VA_ARGS__, NULL })

static inline int t_clunk(struct client *c, uint32_t fid)
{
	begin(c, CLUNK);
	p32(c, fid);
	return rpc(c);
}

/* One with a number behind it. */
static inline int t_number(struct client *c, uint8_t type, uint32_t fid,
			   uint32_t number)
{
	begin(c, type);
	p32(c, fid);
	p32(c, number);
	return rpc(c);
}

#define t_open(c, fid, flags) t_number(c, LOPEN, fid, flags)
#define t_fsync(c, fid) t_number(c, FSYNC, fid, 0)

static inline int t_create(struct client *c, uint32_t fid, const char *name,
			   uint32_t flags, uint32_t mode)
{
	begin(c, LCREATE);
	p32(c, fid);
	pstr(c, name);
	p32(c, flags);
	p32(c, mode);
	p32(c, 0);
	return rpc(c);
}

static inline int t_part(struct client *c, uint8_t type, uint32_t fid,
			 uint64_t off, uint32_t count)
{
	begin(c, type);
	p32(c, fid);
	p64(c, off);
	p32(c, count);
	return rpc(c);
}

#define t_read(c, fid, off, count) t_part(c, READ, fid, off, count)
#define t_readdir(c, fid, off, count) t_part(c, READDIR, fid, off, count)

static inline int t_write(struct client *c, uint32_t fid, uint64_t off,
			  const char *data)
{
	begin(c, WRITE);
	p32(c, fid);
	p64(c, off);
	p32(c, (uint32_t)strlen(data));
	pmem(c, data, strlen(data));
	return rpc(c);
}

static inline int t_getattr(struct client *c, uint32_t fid)
{
	begin(c, GETATTR);
	p32(c, fid);
	p64(c, 0x3fff);
	return rpc(c);
}

struct attrs {
	uint32_t valid, mode;
	uint64_t size, atime, mtime, mtime_nsec;
};

static inline int t_setattr(struct client *c, uint32_t fid, struct attrs a)
{
	begin(c, SETATTR);
	p32(c, fid);
	p32(c, a.valid);
	p32(c, a.mode);
	p32(c, 0);
	p32(c, 0);
	p64(c, a.size);
	p64(c, a.atime);
	p64(c, 0);
	p64(c, a.mtime);
	p64(c, a.mtime_nsec);
	return rpc(c);
}

static inline int t_mkdir(struct client *c, uint32_t fid, const char *name,
			  uint32_t mode)
{
	begin(c, MKDIR);
	p32(c, fid);
	pstr(c, name);
	p32(c, mode);
	p32(c, 0);
	return rpc(c);
}

static inline int t_mknod(struct client *c, uint32_t fid, const char *name,
			  uint32_t mode)
{
	begin(c, MKNOD);
	p32(c, fid);
	pstr(c, name);
	p32(c, mode);
	p32(c, 1);
	p32(c, 3);
	p32(c, 0);
	return rpc(c);
}

static inline int t_symlink(struct client *c, uint32_t fid, const char *name,
			    const char *to)
{
	begin(c, SYMLINK);
	p32(c, fid);
	pstr(c, name);
	pstr(c, to);
	p32(c, 0);
	return rpc(c);
}

static inline int t_link(struct client *c, uint32_t dfid, uint32_t fid,
			 const char *name)
{
	begin(c, LINK);
	p32(c, dfid);
	p32(c, fid);
	pstr(c, name);
	return rpc(c);
}

static inline int t_rename(struct client *c, uint32_t fid, uint32_t dfid,
			   const char *name)
{
	begin(c, RENAME);
	p32(c, fid);
	p32(c, dfid);
	pstr(c, name);
	return rpc(c);
}

static inline int t_renameat(struct client *c, uint32_t from, const char *name,
			     uint32_t to, const char *newname)
{
	begin(c, RENAMEAT);
	p32(c, from);
	pstr(c, name);
	p32(c, to);
	pstr(c, newname);
	return rpc(c);
}

static inline int t_unlinkat(struct client *c, uint32_t fid, const char *name,
			     uint32_t flags)
{
	begin(c, UNLINKAT);
	p32(c, fid);
	pstr(c, name);
	p32(c, flags);
	return rpc(c);
}

/* A call with nothing but a fid. */
static inline int t_fid(struct client *c, uint8_t type, uint32_t fid)
{
	begin(c, type);
	p32(c, fid);
	return rpc(c);
}

/* What the last answer has behind its head. */
static inline void assert_data(const struct client *c, const char *text)
{
	assert_int_equal(get_le32(c->in + 7), strlen(text));
	assert_int_equal(c->got, 11 + strlen(text));
	assert_memory_equal(c->in + 11, text, strlen(text));
}

/* Opens and reads from the beginning; the fid is clunked. */
static inline int t_cat(struct client *c, uint32_t fid, const char *const *path)
{
	uint8_t in[64];
	uint32_t got;
	unsigned n;
	int r;

	r = t_walk_to(c, fid, 77, path);
	if (r)
		return r;
	for (n = 0; path[n]; n++)
		;
	if (get_le16(c->in + 7) < n)
		return ENOENT;
	r = t_open(c, 77, 0);
	if (r == 0)
		r = t_read(c, 77, 0, 50);
	memcpy(in, c->in, sizeof(in));
	got = c->got;
	t_clunk(c, 77);
	memcpy(c->in, in, sizeof(in));
	c->got = got;
	return r;
}

#define cat(c, ...) t_cat(c, ROOT, (const char *const[]){ __VA_ARGS__, NULL })

/* ---- one of all for each test -------------------------------------------- */

static struct client cl;

static inline int rig_setup(void **state)
{
	make_folders();
	client_init(&cl, new_server(false));
	return 0;
}

static inline int rig_setup_ro(void **state)
{
	make_folders();
	client_init(&cl, new_server(true));
	return 0;
}

static inline int rig_teardown(void **state)
{
	p9_free(cl.server);
	remove_folders();
	return 0;
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
#define T_RO(f) cmocka_unit_test_setup_teardown(f, rig_setup_ro, rig_teardown)

#endif
