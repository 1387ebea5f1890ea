// SPDX-License-Identifier: MIT
/*
 * A shared folder by 9P2000.L: attributes, folders read in pieces, what it costs, and
 * one that is read-only.
 */
#include "p9_rig.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/vfs.h>

/* ---- attributes --------------------------------------------------------- */

static void attributes_are_those_of_stat(void **state)
{
	struct stat st;

	assert_int_equal(stat(in_share("hello"), &st), 0);
	assert_int_equal(t_walk(&cl, ROOT, 1, "hello"), 0);
	assert_int_equal(t_getattr(&cl, 1), 0);
	assert_int_equal(cl.got, 160);
	assert_int_equal(get_le64(cl.in + 7), 0x7ff);
	assert_int_equal(cl.in[15], 0);
	assert_int_not_equal(get_le32(cl.in + 16), 0); /* see p9_host.c */
	assert_int_equal(get_le64(cl.in + 20), st.st_ino);
	assert_int_equal(get_le32(cl.in + 28), st.st_mode);
	assert_int_equal(get_le32(cl.in + 32), st.st_uid);
	assert_int_equal(get_le32(cl.in + 36), st.st_gid);
	assert_int_equal(get_le64(cl.in + 40), 1);
	assert_int_equal(get_le64(cl.in + 48), st.st_rdev);
	assert_int_equal(get_le64(cl.in + 56), 11);
	assert_int_equal(get_le64(cl.in + 64), st.st_blksize);
	assert_int_equal(get_le64(cl.in + 72), st.st_blocks);
	assert_int_equal(get_le64(cl.in + 80), st.st_atim.tv_sec);
	assert_int_equal(get_le64(cl.in + 96), st.st_mtim.tv_sec);
	assert_int_equal(get_le64(cl.in + 104), st.st_mtim.tv_nsec);
	assert_int_equal(get_le64(cl.in + 112), st.st_ctim.tv_sec);
}

static void attributes_change(void **state)
{
	struct stat st;

	assert_int_equal(t_walk(&cl, ROOT, 1, "hello"), 0);
	assert_int_equal(
		t_setattr(&cl, 1, (struct attrs){ .valid = 1, .mode = 0600 }),
		0);
	assert_int_equal(
		t_setattr(&cl, 1, (struct attrs){ .valid = 8, .size = 5 }), 0);
	assert_file(in_share("hello"), "hello");
	assert_int_equal(t_setattr(&cl, 1,
				   (struct attrs){ .valid = 0x1b0, /* both to */
						   .atime = 1000,
						   .mtime = 2000,
						   .mtime_nsec = 7 }),
			 0);
	assert_int_equal(stat(in_share("hello"), &st), 0);
	assert_int_equal(st.st_mode, 0100600);
	assert_int_equal(st.st_atim.tv_sec, 1000);
	assert_int_equal(st.st_mtim.tv_sec, 2000);
	assert_int_equal(st.st_mtim.tv_nsec, 7);
	/* To now, of one only; a size and a time together. */
	assert_int_equal(t_setattr(&cl, 1, (struct attrs){ .valid = 0x20 }), 0);
	assert_int_equal(stat(in_share("hello"), &st), 0);
	assert_int_equal(st.st_atim.tv_sec, 1000);
	assert_true(st.st_mtim.tv_sec > 2000);
	assert_int_equal(t_setattr(&cl, 1,
				   (struct attrs){ .valid = 0x128,
						   .size = 3,
						   .mtime = 3000 }),
			 0);
	assert_int_equal(stat(in_share("hello"), &st), 0);
	assert_int_equal(st.st_mtim.tv_sec, 3000);
	assert_int_equal(t_setattr(&cl, 1, (struct attrs){ .valid = 0x40 }), 0);
	/* What is no time and no size. */
	assert_int_equal(t_setattr(&cl, 1,
				   (struct attrs){ .valid = 0x120,
						   .mtime_nsec = 1000000000 }),
			 EINVAL);
	assert_int_equal(t_setattr(&cl, 1,
				   (struct attrs){ .valid = 0x120,
						   .mtime_nsec = UTIME_NOW }),
			 EINVAL);
	assert_int_equal(
		t_setattr(&cl, 1,
			  (struct attrs){ .valid = 8, .size = UINT64_MAX }),
		EFBIG);
	/* Of a link: its times only. */
	assert_int_equal(symlink("hello", in_share("to")), 0);
	assert_int_equal(t_walk(&cl, ROOT, 2, "to"), 0);
	assert_int_equal(t_setattr(&cl, 2, (struct attrs){ .valid = 1 }),
			 EOPNOTSUPP);
	assert_int_equal(
		t_setattr(&cl, 2, (struct attrs){ .valid = 0x120, .mtime = 9 }),
		0);
	assert_int_equal(lstat(in_share("to"), &st), 0);
	assert_int_equal(st.st_mtim.tv_sec, 9);
	assert_int_equal(stat(in_share("hello"), &st), 0);
	assert_int_equal(st.st_mtim.tv_sec, 3000);
	assert_int_equal(st.st_mode, 0100600);
}

