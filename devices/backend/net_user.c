// SPDX-License-Identifier: MIT
/*
 * A user network's side of the device. Frames for the guest wait in one ring, those
 * from it in another; a thread of its own has libslirp, so that no host that is slow
 * to answer holds the I/O thread.
 *
 * Checksums of what the guest sends are completed here, since libslirp looks at
 * them. It does not mind a segment that is longer than any frame, so a guest's
 * segmentation offload costs nothing. What it sends itself is right by construction,
 * and the guest is told so.
 *
 * Not there: IPv6, TFTP, SMB, guest addresses other than those of net_user.h. UDP of
 * the host's comes in frames of up to MTU bytes even to a driver that knows no MTU.
 * libslirp remembers the host's DNS server for all networks of a process without a
 * lock; they all would find the same one.
 */
#include "backend/net_user.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend/net_user_parts.h"
#include "core/base.h"
#include "core/loop.h"

/* The smallest frame of Ethernet; shorter ones are filled up. */
#define FRAME_MIN 60u

/*
 * Four segments in the 64 KiB that libslirp's TCP has under way (it does not scale
 * its window): as fast as one that fills it, and never waits for its acknowledgement.
 * A driver that takes no VIRTIO_NET_F_MTU has its own, which TCP is told of.
 */
#define MTU 16384

/* Descriptors that are waited for, at first. */
#define POLL_ROOM 16

/* Connections that wait for a busy guest to accept them. */
#define BACKLOG 128

static struct net_user *to_user(struct net *net)
{
	return container_of(net, struct net_user, net);
}

static void write_one(int fd)
{
	uint64_t one = 1;

	(void)!write(fd, &one, sizeof(one));
}

void net_user_wake(struct net_user *nu)
{
	if (atomic_exchange(&nu->asleep, false))
		write_one(nu->wake_fd);
}

void net_user_signal(struct net_user *nu)
{
	if (!atomic_exchange(&nu->signalled, true))
		write_one(nu->ready_fd);
}

/* On the loop's thread. Comes again while there is more, as of any descriptor. */
static void on_ready(void *opaque, unsigned events)
{
	struct net_user *nu = opaque;
	uint64_t count;

	(void)!read(nu->ready_fd, &count, sizeof(count));
	atomic_store(&nu->signalled, false);
	nu->ready(nu->opaque, 0);
	if (atomic_load(&nu->listening) && frame_ring_used(&nu->to_guest))
		net_user_signal(nu);
}

static void user_attach(struct net *net,
			void (*ready)(void *opaque, unsigned queue), void *opaque)
{
	struct net_user *nu = to_user(net);

	nu->ready = ready;
	nu->opaque = opaque;
	loop_watch_set(nu->loop, nu->watch, LOOP_IN);
	atomic_store(&nu->attached, true);
	net_user_wake(nu);
}

static void user_listen(struct net *net, unsigned queue, bool on)
{
	struct net_user *nu = to_user(net);

	atomic_store(&nu->listening, on);
	if (on && frame_ring_used(&nu->to_guest))
		net_user_signal(nu);
}

/* From byte `off` of the spans on; returns how many bytes there was room for. */
static size_t scatter(const struct iovec *iov, unsigned count, size_t off,
		      const uint8_t *buf, size_t len)
{
	size_t done = 0;
	unsigned i;

	for (i = 0; i < count && done < len; i++) {
		size_t n;

		if (off >= iov[i].iov_len) {
			off -= iov[i].iov_len;
			continue;
		}
		n = iov[i].iov_len - off;
		if (n > len - done)
			n = len - done;
		memcpy((uint8_t *)iov[i].iov_base + off, buf + done, n);
		done += n;
		off = 0;
	}
	return done;
}

static ssize_t user_receive(struct net *net, unsigned queue,
			    const struct iovec *iov, unsigned count)
{
	struct net_user *nu = to_user(net);
	uint8_t header[NET_HEADER_LEN] = { nu->valid ? NET_HDR_DATA_VALID : 0 };
	size_t len = 0;
	const uint8_t *frame = frame_ring_first(&nu->to_guest, &len);

	if (!frame)
		return -EAGAIN;
	scatter(iov, count, 0, header, sizeof(header));
	scatter(iov, count, sizeof(header), frame, len);
	frame_ring_drop(&nu->to_guest);
	if (atomic_load(&nu->crowded) &&
	    frame_ring_used(&nu->to_guest) <= NET_USER_DRAINED)
		net_user_wake(nu);
	return (ssize_t)(sizeof(header) + len);
}

static uint8_t *room_for(struct net_user *nu, size_t len)
{
	uint8_t *to = frame_ring_room(&nu->from_guest, len);

	if (to)
		return to;
	/* Pairs with the thread, which makes room and then looks at it. */
	atomic_store(&nu->full, true);
	return frame_ring_room(&nu->from_guest, len);
}

