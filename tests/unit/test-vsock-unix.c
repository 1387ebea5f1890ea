// SPDX-License-Identifier: MIT
/* Unix sockets behind the socket device, with a front that remembers. */
#include "test.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backend/unix_socket.h"
#include "backend/vsock.h"
#include "backend/vsock_unix.h"
#include "fake_loop.h"

static struct fake_loop fl;
static struct vsock_host *host;
static char path[64];

static struct {
	struct vsock_stream *stream;
	uint32_t port;
	unsigned calls, readies;
	bool refuse;
} s;

static bool on_incoming(void *opaque, struct vsock_stream *stream, uint32_t port)
{
	s.calls++;
	s.port = port;
	if (s.refuse)
		return false;
	s.stream = stream;
	stream->opaque = &s;
	return true;
}

static void on_ready(void *opaque, unsigned events)
{
	s.readies++;
	s.stream->ops->want(s.stream, 0);
}

static int setup(void **state)
{
	const struct vsock_front front = { .incoming = on_incoming,
					   .ready = on_ready };

	fake_loop_init(&fl, 0);
	memset(&s, 0, sizeof(s));
	snprintf(path, sizeof(path), "/tmp/test-vsock-unix-%d", (int)getpid());
	assert_int_equal(vsock_unix_new(&fl.loop, path, &host), 0);
	host->ops->attach(host, &front);
	return 0;
}

static int teardown(void **state)
{
	unsigned i;

	if (s.stream)
		s.stream->ops->free(s.stream);
	host->ops->free(host);
	for (i = 0; i < FAKE_LOOP_MAX; i++)
		assert_false(fl.watch[i].used);
	assert_int_equal(access(path, F_OK), -1);
	return 0;
}

static void turn(void)
{
	struct pollfd p[FAKE_LOOP_MAX];
	unsigned i;

	for (;;) {
		for (i = 0; i < FAKE_LOOP_MAX; i++) {
			p[i] = (struct pollfd){ .fd = -1 };
			if (!fl.watch[i].used || !fl.watch[i].events)
				continue;
			p[i].fd = fl.watch[i].fd;
			p[i].events = fl.watch[i].events & LOOP_IN ? POLLIN
								   : POLLOUT;
		}
		if (poll(p, FAKE_LOOP_MAX, 10) <= 0)
			return;
		for (i = 0; i < FAKE_LOOP_MAX; i++)
			if (p[i].revents && fl.watch[i].used)
				fl.watch[i].ready(fl.watch[i].opaque,
						  fl.watch[i].events);
	}
}

static int call(const char *text)
{
	int fd = unix_socket_connect(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	turn();
	return fd;
}

static void a_client_says_where_it_wants_to(void **state)
{
	struct iovec iov;
	char buf[32];
	int fd = call("CONNECT 12");

	assert_int_equal(s.calls, 0);
	assert_int_equal(write(fd, "34\ndata", 7), 7);
	turn();
	assert_int_equal(s.calls, 1);
	assert_int_equal(s.port, 1234);
	s.stream->ops->accepted(s.stream, 1073741824);
	assert_int_equal(read(fd, buf, sizeof(buf)), 14);
	assert_memory_equal(buf, "OK 1073741824\n", 14);
	/* What came behind the line is the guest's. */
	iov = (struct iovec){ buf, sizeof(buf) };
	assert_int_equal(s.stream->ops->read(s.stream, &iov, 1), 4);
	assert_memory_equal(buf, "data", 4);
	assert_int_equal(s.stream->ops->read(s.stream, &iov, 1), -EAGAIN);
	s.stream->ops->want(s.stream, LOOP_IN);
	close(fd);
	turn();
	assert_int_equal(s.readies, 1);
	assert_int_equal(s.stream->ops->read(s.stream, &iov, 1), 0);
	assert_int_equal(s.stream->ops->write(s.stream, "x", 1), -EPIPE);
}

static void one_that_says_something_else_is_closed(void **state)
{
	static const char *const lines[] = {
		"\n",
		"CONNECT\n",
		"CONNECT \n",
		"connect 1\n",
		"CONNECT -1\n",
		"CONNECT 1 \n",
		"CONNECT 4294967296\n",
		"GET / HTTP/1.1\n",
		"CONNECT 00000000000000000000000000000000000000001\n",
	};
	unsigned i;
	char c;
	int fd;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		fd = call(lines[i]);
		/* At its end, or cut off with words unread. */
		assert_true(read(fd, &c, 1) <= 0 && errno != EAGAIN);
		close(fd);
	}
	assert_int_equal(s.calls, 0);
	close(unix_socket_connect(path));
	turn();
	s.refuse = true;
	fd = call("CONNECT 4294967295\n");
	assert_int_equal(s.calls, 1);
	assert_int_equal(s.port, 4294967295);
	assert_int_equal(read(fd, &c, 1), 0);
	close(fd);
}

static void the_guest_s_calls_go_to_the_path_and_the_port(void **state)
{
	struct unix_listener l = UNIX_LISTENER_INIT;
	struct vsock_stream *stream = NULL;
	char where[80], buf[4];
	int fd;

	assert_int_equal(host->ops->connect(host, 80, &stream), -ENOENT);
	snprintf(where, sizeof(where), "%s_80", path);
	assert_int_equal(unix_listener_init(&l, where, 1), 0);
	assert_int_equal(host->ops->connect(host, 80, &stream), 0);
	stream->opaque = &s;
	s.stream = stream;
	fd = unix_listener_accept(l.fd);
	assert_true(fd >= 0);
	assert_int_equal(stream->ops->write(stream, "hi", 2), 2);
	assert_int_equal(read(fd, buf, 4), 2);
	stream->ops->shut(stream, false, true);
	assert_int_equal(read(fd, buf, 4), 0);
	assert_int_equal(write(fd, "ok", 2), 2);
	close(fd);
	unix_listener_done(&l);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_client_says_where_it_wants_to),
		T(one_that_says_something_else_is_closed),
		T(the_guest_s_calls_go_to_the_path_and_the_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
