// SPDX-License-Identifier: MIT
/*
 * A shared folder under a client that does what it must not: messages that are too
 * short, too long or lie; fids that are not there, or are used by many at a time.
 */
#include "p9_rig.h"

#include <pthread.h>

#include "backend/p9_tree.h"

/* One good message of each type. f: a fid, s: a name; digits: bytes of zeros. */
static const struct {
	uint8_t type;
	const char *fields;
} types[] = {
	{ STATFS, "f" },     { LOPEN, "f4" },	  { LCREATE, "fs444" },
	{ SYMLINK, "fss4" }, { MKNOD, "fs4444" }, { RENAME, "ffs" },
	{ READLINK, "f" },   { GETATTR, "f8" },	  { SETATTR, "f444488888" },
	{ XATTRWALK, "ffs" }, { XATTRCREATE, "fs84" },
	{ READDIR, "f84" },  { FSYNC, "f4" },	  { LOCK, "f14884s" },
	{ GETLOCK, "f1884s" }, { LINK, "ffs" },	  { MKDIR, "fs44" },
	{ RENAMEAT, "fsfs" }, { UNLINKAT, "fs4" }, { VERSION, "4s" },
	{ AUTH, "fss4" },    { ATTACH, "ffss4" }, { FLUSH, "2" },
	{ WALK, "ff2" },     { READ, "f84" },	  { WRITE, "f84" },
	{ CLUNK, "f" },	     { REMOVE, "f" },
};

/* As a message of this type, with a fid that is nobody's. */
static void make(unsigned i)
{
	const char *p;

	begin(&cl, types[i].type);
	for (p = types[i].fields; *p; p++) {
		if (*p == 'f') {
			p32(&cl, 4711);
		} else if (*p == 's') {
			pstr(&cl, "name");
		} else {
			memset(cl.out + cl.len, 0, (size_t)(*p - '0'));
			cl.len += (size_t)(*p - '0');
		}
	}
}

static void each_message_has_its_length(void **state)
{
	size_t len, whole;
	unsigned i;
	int r;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		make(i);
		whole = cl.len;
		/* Short; what is in memory behind it does not count. */
		for (len = 7; len < whole; len++) {
			r = rpc_as(&cl, (uint32_t)len);
			assert_int_equal(r, EPROTO);
		}
		/* Long. */
		p8(&cl, 0);
		r = rpc(&cl);
		assert_int_equal(r, EPROTO);
		/* Longer than there is memory, or hardly there. */
		assert_int_equal(rpc_as(&cl, (uint32_t)cl.len + 1), EPROTO);
		assert_int_equal(rpc_as(&cl, UINT32_MAX), EPROTO);
		assert_int_equal(rpc_as(&cl, 6), EPROTO);
		assert_int_equal(rpc_as(&cl, 0), EPROTO);
	}
}

static void a_string_ends_where_the_message_does(void **state)
{
	unsigned i, at;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		if (!strchr(types[i].fields, 's'))
			continue;
		make(i);
		for (at = 7; memcmp(cl.out + at, "\4\0name", 6) != 0; at++)
			;
		put_le16(cl.out + at, 0xffff);
		assert_int_equal(rpc(&cl), EPROTO);
	}
	begin(&cl, WALK);
	p32(&cl, ROOT);
	p32(&cl, 1);
	p16(&cl, 17); /* 16 at most */
	for (i = 0; i < 17; i++)
		pstr(&cl, "dir");
	assert_int_equal(rpc(&cl), EPROTO);
	begin(&cl, WALK);
	p32(&cl, ROOT);
	p32(&cl, 1);
	p16(&cl, 0xffff);
	assert_int_equal(rpc(&cl), EPROTO);
}

static void other_types_are_not_supported(void **state)
{
	bool known[256] = { false };
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(types); i++)
		known[types[i].type] = true;
	for (i = 0; i < 256; i++) {
		if (known[i])
			continue;
		begin(&cl, (uint8_t)i);
		assert_int_equal(rpc(&cl), EOPNOTSUPP);
	}
}

static void a_fid_that_is_nobodys_is_refused(void **state)
{
	unsigned i;
	int r;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		if (types[i].fields[0] != 'f' || types[i].type == ATTACH)
			continue;
		make(i);
		r = rpc(&cl);
		assert_true(r == EBADF || r == EOPNOTSUPP);
	}
	/* Nor as the second one. */
	assert_int_equal(t_renameat(&cl, ROOT, "hello", 4711, "x"), EBADF);
	assert_int_equal(t_link(&cl, ROOT, 4711, "x"), EBADF);
	assert_int_equal(t_walk(&cl, ROOT, 1, "hello"), 0);
	assert_int_equal(t_rename(&cl, 1, 4711, "x"), EBADF);
	/* One that is somebody's is no new one; the last number is none. */
	assert_int_equal(t_walk(&cl, ROOT, 1, "dir"), EBUSY);
	assert_int_equal(t_walk(&cl, ROOT, NOFID, "dir"), EBADF);
	/* Not open. */
	assert_int_equal(t_read(&cl, 1, 0, 1), EBADF);
	assert_int_equal(t_write(&cl, 1, 0, "x"), EBADF);
	assert_int_equal(t_fsync(&cl, 1), EBADF);
	/* Open, it stays where it is. */
	assert_int_equal(t_walk(&cl, ROOT, 2, "dir"), 0);
	assert_int_equal(t_open(&cl, 2, 0), 0);
	assert_int_equal(t_walk(&cl, 2, 2, "inner"), EBUSY);
	assert_int_equal(t_walk(&cl, 2, 2, NULL), 0);
	assert_int_equal(t_walk(&cl, 2, 3, "inner"), 0);
}

