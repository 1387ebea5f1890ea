// SPDX-License-Identifier: MIT
#include "test/artifacts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Of a folder's name; a file system takes 255 bytes, "-12345" may follow. */
#define NAME_MAX_LEN 200

static const char *const files[] = { ARTIFACT_CONSOLE, ARTIFACT_ERRORS,
				     ARTIFACT_REPORT };

#define FILES (sizeof(files) / sizeof(files[0]))

/* ---- names --------------------------------------------------------------- */

static bool is_safe(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || (c && strchr("._-+=,@", c));
}

/* A case's name as one that is safe in a path and for a shell. */
static char *safe_name(const char *name)
{
	char *safe = strndup(*name ? name : "unnamed", NAME_MAX_LEN), *p;

	if (!safe)
		return NULL;
	for (p = safe; *p; p++)
		if (!is_safe(*p))
			*p = '_';
	if (*safe == '.' || *safe == '-')
		*safe = '_';
	return safe;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names that are taken, ascending. */
struct names {
	char **at;
	size_t count;
};

/* Where name is or would be. */
static size_t place_of(const struct names *names, const char *name,
		       bool *ret_taken)
{
	size_t low = 0, high = names->count, mid;
	int c;

	*ret_taken = false;
	while (low < high) {
		mid = low + (high - low) / 2;
		c = compare(&name, &names->at[mid]);
		if (c == 0) {
			*ret_taken = true;
			return mid;
		}
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

/* Gives *name a number if another case has that name. names has room. */
static int make_unique(struct names *names, char **name)
{
	char *numbered = NULL;
	size_t at, n;
	bool taken;

	at = place_of(names, *name, &taken);
	/* Of one more than there are, one is free. */
	for (n = 2; taken; n++) {
		free(numbered);
		if (asprintf(&numbered, "%s-%zu", *name, n) < 0)
			return -ENOMEM;
		at = place_of(names, numbered, &taken);
	}
	if (numbered) {
		free(*name);
		*name = numbered;
	}
	memmove(&names->at[at + 1], &names->at[at],
		(names->count - at) * sizeof(*names->at));
	names->at[at] = *name;
	names->count++;
	return 0;
}

/* ---- folders ------------------------------------------------------------- */

static int refuse(char err[TEST_ERR_SIZE], const struct artifacts *artifacts,
		  const char *path, int r)
{
	if (artifacts->temporary)
		snprintf(err, TEST_ERR_SIZE,
			 "cannot make '%.600s' for the tests' files: %s; TMPDIR names another place, and so does --artifacts",
			 path, strerror(-r));
	else
		snprintf(err, TEST_ERR_SIZE,
			 "--artifacts: cannot make '%.600s': %s", path,
			 strerror(-r));
	return r;
}

/* As mkdir -p. */
static int make_folder(char *path)
{
	struct stat st;
	char *p;
	int r;

	for (p = path + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		r = mkdir(path, 0777);
		*p = '/';
		if (r < 0 && errno != EEXIST)
			return -errno;
	}
	if (mkdir(path, 0777) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (stat(path, &st) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

static int make_root(struct artifacts *artifacts, const char *root)
{
	const char *tmp = getenv("TMPDIR");

	artifacts->temporary = !root;
	if (root) {
		artifacts->root = strdup(root);
	} else if (asprintf(&artifacts->root, "%s/trapmap-test-XXXXXX",
			    tmp && *tmp ? tmp : "/tmp") < 0) {
		artifacts->root = NULL;
	}
	if (!artifacts->root)
		return -ENOMEM;
	if (root)
		return *root ? make_folder(artifacts->root) : -ENOENT;
	if (mkdtemp(artifacts->root))
		return 0;
	return -errno;
}

/* Makes one case's folder, without what an earlier run left there. */
static int make_case_folder(struct artifacts *artifacts, size_t index,
			    char err[TEST_ERR_SIZE])
{
	char *path;
	size_t i;
	int fd, r = 0;

	if (mkdir(artifacts->dirs[index], 0777) < 0 && errno != EEXIST)
		return refuse(err, artifacts, artifacts->dirs[index], -errno);
	for (i = 0; i < FILES && r == 0; i++) {
		path = artifacts_path(artifacts, index, files[i]);
		if (!path)
			return -ENOMEM;
		if (unlink(path) < 0 && errno != ENOENT)
			r = refuse(err, artifacts, path, -errno);
		free(path);
	}
	if (r)
		return r;
	path = artifacts_path(artifacts, index, ARTIFACT_CONSOLE);
	if (!path)
		return -ENOMEM;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0)
		r = refuse(err, artifacts, path, -errno);
	else
		close(fd);
	free(path);
	return r;
}

static int make_all(struct artifacts *artifacts, const struct test_suite *suite,
		    struct names *names, char err[TEST_ERR_SIZE])
{
	char *name;
	size_t i;
	int r;

	for (i = 0; i < suite->count; i++) {
		if (suite->cases[i].skip)
			continue;
		name = safe_name(suite->cases[i].name);
		if (!name)
			return -ENOMEM;
		r = make_unique(names, &name);
		if (r) {
			free(name);
			return r;
		}
		if (asprintf(&artifacts->dirs[i], "%s/%s", artifacts->root,
			     name) < 0) {
			artifacts->dirs[i] = NULL;
			return -ENOMEM;
		}
		r = make_case_folder(artifacts, i, err);
		if (r)
			return r;
	}
	return 0;
}

int artifacts_open(struct artifacts *ret_artifacts, const char *root,
		   const struct test_suite *suite, char err[TEST_ERR_SIZE])
{
	struct artifacts *artifacts = ret_artifacts;
	struct names names = { 0 };
	int r;

	*artifacts = (struct artifacts){ 0 };
	snprintf(err, TEST_ERR_SIZE, "out of memory");
	r = make_root(artifacts, root);
	if (r == -ENOMEM)
		return r;
	if (r) {
		refuse(err, artifacts, artifacts->root, r);
		free(artifacts->root); /* it is not ours to remove */
		artifacts->root = NULL;
		return r;
	}
	artifacts->dirs = calloc(suite->count + 1, sizeof(*artifacts->dirs));
	names.at = calloc(suite->count + 1, sizeof(*names.at));
	r = -ENOMEM;
	if (artifacts->dirs && names.at) {
		artifacts->count = suite->count;
		r = make_all(artifacts, suite, &names, err);
	}
	while (names.count)
		free(names.at[--names.count]);
	free(names.at);
	return r;
}

char *artifacts_path(const struct artifacts *artifacts, size_t index,
		     const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", artifacts->dirs[index], name) < 0)
		return NULL;
	return path;
}

bool artifacts_are_full(const struct artifacts *artifacts)
{
	struct statvfs st;

	return artifacts->root && statvfs(artifacts->root, &st) == 0 &&
	       st.f_blocks && (st.f_bavail == 0 || (st.f_files && !st.f_favail));
}

/* With what a run that was killed may have left half-written. */
static void remove_case_folder(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir)) != NULL)
		unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	rmdir(path);
}

void artifacts_done(struct artifacts *artifacts)
{
	size_t i;

	for (i = 0; i < artifacts->count; i++) {
		if (artifacts->temporary && artifacts->dirs[i])
			remove_case_folder(artifacts->dirs[i]);
		free(artifacts->dirs[i]);
	}
	if (artifacts->temporary && artifacts->root)
		rmdir(artifacts->root);
	free(artifacts->dirs);
	free(artifacts->root);
	*artifacts = (struct artifacts){ 0 };
}
