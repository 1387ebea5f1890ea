// SPDX-License-Identifier: MIT
#include "fake_net.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"

static struct fake_net *to_fake(struct net *net)
{
	return container_of(net, struct fake_net, net);
}

static void check(bool ok)
{
	if (!ok)
		abort();
}

static struct fake_net_frame frame_new(size_t len)
{
	struct fake_net_frame frame = { .bytes = malloc(len), .len = len };

	check(frame.bytes != NULL);
	return frame;
}

static void fake_attach(struct net *net,
			void (*ready)(void *opaque, unsigned queue),
			void *opaque)
{
	check(!to_fake(net)->ready);
	to_fake(net)->ready = ready;
	to_fake(net)->opaque = opaque;
}

static void fake_listen(struct net *net, unsigned queue, bool on)
{
	struct fake_net *fn = to_fake(net);

	check(queue < net->info.queues && (!on || queue < fn->pairs));
	fn->pair[queue].listening = on;
	fn->listens++;
}

static ssize_t fake_receive(struct net *net, unsigned queue,
			    const struct iovec *iov, unsigned count)
{
	struct fake_net *fn = to_fake(net);
	struct fake_net_pair *pair = &fn->pair[queue];
	struct fake_net_frame frame;
	size_t off = 0, n;
	unsigned i;

	check(queue < fn->pairs && count > 0 && count <= 1024);
	fn->receives++;
	fn->direct = count;
	if (fn->receive_error)
		return fn->receive_error;
	if (pair->in_count == 0)
		return -EAGAIN;
	frame = pair->in[pair->in_first];
	pair->in_first = (pair->in_first + 1) % FAKE_NET_FRAMES;
	pair->in_count--;
	for (i = 0; i < count && off < frame.len; i++) {
		n = frame.len - off;
		if (n > iov[i].iov_len)
			n = iov[i].iov_len;
		memcpy(iov[i].iov_base, frame.bytes + off, n);
		off += n;
	}
	/* There is always room for what a frame may be. */
	check(off == frame.len || frame.len > NET_HEADER_LEN + NET_FRAME_MAX);
	free(frame.bytes);
	return (ssize_t)frame.len;
}

/* What the contract promises of a header. */
static void check_header(const struct net_offload *from, const uint8_t *h,
			 size_t len)
{
	unsigned type = h[1] & 0x7f;

	check(h[0] <= 1 && get_le16(h + 10) == 0);
	check(!h[0] ||
	      (from->csum && get_le16(h + 6) + get_le16(h + 8) + 2u <= len));
	check(type == 0 || (h[0] && get_le16(h + 4) > 0));
	check(get_le16(h + 2) <= len);
	check(!(h[1] & 0x80) || (from->ecn && (type == 1 || type == 4)));
	check(type == 0 || (type == 1 && from->tso4) ||
	      (type == 4 && from->tso6) || (type == 3 && from->ufo) ||
	      (type == 5 && from->uso));
}

static int fake_send(struct net *net, unsigned queue, const struct iovec *iov,
		     unsigned count)
{
	struct fake_net *fn = to_fake(net);
	struct fake_net_frame frame;
	size_t len = 0, off = 0;
	unsigned i;

	check(queue < fn->pairs && count >= 2 && count <= 1024);
	check(iov[0].iov_len == NET_HEADER_LEN);
	for (i = 1; i < count; i++)
		len += iov[i].iov_len;
	check(len >= 14 && len <= NET_FRAME_MAX);
	check_header(&net->info.from_guest, iov[0].iov_base, len);
	fn->sends++;
	if (fn->send_error)
		return fn->send_error;
	if (fn->sent_count == FAKE_NET_FRAMES)
		fake_net_forget_sent(fn);
	frame = frame_new(NET_HEADER_LEN + len);
	for (i = 0; i < count; i++) {
		memcpy(frame.bytes + off, iov[i].iov_base, iov[i].iov_len);
		off += iov[i].iov_len;
	}
	frame.spans = count;
	fn->sent[fn->sent_count++] = frame;
	fn->sent_pair = queue;
	return 0;
}

static void fake_configure(struct net *net, const struct net_offload *to_guest,
			   unsigned queues)
{
	struct fake_net *fn = to_fake(net);

	check(queues > 0 && queues <= net->info.queues);
	fn->to_guest = *to_guest;
	fn->pairs = queues;
	fn->configures++;
}

static int fake_vhost_fd(struct net *net, unsigned queue)
{
	return 1000 + (int)queue;
}

static void fake_free(struct net *net)
{
	to_fake(net)->freed++;
}

static const struct net_ops fake_ops = {
	.attach = fake_attach,
	.listen = fake_listen,
	.receive = fake_receive,
	.send = fake_send,
	.configure = fake_configure,
	.vhost_fd = fake_vhost_fd,
	.free = fake_free,
};

void fake_net_init(struct fake_net *fn)
{
	const struct net_offload all = { true, true, true, true, true, true };

	memset(fn, 0, sizeof(*fn));
	fn->net.ops = &fake_ops;
	fn->net.info.queues = FAKE_NET_PAIRS;
	fn->net.info.from_guest = fn->net.info.to_guest = all;
	fn->net.info.vhost = true;
}

void fake_net_done(struct fake_net *fn)
{
	unsigned i;

	for (i = 0; i < FAKE_NET_PAIRS; i++) {
		struct fake_net_pair *pair = &fn->pair[i];

		for (; pair->in_count > 0; pair->in_count--) {
			free(pair->in[pair->in_first].bytes);
			pair->in_first = (pair->in_first + 1) % FAKE_NET_FRAMES;
		}
	}
	fake_net_forget_sent(fn);
}

void fake_net_forget_sent(struct fake_net *fn)
{
	while (fn->sent_count > 0)
		free(fn->sent[--fn->sent_count].bytes);
}

void fake_net_put_bytes(struct fake_net *fn, unsigned pair,
			const uint8_t header[NET_HEADER_LEN], const void *bytes,
			size_t len)
{
	struct fake_net_pair *p = &fn->pair[pair];
	struct fake_net_frame frame = frame_new(NET_HEADER_LEN + len);

	check(p->in_count < FAKE_NET_FRAMES);
	memcpy(frame.bytes, header, NET_HEADER_LEN);
	memcpy(frame.bytes + NET_HEADER_LEN, bytes, len);
	p->in[(p->in_first + p->in_count++) % FAKE_NET_FRAMES] = frame;
}

void fake_net_put(struct fake_net *fn, unsigned pair, uint8_t first, size_t len)
{
	const uint8_t header[NET_HEADER_LEN] = { 0 };
	uint8_t *bytes = malloc(len + 1);
	size_t i;

	check(bytes != NULL);
	for (i = 0; i < len; i++)
		bytes[i] = (uint8_t)(first + i);
	fake_net_put_bytes(fn, pair, header, bytes, len);
	free(bytes);
}

unsigned fake_net_waiting(const struct fake_net *fn, unsigned pair)
{
	return fn->pair[pair].in_count;
}

bool fake_net_ready(struct fake_net *fn, unsigned pair)
{
	if (!fn->pair[pair].listening || fn->pair[pair].in_count == 0)
		return false;
	fn->ready(fn->opaque, pair);
	return true;
}
