// SPDX-License-Identifier: MIT
#include "test/report_read.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int report_parse(const char *buf, size_t len, char **ret_sentence)
{
	const char *sentence = NULL;
	char *copy;
	json_t *root;
	int r;

	/* Without JSON_ALLOW_NUL each string is whole as a C string. */
	root = json_loadb(buf, len, 0, NULL);
	if (!root)
		return -EBADMSG;
	r = json_unpack(root, "{s:{s:s}}", "verdict", "text", &sentence);
	if (r || !*sentence) {
		json_decref(root);
		return -EBADMSG;
	}
	copy = strdup(sentence);
	json_decref(root);
	if (!copy)
		return -ENOMEM;
	*ret_sentence = copy;
	return 0;
}

static int read_whole(int fd, char *buf, size_t len, size_t *ret_len)
{
	size_t got = 0;
	ssize_t n;

	while (got < len) {
		n = read(fd, buf + got, len - got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	*ret_len = got;
	return 0;
}

int report_read(const char *path, char **ret_sentence)
{
	struct stat st;
	size_t len;
	char *buf;
	int fd, r;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > (off_t)REPORT_MAX) {
		close(fd);
		return -EFBIG;
	}
	len = (size_t)st.st_size;
	buf = malloc(len + 1);
	r = buf ? read_whole(fd, buf, len, &len) : -ENOMEM;
	close(fd);
	if (r == 0)
		r = report_parse(buf, len, ret_sentence);
	free(buf);
	return r;
}
