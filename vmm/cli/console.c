// SPDX-License-Identifier: MIT
#include "console.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_MAX 4096u

int console_init(struct console *con, int *ret_vm_fd)
{
	int fds[2], r;

	*con = (struct console){ .guest_fd = -1 };
	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	/* This end only: the flag belongs to the end, not to the pipe. */
	if (fcntl(fds[1], F_SETFL, O_NONBLOCK)) {
		r = -errno;
		close(fds[0]);
		close(fds[1]);
		return r;
	}
	con->guest_fd = fds[1];
	*ret_vm_fd = fds[0];
	return 0;
}

void console_done(struct console *con)
{
	if (con->guest_fd >= 0)
		close(con->guest_fd);
	free(con->buf);
	*con = (struct console){ .guest_fd = -1 };
}

bool console_has_room(const struct console *con)
{
	return con->len + READ_MAX <= CONSOLE_MAX;
}

bool console_has_input(const struct console *con)
{
	return con->len && con->guest_fd >= 0;
}

/* Makes room for READ_MAX bytes more. */
static int grow(struct console *con)
{
	size_t size = con->size ? con->size : READ_MAX, head;
	char *buf;

	while (size < con->len + READ_MAX)
		size *= 2;
	if (size == con->size)
		return 0;
	buf = malloc(size);
	if (!buf)
		return -ENOMEM;
	head = con->size - con->begin;
	if (head > con->len)
		head = con->len;
	if (con->len) {
		memcpy(buf, con->buf + con->begin, head);
		memcpy(buf + head, con->buf, con->len - head);
	}
	free(con->buf);
	con->buf = buf;
	con->size = size;
	con->begin = 0;
	return 0;
}

unsigned console_read(struct console *con, int tty_fd)
{
	unsigned char in[READ_MAX];
	unsigned found = 0;
	ssize_t n, i;

	if (grow(con))
		return 0; /* the terminal keeps it; we come again */
	n = read(tty_fd, in, sizeof(in));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n <= 0)
		return CONSOLE_HANGUP;
	for (i = 0; i < n; i++) {
		unsigned char byte = in[i];

		switch (keys_feed(&con->keys, &byte)) {
		case KEYS_PASS:
			if (con->guest_fd < 0)
				break;
			con->buf[(con->begin + con->len) % con->size] =
				(char)byte;
			con->len++;
			break;
		case KEYS_SWALLOW: break;
		case KEYS_END: found |= CONSOLE_END; break;
		case KEYS_HELP: found |= CONSOLE_HELP; break;
		case KEYS_BREAK: found |= CONSOLE_BREAK; break;
		case KEYS_RESUME: found |= CONSOLE_RESUME; break;
		case KEYS_POWER: found |= CONSOLE_POWER; break;
		}
	}
	return found;
}

void console_flush(struct console *con)
{
	while (console_has_input(con)) {
		size_t chunk = con->size - con->begin;
		ssize_t n;

		if (chunk > con->len)
			chunk = con->len;
		n = write(con->guest_fd, con->buf + con->begin, chunk);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) {
			/* The VM is gone: so is who would have read it. */
			close(con->guest_fd);
			con->guest_fd = -1;
			con->len = 0;
			return;
		}
		con->begin = (con->begin + (size_t)n) % con->size;
		con->len -= (size_t)n;
	}
}
