// SPDX-License-Identifier: MIT
/*
 * A tap by read() and write() on its queues, one descriptor each.
 *
 * A queue that the driver does not use is detached, so that the kernel spreads
 * flows over those that it does.
 */
#include "backend/net_tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend/net.h"
#include "core/base.h"

#define TUN_NODE "/dev/net/tun"

/* Linux 6.2 */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

struct tap_queue {
	struct net_tap *tap;
	unsigned index;
	int fd; /* -1: none */
	struct loop_watch *watch;
	pthread_mutex_t lock; /* of what follows */
	unsigned events;      /* that are waited for */
	bool detached;
};

struct net_tap {
	struct net net;
	struct loop *loop;
	void (*ready)(void *opaque, unsigned queue);
	void *opaque;
	bool multi_queue;
	struct tap_queue queue[NET_TAP_QUEUES_MAX];
};

static struct net_tap *to_tap(struct net *net)
{
	return container_of(net, struct net_tap, net);
}

/* ---- frames ------------------------------------------------------------- */

static void wait_for(struct tap_queue *q, unsigned event, bool on)
{
	unsigned events;

	pthread_mutex_lock(&q->lock);
	events = (q->events & ~event) | (on ? event : 0);
	if (events != q->events) {
		q->events = events;
		loop_watch_set(q->tap->loop, q->watch, events);
	}
	pthread_mutex_unlock(&q->lock);
}

/* Room to send is told once: there may be nobody any more who would use it. */
static void tap_ready(void *opaque, unsigned events)
{
	struct tap_queue *q = opaque;

	if (events & LOOP_OUT)
		wait_for(q, LOOP_OUT, false);
	q->tap->ready(q->tap->opaque, q->index);
}

static void tap_attach(struct net *net,
		       void (*ready)(void *opaque, unsigned queue), void *opaque)
{
	struct net_tap *tap = to_tap(net);

	tap->ready = ready;
	tap->opaque = opaque;
}

static void tap_listen(struct net *net, unsigned queue, bool on)
{
	wait_for(&to_tap(net)->queue[queue], LOOP_IN, on);
}

static ssize_t tap_receive(struct net *net, unsigned queue,
			   const struct iovec *iov, unsigned count)
{
	ssize_t r;

	do
		r = readv(to_tap(net)->queue[queue].fd, iov, (int)count);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r;
}

static int tap_send(struct net *net, unsigned queue, const struct iovec *iov,
		    unsigned count)
{
	struct tap_queue *q = &to_tap(net)->queue[queue];
	ssize_t r;

	do
		r = writev(q->fd, iov, (int)count);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		r = -errno;
	wait_for(q, LOOP_OUT, r == -EAGAIN);
	return r < 0 ? (int)r : 0;
}

/* ---- what the driver has agreed to -------------------------------------- */

static int set_offloads(const struct net_tap *tap,
			const struct net_offload *to_guest)
{
	unsigned long bits = (to_guest->csum ? TUN_F_CSUM : 0) |
			     (to_guest->tso4 ? TUN_F_TSO4 : 0) |
			     (to_guest->tso6 ? TUN_F_TSO6 : 0) |
			     (to_guest->ecn ? TUN_F_TSO_ECN : 0) |
			     (to_guest->ufo ? TUN_F_UFO : 0) |
			     (to_guest->uso ? TUN_F_USO4 | TUN_F_USO6 : 0);

	return ioctl(tap->queue[0].fd, TUNSETOFFLOAD, bits) < 0 ? -errno : 0;
}

static void set_detached(struct tap_queue *q, bool detached)
{
	struct ifreq ifr = { .ifr_flags = detached ? IFF_DETACH_QUEUE
						   : IFF_ATTACH_QUEUE };

	if (q->detached != detached && ioctl(q->fd, TUNSETQUEUE, &ifr) == 0)
		q->detached = detached;
}

