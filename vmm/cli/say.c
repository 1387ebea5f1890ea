// SPDX-License-Identifier: MIT
#include "say.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int write_all(int fd, const void *buf, size_t len)
{
	const char *p = buf;
	ssize_t n;

	while (len) {
		n = write(fd, p, len);
		if (n < 0 && errno == EAGAIN) {
			/* Whoever shares the terminal made it non-blocking. */
			poll(&(struct pollfd){ .fd = fd, .events = POLLOUT }, 1,
			     -1);
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

__attribute__((format(printf, 2, 0)))
static void say_line(const char *end, const char *fmt, va_list ap)
{
	static const char head[] = "trapmap: ";
	size_t end_len = strlen(end);
	char *text, *line;
	int len, i;

	len = vasprintf(&text, fmt, ap);
	if (len < 0)
		return;
	line = malloc(sizeof(head) + (size_t)len + end_len);
	if (line) {
		memcpy(line, head, sizeof(head) - 1);
		for (i = 0; i < len; i++) {
			unsigned char c = (unsigned char)text[i];

			line[sizeof(head) - 1 + (size_t)i] =
				c < 0x20 || c == 0x7f ? '?' : (char)c;
		}
		memcpy(line + sizeof(head) - 1 + len, end, end_len);
		write_all(STDERR_FILENO, line,
			  sizeof(head) - 1 + (size_t)len + end_len);
		free(line);
	}
	free(text);
}

void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_line("\n", fmt, ap);
	va_end(ap);
}

void say_aside(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	/* A raw terminal returns no carriage by itself. */
	say_line(isatty(STDERR_FILENO) ? "\r\n" : "\n", fmt, ap);
	va_end(ap);
}
