// SPDX-License-Identifier: MIT
/*
 * Unix sockets as the host's side of the socket device.
 *
 * Of what a client sends first only the line is taken; what follows stays in the
 * socket, for the guest. A client that does not come to the point takes a place of
 * CLIENTS_MAX; when there is none left, others wait to be accepted.
 */
#include "backend/vsock_unix.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend/unix_socket.h"
#include "backend/vsock.h"
#include "core/base.h"
#include "core/loop.h"

#define CLIENTS_MAX 64
#define BACKLOG 64
#define LINE_MAX_LEN 32

struct vsock_unix {
	struct vsock_host host;
	struct loop *loop;
	struct vsock_front front;
	struct unix_listener listener;
	struct loop_watch *watch;
	struct unix_stream *client; /* those that have not come to the point */
	unsigned clients;
};

struct unix_stream {
	struct vsock_stream stream;
	struct vsock_unix *vu;
	int fd;
	struct loop_watch *watch;
	struct unix_stream *next; /* in vsock_unix.client */
	char line[LINE_MAX_LEN];  /* what it has said so far */
	size_t len;
};

static struct vsock_unix *to_unix(struct vsock_host *host)
{
	return container_of(host, struct vsock_unix, host);
}

static struct unix_stream *to_stream(struct vsock_stream *s)
{
	return container_of(s, struct unix_stream, stream);
}

/* ---- streams ------------------------------------------------------------ */

