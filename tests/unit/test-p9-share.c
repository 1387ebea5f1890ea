// SPDX-License-Identifier: MIT
/* A shared folder by 9P2000.L: what each call does, when it is used as it is meant. */
#include "p9_rig.h"

/* ---- sessions ----------------------------------------------------------- */

static void a_version_is_agreed_on(void **state)
{
	assert_int_equal(t_version(&cl, 8192, "9P2000.L"), 0);
	assert_int_equal(get_le32(cl.in + 7), 8192);
	assert_int_equal(get_le16(cl.in + 11), 8);
	assert_memory_equal(cl.in + 13, "9P2000.L", 8);
	/* No more than half a MiB, and not less than a page. */
	assert_int_equal(t_version(&cl, UINT32_MAX, "9P2000.L"), 0);
	assert_int_equal(get_le32(cl.in + 7), 512 << 10);
	assert_int_equal(t_version(&cl, 4095, "9P2000.L"), EMSGSIZE);
	/* Another protocol: version(5). */
	assert_int_equal(t_version(&cl, 8192, "9P2000"), 0);
	assert_memory_equal(cl.in + 11, "\7\0unknown", 9);
	assert_int_equal(t_attach(&cl, 5, ""), EPROTO);
}

static void a_version_begins_anew(void **state)
{
	assert_int_equal(t_walk(&cl, ROOT, 1, "hello"), 0);
	assert_int_equal(t_open(&cl, 1, 0), 0);
	assert_int_equal(t_version(&cl, 8192, "9P2000.L"), 0);
	assert_int_equal(t_read(&cl, 1, 0, 5), EBADF);
	assert_int_equal(t_getattr(&cl, ROOT), EBADF);
	assert_int_equal(t_attach(&cl, ROOT, "/"), 0);
	assert_int_equal(cat(&cl, "hello"), 0);
	/* As does a reset, after which there is no session. */
	p9_reset(cl.server);
	assert_int_equal(t_getattr(&cl, ROOT), EPROTO);
}

static void an_attach_gives_the_root(void **state)
{
	struct stat st;

	assert_int_equal(stat(share_path, &st), 0);
	assert_int_equal(t_attach(&cl, 9, "/"), 0);
	assert_int_equal(cl.in[7], 0x80);
	assert_int_equal(get_le64(cl.in + 12), st.st_ino);
	assert_int_equal(t_attach(&cl, 9, ""), EBUSY);
	assert_int_equal(t_attach(&cl, NOFID, ""), EBADF);
	assert_int_equal(t_attach(&cl, 10, "/dir"), ENOENT);
	begin(&cl, AUTH);
	p32(&cl, 11);
	pstr(&cl, "");
	pstr(&cl, "");
	p32(&cl, 0);
	assert_int_equal(rpc(&cl), EOPNOTSUPP);
}

static void a_walk_goes_down_up_and_nowhere(void **state)
{
	struct stat st;

	assert_int_equal(stat(in_share("dir/inner"), &st), 0);
	assert_int_equal(t_walk(&cl, ROOT, 1, "dir", "inner"), 0);
	assert_int_equal(get_le16(cl.in + 7), 2);
	assert_int_equal(cl.in[9], 0x80);
	assert_int_equal(cl.in[22], 0);
	assert_int_equal(get_le64(cl.in + 22 + 5), st.st_ino);
	assert_int_equal(cl.got, 9 + 2 * 13);
	/* A clone. */
	assert_int_equal(t_walk(&cl, 1, 2, NULL), 0);
	assert_int_equal(cl.got, 9);
	assert_int_equal(t_getattr(&cl, 2), 0);
	assert_int_equal(get_le64(cl.in + 20), st.st_ino);
	/* In place. */
	assert_int_equal(t_walk(&cl, 2, 2, "..", "inner"), 0);
	assert_int_equal(get_le16(cl.in + 7), 2);
	assert_int_equal(t_walk(&cl, 2, 2, "..", ".."), 0);
	assert_int_equal(stat(share_path, &st), 0);
	assert_int_equal(get_le64(cl.in + 22 + 5), st.st_ino);
	/* Part of the way: no new fid. Nothing of it: an error. */
	assert_int_equal(t_walk(&cl, ROOT, 3, "dir", "none", "x"), 0);
	assert_int_equal(get_le16(cl.in + 7), 1);
	assert_int_equal(t_getattr(&cl, 3), EBADF);
	assert_int_equal(t_walk(&cl, ROOT, 3, "none"), ENOENT);
	assert_int_equal(t_walk(&cl, ROOT, 3, "hello", "x"), 0);
	assert_int_equal(get_le16(cl.in + 7), 1);
	assert_int_equal(t_walk(&cl, 1, 3, "x"), ENOTDIR);
}

/* ---- files -------------------------------------------------------------- */

