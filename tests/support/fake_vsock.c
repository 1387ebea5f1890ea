// SPDX-License-Identifier: MIT
#include "fake_vsock.h"

#include <errno.h>
#include <string.h>

#include "core/base.h"
#include "core/loop.h"

static struct fake_stream *to_fake(struct vsock_stream *s)
{
	return container_of(s, struct fake_stream, stream);
}

static ssize_t fake_read(struct vsock_stream *s, struct iovec *iov,
			 unsigned count)
{
	struct fake_stream *fs = to_fake(s);
	size_t done = 0, n;
	unsigned i;

	if (fs->err)
		return fs->err;
	for (i = 0; i < count && fs->in_len > 0; i++) {
		n = iov[i].iov_len < fs->in_len ? iov[i].iov_len : fs->in_len;
		memcpy(iov[i].iov_base, fs->in, n);
		fs->in += n;
		fs->in_len -= n;
		done += n;
	}
	if (done == 0 && !fs->ended)
		return -EAGAIN;
	return (ssize_t)done;
}

static ssize_t fake_write(struct vsock_stream *s, const void *buf, size_t len)
{
	struct fake_stream *fs = to_fake(s);

	if (fs->err)
		return fs->err;
	if (len > fs->takes)
		len = fs->takes;
	if (len > sizeof(fs->out) - fs->out_len)
		len = sizeof(fs->out) - fs->out_len;
	if (len == 0)
		return -EAGAIN;
	memcpy(fs->out + fs->out_len, buf, len);
	fs->out_len += len;
	fs->takes -= len;
	return (ssize_t)len;
}

static void fake_accepted(struct vsock_stream *s, uint32_t host_port)
{
	to_fake(s)->port = host_port;
}

static void fake_shut(struct vsock_stream *s, bool reading, bool writing)
{
	to_fake(s)->shut_reading |= reading;
	to_fake(s)->shut_writing |= writing;
}

static void fake_want(struct vsock_stream *s, unsigned events)
{
	to_fake(s)->wants = events;
}

static void fake_free(struct vsock_stream *s)
{
	to_fake(s)->freed = true;
}

static struct fake_stream *new_stream(struct fake_vsock *fv)
{
	static const struct vsock_stream_ops ops = {
		.read = fake_read,
		.write = fake_write,
		.accepted = fake_accepted,
		.shut = fake_shut,
		.want = fake_want,
		.free = fake_free,
	};
	struct fake_stream *fs;
	unsigned i;

	for (i = 0; i < FAKE_STREAMS_MAX; i++)
		if (!fv->stream[i].used || fv->stream[i].freed)
			break;
	if (i == FAKE_STREAMS_MAX)
		return NULL;
	fs = &fv->stream[i];
	*fs = (struct fake_stream){ .stream.ops = &ops,
				    .used = true,
				    .takes = SIZE_MAX };
	return fs;
}

static void fake_attach(struct vsock_host *host, const struct vsock_front *front)
{
	container_of(host, struct fake_vsock, host)->front = *front;
}

static int fake_connect(struct vsock_host *host, uint32_t port,
			struct vsock_stream **ret_stream)
{
	struct fake_vsock *fv = container_of(host, struct fake_vsock, host);
	struct fake_stream *fs;

	if (port != fv->listening)
		return -ECONNREFUSED;
	fs = new_stream(fv);
	if (!fs)
		return -EAGAIN;
	fs->port = port;
	*ret_stream = &fs->stream;
	return 0;
}

static void fake_host_free(struct vsock_host *host)
{
	container_of(host, struct fake_vsock, host)->freed = true;
}

void fake_vsock_init(struct fake_vsock *fv)
{
	static const struct vsock_host_ops ops = {
		.attach = fake_attach,
		.connect = fake_connect,
		.free = fake_host_free,
	};

	memset(fv, 0, sizeof(*fv));
	fv->host.ops = &ops;
}

struct fake_stream *fake_vsock_connect(struct fake_vsock *fv, uint32_t port)
{
	struct fake_stream *fs = new_stream(fv);

	if (fs && fv->front.incoming(fv->front.opaque, &fs->stream, port))
		return fs;
	if (fs)
		fs->used = false;
	return NULL;
}

bool fake_stream_ready(struct fake_vsock *fv, struct fake_stream *fs)
{
	unsigned events = 0;

	if (fs->in_len > 0 || fs->ended || fs->err)
		events |= LOOP_IN;
	if (fs->takes > 0 || fs->err)
		events |= LOOP_OUT;
	events &= fs->wants;
	if (events && !fs->freed)
		fv->front.ready(fs->stream.opaque, events);
	return events != 0;
}