static void tap_configure(struct net *net, const struct net_offload *to_guest,
			  unsigned queues)
{
	struct net_tap *tap = to_tap(net);
	unsigned i;

	/* Every one of them was accepted when the tap was opened. */
	(void)set_offloads(tap, to_guest);
	for (i = 0; tap->multi_queue && i < net->info.queues; i++)
		set_detached(&tap->queue[i], i >= queues);
}

static int tap_vhost_fd(struct net *net, unsigned queue)
{
	return to_tap(net)->queue[queue].fd;
}

static void tap_free(struct net *net)
{
	struct net_tap *tap = to_tap(net);
	unsigned i;

	for (i = 0; i < NET_TAP_QUEUES_MAX; i++) {
		loop_watch_free(tap->loop, tap->queue[i].watch);
		pthread_mutex_destroy(&tap->queue[i].lock);
		if (tap->queue[i].fd >= 0)
			close(tap->queue[i].fd);
	}
	free(tap);
}

static const struct net_ops tap_ops = {
	.attach = tap_attach,
	.listen = tap_listen,
	.receive = tap_receive,
	.send = tap_send,
	.configure = tap_configure,
	.vhost_fd = tap_vhost_fd,
	.free = tap_free,
};

/* ---- opening ------------------------------------------------------------ */

/* A question about an interface, which any socket answers. */
static int ask(const char *name, unsigned long request, struct ifreq *ifr)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0)
		return -errno;
	memset(ifr, 0, sizeof(*ifr));
	memcpy(ifr->ifr_name, name, strnlen(name, IFNAMSIZ - 1));
	r = ioctl(fd, request, ifr) < 0 ? -errno : 0;
	close(fd);
	return r;
}

static int open_node(int *ret_fd)
{
	*ret_fd = open(TUN_NODE, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (*ret_fd >= 0)
		return 0;
	switch (errno) {
	case EPERM: return -EACCES;
	/* The node is there, the module is not. */
	case ENODEV:
	case ENXIO: return -ENOENT;
	default: return -errno;
	}
}

static int attach_queue(int fd, const char *name, bool multi)
{
	struct ifreq ifr = {
		.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR |
				     (multi ? IFF_MULTI_QUEUE : 0)),
	};

	memcpy(ifr.ifr_name, name, strlen(name));
	return ioctl(fd, TUNSETIFF, &ifr) < 0 ? -errno : 0;
}

/*
 * The first queue. Whether a tap was made for several is learnt by asking: the
 * wrong flag is EINVAL, as is all that is no tap.
 */
static int open_first(struct net_tap *tap, const struct net_tap_config *config)
{
	const bool wanted = config->queues > 1;
	int fd = -1, r;

	r = open_node(&fd);
	if (r < 0)
		return r;
	tap->queue[0].fd = fd;
	tap->multi_queue = wanted;
	r = attach_queue(fd, config->name, wanted);
	if (r != -EINVAL)
		return r;
	tap->multi_queue = !wanted;
	r = attach_queue(fd, config->name, !wanted);
	if (r == -EINVAL)
		return -ENOTTY;
	return r == 0 && wanted && !config->fewer ? -ENOTUNIQ : r;
}

static int open_by_name(struct net_tap *tap, const struct net_tap_config *config)
{
	size_t len = strlen(config->name);
	struct ifreq ifr;
	unsigned i;
	int r;

	if (len == 0 || len > NET_TAP_NAME_MAX)
		return -ENAMETOOLONG;
	/* TUNSETIFF would make one, for whoever may. */
	r = ask(config->name, SIOCGIFINDEX, &ifr);
	if (r == 0)
		r = open_first(tap, config);
	if (r < 0)
		return r;
	tap->net.info.queues = tap->multi_queue ? config->queues : 1;
	for (i = 1; i < tap->net.info.queues && r == 0; i++) {
		r = open_node(&tap->queue[i].fd)
			    ?: attach_queue(tap->queue[i].fd, config->name,
					    true);
	}
	return r;
}