static void a_file_is_read(void **state)
{
	assert_int_equal(t_walk(&cl, ROOT, 1, "hello"), 0);
	assert_int_equal(t_open(&cl, 1, 0100000), 0); /* O_LARGEFILE */
	assert_int_equal(cl.got, 7 + 13 + 4);
	for (cl.cut = 0; cl.cut < 40; cl.cut++) {
		assert_int_equal(t_read(&cl, 1, 0, 5), 0);
		assert_data(&cl, "hello");
		assert_int_equal(cl.in[16], 0xee);
		assert_int_equal(t_read(&cl, 1, 6, 1000), 0);
		assert_data(&cl, "world");
		assert_int_equal(t_read(&cl, 1, 11, 1000), 0);
		assert_data(&cl, "");
		assert_int_equal(t_read(&cl, 1, 0, 0), 0);
		assert_data(&cl, "");
	}
	cl.cut = 0;
	assert_int_equal(t_read(&cl, 1, UINT64_MAX, 5), EINVAL);
	assert_int_equal(t_write(&cl, 1, 0, "x"), EBADF);
	assert_int_equal(t_clunk(&cl, 1), 0);
	assert_int_equal(t_clunk(&cl, 1), EBADF);
}

static void a_file_is_made_and_written(void **state)
{
	struct stat st;

	umask(022);
	assert_int_equal(t_walk(&cl, ROOT, 1, NULL), 0);
	assert_int_equal(t_create(&cl, 1, "new", 0102 | 0200, 0100666), 0);
	for (cl.cut = 0; cl.cut < 30; cl.cut++) {
		assert_int_equal(t_write(&cl, 1, 0, "written"), 0);
		assert_int_equal(get_le32(cl.in + 7), 7);
		assert_int_equal(cl.got, 11);
	}
	cl.cut = 0;
	assert_int_equal(t_write(&cl, 1, 10, "here"), 0);
	assert_int_equal(t_fsync(&cl, 1), 0);
	assert_int_equal(t_read(&cl, 1, 0, 100), 0);
	assert_int_equal(get_le32(cl.in + 7), 14);
	assert_memory_equal(cl.in + 11, "written\0\0\0here", 14);
	assert_int_equal(t_clunk(&cl, 1), 0);
	assert_int_equal(stat(in_share("new"), &st), 0);
	assert_int_equal(st.st_mode, 0100644);

	/* Once is enough; without O_EXCL it is there. */
	assert_int_equal(t_walk(&cl, ROOT, 1, NULL), 0);
	assert_int_equal(t_create(&cl, 1, "new", 0102 | 0200, 0644), EEXIST);
	assert_int_equal(t_create(&cl, 1, "new", 0102 | 01000, 0644), 0);
	assert_int_equal(stat(in_share("new"), &st), 0);
	assert_int_equal(st.st_size, 0);
	/* Open: it can be neither opened nor the folder of another. */
	assert_int_equal(t_open(&cl, 1, 0), EBUSY);
	assert_int_equal(t_create(&cl, 1, "newer", 0102, 0644), EBUSY);
}

static void an_opening_may_truncate_append_or_want_a_folder(void **state)
{
	assert_int_equal(t_walk(&cl, ROOT, 1, "hello"), 0);
	assert_int_equal(t_open(&cl, 1, 0200000), ENOTDIR);
	assert_int_equal(t_open(&cl, 1, 3), EINVAL);
	assert_int_equal(t_open(&cl, 1, 01 | 02000), 0);
	assert_int_equal(t_write(&cl, 1, 0, "!"), 0);
	assert_file(in_share("hello"), "hello world!");
	assert_int_equal(t_read(&cl, 1, 0, 1), EBADF);
	assert_int_equal(t_clunk(&cl, 1), 0);
	assert_int_equal(t_walk(&cl, ROOT, 1, "hello"), 0);
	assert_int_equal(t_open(&cl, 1, 01 | 01000), 0);
	assert_file(in_share("hello"), "");
	assert_int_equal(t_walk(&cl, ROOT, 2, "dir"), 0);
	assert_int_equal(t_open(&cl, 2, 1), EISDIR);
	assert_int_equal(t_open(&cl, 2, 0200000), 0);
	assert_int_equal(t_read(&cl, 2, 0, 1), EISDIR);
	assert_int_equal(t_fsync(&cl, 2), 0);
}

static void what_is_open_stays_whatever_becomes_of_its_name(void **state)
{
	assert_int_equal(t_walk(&cl, ROOT, 1, "hello"), 0);
	assert_int_equal(t_walk(&cl, 1, 2, NULL), 0);
	assert_int_equal(t_open(&cl, 2, 02), 0);
	assert_int_equal(t_unlinkat(&cl, ROOT, "hello", 0), 0);
	assert_int_equal(access(in_share("hello"), F_OK), -1);
	assert_int_equal(t_read(&cl, 2, 0, 5), 0);
	assert_data(&cl, "hello");
	/* The other fid too, as long as one is open. */
	assert_int_equal(t_getattr(&cl, 1), 0);
	assert_int_equal(get_le64(cl.in + 7 + 8 + 13 + 12), 0); /* nlink */
	put_file(in_share("hello"), "another one");
	assert_int_equal(t_read(&cl, 2, 0, 5), 0);
	assert_data(&cl, "hello");
	assert_int_equal(cat(&cl, "hello"), 0);
	assert_data(&cl, "another one");
	assert_int_equal(t_clunk(&cl, 2), 0);
	assert_int_equal(t_getattr(&cl, 1), ENOENT);
}

