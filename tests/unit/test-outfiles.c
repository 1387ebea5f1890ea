// SPDX-License-Identifier: MIT
/* Files that are begun anew only once there is a run. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/outfiles.h"

static char dir[] = "/tmp/test-outfiles-XXXXXX";
static struct outfiles files;

static int setup(void **state)
{
	strcpy(strrchr(dir, '-'), "-XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	files = (struct outfiles)OUTFILES_INIT;
	return 0;
}

static int teardown(void **state)
{
	outfiles_done(&files);
	unlink("a");
	unlink("b");
	unlink("link");
	assert_int_equal(chdir("/"), 0);
	return rmdir(dir);
}

static void put_file(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void assert_holds(const char *name, const char *text)
{
	char buf[64] = "";
	int fd = open(name, O_RDONLY);

	assert_true(fd >= 0);
	assert_true(read(fd, buf, sizeof(buf) - 1) >= 0);
	close(fd);
	assert_string_equal(buf, text);
}

static void what_was_there_goes_when_the_run_begins(void **state)
{
	int a, b;

	put_file("a", "old and long");
	a = outfiles_open(&files, "a");
	b = outfiles_open(&files, "b");
	assert_true(a >= 0 && b >= 0);
	assert_holds("a", "old and long");
	assert_int_equal(outfiles_begin(&files), 0);
	assert_holds("a", "");
	assert_int_equal(write(a, "new", 3), 3);
	assert_int_equal(write(b, "too", 3), 3);
	outfiles_done(&files);
	assert_holds("a", "new");
	assert_holds("b", "too");
	close(a);
	close(b);
}

static void without_a_run_all_is_as_it_was(void **state)
{
	int a, b, c;

	put_file("a", "old");
	assert_int_equal(symlink("b", "link"), 0);
	a = outfiles_open(&files, "a");
	c = outfiles_open(&files, "link"); /* makes b, which stays: rare */
	assert_true(a >= 0 && c >= 0);
	unlink("b");
	b = outfiles_open(&files, "b");
	assert_true(b >= 0);
	assert_int_equal(access("b", F_OK), 0);
	outfiles_done(&files);
	assert_holds("a", "old");
	assert_int_equal(access("b", F_OK), -1);
	close(a);
	close(b);
	close(c);
}

static void another_program_s_file_is_not_taken_away(void **state)
{
	int a = outfiles_open(&files, "a");

	assert_true(a >= 0);
	unlink("a");
	put_file("a", "");
	outfiles_done(&files);
	assert_holds("a", "");
	close(a);
}

static void pipes_and_our_own_descriptors_are_left_alone(void **state)
{
	int a, null;

	put_file("a", "kept");
	a = open("a", O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(dup2(a, 100), 100);
	assert_true(outfiles_open(&files, "/dev/fd/100") >= 0);
	null = outfiles_open(&files, "/dev/null");
	assert_true(null >= 0);
	assert_int_equal(outfiles_begin(&files), 0);
	assert_holds("a", "kept");
	close(100);
	close(a);
	close(null);
}

static void what_cannot_be_opened_is_told(void **state)
{
	assert_int_equal(outfiles_open(&files, "none/a"), -ENOENT);
	assert_int_equal(outfiles_open(&files, "."), -EISDIR);
	assert_int_equal(files.count, 0);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_was_there_goes_when_the_run_begins),
		T(without_a_run_all_is_as_it_was),
		T(another_program_s_file_is_not_taken_away),
		T(pipes_and_our_own_descriptors_are_left_alone),
		T(what_cannot_be_opened_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
