// SPDX-License-Identifier: MIT
/*
 * socket.c: between stdin and stdout and a socket, for guests and hosts of the lab,
 * whose busybox knows no vsock.
 *
 *	lab-socket connect ADDRESS	an ADDRESS is vsock:CID:PORT, unix:PATH, or
 *	lab-socket listen ADDRESS	unix:PATH:PORT: a socket of the monitor's, of
 *					which PORT is asked for (connect only)
 *
 * Listens for one connection. The end of stdin is passed on as a half-close; when
 * the other side has ended too, it is over. Tries to connect for ten seconds.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

union address {
	struct sockaddr any;
	struct sockaddr_un un;
	struct sockaddr_vm vm;
};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* Returns the address's length; *ret_port: what to ask the monitor for, or 0. */
static socklen_t parse(char *text, union address *to, const char **ret_port)
{
	unsigned cid, port;
	char *colon;

	memset(to, 0, sizeof(*to));
	*ret_port = NULL;
	if (sscanf(text, "vsock:%u:%u", &cid, &port) == 2) {
		to->vm.svm_family = AF_VSOCK;
		to->vm.svm_cid = cid;
		to->vm.svm_port = port;
		return sizeof(to->vm);
	}
	if (strncmp(text, "unix:", 5) != 0) {
		fprintf(stderr, "lab-socket: what address is '%s'?\n", text);
		exit(2);
	}
	text += 5;
	colon = strchr(text, ':');
	if (colon) {
		*colon = '\0';
		*ret_port = colon + 1;
	}
	to->un.sun_family = AF_UNIX;
	strncpy(to->un.sun_path, text, sizeof(to->un.sun_path) - 1);
	return sizeof(to->un);
}

static int listen_at(const union address *at, socklen_t len)
{
	int fd = socket(at->any.sa_family, SOCK_STREAM, 0), client;

	if (fd < 0 || bind(fd, &at->any, len) || listen(fd, 1))
		fail("lab-socket: listen");
	client = accept(fd, NULL, NULL);
	if (client < 0)
		fail("lab-socket: accept");
	close(fd);
	return client;
}

/* The monitor's "OK PORT", or nothing where the guest has refused. */
static int agreed(int fd, const char *port)
{
	char line[32];
	size_t n;

	n = (size_t)snprintf(line, sizeof(line), "CONNECT %s\n", port);
	if (write(fd, line, n) != (ssize_t)n)
		return 0;
	for (n = 0; n < sizeof(line) && read(fd, line + n, 1) == 1; n++)
		if (line[n] == '\n')
			return !strncmp(line, "OK ", 3);
	return 0;
}

static int connect_to(const union address *to, socklen_t len, const char *port)
{
	int tries, fd;

	for (tries = 0; tries < 100; tries++) {
		fd = socket(to->any.sa_family, SOCK_STREAM, 0);
		if (fd < 0)
			fail("lab-socket: socket");
		if (!connect(fd, &to->any, len) && (!port || agreed(fd, port)))
			return fd;
		close(fd);
		usleep(100000);
	}
	fail("lab-socket: connect");
	return -1;
}

/* Returns 0 at the end of what `from` has. */
static int copy(int from, int to)
{
	char buf[65536], *p = buf;
	ssize_t n = read(from, buf, sizeof(buf)), done;

	for (; n > 0; n -= done, p += done) {
		done = write(to, p, (size_t)n);
		if (done < 0)
			fail("lab-socket: write");
	}
	return p > buf;
}

int main(int argc, char **argv)
{
	struct pollfd p[2] = { { .fd = 0, .events = POLLIN },
			       { .events = POLLIN } };
	union address address;
	const char *port;
	socklen_t len;

	if (argc != 3) {
		fprintf(stderr, "usage: lab-socket connect|listen ADDRESS\n");
		return 2;
	}
	len = parse(argv[2], &address, &port);
	p[1].fd = strcmp(argv[1], "listen") ? connect_to(&address, len, port) :
					      listen_at(&address, len);
	while (p[0].fd >= 0 || p[1].fd >= 0) { /* poll() passes over -1 */
		if (poll(p, 2, -1) < 0)
			fail("lab-socket: poll");
		if (p[0].revents && !copy(0, p[1].fd)) {
			shutdown(p[1].fd, SHUT_WR);
			p[0].fd = -1;
		}
		if (p[1].revents && !copy(p[1].fd, 1))
			p[1].fd = -1;
	}
	return 0;
}