static void what_is_renamed_keeps_its_fids(void **state)
{
	assert_int_equal(t_walk(&cl, ROOT, 1, "dir", "inner"), 0);
	assert_int_equal(t_walk(&cl, ROOT, 2, "hello"), 0);
	assert_int_equal(t_walk(&cl, ROOT, 3, "dir"), 0);
	assert_int_equal(t_renameat(&cl, ROOT, "dir", ROOT, "moved"), 0);
	assert_int_equal(access(in_share("moved/inner"), F_OK), 0);
	assert_int_equal(t_getattr(&cl, 1), 0);
	/* A file into it, over another: that has no name any more. */
	assert_int_equal(t_rename(&cl, 2, 3, "inner"), 0);
	assert_file(in_share("moved/inner"), "hello world");
	assert_int_equal(t_getattr(&cl, 1), ENOENT);
	assert_int_equal(t_open(&cl, 2, 0), 0);
	assert_int_equal(t_read(&cl, 2, 0, 5), 0);
	assert_data(&cl, "hello");
	assert_int_equal(t_walk(&cl, 2, 4, ".."), 0);
	assert_int_equal(t_rename(&cl, 4, 4, "self"), EINVAL);
	assert_int_equal(t_rename(&cl, ROOT, 4, "root"), EBUSY);
	assert_int_equal(t_renameat(&cl, ROOT, "none", 4, "x"), ENOENT);
}

static void names_are_made_linked_and_removed(void **state)
{
	struct stat st, other;

	umask(022);
	assert_int_equal(t_mkdir(&cl, ROOT, "sub", 040777), 0);
	assert_int_equal(cl.in[7], 0x80);
	assert_int_equal(t_mkdir(&cl, ROOT, "sub", 0777), EEXIST);
	assert_int_equal(stat(in_share("sub"), &st), 0);
	assert_int_equal(st.st_mode, 040755);
	assert_int_equal(t_symlink(&cl, ROOT, "to", "../some/where"), 0);
	assert_int_equal(cl.in[7], 2);
	assert_int_equal(t_walk(&cl, ROOT, 1, "to"), 0);
	assert_int_equal(t_fid(&cl, READLINK, 1), 0);
	assert_memory_equal(cl.in + 7, "\15\0../some/where", 15);
	assert_int_equal(t_walk(&cl, ROOT, 2, "hello"), 0);
	assert_int_equal(t_fid(&cl, READLINK, 2), EINVAL);
	assert_int_equal(t_walk(&cl, ROOT, 3, "sub"), 0);
	assert_int_equal(t_link(&cl, 3, 2, "hello2"), 0);
	assert_int_equal(stat(in_share("hello"), &st), 0);
	assert_int_equal(stat(in_share("sub/hello2"), &other), 0);
	assert_int_equal(st.st_ino, other.st_ino);
	/* A link of a link is one more link. */
	assert_int_equal(t_link(&cl, 3, 1, "to2"), 0);
	assert_int_equal(lstat(in_share("sub/to2"), &st), 0);
	assert_true(S_ISLNK(st.st_mode));

	assert_int_equal(t_unlinkat(&cl, ROOT, "sub", 0), EISDIR);
	assert_int_equal(t_unlinkat(&cl, ROOT, "sub", 0x200), ENOTEMPTY);
	assert_int_equal(t_unlinkat(&cl, ROOT, "hello", 0x200), ENOTDIR);
	assert_int_equal(t_unlinkat(&cl, ROOT, "hello", 1), EINVAL);
	assert_int_equal(t_unlinkat(&cl, 3, "hello2", 0), 0);
	assert_int_equal(t_unlinkat(&cl, 3, "to2", 0), 0);
	assert_int_equal(t_fid(&cl, REMOVE, 3), 0);
	assert_int_equal(access(in_share("sub"), F_OK), -1);
	assert_int_equal(t_fid(&cl, REMOVE, 2), 0);
	/* The fid is gone in any case. */
	assert_int_equal(t_getattr(&cl, 2), EBADF);
	assert_int_equal(t_walk(&cl, ROOT, 4, "dir"), 0);
	assert_int_equal(t_fid(&cl, REMOVE, 4), ENOTEMPTY);
	assert_int_equal(t_getattr(&cl, 4), EBADF);
	assert_int_equal(t_fid(&cl, REMOVE, ROOT), EBUSY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_version_is_agreed_on),
		T(a_version_begins_anew),
		T(an_attach_gives_the_root),
		T(a_walk_goes_down_up_and_nowhere),
		T(a_file_is_read),
		T(a_file_is_made_and_written),
		T(an_opening_may_truncate_append_or_want_a_folder),
		T(what_is_open_stays_whatever_becomes_of_its_name),
		T(what_is_renamed_keeps_its_fids),
		T(names_are_made_linked_and_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
