// SPDX-License-Identifier: MIT
/*
 * Ways out of a shared folder, none of which may lead anywhere: names that are paths,
 * links, things that are no files, and races for each.
 */
#include "p9_rig.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE 2
#endif

static bool holds_secret(const struct client *c)
{
	return memmem(c->in, c->got, SECRET, strlen(SECRET)) != NULL;
}

static void dots_end_at_the_root(void **state)
{
	struct stat st;

	assert_int_equal(stat(share_path, &st), 0);
	assert_int_equal(t_walk(&cl, ROOT, 1, "..", "..", "dir", "..", ".."), 0);
	assert_int_equal(get_le16(cl.in + 7), 5);
	assert_int_equal(get_le64(cl.in + 9 + 4 * 13 + 5), st.st_ino);
	assert_int_equal(cat(&cl, "..", "secret"), ENOENT);
	assert_int_equal(cat(&cl, "..", "outside", "secret"), ENOENT);
	/* Nor when it is the root that is being moved about. */
	assert_int_equal(rename(share_path, in_base("elsewhere")), 0);
	assert_int_equal(cat(&cl, "..", "secret"), ENOENT);
	assert_int_equal(cat(&cl, "hello"), 0);
	assert_int_equal(rename(in_base("elsewhere"), share_path), 0);
}

/* By every call that takes a name. */
static void assert_no_name(const char *name, size_t len)
{
	static const struct {
		uint8_t type;
		bool second; /* a fid in front of it */
		uint8_t behind; /* bytes behind it */
	} calls[] = {
		{ LCREATE, false, 12 }, { MKDIR, false, 8 },
		{ MKNOD, false, 16 },	{ UNLINKAT, false, 4 },
		{ LINK, true, 0 },	{ RENAME, true, 0 },
	};
	unsigned i;
	int r;

	assert_int_equal(t_walk(&cl, ROOT, 1, "hello"), 0);
	assert_int_equal(t_walk(&cl, ROOT, 2, "dir"), 0);
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		begin(&cl, calls[i].type);
		p32(&cl, calls[i].type == RENAME ? 1 : 2);
		if (calls[i].second)
			p32(&cl, calls[i].type == RENAME ? 2 : 1);
		p16(&cl, (unsigned)len);
		pmem(&cl, name, len);
		memset(cl.out + cl.len, 0, calls[i].behind);
		cl.len += calls[i].behind;
		r = rpc(&cl);
		assert_true(r == EINVAL || r == ENAMETOOLONG);
	}
	begin(&cl, SYMLINK);
	p32(&cl, 2);
	p16(&cl, (unsigned)len);
	pmem(&cl, name, len);
	pstr(&cl, "to");
	p32(&cl, 0);
	r = rpc(&cl);
	assert_true(r == EINVAL || r == ENAMETOOLONG);
	for (i = 0; i < 2; i++) {
		begin(&cl, RENAMEAT);
		p32(&cl, ROOT);
		if (i) {
			pstr(&cl, "hello");
			p32(&cl, 2);
		}
		p16(&cl, (unsigned)len);
		pmem(&cl, name, len);
		if (!i) {
			p32(&cl, 2);
			pstr(&cl, "x");
		}
		r = rpc(&cl);
		assert_true(r == EINVAL || r == ENAMETOOLONG);
	}
	assert_int_equal(t_clunk(&cl, 1), 0);
	assert_int_equal(t_clunk(&cl, 2), 0);
	if (len == 2 && !memcmp(name, "..", 2))
		return;
	begin(&cl, WALK);
	p32(&cl, ROOT);
	p32(&cl, 3);
	p16(&cl, 1);
	p16(&cl, (unsigned)len);
	pmem(&cl, name, len);
	r = rpc(&cl);
	assert_true(r == EINVAL || r == ENAMETOOLONG);
}

static void a_name_is_one_name(void **state)
{
	static const char *const names[] = {
		"", ".", "..", "/", "a/b", "../secret", "dir/inner", "/etc",
		"dir/", "./hello",
	};
	char longest[300];
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		assert_no_name(names[i], strlen(names[i]));
	assert_no_name("hello\0x", 7);
	assert_no_name("\0", 1);
	memset(longest, 'n', sizeof(longest));
	assert_no_name(longest, 256);
	assert_file(in_share("hello"), "hello world");
	assert_file(in_share("dir/inner"), "inner");
	assert_file(in_base("secret"), SECRET);
}