static void nothing_becomes_set_user_id(void **state)
{
	struct stat st;

	umask(022);
	assert_int_equal(t_walk(&cl, ROOT, 1, NULL), 0);
	assert_int_equal(t_create(&cl, 1, "su", 0102, 0106755), 0);
	assert_int_equal(
		t_setattr(&cl, 1, (struct attrs){ .valid = 1, .mode = 07755 }),
		0);
	assert_int_equal(stat(in_share("su"), &st), 0);
	assert_int_equal(st.st_mode, 0100755);
	assert_int_equal(t_mknod(&cl, ROOT, "su2", 0106755), 0);
	assert_int_equal(stat(in_share("su2"), &st), 0);
	assert_int_equal(st.st_mode, 0100755);
	/* Of a folder set-group-ID and sticky mean something else. */
	assert_int_equal(t_mkdir(&cl, ROOT, "sub", 041777), 0);
	assert_int_equal(t_walk(&cl, ROOT, 2, "sub"), 0);
	assert_int_equal(
		t_setattr(&cl, 2, (struct attrs){ .valid = 1, .mode = 07775 }),
		0);
	assert_int_equal(stat(in_share("sub"), &st), 0);
	assert_int_equal(st.st_mode, 043775);
}

static void filesystems_and_locks_are_told_of(void **state)
{
	struct statfs fs;

	assert_int_equal(statfs(share_path, &fs), 0);
	assert_int_equal(t_fid(&cl, STATFS, ROOT), 0);
	assert_int_equal(cl.got, 7 + 8 + 48 + 4);
	assert_int_equal(get_le32(cl.in + 7), (uint32_t)fs.f_type);
	assert_int_equal(get_le32(cl.in + 11), fs.f_bsize);
	assert_int_equal(get_le64(cl.in + 15), fs.f_blocks);
	assert_int_equal(get_le32(cl.in + 63), fs.f_namelen);

	assert_int_equal(t_walk(&cl, ROOT, 1, "hello"), 0);
	assert_int_equal(t_open(&cl, 1, 2), 0);
	begin(&cl, LOCK);
	p32(&cl, 1);
	p8(&cl, 1);
	p32(&cl, 1);
	p64(&cl, 0);
	p64(&cl, 0);
	p32(&cl, 42);
	pstr(&cl, "guest");
	assert_int_equal(rpc(&cl), 0);
	assert_int_equal(cl.in[7], 0);
	begin(&cl, GETLOCK);
	p32(&cl, 1);
	p8(&cl, 1);
	p64(&cl, 5);
	p64(&cl, 6);
	p32(&cl, 42);
	pstr(&cl, "guest");
	assert_int_equal(rpc(&cl), 0);
	assert_int_equal(cl.in[7], 2);
	assert_int_equal(get_le64(cl.in + 8), 5);
	assert_int_equal(get_le64(cl.in + 16), 6);
	assert_memory_equal(cl.in + 28, "\5\0guest", 7);
	/* No attributes of another kind: Linux asks before each write. */
	begin(&cl, XATTRWALK);
	p32(&cl, 1);
	p32(&cl, 2);
	pstr(&cl, "security.capability");
	assert_int_equal(rpc(&cl), EOPNOTSUPP);
	begin(&cl, XATTRCREATE);
	p32(&cl, 1);
	pstr(&cl, "user.x");
	p64(&cl, 1);
	p32(&cl, 0);
	assert_int_equal(rpc(&cl), EOPNOTSUPP);
}