static int user_send(struct net *net, unsigned queue, const struct iovec *iov,
		     unsigned count)
{
	struct net_user *nu = to_user(net);
	size_t len = 0, padded, done = 0;
	uint8_t *to;
	unsigned i;

	for (i = 0; i < count; i++) {
		if (iov[i].iov_len > NET_HEADER_LEN + NET_FRAME_MAX - len)
			return -EMSGSIZE;
		len += iov[i].iov_len;
	}
	if (len < NET_HEADER_LEN)
		return -EINVAL;
	padded = len < NET_HEADER_LEN + FRAME_MIN ? NET_HEADER_LEN + FRAME_MIN :
						    len;
	to = room_for(nu, padded);
	if (!to)
		return -EAGAIN;
	for (i = 0; i < count; i++) {
		memcpy(to + done, iov[i].iov_base, iov[i].iov_len);
		done += iov[i].iov_len;
	}
	memset(to + done, 0, padded - done);
	frame_ring_put(&nu->from_guest, padded);
	net_user_wake(nu);
	return 0;
}

static void user_configure(struct net *net, const struct net_offload *to_guest,
			   unsigned queues)
{
	to_user(net)->valid = to_guest->csum;
}

static void user_free(struct net *net)
{
	struct net_user *nu = to_user(net);

	if (nu->running) {
		atomic_store(&nu->quit, true);
		net_user_wake(nu);
		pthread_join(nu->thread, NULL);
	}
	loop_watch_free(nu->loop, nu->watch);
	if (nu->slirp)
		nu->lib.cleanup(nu->slirp);
	slirp_lib_unload(&nu->lib);
	if (nu->ready_fd >= 0)
		close(nu->ready_fd);
	if (nu->wake_fd >= 0)
		close(nu->wake_fd);
	frame_ring_done(&nu->from_guest);
	frame_ring_done(&nu->to_guest);
	free(nu->poll);
	free(nu);
}

static const struct net_ops user_ops = {
	.attach = user_attach,
	.listen = user_listen,
	.receive = user_receive,
	.send = user_send,
	.configure = user_configure,
	.free = user_free,
};

static int make_stack(struct net_user *nu, bool offline)
{
	/* What the first version of the structure has is all that is used. */
	const SlirpConfig config = {
		.version = 1,
		.restricted = offline,
		.in_enabled = true,
		.vnetwork.s_addr = htonl(NET_USER_NETWORK),
		.vnetmask.s_addr = htonl(NET_USER_MASK),
		.vhost.s_addr = htonl(NET_USER_GATEWAY),
		.vnameserver.s_addr = htonl(NET_USER_DNS),
		.vdhcp_start.s_addr = htonl(NET_USER_GUEST),
		.vhostname = "trapmap",
		.if_mtu = MTU,
		.if_mru = MTU,
	};
	int r;

	r = slirp_lib_load(&nu->lib);
	if (r < 0)
		return r;
	nu->slirp = nu->lib.new_stack(&config, &net_user_callbacks, nu);
	return nu->slirp ? 0 : -ENOMEM;
}

/* With every signal blocked: a connection that breaks sends SIGPIPE. */
static int start_thread(struct net_user *nu)
{
	sigset_t all, old;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&nu->thread, NULL, net_user_thread, nu);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	nu->running = r == 0;
	return -r;
}

static int open_fds(struct net_user *nu)
{
	nu->poll = calloc(POLL_ROOM, sizeof(*nu->poll));
	if (!nu->poll)
		return -ENOMEM;
	nu->poll_room = POLL_ROOM;
	nu->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (nu->wake_fd < 0)
		return -errno;
	nu->ready_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return nu->ready_fd < 0 ? -errno : 0;
}

int net_user_new(const struct net_user_config *config, struct net **ret_net)
{
	struct net_user *nu = calloc(1, sizeof(*nu));
	int r;

	if (!nu)
		return -ENOMEM;
	nu->net.ops = &user_ops;
	nu->net.info = (struct net_info){
		.queues = 1,
		.from_guest = { .csum = true, .tso4 = true },
		.to_guest = { .csum = true },
		.mtu = MTU,
	};
	nu->loop = config->loop;
	nu->notice = config->notice;
	nu->wake_fd = nu->ready_fd = -1;
	r = make_stack(nu, config->offline) ?:
	    open_fds(nu) ?:
	    frame_ring_init(&nu->to_guest, NET_USER_RING) ?:
	    frame_ring_init(&nu->from_guest, NET_USER_RING) ?:
	    loop_watch_new(nu->loop, nu->ready_fd, 0, on_ready, nu,
			   &nu->watch) ?:
	    start_thread(nu);
	if (r < 0) {
		user_free(&nu->net);
		return r;
	}
	*ret_net = &nu->net;
	return 0;
}

/* libslirp listens for one connection at a time, and the next has to try again. */
static int widen(int fd, int events, void *opaque)
{
	int on = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on,
		       &(socklen_t){ sizeof(on) }) == 0 &&
	    on)
		(void)listen(fd, BACKLOG);
	return -1;
}

int net_user_forward(struct net *net, const struct net_user_forward *forward)
{
	const struct in_addr host = { .s_addr = htonl(forward->host_addr) };
	const struct in_addr guest = { .s_addr = htonl(forward->guest_addr) };
	struct net_user *nu = to_user(net);

	errno = 0;
	if (nu->lib.add_hostfwd(nu->slirp, forward->udp, host,
				forward->host_port, guest,
				forward->guest_port) < 0)
		return errno ? -errno : -EIO;
	nu->lib.pollfds_fill(nu->slirp, &(uint32_t){ 0 }, widen, NULL);
	return 0;
}
