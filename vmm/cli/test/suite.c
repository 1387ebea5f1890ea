// SPDX-License-Identifier: MIT
#include "test/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "opts.h"

#define DEFAULT_MEM (UINT64_C(256) << 20)
#define NAME_LEN_MAX 200 /* leaves a folder's name room for "-12345" */

struct test_case *suite_add(struct test_suite *suite)
{
	struct test_case *test;

	if (suite->count == suite->room) {
		size_t room = suite->room ? 2 * suite->room : 16;
		void *cases = reallocarray(suite->cases, room,
					   sizeof(*suite->cases));

		if (!cases)
			return NULL;
		suite->cases = cases;
		suite->room = room;
	}
	test = &suite->cases[suite->count++];
	*test = (struct test_case){ .mem = DEFAULT_MEM,
				    .cpus = 1,
				    .pass.skip_status = -1 };
	return test;
}

static void case_done(struct test_case *test)
{
	size_t i;

	for (i = 0; i < test->argc; i++)
		free(test->args[i]);
	free(test->args);
	free(test->name);
	free(test->skip);
}

void suite_drop(struct test_suite *suite)
{
	case_done(&suite->cases[--suite->count]);
}

void suite_done(struct test_suite *suite)
{
	while (suite->count)
		suite_drop(suite);
	free(suite->cases);
	*suite = (struct test_suite){ 0 };
}

int suite_arg(struct test_case *test, const char *fmt, ...)
{
	char **args, *word;
	va_list ap;
	int n;

	args = reallocarray(test->args, test->argc + 2, sizeof(*args));
	if (!args)
		return -ENOMEM;
	test->args = args;
	args[test->argc] = NULL;
	va_start(ap, fmt);
	n = vasprintf(&word, fmt, ap);
	va_end(ap);
	if (n < 0)
		return -ENOMEM;
	args[test->argc++] = word;
	args[test->argc] = NULL;
	return 0;
}

int suite_skip(struct test_case *test, const char *fmt, ...)
{
	char *reason;
	va_list ap;
	int n;

	if (test->skip)
		return 0;
	va_start(ap, fmt);
	n = vasprintf(&reason, fmt, ap);
	va_end(ap);
	if (n < 0)
		return -ENOMEM;
	test->skip = reason;
	return 0;
}

static bool is_taken(const struct test_suite *suite,
		     const struct test_case *test, const char *name)
{
	size_t i;

	for (i = 0; i < suite->count; i++)
		if (&suite->cases[i] != test && suite->cases[i].name &&
		    strcmp(suite->cases[i].name, name) == 0)
			return true;
	return false;
}

int suite_name(struct test_suite *suite, struct test_case *test,
	       const char *name)
{
	char *fit = strndup(name, NAME_LEN_MAX), *s;
	size_t n;

	if (!fit)
		return -ENOMEM;
	for (s = fit; *s; s++)
		if (*s == '/' || (unsigned char)*s < ' ' || *s == 0x7f)
			*s = '_';
	/* ".", ".." and hidden folders would surprise whoever looks for it. */
	if (*fit == '.')
		*fit = '_';
	if (!*fit) {
		free(fit);
		fit = strdup("unnamed");
		if (!fit)
			return -ENOMEM;
	}
	if (is_taken(suite, test, fit)) {
		/* Of count + 1 names one is free. */
		for (n = 2; n <= suite->count + 1; n++) {
			char *numbered;

			if (asprintf(&numbered, "%s-%zu", fit, n) < 0) {
				free(fit);
				return -ENOMEM;
			}
			if (!is_taken(suite, test, numbered)) {
				free(fit);
				fit = numbered;
				break;
			}
			free(numbered);
		}
	}
	free(test->name);
	test->name = fit;
	return 0;
}

