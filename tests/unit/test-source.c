// SPDX-License-Identifier: MIT
/* Files for the guest: what is read, how often, and what is said of a bad one. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base.h"
#include "source.h"

static struct source src;
static struct error err;
static char dir[] = "/tmp/trapmap-source-XXXXXX";
static char path[64];

static int setup(void **state)
{
	memset(&err, 0, sizeof(err));
	src = (struct source){ .fd = -1 };
	strcpy(dir + sizeof(dir) - 7, "XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/file", dir);
	return 0;
}

static int teardown(void **state)
{
	source_done(&src);
	unlink(path);
	return rmdir(dir);
}

static void put_file(const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	close(fd);
}

static void assert_refused(int code, const char *name, const char *why)
{
	assert_int_equal(source_open(&src, &err), code);
	assert_int_equal(err.status, ERROR_INPUT);
	/* Whose file it was comes first. */
	assert_memory_equal(err.text, name, strlen(name));
	if (!strstr(err.text, why))
		fail_msg("\"%s\" does not say \"%s\"", err.text, why);
}

static void a_missing_file_is_refused_by_name(void **state)
{
	/* To name it is no mistake yet. */
	assert_int_equal(source_from_path(&src, path), 0);
	assert_refused(-ENOENT, path, "No such file");
}

static void a_directory_is_refused(void **state)
{
	assert_int_equal(source_from_path(&src, dir), 0);
	assert_refused(-EISDIR, dir, "directory");
	/* Nor does it become a file by asking again. */
	assert_refused(-EISDIR, dir, "directory");
}

static void an_empty_file_is_refused(void **state)
{
	put_file("", 0);
	assert_int_equal(source_from_path(&src, path), 0);
	assert_refused(-EINVAL, path, "empty");
	source_done(&src);
	assert_int_equal(source_from_data(&src, "(in memory)", "", 0), 0);
	assert_refused(-EINVAL, "(in memory)", "empty");
	source_done(&src);
	assert_int_equal(source_from_path(&src, "/dev/null"), 0);
	assert_refused(-EINVAL, "/dev/null", "empty");
}

static void a_file_is_read_where_it_is_wanted(void **state)
{
	char buf[8] = "........";

	put_file("0123456789", 10);
	assert_int_equal(source_from_path(&src, path), 0);
	assert_int_equal(source_open(&src, &err), 0);
	assert_int_equal(src.len, 10);
	assert_int_equal(source_read(&src, 7, buf, 3, &err), 0);
	assert_memory_equal(buf, "789.....", 8);
	assert_int_equal(source_read(&src, 0, buf, 2, &err), 0);
	assert_memory_equal(buf, "019.....", 8);
	assert_int_equal(source_read(&src, 10, buf, 0, &err), 0);
	/* Nothing of it was kept in memory. */
	assert_null(src.owned);
}

static void opening_again_has_no_effect(void **state)
{
	int fd;

	put_file("abc", 3);
	assert_int_equal(source_from_path(&src, path), 0);
	assert_int_equal(source_open(&src, &err), 0);
	fd = src.fd;
	assert_int_equal(source_open(&src, &err), 0);
	assert_int_equal(src.fd, fd);
	assert_int_equal(src.len, 3);
}

static void a_file_that_becomes_shorter_is_an_error(void **state)
{
	char buf[10];

	put_file("0123456789", 10);
	assert_int_equal(source_from_path(&src, path), 0);
	assert_int_equal(source_open(&src, &err), 0);
	assert_int_equal(truncate(path, 4), 0);
	assert_int_equal(source_read(&src, 0, buf, 4, &err), 0);
	assert_int_equal(source_read(&src, 0, buf, 10, &err), -EIO);
	assert_int_equal(err.status, ERROR_INPUT);
	assert_non_null(strstr(err.text, path));
	assert_non_null(strstr(err.text, "shorter"));
}