static ssize_t stream_read(struct vsock_stream *s, struct iovec *iov,
			   unsigned count)
{
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = count };
	ssize_t n;

	do {
		n = recvmsg(to_stream(s)->fd, &msg, MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static ssize_t stream_write(struct vsock_stream *s, const void *buf, size_t len)
{
	ssize_t n;

	do {
		n = send(to_stream(s)->fd, buf, len,
			 MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* Nothing has been written yet, so there is room. */
static void stream_accepted(struct vsock_stream *s, uint32_t host_port)
{
	char line[LINE_MAX_LEN];
	int len = snprintf(line, sizeof(line), "OK %u\n", host_port);

	(void)stream_write(s, line, (size_t)len);
}

static void stream_shut(struct vsock_stream *s, bool reading, bool writing)
{
	if (reading)
		shutdown(to_stream(s)->fd, SHUT_RD);
	if (writing)
		shutdown(to_stream(s)->fd, SHUT_WR);
}

static void stream_want(struct vsock_stream *s, unsigned events)
{
	struct unix_stream *us = to_stream(s);

	loop_watch_set(us->vu->loop, us->watch, events);
}

static void stream_free(struct vsock_stream *s)
{
	struct unix_stream *us = to_stream(s);

	loop_watch_free(us->vu->loop, us->watch);
	close(us->fd);
	free(us);
}

static const struct vsock_stream_ops stream_ops = {
	.read = stream_read,
	.write = stream_write,
	.accepted = stream_accepted,
	.shut = stream_shut,
	.want = stream_want,
	.free = stream_free,
};

static void on_stream(void *opaque, unsigned events);

/* Takes fd, which it closes if that fails. */
static int stream_new(struct vsock_unix *vu, int fd, unsigned events,
		      struct unix_stream **ret_stream)
{
	struct unix_stream *us = calloc(1, sizeof(*us));
	int r = us ? 0 : -ENOMEM;

	if (r == 0) {
		us->stream.ops = &stream_ops;
		us->vu = vu;
		us->fd = fd;
		r = loop_watch_new(vu->loop, fd, events, on_stream, us,
				   &us->watch);
	}
	if (r < 0) {
		close(fd);
		free(us);
		return r;
	}
	*ret_stream = us;
	return 0;
}

/* ---- those that connect to us ------------------------------------------- */

static void forget_client(struct unix_stream *us)
{
	struct vsock_unix *vu = us->vu;
	struct unix_stream **p;

	for (p = &vu->client; *p != us; p = &(*p)->next)
		;
	*p = us->next;
	if (vu->clients-- == CLIENTS_MAX)
		loop_watch_set(vu->loop, vu->watch, LOOP_IN);
}

/* "CONNECT 1234", without its end. */
static bool parse_line(const char *line, size_t len, uint32_t *ret_port)
{
	static const char word[] = "CONNECT ";
	const size_t word_len = sizeof(word) - 1;
	uint64_t port = 0;
	size_t i;

	if (len <= word_len || memcmp(line, word, word_len) != 0)
		return false;
	for (i = word_len; i < len; i++) {
		if (line[i] < '0' || line[i] > '9')
			return false;
		port = port * 10 + (uint64_t)(line[i] - '0');
		if (port > UINT32_MAX)
			return false;
	}
	*ret_port = (uint32_t)port;
	return true;
}

/* Returns 1: the line is there, without its end; 0: it is not yet; or -errno. */
static int read_line(struct unix_stream *us)
{
	size_t room = sizeof(us->line) - us->len;
	char *at = us->line + us->len, *end;
	ssize_t n = recv(us->fd, at, room, MSG_PEEK | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -EPROTO;
	end = memchr(at, '\n', (size_t)n);
	if (end)
		n = end + 1 - at;
	if (recv(us->fd, at, (size_t)n, MSG_DONTWAIT) != n)
		return -EPROTO;
	us->len += (size_t)n;
	if (!end)
		return us->len < sizeof(us->line) ? 0 : -EPROTO;
	us->len--;
	return 1;
}

static void on_line(struct unix_stream *us)
{
	struct vsock_unix *vu = us->vu;
	int r = read_line(us);
	uint32_t port = 0;

	if (r == 0)
		return;
	forget_client(us);
	if (r > 0 && parse_line(us->line, us->len, &port)) {
		stream_want(&us->stream, 0);
		if (vu->front.incoming(vu->front.opaque, &us->stream, port))
			return;
	}
	stream_free(&us->stream);
}

static void on_stream(void *opaque, unsigned events)
{
	struct unix_stream *us = opaque;

	if (us->stream.opaque)
		us->vu->front.ready(us->stream.opaque, events);
	else
		on_line(us);
}

static void on_client(void *opaque, unsigned events)
{
	struct vsock_unix *vu = opaque;
	struct unix_stream *us = NULL;
	int fd = unix_listener_accept(vu->listener.fd);

	if (fd < 0 || stream_new(vu, fd, LOOP_IN, &us) < 0)
		return;
	us->next = vu->client;
	vu->client = us;
	if (++vu->clients == CLIENTS_MAX)
		loop_watch_set(vu->loop, vu->watch, 0);
}

/* ---- the host ----------------------------------------------------------- */

static void unix_attach(struct vsock_host *host, const struct vsock_front *front)
{
	struct vsock_unix *vu = to_unix(host);

	vu->front = *front;
	loop_watch_set(vu->loop, vu->watch, LOOP_IN);
}

static int unix_connect(struct vsock_host *host, uint32_t port,
			struct vsock_stream **ret_stream)
{
	struct vsock_unix *vu = to_unix(host);
	char path[VSOCK_UNIX_PATH_MAX + 12];
	struct unix_stream *us = NULL;
	int fd, r;

	snprintf(path, sizeof(path), "%s_%u", vu->listener.path, port);
	fd = unix_socket_connect(path);
	if (fd < 0)
		return fd;
	r = stream_new(vu, fd, 0, &us);
	if (r == 0)
		*ret_stream = &us->stream;
	return r;
}

static void unix_free(struct vsock_host *host)
{
	struct vsock_unix *vu = to_unix(host);

	while (vu->client) {
		struct unix_stream *us = vu->client;

		vu->client = us->next;
		stream_free(&us->stream);
	}
	loop_watch_free(vu->loop, vu->watch);
	unix_listener_done(&vu->listener);
	free(vu);
}

static const struct vsock_host_ops unix_ops = {
	.attach = unix_attach,
	.connect = unix_connect,
	.free = unix_free,
};

int vsock_unix_new(struct loop *loop, const char *path,
		   struct vsock_host **ret_host)
{
	struct vsock_unix *vu;
	int r;

	if (strlen(path) > VSOCK_UNIX_PATH_MAX)
		return -ENAMETOOLONG;
	vu = calloc(1, sizeof(*vu));
	if (!vu)
		return -ENOMEM;
	vu->host.ops = &unix_ops;
	vu->loop = loop;
	vu->listener = (struct unix_listener)UNIX_LISTENER_INIT;
	r = unix_listener_init(&vu->listener, path, BACKLOG);
	if (r == 0)
		r = loop_watch_new(loop, vu->listener.fd, 0, on_client, vu,
				   &vu->watch);
	if (r < 0) {
		unix_free(&vu->host);
		return r;
	}
	*ret_host = &vu->host;
	return 0;
}