/* ---- folders ------------------------------------------------------------ */

/* Reads all of it in pieces; each name must come once. Returns how many. */
static unsigned list(uint32_t fid, uint32_t count, bool *seen, unsigned n)
{
	unsigned total = 0, i;
	uint64_t off = 0;
	size_t at, end, len;
	char name[64];

	memset(seen, 0, n * sizeof(*seen));
	for (;;) {
		assert_int_equal(t_readdir(&cl, fid, off, count), 0);
		assert_in_range(get_le32(cl.in + 7), 0, count);
		end = 11 + get_le32(cl.in + 7);
		if (end == 11)
			return total;
		for (at = 11; at < end; at += 24 + len) {
			len = get_le16(cl.in + at + 22);
			assert_true(at + 24 + len <= end && len < 64);
			snprintf(name, sizeof(name), "%.*s", (int)len,
				 (char *)cl.in + at + 24);
			if (sscanf(name, "file-%u", &i) == 1) {
				assert_true(i < n && !seen[i]);
				seen[i] = true;
				assert_int_equal(cl.in[at], 0);
				assert_int_equal(cl.in[at + 21], DT_REG);
			} else {
				assert_int_equal(name[0], '.');
				assert_int_equal(cl.in[at], 0x80);
			}
			total++;
			off = get_le64(cl.in + at + 13);
		}
	}
}

static void a_folder_is_read_in_pieces_of_any_size(void **state)
{
	static const uint32_t counts[] = { 40, 100, 1000, 4000, 16000 };
	enum { N = 700 };
	bool seen[N];
	unsigned i;
	char name[32];

	for (i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "dir/file-%u", i);
		put_file(in_share(name), "");
	}
	assert_int_equal(unlink(in_share("dir/inner")), 0);
	assert_int_equal(t_walk(&cl, ROOT, 1, "dir"), 0);
	assert_int_equal(t_readdir(&cl, 1, 0, 1000), EBADF);
	assert_int_equal(t_open(&cl, 1, 0200000), 0);
	/* Again and again, from the beginning. */
	for (i = 0; i < ARRAY_SIZE(counts); i++)
		assert_int_equal(list(1, counts[i], seen, N), N + 2);
	assert_int_equal(t_readdir(&cl, 1, 0, 20), EINVAL);
	assert_int_equal(t_walk(&cl, ROOT, 2, "hello"), 0);
	assert_int_equal(t_open(&cl, 2, 0), 0);
	assert_int_equal(t_readdir(&cl, 2, 0, 1000), ENOTDIR);
}

static void above_the_root_there_is_the_root(void **state)
{
	unsigned dots = 0;
	struct stat st;
	size_t at;

	assert_int_equal(stat(share_path, &st), 0);
	assert_int_equal(t_walk(&cl, ROOT, 1, NULL), 0);
	assert_int_equal(t_open(&cl, 1, 0), 0);
	assert_int_equal(t_readdir(&cl, 1, 0, 8000), 0);
	for (at = 11; at < cl.got; at += 24 + get_le16(cl.in + at + 22)) {
		if (cl.in[at + 24] != '.')
			continue;
		assert_int_equal(get_le64(cl.in + at + 5), st.st_ino);
		dots++;
	}
	assert_int_equal(dots, 2);
}

/* ---- many --------------------------------------------------------------- */

