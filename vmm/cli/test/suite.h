/* SPDX-License-Identifier: MIT */
/*
 * suite.h: what "trapmap test" has to run: a list of cases, wherever they come
 * from (arguments, a manifest, a kvm-unit-tests tree).
 */
#ifndef TRAPMAP_CLI_TEST_SUITE_H
#define TRAPMAP_CLI_TEST_SUITE_H

#include <stddef.h>
#include <stdint.h>

/* What of a guest's end counts as passed. */
struct test_pass {
	int status; /* of trapmap run; usually 0 */
	int skip_status; /* a status that means "skipped"; -1: none */
};

/* One guest to run. All strings are its own. */
struct test_case {
	char *name; /* unique in the suite; also its folder under --artifacts */
	char **args; /* the words after "trapmap run", without --timeout,
			--report and --serial; args[argc] is NULL */
	size_t argc;
	char *skip; /* why it cannot be run; NULL: it can */
	int64_t timeout_ms; /* 0: the command's default */
	uint64_t mem; /* bytes it was given, for how many run at once */
	uint32_t cpus;
	struct test_pass pass;
};

struct test_suite {
	struct test_case *cases;
	size_t count;
	size_t room;
};

#define TEST_ERR_SIZE 1024
#define SUITE_FILE_MAX (1u << 20) /* bytes of a manifest or a unittests.cfg */
#define SUITE_CASES_MAX 1024 /* that one file may add */

/*
 * An empty case at the end, to pass with status 0, or NULL: no memory. It moves
 * when the next one is added.
 */
struct test_case *suite_add(struct test_suite *suite);
/* Takes the last case away again. */
void suite_drop(struct test_suite *suite);
/* Adds a word to case->args; printf's format. Returns 0 or -ENOMEM. */
int suite_arg(struct test_case *test, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Why it cannot be run; the first reason stays. Returns 0 or -ENOMEM. */
int suite_skip(struct test_case *test, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void suite_done(struct test_suite *suite);
/* Moves the cases of another suite behind its own, under names still free. */
int suite_take(struct test_suite *suite, struct test_suite *from);

/*
 * Names the case as `name`, which is made fit for a folder's name and, by "-2",
 * "-3" and so on, unique in the suite. Returns 0 or -ENOMEM.
 */
int suite_name(struct test_suite *suite, struct test_case *test,
	       const char *name);

/*
 * Reads args as "trapmap run" will, and sets mem and cpus by them. From args[own]
 * on they are a user's own options, among which --timeout, --serial, --report,
 * --help and --version are refused. Returns 0, or -EINVAL or -ENOMEM with a line
 * in err.
 */
int suite_check(struct test_case *test, size_t own, char err[TEST_ERR_SIZE]);

/*
 * Reads a manifest (YAML, docs/test.md) from a file; paths in it are relative to
 * its folder. Adds its cases. Returns 0, or -errno with one line in err that
 * begins "FILE:LINE:COLUMN: ".
 */
int manifest_read(const char *path, struct test_suite *suite,
		  char err[TEST_ERR_SIZE]);

/* The same from memory; path is for messages and for its folder. */
int manifest_parse(const char *path, const char *buf, size_t len,
		   struct test_suite *suite, char err[TEST_ERR_SIZE]);

/*
 * Reads unittests.cfg of a kvm-unit-tests tree (a folder, or the file itself);
 * the guests are those of its x86/ folder. group: only the tests of that group;
 * NULL: all but "nodefault", as run_tests.sh does. Returns as manifest_read().
 */
int unittests_read(const char *path, const char *group,
		   struct test_suite *suite, char err[TEST_ERR_SIZE]);

/* What a tree's tests ask of the host. */
struct unittests_host {
	unsigned cpus; /* what $MAX_SMP stands for */
	/*
	 * The first line of a file of /sys or /proc, without its end. Returns 0
	 * or -errno.
	 */
	int (*read_line)(const char *path, char *buf, size_t size);
};

/* The same from memory; path, the file's, is for messages and for its folder. */
int unittests_parse(const char *path, const char *buf, size_t len,
		    const char *group, const struct unittests_host *host,
		    struct test_suite *suite, char err[TEST_ERR_SIZE]);

/*
 * All of a file of at most max bytes, and a NUL. Returns 0; -EFBIG: it is
 * larger; or -errno. The caller frees *ret_buf.
 */
int suite_read_file(const char *path, size_t max, char **ret_buf,
		    size_t *ret_len);

/* The path of name as seen from the folder of file, or NULL. To be freed. */
char *suite_beside(const char *file, const char *name);

#endif
