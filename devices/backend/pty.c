// SPDX-License-Identifier: MIT
/*
 * The other side keeps its settings while the master is open, whoever opens and
 * closes it, so they are made once. That it is closed shows at the master as a
 * hang-up, but only once it has been open.
 */
#include "backend/pty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* Not by its path, which may lead elsewhere where namespaces differ. */
static int open_peer(int master)
{
	int fd = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int make_raw(int master)
{
	struct termios t;
	int fd = open_peer(master), r = 0;

	if (fd < 0)
		return fd;
	if (tcgetattr(fd, &t) < 0) {
		r = -errno;
	} else {
		cfmakeraw(&t);
		if (tcsetattr(fd, TCSANOW, &t) < 0)
			r = -errno;
	}
	close(fd);
	return r;
}

int pty_open(char name[PTY_NAME_MAX])
{
	int fd = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	int r;

	if (fd < 0)
		return -errno;
	/* grantpt() has nothing to do where devpts is mounted as it must be. */
	if (unlockpt(fd) < 0)
		r = -errno;
	else
		r = -ptsname_r(fd, name, PTY_NAME_MAX);
	if (r == 0)
		r = make_raw(fd);
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

static short state(int master)
{
	struct pollfd p = { .fd = master, .events = POLLIN };

	return poll(&p, 1, 0) > 0 ? p.revents : 0;
}

bool pty_has_peer(int master)
{
	return !(state(master) & POLLHUP);
}

bool pty_has_input(int master)
{
	return state(master) & POLLIN;
}

size_t pty_unread(int master)
{
	struct pollfd p = { .fd = open_peer(master), .events = POLLIN };
	int fd = p.fd, n = 0;

	if (fd < 0)
		return 0;
	/* What is on its way to the other side counts only once it is there. */
	poll(&p, 1, 0);
	if (ioctl(fd, FIONREAD, &n) < 0)
		n = 0;
	close(fd);
	return n > 0 ? (size_t)n : 0;
}