int suite_take(struct test_suite *suite, struct test_suite *from)
{
	size_t i;

	for (i = 0; i < from->count; i++) {
		struct test_case *test = suite_add(suite);

		if (!test)
			return -ENOMEM;
		*test = from->cases[i];
		from->cases[i] = (struct test_case){ 0 };
		if (is_taken(suite, test, test->name)) {
			char *name = test->name;
			int r;

			test->name = NULL;
			r = suite_name(suite, test, name);
			free(name);
			if (r)
				return r;
		}
	}
	return 0;
}

/* The options that are given to each run by who started it, not by its case. */
static const struct {
	const char *option;
	const char *instead;
} reserved[] = {
	{ "--timeout", "the time limit is the test's own: --timeout before "
		       "'--', 'timeout' in a manifest" },
	{ "--serial", "the console is kept by --artifacts" },
	{ "--report", "the report is kept by --artifacts" },
	{ "--help", "it would run nothing" },
	{ "--version", "it would run nothing" },
};

static const char *why_reserved(const char *word)
{
	size_t len = strcspn(word, "="), i;

	for (i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (strlen(reserved[i].option) == len &&
		    memcmp(reserved[i].option, word, len) == 0)
			return reserved[i].instead;
	return NULL;
}

int suite_check(struct test_case *test, size_t own, char err[TEST_ERR_SIZE])
{
	/* One before the words, which the reader takes for the command. */
	char **argv = calloc(test->argc + 2, sizeof(*argv));
	struct run_opts opts;
	char why[OPTS_ERR_SIZE];
	char command[] = "run";
	size_t i;
	int r;

	if (!argv) {
		snprintf(err, TEST_ERR_SIZE, "out of memory");
		return -ENOMEM;
	}
	for (i = 0; i < test->argc; i++) {
		const char *instead = i < own ? NULL
					      : why_reserved(test->args[i]);

		if (instead) {
			snprintf(err, TEST_ERR_SIZE,
				 "'%.64s' cannot be given here: %s",
				 test->args[i], instead);
			free(argv);
			return -EINVAL;
		}
		argv[i + 1] = test->args[i];
	}
	argv[0] = command;
	r = run_opts_parse((int)test->argc + 1, argv, &opts, why);
	free(argv);
	if (r < 0) {
		snprintf(err, TEST_ERR_SIZE, "%s", why);
		return r;
	}
	if (r != OPTS_RUN) {
		snprintf(err, TEST_ERR_SIZE,
			 "'-h' and '-V' cannot be given here: %s",
			 why_reserved("--help"));
		return -EINVAL;
	}
	test->mem = opts.machine.mem ? opts.machine.mem : DEFAULT_MEM;
	test->cpus = opts.machine.cpus ? opts.machine.cpus : 1;
	run_opts_done(&opts);
	return 0;
}

int suite_read_file(const char *path, size_t max, char **ret_buf,
		    size_t *ret_len)
{
	size_t len = 0, room = 0;
	char *buf = NULL;
	struct stat st;
	ssize_t n = 1;
	int fd, r = 0;

	/* Nonblocking: a pipe without a writer is an empty file, not a wait. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (S_ISDIR(st.st_mode))
		r = -EISDIR;
	while (r == 0 && n > 0) {
		if (len + 1 >= room) {
			char *more;

			room = room ? 2 * room : 16384;
			more = realloc(buf, room);
			if (!more) {
				r = -ENOMEM;
				break;
			}
			buf = more;
		}
		n = read(fd, buf + len, room - len - 1);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n < 0)
			r = -errno;
		else
			len += (size_t)n;
		if (len > max)
			r = -EFBIG;
	}
	close(fd);
	if (r) {
		free(buf);
		return r;
	}
	buf[len] = '\0';
	*ret_buf = buf;
	*ret_len = len;
	return 0;
}

char *suite_beside(const char *file, const char *name)
{
	const char *slash = strrchr(file, '/');
	char *path;

	if (*name == '/' || !slash)
		return strdup(name);
	if (asprintf(&path, "%.*s%s", (int)(slash - file + 1), file, name) < 0)
		return NULL;
	return path;
}