static void nothing_comes_before_the_version(void **state)
{
	unsigned i;

	p9_reset(cl.server);
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		make(i);
		if (types[i].type != VERSION)
			assert_int_equal(rpc(&cl), EPROTO);
	}
}

static void the_size_agreed_on_is_kept(void **state)
{
	char *big = calloc(1, 0x7000);

	assert_non_null(big);
	memset(big, 'x', 0x6fff);
	assert_int_equal(t_version(&cl, 4096, "9P2000.L"), 0);
	assert_int_equal(t_attach(&cl, ROOT, ""), 0);
	assert_int_equal(t_walk(&cl, ROOT, 1, NULL), 0);
	assert_int_equal(t_create(&cl, 1, "big", 0102, 0644), 0);
	assert_int_equal(t_write(&cl, 1, 0, big), EMSGSIZE);
	big[4096 - 23] = '\0';
	assert_int_equal(t_write(&cl, 1, 0, big), 0);
	assert_int_equal(t_write(&cl, 1, 4096 - 23, big), 0);
	assert_int_equal(t_read(&cl, 1, 0, UINT32_MAX), 0);
	assert_int_equal(cl.got, 4096);
	/* Nor more than there is room for, down to where nothing is. */
	begin(&cl, READ);
	p32(&cl, 1);
	p64(&cl, 0);
	p32(&cl, 100);
	for (cl.room = 60; cl.room >= 11; cl.room--) {
		assert_int_equal(rpc(&cl), 0);
		assert_int_equal(cl.got, cl.room);
	}
	begin(&cl, GETATTR);
	p32(&cl, 1);
	p64(&cl, 0);
	cl.room = 159;
	assert_int_equal(rpc(&cl), EMSGSIZE);
	cl.room = 11;
	assert_int_equal(rpc(&cl), EMSGSIZE);
	/* A name of any length is one, but no message of any length. */
	assert_int_equal(t_version(&cl, 0x8000, "9P2000.L"), 0);
	assert_int_equal(t_attach(&cl, ROOT, ""), 0);
	big[4096 - 23] = 'x';
	assert_int_equal(t_mkdir(&cl, ROOT, big, 0755), EMSGSIZE);
	big[5000] = '\0';
	assert_int_equal(t_mkdir(&cl, ROOT, big, 0755), ENAMETOOLONG);
	assert_int_equal(t_symlink(&cl, ROOT, "to", big), ENAMETOOLONG);
	assert_int_equal(t_symlink(&cl, ROOT, "to", ""), EINVAL);
	free(big);
}

static void data_is_as_long_as_it_says(void **state)
{
	assert_int_equal(t_walk(&cl, ROOT, 1, "hello"), 0);
	assert_int_equal(t_open(&cl, 1, 2), 0);
	begin(&cl, WRITE);
	p32(&cl, 1);
	p64(&cl, 0);
	p32(&cl, 5);
	pmem(&cl, "abcd", 4);
	assert_int_equal(rpc(&cl), EPROTO);
	pmem(&cl, "ef", 2);
	assert_int_equal(rpc(&cl), EPROTO);
	assert_int_equal(rpc_as(&cl, (uint32_t)cl.len - 1), 0);
	assert_file(in_share("hello"), "abcde world");
	put_le32(cl.out + 19, UINT32_MAX);
	assert_int_equal(rpc(&cl), EPROTO);
	/* Where no file is so long. */
	assert_int_equal(t_write(&cl, 1, UINT64_MAX, "x"), EINVAL);
	assert_int_equal(t_write(&cl, 1, UINT64_C(1) << 62, "x"), EFBIG);
	assert_int_equal(t_write(&cl, 1, 0, ""), 0);
}