static int open_by_fd(struct net_tap *tap, int fd)
{
	struct ifreq ifr = { 0 };
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || (flags & O_ACCMODE) != O_RDWR)
		return -EBADF;
	if (ioctl(fd, TUNGETIFF, &ifr) < 0 || !(ifr.ifr_flags & IFF_TAP))
		return -ENOTTY;
	if (!(ifr.ifr_flags & IFF_VNET_HDR))
		return -EPROTONOSUPPORT;
	if (!(ifr.ifr_flags & IFF_NO_PI))
		return -EPROTONOSUPPORT;
	tap->queue[0].fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (tap->queue[0].fd < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	tap->net.info.queues = 1;
	return 0;
}

int net_tap_look(const struct net *net, char *ret_name, bool *ret_up)
{
	const struct net_tap *tap = container_of(net, const struct net_tap, net);
	struct ifreq ifr = { 0 };
	int r;

	if (ioctl(tap->queue[0].fd, TUNGETIFF, &ifr) < 0)
		return -errno;
	memcpy(ret_name, ifr.ifr_name, NET_TAP_NAME_MAX + 1);
	r = ask(ret_name, SIOCGIFFLAGS, &ifr);
	if (r == 0)
		*ret_up = ifr.ifr_flags & IFF_UP;
	return r;
}

/* What this kernel's taps can do; all of it off. */
static int find_offloads(struct net_tap *tap)
{
	struct net_offload all = { .csum = true,
				   .tso4 = true,
				   .tso6 = true,
				   .ecn = true,
				   .ufo = true,
				   .uso = true };

	if (set_offloads(tap, &all) < 0)
		all.uso = false;
	if (!all.uso && set_offloads(tap, &all) < 0)
		all.ufo = false;
	if (!all.ufo && set_offloads(tap, &all) < 0)
		all = (struct net_offload){ 0 };
	tap->net.info.from_guest = tap->net.info.to_guest = all;
	return set_offloads(tap, &(struct net_offload){ 0 });
}

static int prepare(struct net_tap *tap)
{
	char name[NET_TAP_NAME_MAX + 1];
	int header = NET_HEADER_LEN, r = 0;
	struct ifreq ifr = { 0 };
	unsigned i;
	bool up;

	for (i = 0; i < tap->net.info.queues; i++) {
		struct tap_queue *q = &tap->queue[i];

		if (ioctl(q->fd, TUNSETVNETHDRSZ, &header) < 0)
			return -errno;
		r = loop_watch_new(tap->loop, q->fd, 0, tap_ready, q, &q->watch);
		if (r < 0)
			return r;
	}
	r = find_offloads(tap);
	if (r < 0)
		return r;
	for (i = 1; i < tap->net.info.queues; i++)
		set_detached(&tap->queue[i], true);
	if (net_tap_look(&tap->net, name, &up) == 0 &&
	    ask(name, SIOCGIFMTU, &ifr) == 0 && ifr.ifr_mtu >= 68 &&
	    ifr.ifr_mtu <= UINT16_MAX) /* 5.1.4.1 */
		tap->net.info.mtu = (uint16_t)ifr.ifr_mtu;
	return 0;
}

int net_tap_new(const struct net_tap_config *config, struct net **ret_net)
{
	struct net_tap *tap;
	unsigned i;
	int r;

	if (config->queues < 1 || config->queues > NET_TAP_QUEUES_MAX)
		return -EINVAL;
	tap = calloc(1, sizeof(*tap));
	if (!tap)
		return -ENOMEM;
	tap->net.ops = &tap_ops;
	tap->net.info.vhost = true;
	tap->loop = config->loop;
	for (i = 0; i < NET_TAP_QUEUES_MAX; i++) {
		tap->queue[i] =
			(struct tap_queue){ .tap = tap, .index = i, .fd = -1 };
		pthread_mutex_init(&tap->queue[i].lock, NULL);
	}
	r = config->name ? open_by_name(tap, config)
			 : open_by_fd(tap, config->fd);
	if (r == 0)
		r = prepare(tap);
	if (r < 0) {
		net_free(&tap->net);
		return r;
	}
	*ret_net = &tap->net;
	return 0;
}