static void a_path_has_an_end(void **state)
{
	char name[240];
	unsigned i;
	int r = 0;

	memset(name, 'd', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(t_walk(&cl, ROOT, 1, NULL), 0);
	for (i = 0; i < 20 && r == 0; i++) {
		r = t_mkdir(&cl, 1, name, 0755);
		if (r == 0)
			r = t_walk(&cl, 1, 1, name);
	}
	assert_int_equal(r, ENAMETOOLONG);
	assert_int_equal(i, 18);
	/* What was reached is usable still. */
	assert_int_equal(t_getattr(&cl, 1), 0);
	assert_int_equal(t_walk(&cl, 1, 1, ".."), 0);
}

static void links_are_read_and_not_followed(void **state)
{
	static const char *const to[] = {
		"../secret", "../outside", "/etc/passwd", "/", "..", "/proc/self/root",
		"dir", "hello", "loop",
	};
	char name[16];
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(to); i++) {
		snprintf(name, sizeof(name), "link-%u", i);
		/* Made by the host, and by the client. */
		if (i & 1)
			assert_int_equal(symlink(to[i], in_share(name)), 0);
		else
			assert_int_equal(t_symlink(&cl, ROOT, name, to[i]), 0);
		assert_int_equal(t_walk(&cl, ROOT, 1, name), 0);
		assert_int_equal(cl.in[9], 2);
		assert_int_equal(t_open(&cl, 1, 0), EPERM);
		assert_int_equal(t_fid(&cl, READLINK, 1), 0);
		assert_memory_equal(cl.in + 9, to[i], strlen(to[i]));
		/* As a folder: neither to walk, nor to make, nor to remove. */
		assert_int_not_equal(t_walk(&cl, 1, 2, "secret"), 0);
		assert_int_not_equal(t_walk(&cl, 1, 2, "inner"), 0);
		assert_int_not_equal(t_mkdir(&cl, 1, "new", 0755), 0);
		assert_int_not_equal(t_create(&cl, 1, "new", 0101, 0644), 0);
		assert_int_not_equal(t_unlinkat(&cl, 1, "secret", 0), 0);
		assert_int_not_equal(t_renameat(&cl, 1, "secret", ROOT, "s"), 0);
		assert_int_not_equal(t_renameat(&cl, ROOT, "hello", 1, "h"), 0);
		/* In the place of a new file: it is there, and it is a link. */
		assert_int_equal(t_create(&cl, ROOT, name, 0101, 0644), EPERM);
		assert_int_equal(t_create(&cl, ROOT, name, 0301, 0644), EEXIST);
		assert_int_equal(t_clunk(&cl, 1), 0);
	}
	assert_file(in_base("secret"), SECRET);
	assert_int_equal(access(in_base("outside/new"), F_OK), -1);
}

static void what_is_no_file_is_seen_and_not_opened(void **state)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const char *names[4] = { "fifo", "socket", "null", "disk" };
	bool root = geteuid() == 0;
	unsigned i, flags, n = 2;
	int fd;

	assert_int_equal(mkfifo(in_share("fifo"), 0666), 0);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s",
		 in_share("socket"));
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(fd);
	if (root && mknod(in_share("null"), S_IFCHR | 0666, makedev(1, 3)) == 0 &&
	    mknod(in_share("disk"), S_IFBLK | 0666, makedev(7, 250)) == 0)
		n = 4;
	for (i = 0; i < n; i++) {
		assert_int_equal(t_walk(&cl, ROOT, 1, names[i]), 0);
		for (flags = 0; flags < 3; flags++)
			assert_int_equal(t_open(&cl, 1, flags), EPERM);
		assert_int_equal(t_create(&cl, ROOT, names[i], 0101, 0644),
				 EPERM);
		assert_int_equal(
			t_setattr(&cl, 1, (struct attrs){ .valid = 8 }), EINVAL);
		assert_int_equal(t_getattr(&cl, 1), 0);
		assert_false(S_ISREG(get_le32(cl.in + 28)));
		assert_int_equal(t_clunk(&cl, 1), 0);
	}
	/* And the client makes none. */
	assert_int_equal(t_mknod(&cl, ROOT, "new", S_IFCHR | 0666), EPERM);
	assert_int_equal(t_mknod(&cl, ROOT, "new", S_IFBLK | 0666), EPERM);
	assert_int_equal(t_mknod(&cl, ROOT, "new", S_IFIFO | 0666), EPERM);
	assert_int_equal(t_mknod(&cl, ROOT, "new", S_IFSOCK | 0666), EPERM);
	assert_int_equal(t_mknod(&cl, ROOT, "new", S_IFREG | 0644), 0);
}

