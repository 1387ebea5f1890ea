// SPDX-License-Identifier: MIT
/*
 * Source: Linux, Documentation/arch/x86/boot.rst, "Details of Header Fields"; the
 * banner is init/version.c's.
 */
#include "exec/release.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER 0x202	     /* "HdrS" */
#define KERNEL_VERSION 0x20e /* 16 bits: where the string is, less 0x200 */
#define BANNER "Linux version "

/* A word of printable characters at `at`. */
static int take(const uint8_t *image, size_t len, size_t at,
		char ret_text[RELEASE_MAX])
{
	size_t n = 0;

	while (at + n < len && image[at + n] > ' ' && image[at + n] < 0x7f &&
	       image[at + n] != '/' && n < RELEASE_MAX)
		n++;
	if (n == 0 || n >= RELEASE_MAX || at + n >= len)
		return -ENOENT;
	memcpy(ret_text, image + at, n);
	ret_text[n] = '\0';
	return 0;
}

int release_find(const uint8_t *image, size_t len, char ret_text[RELEASE_MAX])
{
	const uint8_t *p;

	if (len > KERNEL_VERSION + 2 && memcmp(image + HEADER, "HdrS", 4) == 0)
		return take(image, len,
			    (size_t)(image[KERNEL_VERSION] |
				     image[KERNEL_VERSION + 1] << 8) +
				    0x200,
			    ret_text);
	/* The format string of /proc/version begins the same, with a '%'. */
	for (p = image; (p = memmem(p, len - (size_t)(p - image), BANNER,
				    sizeof(BANNER) - 1));
	     p++) {
		size_t at = (size_t)(p - image) + sizeof(BANNER) - 1;

		if (at < len && image[at] != '%')
			return take(image, len, at, ret_text);
	}
	return -ENOENT;
}

int release_of(const char *path, char ret_text[RELEASE_MAX])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *image;
	int r = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (!S_ISREG(st.st_mode) || st.st_size == 0)
		r = -EINVAL;
	if (r == 0) {
		image = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE,
			     fd, 0);
		if (image == MAP_FAILED) {
			r = -errno;
		} else {
			r = release_find(image, (size_t)st.st_size, ret_text);
			munmap(image, (size_t)st.st_size);
		}
	}
	close(fd);
	return r;
}
