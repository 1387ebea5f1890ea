// SPDX-License-Identifier: MIT
/*
 * O_NONBLOCK belongs to the open file description, which the shell and every
 * other process on the terminal share: to set it on stdout would make their
 * writes fail too. An open of /proc/self/fd/N makes a description of our own.
 */
#include "backend/fd_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

/* A pipe with POLLOUT takes PIPE_BUF; a terminal promises less. */
#define PIPE_PIECE 512
#define TTY_PIECE 64

static bool is_tty(int fd)
{
	struct termios t;

	return tcgetattr(fd, &t) == 0;
}

/* To open a pseudo terminal's master anew would make another terminal. */
static bool is_pty_master(int fd)
{
	unsigned n;

	return ioctl(fd, TIOCGPTN, &n) == 0;
}

/* Nobody else has a terminal's master, as its slaves, to change its flags. */
static bool never_blocks(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && (flags & O_NONBLOCK) && is_pty_master(fd);
}

static int open_anew(int fd)
{
	char path[32];
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -errno;
	/* Not a way to write where the caller himself could not. */
	if ((flags & O_ACCMODE) == O_RDONLY || is_pty_master(fd))
		return -EACCES;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int fd_sink_init(struct fd_sink *sink, int fd)
{
	enum fd_sink_kind kind = FD_SINK_WRITE;
	bool tty = is_tty(fd);
	struct stat st;
	int own = -1;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISSOCK(st.st_mode)) {
		kind = FD_SINK_SEND;
	} else if ((S_ISFIFO(st.st_mode) || tty) && !never_blocks(fd)) {
		own = open_anew(fd);
		if (own < 0)
			kind = FD_SINK_POLL;
	}
	/*
	 * A duplicate shares the description, as is wanted for a file's
	 * offset, and has a number of its own: one socket for input and output
	 * may be watched twice only under two numbers.
	 */
	if (own < 0)
		own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (own < 0)
		return -errno;
	*sink = (struct fd_sink){
		.kind = kind,
		.fd = own,
		.piece = tty ? TTY_PIECE : PIPE_PIECE,
	};
	return 0;
}

void fd_sink_done(struct fd_sink *sink)
{
	close(sink->fd);
}

static ssize_t write_once(struct fd_sink *sink, const uint8_t *buf, size_t len)
{
	struct pollfd p = { .fd = sink->fd, .events = POLLOUT };
	int r;

	if (sink->kind == FD_SINK_SEND)
		return send(sink->fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sink->kind == FD_SINK_POLL) {
		r = poll(&p, 1, 0);
		if (r == 0)
			errno = EAGAIN;
		if (r <= 0)
			return -1;
		if (len > sink->piece)
			len = sink->piece;
	}
	return write(sink->fd, buf, len);
}

ssize_t fd_sink_write(struct fd_sink *sink, const uint8_t *buf, size_t len)
{
	ssize_t n;

	do {
		n = write_once(sink, buf, len);
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		return -EAGAIN;
	if (n < 0)
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	return n;
}