/* A hard link is the file: what the host has put there belongs there. */
static void a_hard_link_is_a_file_like_any_other(void **state)
{
	assert_int_equal(link(in_base("secret"), in_share("given")), 0);
	assert_int_equal(cat(&cl, "given"), 0);
	assert_true(holds_secret(&cl));
}

static void files_of_procfs_are_not_opened(void **state)
{
	const struct p9_share_config config = { .path = "/" };
	char pid[16];
	struct client all;
	struct p9_server *server;

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	assert_int_equal(p9_share_new(&config, &server), 0);
	client_init(&all, server);
	/* The memory of this very process is one. */
	assert_int_equal(cat(&all, "proc", pid, "mem"), EPERM);
	assert_int_equal(cat(&all, "proc", "version"), EPERM);
	assert_int_equal(t_walk(&all, ROOT, 1, "proc", pid), 0);
	assert_int_equal(t_open(&all, 1, 0200000), 0);
	assert_int_equal(t_readdir(&all, 1, 0, 1000), 0);
	/* Its links, magic ones too, lead nowhere. */
	assert_int_equal(t_walk(&all, ROOT, 2, "proc", pid, "root", "tmp"), 0);
	assert_int_equal(get_le16(all.in + 7), 3);
	assert_int_equal(t_walk(&all, ROOT, 2, "proc", pid, "root"), 0);
	assert_int_equal(t_open(&all, 2, 0), EPERM);
	assert_int_equal(t_fid(&all, READLINK, 2), 0);
	/* Another filesystem has inode numbers of its own. */
	assert_int_equal(t_walk(&all, ROOT, 3, "proc"), 0);
	assert_true(get_le64(all.in + 14) >> 63);
	p9_free(server);
}

/* ---- moved by the host --------------------------------------------------- */

static void a_folder_that_has_left_is_not_there(void **state)
{
	assert_int_equal(t_walk(&cl, ROOT, 1, "dir"), 0);
	assert_int_equal(t_walk(&cl, 1, 2, "inner"), 0);
	assert_int_equal(rename(in_share("dir"), in_base("left")), 0);
	assert_int_equal(t_getattr(&cl, 1), ENOENT);
	assert_int_equal(t_open(&cl, 2, 0), ENOENT);
	assert_int_equal(t_walk(&cl, 1, 3, "inner"), ENOENT);
	assert_int_equal(t_walk(&cl, 1, 3, "..", "secret"), 0);
	assert_int_equal(get_le16(cl.in + 7), 1);
	assert_int_equal(t_mkdir(&cl, 1, "new", 0755), ENOENT);
	assert_int_equal(t_unlinkat(&cl, 1, "inner", 0), ENOENT);
	assert_int_equal(access(in_base("left/inner"), F_OK), 0);
	/* Nor is what is put in its place. */
	assert_int_equal(symlink("../outside", in_share("dir")), 0);
	assert_int_not_equal(t_walk(&cl, 1, 3, "secret"), 0);
	assert_int_not_equal(t_mkdir(&cl, 1, "new", 0755), 0);
}

/* The tree of names must not become a ring: see p9_tree_move(). */
static void folders_that_the_host_turns_inside_out(void **state)
{
	assert_int_equal(t_mkdir(&cl, ROOT, "a", 0755), 0);
	assert_int_equal(t_walk(&cl, ROOT, 1, "a"), 0);
	assert_int_equal(t_mkdir(&cl, 1, "b", 0755), 0);
	assert_int_equal(t_walk(&cl, 1, 2, "b"), 0);
	/* The client knows a/b; the host makes it b, and puts a new one there. */
	assert_int_equal(rename(in_share("a/b"), in_share("b")), 0);
	assert_int_equal(rename(in_share("a"), in_share("b/a")), 0);
	assert_int_equal(mkdir(in_share("a"), 0755), 0);
	assert_int_equal(mkdir(in_share("a/b"), 0755), 0);
	assert_int_equal(t_renameat(&cl, ROOT, "a", 2, "c"), EINVAL);
	assert_int_equal(t_getattr(&cl, 2), 0);
}

