// SPDX-License-Identifier: MIT
/* --disk. */
#include "test.h"
#include "opts_rig.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/opts_disk.h"

#define D W("-d")

static const struct opts_disk *disk(unsigned n)
{
	return (const struct opts_disk *)opts.attached[n];
}

static void a_disk_is_a_file_and_what_is_to_be_different(void **state)
{
	assert_good(D, W("a.img"), W("--disk=/dev/sdb,ro,direct,serial=S 1"));
	assert_int_equal(opts.attached_count, 2);
	assert_string_equal(disk(0)->path, "a.img");
	assert_null(disk(0)->serial);
	assert_false(disk(0)->read_only || disk(0)->direct);
	assert_string_equal(disk(1)->path, "/dev/sdb");
	assert_string_equal(disk(1)->serial, "S 1");
	assert_true(disk(1)->read_only && disk(1)->direct);
	/* Commas twice, '=' behind a key; id is serial. */
	assert_good(D, W("id=x,file=a=b,,c.img,ro"));
	assert_string_equal(disk(0)->path, "a=b,c.img");
	assert_string_equal(disk(0)->serial, "x");
	/* The first item is a file, whatever its name. */
	assert_good(D, W("ro"));
	assert_string_equal(disk(0)->path, "ro");
	assert_false(disk(0)->read_only);
}

static void what_makes_no_disk_is_refused(void **state)
{
	assert_bad("--disk '': an empty item; KEY=VALUE[,KEY=VALUE] is expected "
		   "(a comma in a value is written twice)",
		   D, W(""));
	assert_bad("--disk 'serial=x': a file is expected: "
		   "FILE[,ro][,root][,tmp][,format=F][,serial=ID]",
		   D, W("serial=x"));
	assert_bad("--disk: unknown key 'dirct'; did you mean 'direct'?", D,
		   W("a,dirct"));
	assert_bad("--disk: unknown key 'x'; known: 'file', 'ro', 'root', "
		   "'tmp', 'format', 'werror', 'direct', 'pinned', 'serial', "
		   "'iothread'",
		   D, W("a,x"));
	assert_bad("--disk format 'vmdk': 'auto', 'raw' or 'qcow2' is expected",
		   D, W("a,format=vmdk"));
	assert_bad("--disk werror 'stopp': 'report' or 'stop' is expected", D,
		   W("a,werror=stopp"));
	assert_bad("--disk 'b': 'a' is the root disk already", D, W("a,root"),
		   D, W("b,root"));
	assert_bad("--disk: 'ro' takes no value", D, W("a,ro=yes"));
	assert_bad("--disk: 'ro' is given twice", D, W("a,ro,ro"));
	assert_bad("--disk: 'file' is given twice", D, W("a,file=b"));
	assert_bad("--disk: 'id' is given twice", D, W("a,serial=1,id=2"));
	assert_bad("--disk: 'serial' needs a value", D, W("a,serial"));
	assert_good(D, W("a,serial=12345678901234567890"));
	assert_bad("--disk serial '123456789012345678901': at most 20 bytes are "
		   "expected",
		   D, W("a,serial=123456789012345678901"));
	assert_int_equal(opts.attached_count, 0);
}

static void how_a_disk_is_kept_can_be_said(void **state)
{
	assert_good(D, W("a.img,format=qcow2,tmp,werror=stop,pinned"), D,
		    W("b.img"));
	assert_int_equal(disk(0)->format, TRAPMAP_DISK_FORMAT_QCOW2);
	assert_int_equal(disk(0)->werror, TRAPMAP_DISK_WERROR_STOP);
	assert_true(disk(0)->temporary && disk(0)->pinned);
	assert_int_equal(disk(1)->format, TRAPMAP_DISK_FORMAT_AUTO);
	assert_int_equal(disk(1)->werror, TRAPMAP_DISK_WERROR_REPORT);
	assert_false(disk(1)->temporary || disk(1)->pinned);
	/* Who only reads may share. */
	assert_good(D, W("a,tmp"), D, W("a,ro"), D, W("a,tmp"));
}

static void assert_line(const char *want)
{
	char *line = attached_params(&opts);

	if (want)
		assert_string_equal(line, want);
	else
		assert_null(line);
	free(line);
}

static void the_root_disk_is_named_on_the_command_line(void **state)
{
	assert_good(D, W("a"));
	assert_line(NULL);
	assert_good(D, W("a,root"));
	assert_line("console=ttyS0 root=/dev/vda rw");
	assert_good(D, W("a"), W("--disk=b,root,ro"), W("-p"), W("quiet"));
	assert_line("quiet root=/dev/vdb ro");
	/* Exactly none is none. */
	assert_good(D, W("a,root"), W("-p"), W(""));
	assert_line("root=/dev/vda rw");
	/* What is no disk has no letter. */
	assert_good(W("--pmem=p"), D, W("a,root,tmp"));
	assert_line("console=ttyS0 root=/dev/vda rw");
}

static void an_image_is_given_once(void **state)
{
	assert_bad("--disk 'a' is given twice; an image that is written to can "
		   "have one user (with ',ro' on both it is only read)",
		   D, W("a,ro"), D, W("a"));
	assert_good(D, W("a,ro"), D, W("a,ro"));
	assert_bad("--report would overwrite 'a', which is a disk", D, W("a"),
		   W("--report=a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_disk_is_a_file_and_what_is_to_be_different),
		cmocka_unit_test(what_makes_no_disk_is_refused),
		cmocka_unit_test(how_a_disk_is_kept_can_be_said),
		cmocka_unit_test(the_root_disk_is_named_on_the_command_line),
		cmocka_unit_test(an_image_is_given_once),
	};
	int r = cmocka_run_group_tests(tests, NULL, NULL);

	run_opts_done(&opts);
	return r;
}