static unsigned open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void fids_cost_no_descriptors_and_readers_share_one(void **state)
{
	unsigned i, before = open_fds();

	for (i = 1; i < 20000; i++)
		assert_int_equal(t_walk(&cl, ROOT, i, "dir", "inner"), 0);
	assert_int_equal(open_fds(), before);
	for (i = 1; i < 1000; i++)
		assert_int_equal(t_open(&cl, i, 0), 0);
	assert_int_equal(open_fds(), before + 1);
	assert_int_equal(t_open(&cl, i, 2), 0);
	assert_int_equal(open_fds(), before + 2);
	p9_reset(cl.server);
	assert_int_equal(open_fds(), before);
}

static void open_files_are_half_of_what_there_may_be(void **state)
{
	struct rlimit old, less;
	struct client few;
	unsigned i;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	less = old;
	less.rlim_cur = 128;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &less), 0);
	client_init(&few, new_server(false));
	for (i = 1; i <= 64; i++) {
		assert_int_equal(t_walk(&few, ROOT, i, "hello"), 0);
		assert_int_equal(t_open(&few, i, 2), 0);
	}
	assert_int_equal(t_walk(&few, ROOT, i, "hello"), 0);
	assert_int_equal(t_open(&few, i, 2), EMFILE);
	assert_int_equal(t_clunk(&few, 7), 0);
	assert_int_equal(t_open(&few, i, 2), 0);
	p9_free(few.server);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
}

/* ---- read-only ---------------------------------------------------------- */

static void read_only_nothing_changes(void **state)
{
	assert_int_equal(cat(&cl, "hello"), 0);
	assert_data(&cl, "hello world");
	assert_int_equal(t_walk(&cl, ROOT, 1, "hello"), 0);
	assert_int_equal(t_open(&cl, 1, 1), EROFS);
	assert_int_equal(t_open(&cl, 1, 2), EROFS);
	/* To truncate is to write; Linux does not ask for it alone. */
	assert_int_equal(t_open(&cl, 1, 01000), 0);
	assert_int_equal(t_write(&cl, 1, 0, "x"), EROFS);
	assert_int_equal(t_create(&cl, ROOT, "new", 0100, 0644), EROFS);
	assert_int_equal(t_mkdir(&cl, ROOT, "new", 0755), EROFS);
	assert_int_equal(t_mknod(&cl, ROOT, "new", 0100644), EROFS);
	assert_int_equal(t_symlink(&cl, ROOT, "new", "x"), EROFS);
	assert_int_equal(t_link(&cl, ROOT, 1, "new"), EROFS);
	assert_int_equal(t_rename(&cl, 1, ROOT, "new"), EROFS);
	assert_int_equal(t_renameat(&cl, ROOT, "hello", ROOT, "new"), EROFS);
	assert_int_equal(t_unlinkat(&cl, ROOT, "hello", 0), EROFS);
	assert_int_equal(
		t_setattr(&cl, 1, (struct attrs){ .valid = 1, .mode = 0777 }),
		EROFS);
	assert_int_equal(t_setattr(&cl, 1, (struct attrs){ .valid = 8 }), EROFS);
	assert_int_equal(t_fsync(&cl, 1), 0);
	assert_int_equal(t_fid(&cl, STATFS, 1), 0);
	assert_int_equal(t_fid(&cl, REMOVE, 1), EROFS);
	assert_int_equal(t_getattr(&cl, 1), EBADF);
	assert_file(in_share("hello"), "hello world");
	assert_int_equal(access(in_share("new"), F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(attributes_are_those_of_stat),
		T(attributes_change),
		T(nothing_becomes_set_user_id),
		T(filesystems_and_locks_are_told_of),
		T(a_folder_is_read_in_pieces_of_any_size),
		T(above_the_root_there_is_the_root),
		T(fids_cost_no_descriptors_and_readers_share_one),
		T(open_files_are_half_of_what_there_may_be),
		T_RO(read_only_nothing_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