/* ---- races --------------------------------------------------------------- */

static _Atomic bool stop;

struct swap {
	const char *one, *other;
};

/* Two names change places, again and again. */
static void *swap(void *opaque)
{
	const struct swap *s = opaque;

	while (!atomic_load(&stop))
		(void)renameat2(AT_FDCWD, s->one, AT_FDCWD, s->other,
				RENAME_EXCHANGE);
	return NULL;
}

static void a_link_that_comes_and_goes_is_never_followed(void **state)
{
	char dir[512], dir_link[512], file[512], file_link[512];
	struct swap swaps[2] = { { dir, dir_link }, { file, file_link } };
	unsigned i, read = 0, refused = 0;
	pthread_t thread[2];

	snprintf(dir, sizeof(dir), "%s", in_share("d"));
	snprintf(dir_link, sizeof(dir_link), "%s", in_share("d2"));
	snprintf(file, sizeof(file), "%s", in_share("f"));
	snprintf(file_link, sizeof(file_link), "%s", in_share("f2"));
	assert_int_equal(mkdir(dir, 0755), 0);
	put_file(in_share("d/secret"), "harmless");
	put_file(file, "harmless");
	assert_int_equal(symlink("../outside", dir_link), 0);
	assert_int_equal(symlink("../outside/secret", file_link), 0);

	atomic_store(&stop, false);
	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, swap,
						&swaps[i]), 0);
	for (i = 0; i < 5000; i++) {
		int r = i & 1 ? cat(&cl, "d", "secret") : cat(&cl, "f");

		assert_false(holds_secret(&cl));
		if (r == 0)
			read++;
		else
			refused++;
		/* What is written there stays inside, too. */
		if (t_walk(&cl, ROOT, 5, "d") == 0) {
			(void)t_mkdir(&cl, 5, "new", 0755);
			(void)t_unlinkat(&cl, 5, "new", 0x200);
			(void)t_create(&cl, 5, "made", 0101, 0644);
			(void)t_clunk(&cl, 5);
		}
	}
	atomic_store(&stop, true);
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(access(in_base("outside/new"), F_OK), -1);
	assert_int_equal(access(in_base("outside/made"), F_OK), -1);
	assert_file(in_base("outside/secret"), SECRET);
	/* It was a race. */
	assert_true(read > 20 && refused > 20);
}

/* The client itself can do this much: a FIFO must not be opened for a moment. */
static void a_fifo_in_the_place_of_a_file_is_never_opened(void **state)
{
	char file[512], fifo[512];
	struct swap s = { file, fifo };
	unsigned i, opened = 0, refused = 0;
	pthread_t thread;

	snprintf(file, sizeof(file), "%s", in_share("f"));
	snprintf(fifo, sizeof(fifo), "%s", in_share("p"));
	put_file(file, "harmless");
	assert_int_equal(mkfifo(fifo, 0666), 0);
	atomic_store(&stop, false);
	assert_int_equal(pthread_create(&thread, NULL, swap, &s), 0);
	for (i = 0; i < 5000; i++) {
		assert_int_equal(t_walk(&cl, ROOT, 1, "f"), 0);
		if (t_open(&cl, 1, 0) == 0) {
			/* Of what is open, not of what has the name. */
			assert_int_equal(t_getattr(&cl, 1), 0);
			assert_true(S_ISREG(get_le32(cl.in + 28)));
			opened++;
		} else {
			refused++;
		}
		assert_int_equal(t_clunk(&cl, 1), 0);
	}
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	assert_true(opened > 20 && refused > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(dots_end_at_the_root),
		T(a_name_is_one_name),
		T(a_path_has_an_end),
		T(links_are_read_and_not_followed),
		T(what_is_no_file_is_seen_and_not_opened),
		T(a_hard_link_is_a_file_like_any_other),
		T(files_of_procfs_are_not_opened),
		T(a_folder_that_has_left_is_not_there),
		T(folders_that_the_host_turns_inside_out),
		T(a_link_that_comes_and_goes_is_never_followed),
		T(a_fifo_in_the_place_of_a_file_is_never_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
