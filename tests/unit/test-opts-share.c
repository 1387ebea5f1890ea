// SPDX-License-Identifier: MIT
/* --share. */
#include "test.h"
#include "opts_rig.h"

#include <errno.h>

#include "cli/opts_share.h"

#define S W("--share")

static const struct opts_share *share(unsigned n)
{
	return (const struct opts_share *)opts.attached[n];
}

static void a_share_is_a_folder_and_perhaps_a_tag(void **state)
{
	assert_good(S, W("/usr"), W("--share=dir=a=b,,c,tag=its name,ro"));
	assert_int_equal(opts.attached_count, 2);
	assert_string_equal(share(0)->path, "/usr");
	assert_null(share(0)->tag);
	assert_false(share(0)->read_only);
	assert_string_equal(share(1)->path, "a=b,c");
	assert_string_equal(share(1)->tag, "its name");
	assert_true(share(1)->read_only);
	/* The first item is a folder, whatever its name. */
	assert_good(S, W("ro,iothread=one"));
	assert_string_equal(share(0)->path, "ro");
	assert_string_equal(share(0)->iothread, "one");
	assert_false(share(0)->read_only);
}

static void what_makes_no_share_is_refused(void **state)
{
	assert_bad("--share 'tag=x': a folder is expected: DIR[,tag=NAME][,ro]",
		   S, W("tag=x"));
	assert_bad("--share: unknown key 'rw'; did you mean 'ro'?", S,
		   W("/,rw"));
	assert_bad("--share: 'tag' needs a value", S, W("/,tag="));
	assert_bad("--share: 'ro' is given twice", S, W("/,ro,ro"));
	assert_bad("--share: 'dir' is given twice", S, W("/,dir=x"));
	assert_bad("--share tag '12345678901234567890123456789012': at most 31 "
		   "bytes are expected",
		   S, W("/,tag=12345678901234567890123456789012"));
	assert_bad("--share '/a' and '/b' have the tag 't' both; each needs its "
		   "own",
		   S, W("/a,tag=t"), S, W("/b,tag=t"));
	assert_good(S, W("/a"), S, W("/a"));
	assert_int_equal(opts.attached_count, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_share_is_a_folder_and_perhaps_a_tag),
		cmocka_unit_test(what_makes_no_share_is_refused),
	};
	int r = cmocka_run_group_tests(tests, NULL, NULL);

	run_opts_done(&opts);
	return r;
}