static void the_callers_descriptor_may_be_closed_and_stays_where_it_was(
	void **state)
{
	char buf[10], name[32];
	int fd;

	put_file("0123456789", 10);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(lseek(fd, 5, SEEK_SET), 5);
	assert_int_equal(source_from_fd(&src, fd), 0);
	assert_int_not_equal(src.fd, fd);
	/* A program that the embedder starts does not inherit it. */
	assert_true(fcntl(src.fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(source_open(&src, &err), 0);
	assert_int_equal(source_read(&src, 0, buf, 10, &err), 0);
	assert_memory_equal(buf, "0123456789", 10);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 5);

	close(fd);
	assert_int_equal(source_read(&src, 8, buf, 2, &err), 0);
	assert_memory_equal(buf, "89", 2);
	snprintf(name, sizeof(name), "file descriptor %d", fd);
	assert_string_equal(src.name, name);
}

static void a_bad_descriptor_is_refused_at_once(void **state)
{
	assert_int_equal(source_from_fd(&src, -1), -EBADF);
	source_done(&src);
	assert_int_equal(source_from_fd(&src, 1 << 20), -EBADF);
}

static void a_pipe_is_read_once_and_whole(void **state)
{
	static char sent[40000], got[40000];
	size_t i;
	int p[2];

	for (i = 0; i < sizeof(sent); i++)
		sent[i] = (char)(i * 7 + i / 251);
	assert_int_equal(pipe(p), 0);
	assert_int_equal(source_from_fd(&src, p[0]), 0);
	assert_int_equal(write(p[1], sent, sizeof(sent)), sizeof(sent));
	close(p[1]);
	assert_int_equal(source_open(&src, &err), 0);
	close(p[0]);
	assert_int_equal(src.len, sizeof(sent));
	/* As often as it is asked for, as a reboot does. */
	for (i = 0; i < 2; i++) {
		memset(got, 0, sizeof(got));
		assert_int_equal(source_read(&src, 0, got, 1000, &err), 0);
		assert_int_equal(source_read(&src, 1000, got + 1000,
					     sizeof(got) - 1000, &err),
				 0);
		assert_memory_equal(got, sent, sizeof(sent));
	}
	assert_int_equal(source_open(&src, &err), 0);
	assert_int_equal(src.len, sizeof(sent));
}

static void an_empty_pipe_is_refused(void **state)
{
	char name[32];
	int p[2];

	assert_int_equal(pipe(p), 0);
	close(p[1]);
	assert_int_equal(source_from_fd(&src, p[0]), 0);
	snprintf(name, sizeof(name), "file descriptor %d", p[0]);
	assert_refused(-EINVAL, name, "empty");
	close(p[0]);
}

static void a_pipe_longer_than_the_first_buffer_keeps_its_order(void **state)
{
	static uint8_t chunk[65536];
	const unsigned chunks = 40; /* 2.5 MiB */
	uint8_t got[2];
	unsigned i;
	pid_t pid;
	int p[2];

	assert_int_equal(pipe(p), 0);
	assert_int_equal(source_from_fd(&src, p[0]), 0);
	close(p[0]);
	pid = fork();
	if (pid == 0) {
		for (i = 0; i < chunks; i++) {
			memset(chunk, (int)i, sizeof(chunk));
			(void)!write(p[1], chunk, sizeof(chunk));
		}
		_exit(0);
	}
	close(p[1]);
	assert_int_equal(source_open(&src, &err), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(src.len, chunks * sizeof(chunk));
	for (i = 1; i < chunks; i++) {
		assert_int_equal(source_read(&src, i * sizeof(chunk) - 1, got,
					     2, &err),
				 0);
		assert_int_equal(got[0], i - 1);
		assert_int_equal(got[1], i);
	}
}

static void bytes_in_memory_are_not_copied(void **state)
{
	char data[] = "kernel", got[3];
	char name[] = "a name";

	assert_int_equal(source_from_data(&src, name, data, 6), 0);
	name[0] = '?'; /* that one is */
	assert_int_equal(source_open(&src, &err), 0);
	assert_ptr_equal(src.data, data);
	assert_int_equal(src.len, 6);
	assert_int_equal(source_read(&src, 3, got, 3, &err), 0);
	assert_memory_equal(got, "nel", 3);
	assert_string_equal(src.name, "a name");
}

static void done_twice_is_harmless(void **state)
{
	put_file("abc", 3);
	assert_int_equal(source_from_path(&src, path), 0);
	assert_int_equal(source_open(&src, &err), 0);
	source_done(&src);
	assert_int_equal(src.fd, -1);
	source_done(&src);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_missing_file_is_refused_by_name),
		T(a_directory_is_refused),
		T(an_empty_file_is_refused),
		T(a_file_is_read_where_it_is_wanted),
		T(opening_again_has_no_effect),
		T(a_file_that_becomes_shorter_is_an_error),
		T(the_callers_descriptor_may_be_closed_and_stays_where_it_was),
		T(a_bad_descriptor_is_refused_at_once),
		T(a_pipe_is_read_once_and_whole),
		T(an_empty_pipe_is_refused),
		T(a_pipe_longer_than_the_first_buffer_keeps_its_order),
		T(bytes_in_memory_are_not_copied),
		T(done_twice_is_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
