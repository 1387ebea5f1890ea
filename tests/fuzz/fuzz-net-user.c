// SPDX-License-Identifier: MIT
/*
 * Frames of any content and cut into a user network, read or not, with libslirp
 * behind it if it is there. Offline, so that nothing leaves. What is looked for is
 * ours: that nothing hangs, that frames come out whole, and that no more of them wait
 * than there is room for.
 *
 * Each step is an op, a byte, a length and, for a frame, so many bytes.
 */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "backend/net.h"
#include "backend/net_user.h"
#include "core/base.h"
#include "fake_loop.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define WAITING_MAX 0x100000u

struct world {
	struct fake_loop fl;
	struct net *net;
	bool attached;
	size_t sent; /* since the last that was taken */
	uint8_t frame[NET_HEADER_LEN + NET_FRAME_MAX + 8];
};

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void on_ready(void *opaque, unsigned queue)
{
	check(queue == 0);
}

static void attach(struct world *w)
{
	if (!w->attached)
		w->net->ops->attach(w->net, on_ready, w);
	w->attached = true;
}

static void dispatch(struct world *w)
{
	struct pollfd p = { .fd = w->fl.watch[0].fd, .events = POLLIN };

	if (poll(&p, 1, 0) == 1)
		fake_loop_ready(&w->fl, p.fd, LOOP_IN);
}

static void send_frame(struct world *w, uint8_t op, uint8_t cut,
		       const uint8_t *data, size_t len)
{
	struct iovec iov[3] = { { w->frame, NET_HEADER_LEN } };
	size_t total = len;
	int r;

	memset(w->frame, 0, sizeof(w->frame));
	memcpy(w->frame, data, len < sizeof(w->frame) ? len : 0);
	/* A long one costs the fuzzer no bytes. */
	if (op & 0x80)
		total = sizeof(w->frame) - cut % 12;
	if (total < NET_HEADER_LEN)
		iov[0].iov_len = total;
	total -= iov[0].iov_len;
	iov[1] = (struct iovec){ w->frame + iov[0].iov_len,
				 cut < total ? cut : total };
	iov[2] = (struct iovec){ (uint8_t *)iov[1].iov_base + iov[1].iov_len,
				 total - iov[1].iov_len };
	r = w->net->ops->send(w->net, 0, iov, 3);
	check(r == 0 || r == -EAGAIN || r == -EINVAL || r == -EMSGSIZE);
	check((r == -EMSGSIZE) == (total > NET_FRAME_MAX));
	if (r == 0)
		w->sent += total;
	check(w->attached || w->sent <= WAITING_MAX);
}

static void receive(struct world *w, uint8_t room, size_t more)
{
	struct iovec iov[2] = { { w->frame, room },
				{ w->frame + room, more % NET_FRAME_MAX } };
	ssize_t r;

	memset(w->frame, 0xff, NET_HEADER_LEN);
	r = w->net->ops->receive(w->net, 0, iov, 2);
	check(r == -EAGAIN ||
	      (r > NET_HEADER_LEN + 13 && r <= NET_HEADER_LEN + NET_FRAME_MAX));
	/* DATA_VALID or nothing. */
	if (r > 0 && room)
		check((w->frame[0] & ~2) == 0);
}

/* Returns how much of data it has used. */
static size_t step(struct world *w, const uint8_t *data, size_t len)
{
	const struct net_offload csum = { .csum = data[1] & 1 };
	size_t n = get_le16(data + 2);

	len -= 4;
	switch (data[0] & 7) {
	case 4: receive(w, data[1], n); return 4;
	case 5: w->net->ops->listen(w->net, 0, data[1] & 1); return 4;
	case 6: w->net->ops->configure(w->net, &csum, 1); return 4;
	case 7:
		attach(w);
		dispatch(w);
		return 4;
	default:
		n = n < len ? n : len;
		send_frame(w, data[0], data[1], data + 4, n);
		return 4 + n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct world w;
	const struct net_user_config config = { .loop = &w.fl.loop,
						.offline = true };
	const struct net_user_forward any_port = {
		.host_addr = 0x7f000001,
		.guest_addr = NET_USER_GUEST,
		.guest_port = 80
	};
	size_t at = 1;

	memset(&w, 0, sizeof(w));
	fake_loop_init(&w.fl, 0);
	if (len == 0 || net_user_new(&config, &w.net) < 0)
		return 0;
	if (data[0] & 1)
		check(net_user_forward(w.net, &any_port) == 0);
	if (data[0] & 2)
		attach(&w);
	while (at + 4 <= len)
		at += step(&w, data + at, len - at);
	net_free(w.net);
	return 0;
}
