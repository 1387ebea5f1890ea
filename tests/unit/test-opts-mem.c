// SPDX-License-Identifier: MIT
/* --mem: how much, and what it is made of. */
#include "test.h"
#include "opts_rig.h"

#include <errno.h>

#define M W("--mem")

static void a_bare_size_is_in_mib(void **state)
{
	assert_good(M, W("512"));
	assert_int_equal(opts.machine.mem, 512 << 20);
	assert_int_equal(opts.mem.backing, TRAPMAP_MEMORY_ANON);
	assert_good(M, W("2G,backing=anon"));
	assert_true(opts.machine.mem == 2ull << 30);
}

static void each_backing_has_what_it_takes(void **state)
{
	assert_good(M, W("2G,backing=memfd,thp=on,prealloc,lock"));
	assert_int_equal(opts.mem.backing, TRAPMAP_MEMORY_MEMFD);
	assert_int_equal(opts.mem.thp, TRAPMAP_THP_ON);
	assert_true(opts.mem.prealloc && opts.mem.lock);
	assert_good(M, W("64,backing=file=/dev/shm/a=b,,c,prealloc"));
	assert_int_equal(opts.mem.backing, TRAPMAP_MEMORY_FILE);
	assert_string_equal(opts.mem.path, "/dev/shm/a=b,c");
	assert_true(opts.mem.prealloc && !opts.mem.lock);
	assert_good(M, W("64,backing=hugetlb"));
	assert_int_equal(opts.mem.backing, TRAPMAP_MEMORY_HUGETLB);
	assert_int_equal(opts.mem.page_size, 0);
	assert_good(M, W("4G,backing=hugetlb=1G"));
	assert_int_equal(opts.mem.page_size, 1 << 30);
	assert_good(M, W("size=64M,backing=hugetlb=2M"));
	assert_int_equal(opts.mem.page_size, 2 << 20);
	assert_int_equal(opts.machine.mem, 64 << 20);
	assert_good(M, W("64,thp=off"));
	assert_int_equal(opts.mem.thp, TRAPMAP_THP_OFF);
}

static void how_much_may_be_left_to_the_default(void **state)
{
	assert_good(M, W("backing=memfd"));
	assert_int_equal(opts.machine.mem, 0);
	assert_int_equal(opts.mem.backing, TRAPMAP_MEMORY_MEMFD);
}

static void what_does_not_go_together_is_refused(void **state)
{
	assert_bad("--mem backing 'huge': 'anon', 'memfd', 'file' or 'hugetlb' "
		   "is expected",
		   M, W("64,backing=huge"));
	assert_bad("--mem: backing=file=PATH expected", M, W("64,backing=file"));
	assert_bad("--mem: backing=file=PATH expected", M,
		   W("64,backing=file="));
	assert_bad("--mem: backing=memfd takes no value, '2M' found", M,
		   W("64,backing=memfd=2M"));
	assert_bad("--mem backing=hugetlb '4K': '2M' or '1G' is expected", M,
		   W("64,backing=hugetlb=4K"));
	assert_bad("--mem thp 'maybe': 'on' or 'off' is expected", M,
		   W("64,thp=maybe"));
	assert_bad("--mem: thp is for backing=anon and backing=memfd, not for "
		   "backing=file",
		   M, W("64,backing=file=a,thp=on"));
	assert_bad("--mem: 'lock' takes no value", M, W("64,lock=yes"));
	assert_int_equal(parse(WORDS(M, W("64,"))), -EINVAL);
	assert_int_equal(parse(WORDS(M, W("much,prealloc"))), -EINVAL);
	assert_int_equal(parse(WORDS(M, W("64,preallocate"))), -EINVAL);
	assert_non_null(strstr(err, "prealloc"));
}

/* Its content is lost: it may be nothing that is read or written otherwise. */
static void its_file_is_nothing_elses(void **state)
{
	assert_int_equal(parse(WORDS(M, W("64,backing=file=k"), W("-k"),
				     W("k"))),
			 -EINVAL);
	assert_non_null(strstr(err, "--mem"));
	assert_int_equal(parse(WORDS(M, W("64,backing=file=r"), W("--report"),
				     W("r"))),
			 -EINVAL);
}

static int teardown(void **state)
{
	run_opts_done(&opts);
	return 0;
}

#define T(f) cmocka_unit_test_teardown(f, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_bare_size_is_in_mib),
		T(each_backing_has_what_it_takes),
		T(how_much_may_be_left_to_the_default),
		T(what_does_not_go_together_is_refused),
		T(its_file_is_nothing_elses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