static void a_folder_begins_where_it_is_told_to(void **state)
{
	static const uint64_t offsets[] = { 1, 1000, INT64_MAX, UINT64_MAX,
					    UINT64_MAX / 2 + 1 };
	unsigned i;
	int r;

	assert_int_equal(t_walk(&cl, ROOT, 1, NULL), 0);
	assert_int_equal(t_open(&cl, 1, 0), 0);
	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		r = t_readdir(&cl, 1, offsets[i], 1000);
		assert_true(r == 0 || r == EINVAL);
		assert_int_equal(t_readdir(&cl, 1, 0, 1000), 0);
		assert_true(get_le32(cl.in + 7) > 50);
	}
	assert_int_equal(t_readdir(&cl, 1, 0, 0), EINVAL);
}

/* ---- many at a time ----------------------------------------------------- */

static void *work(void *opaque)
{
	uint32_t me = *(uint32_t *)opaque, other = me ^ 3;
	struct client *c = calloc(1, sizeof(*c));
	char name[16], also[16];
	unsigned i;

	if (!c)
		return NULL;
	c->server = cl.server;
	snprintf(name, sizeof(name), "own-%u", me);
	snprintf(also, sizeof(also), "own-%u", other);
	for (i = 0; i < 400; i++) {
		/* Its own fids, and one that both use and clunk. */
		(void)t_walk(c, ROOT, me, "dir");
		(void)t_create(c, me, name, 0102, 0644);
		(void)t_write(c, me, 0, name);
		(void)t_walk(c, ROOT, 100, "dir", name);
		(void)t_open(c, 100, i & 1 ? 0 : 2);
		(void)t_read(c, 100, 0, 100);
		(void)t_getattr(c, 100);
		(void)t_renameat(c, ROOT, "dir", ROOT, i & 1 ? "dir" : "dir2");
		(void)t_renameat(c, ROOT, "dir2", ROOT, "dir");
		(void)t_walk(c, 100, 101, "..", also);
		(void)t_fid(c, i % 5 ? CLUNK : REMOVE, 101);
		(void)t_walk(c, ROOT, 102, "dir");
		(void)t_open(c, 102, 0);
		(void)t_readdir(c, 102, 0, 500);
		(void)t_clunk(c, i % 3 ? 102 : 100);
		(void)t_clunk(c, me);
		(void)t_read(c, 100, 0, 100);
		(void)t_clunk(c, 100);
	}
	free(c);
	return NULL;
}

static void many_use_and_clunk_the_same(void **state)
{
	uint32_t id[2] = { 1, 2 };
	pthread_t thread[2];
	unsigned i;

	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, work, &id[i]),
				 0);
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(cat(&cl, "hello"), 0);
	p9_reset(cl.server);
}

/* ---- the tree of names --------------------------------------------------- */

static void a_tree_is_no_ring(void **state)
{
	struct p9_node *a, *b, *c;
	char path[PATH_MAX];
	struct p9_tree t;

	assert_int_equal(p9_tree_init(&t), 0);
	a = p9_tree_child(&t, &t.root, "a");
	b = p9_tree_child(&t, a, "b");
	c = p9_tree_child(&t, b, "c");
	assert_int_equal(p9_tree_path(&t, c, "name", path), 0);
	assert_string_equal(path, "a/b/c/name");
	assert_int_equal(p9_tree_path(&t, &t.root, NULL, path), 0);
	assert_string_equal(path, ".");
	assert_int_equal(p9_tree_path(&t, &t.root, "x", path), 0);
	assert_string_equal(path, "x");
	p9_tree_move(&t, b, &t.root, "d");
	assert_int_equal(p9_tree_path(&t, c, NULL, path), 0);
	assert_string_equal(path, "d/c");
	/* Below itself: it is dead, and so is all below it. */
	p9_tree_move(&t, b, c, "e");
	assert_int_equal(p9_tree_path(&t, c, NULL, path), -ENOENT);
	assert_int_equal(p9_tree_path(&t, b, NULL, path), -ENOENT);
	assert_ptr_equal(p9_tree_find(&t, &t.root, "a"), a);
	/* Over another; into what is dead. */
	p9_tree_move(&t, c, &t.root, "a");
	assert_int_equal(p9_tree_path(&t, a, NULL, path), -ENOENT);
	assert_int_equal(p9_tree_path(&t, c, NULL, path), 0);
	assert_string_equal(path, "a");
	p9_tree_move(&t, c, a, "f");
	assert_int_equal(p9_tree_path(&t, c, NULL, path), -ENOENT);
	p9_node_put(&t, a);
	p9_node_put(&t, b);
	p9_node_put(&t, c);
	assert_int_equal(t.table.count, 0);
	assert_int_equal(t.root.refs, 1);
	p9_tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(each_message_has_its_length),
		T(a_string_ends_where_the_message_does),
		T(other_types_are_not_supported),
		T(a_fid_that_is_nobodys_is_refused),
		T(nothing_comes_before_the_version),
		T(the_size_agreed_on_is_kept),
		T(data_is_as_long_as_it_says),
		T(a_folder_begins_where_it_is_told_to),
		T(many_use_and_clunk_the_same),
		cmocka_unit_test(a_tree_is_no_ring),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
