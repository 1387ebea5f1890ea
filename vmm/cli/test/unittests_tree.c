// SPDX-License-Identifier: MIT
/* unittests_tree.c: a kvm-unit-tests tree on this host. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/suite.h"

static int read_line(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	ssize_t n = -1;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		n = read(fd, buf, size - 1);
	close(fd);
	if (n < 0)
		return -EIO;
	buf[n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return 0;
}

/* The file that is meant: itself, or that of the tree at path. */
static int find_cfg(const char *path, char **ret_cfg)
{
	static const char *const places[] = { "x86/unittests.cfg",
					      "unittests.cfg" };
	size_t i;
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode)) {
		*ret_cfg = strdup(path);
		return *ret_cfg ? 0 : -ENOMEM;
	}
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		size_t len = strlen(path);
		char *cfg;

		if (asprintf(&cfg, "%s%s%s", path,
			     len && path[len - 1] == '/' ? "" : "/",
			     places[i]) < 0)
			return -ENOMEM;
		if (access(cfg, F_OK) == 0) {
			*ret_cfg = cfg;
			return 0;
		}
		free(cfg);
	}
	return -ENOTDIR;
}

int unittests_read(const char *path, const char *group,
		   struct test_suite *suite, char err[TEST_ERR_SIZE])
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	const struct unittests_host host = {
		.cpus = cpus > 0 ? (unsigned)cpus : 1,
		.read_line = read_line,
	};
	char *cfg = NULL, *buf = NULL;
	size_t len = 0;
	int r = find_cfg(path, &cfg);

	if (r == -ENOTDIR) {
		snprintf(err, TEST_ERR_SIZE,
			 "%.800s: no x86/unittests.cfg in it; the top of a "
			 "kvm-unit-tests tree is expected",
			 path);
		return r;
	}
	if (r == 0)
		r = suite_read_file(cfg, SUITE_FILE_MAX, &buf, &len);
	if (r)
		snprintf(err, TEST_ERR_SIZE, "%.800s: %s", cfg ? cfg : path,
			 r == -EFBIG ? "larger than 1 MiB; is it a "
				       "unittests.cfg?"
				     : strerror(-r));
	else
		r = unittests_parse(cfg, buf, len, group, &host, suite, err);
	free(buf);
	free(cfg);
	return r;
}
