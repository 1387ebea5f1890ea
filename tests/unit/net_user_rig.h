/* SPDX-License-Identifier: MIT */
/*
 * net_user_rig.h: a guest on a user network, as far as tests need one: it makes
 * frames by hand, and waits for those that come. The network's own thread runs; the
 * loop is under the test's hand.
 */
#ifndef TRAPMAP_TEST_NET_USER_RIG_H
#define TRAPMAP_TEST_NET_USER_RIG_H

#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "backend/net.h"
#include "backend/net_user.h"
#include "core/base.h"
#include "fake_loop.h"

#define GUEST_MAC "\x52\x54\x00\x00\x00\x01"
/* RFC 826, 791, 793, 768 */
#define ETH 14u
#define IP 20u
#define ARP_REQUEST 1
#define ARP_REPLY 2
#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_PSH 0x08
#define TCP_ACK 0x10

#define PATIENCE_MS 5000

static struct fake_loop fl;
static struct net *net;
static unsigned readies;
static char notice_text[256];
static unsigned notices_said;

static inline void on_net_ready(void *opaque, unsigned queue)
{
	assert_int_equal(queue, 0);
	readies++;
}

/* On the network's thread; the test looks once that has been joined. */
static inline void on_notice(void *opaque, const char *text)
{
	snprintf(notice_text, sizeof(notice_text), "%s", text);
	notices_said++;
}

/* Returns what net_user_new() does; 77 ends the test where there is no library. */
static inline int open_net(bool offline)
{
	const struct net_user_config config = {
		.loop = &fl.loop,
		.offline = offline,
		.notice = { .say = on_notice },
	};

	fake_loop_init(&fl, 0);
	readies = notices_said = 0;
	return net_user_new(&config, &net);
}

static inline void attach_net(void)
{
	static const struct net_offload csum = { .csum = true };

	net->ops->configure(net, &csum, 1);
	net->ops->attach(net, on_net_ready, NULL);
	net->ops->listen(net, 0, true);
}

static inline int setup_online(void **state)
{
	if (open_net(false) < 0)
		return -1;
	attach_net();
	return 0;
}

static inline int teardown_net(void **state)
{
	net = net_free(net);
	return 0;
}

/* Lets ready() be called, if it comes within that time. */
static inline bool await_ready(int ms)
{
	struct pollfd p = { .fd = fl.watch[0].fd, .events = POLLIN };

	if (poll(&p, 1, ms) != 1)
		return false;
	assert_int_equal(fake_loop_ready(&fl, p.fd, LOOP_IN), 1);
	return true;
}

static inline int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- frames out ---------------------------------------------------------- */

static uint8_t out[NET_HEADER_LEN + NET_FRAME_MAX + 1];
static uint8_t *const frame_out = out + NET_HEADER_LEN;

static inline void put_be16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void put_be32(uint8_t *p, uint32_t v)
{
	put_be16(p, v >> 16);
	put_be16(p + 2, v & 0xffff);
}

static inline unsigned get_be16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static inline uint32_t get_be32(const uint8_t *p)
{
	return (uint32_t)get_be16(p) << 16 | get_be16(p + 2);
}

/* RFC 1071, as it is written there; seed: what was summed before. */
static inline unsigned sum_be16(const uint8_t *p, size_t len, uint32_t seed)
{
	size_t i;

	for (i = 0; i < len; i++)
		seed += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	while (seed >> 16)
		seed = (seed & 0xffff) + (seed >> 16);
	return seed;
}

static inline int try_send(size_t len)
{
	/* In two spans, as guests do. */
	struct iovec iov[2] = { { out, NET_HEADER_LEN },
				{ frame_out, len } };

	return net->ops->send(net, 0, iov, 2);
}

static inline void send_frame(size_t len)
{
	int64_t until = now_ms() + PATIENCE_MS;
	int r;

	while ((r = try_send(len)) == -EAGAIN && now_ms() < until)
		await_ready(100);
	assert_int_equal(r, 0);
}

static inline void send_arp(unsigned op, uint32_t from, uint32_t to)
{
	memset(out, 0, NET_HEADER_LEN + 60);
	memset(frame_out, 0xff, 6);
	memcpy(frame_out + 6, GUEST_MAC, 6);
	put_be16(frame_out + 12, 0x0806);
	put_be16(frame_out + 14, 1);
	put_be16(frame_out + 16, 0x0800);
	frame_out[18] = 6;
	frame_out[19] = 4;
	put_be16(frame_out + 20, op);
	memcpy(frame_out + 22, GUEST_MAC, 6);
	put_be32(frame_out + 28, from);
	put_be32(frame_out + 38, to);
	send_frame(42);
}

/* What follows the IP header is at frame_out + ETH + IP already. */
static inline size_t make_ip(unsigned protocol, uint32_t from, uint32_t to,
			     size_t len)
{
	uint8_t *ip = frame_out + ETH;

	memset(out, 0, NET_HEADER_LEN);
	memcpy(frame_out, "\x52\x55\x0a\x00\x02\x02", 6);
	memcpy(frame_out + 6, GUEST_MAC, 6);
	put_be16(frame_out + 12, 0x0800);
	memset(ip, 0, IP);
	ip[0] = 0x45;
	put_be16(ip + 2, (unsigned)(IP + len));
	ip[8] = 64;
	ip[9] = (uint8_t)protocol;
	put_be32(ip + 12, from);
	put_be32(ip + 16, to);
	put_be16(ip + 10, ~sum_be16(ip, IP, 0) & 0xffff);
	return ETH + IP + len;
}

/* Over the pseudo-header alone: the rest is left to the device. */
static inline void leave_checksum(unsigned protocol, size_t len, unsigned offset)
{
	const uint8_t *ip = frame_out + ETH;
	unsigned sum = sum_be16(ip + 12, 8, protocol + (uint32_t)len);

	put_be16(frame_out + ETH + IP + offset, sum);
	out[0] = 1; /* VIRTIO_NET_HDR_F_NEEDS_CSUM */
	put_le16(out + 6, ETH + IP);
	put_le16(out + 8, (uint16_t)offset);
}

static inline void send_udp(uint32_t from, unsigned sport, uint32_t to,
			    unsigned dport, const void *data, size_t len)
{
	uint8_t *udp = frame_out + ETH + IP;

	put_be16(udp, sport);
	put_be16(udp + 2, dport);
	put_be16(udp + 4, (unsigned)(8 + len));
	put_be16(udp + 6, 0);
	memmove(udp + 8, data, len);
	len = make_ip(17, from, to, 8 + len);
	leave_checksum(17, len - ETH - IP, 6);
	send_frame(len);
}

/* ---- frames in ----------------------------------------------------------- */

static uint8_t in[NET_HEADER_LEN + NET_FRAME_MAX];
static uint8_t *const frame_in = in + NET_HEADER_LEN;

/* Without the header; -EAGAIN: none in that time. */
static inline ssize_t receive_frame(int ms)
{
	const struct iovec iov[2] = { { in, 7 }, { in + 7, sizeof(in) - 7 } };
	int64_t until = now_ms() + ms;
	ssize_t r;

	for (;;) {
		r = net->ops->receive(net, 0, iov, 2);
		if (r != -EAGAIN || now_ms() >= until)
			return r < 0 ? r : r - NET_HEADER_LEN;
		await_ready((int)(until - now_ms()) + 1);
	}
}

/*
 * The next frame of IPv4 with this protocol, answering for our address meanwhile.
 * Returns its length, or -EAGAIN.
 */
static inline ssize_t await_ip(unsigned protocol, int ms)
{
	int64_t until = now_ms() + ms;
	ssize_t r;

	for (;;) {
		r = receive_frame((int)(until - now_ms()));
		if (r < 0)
			return r;
		if (get_be16(frame_in + 12) == 0x0806 &&
		    get_be16(frame_in + 20) == ARP_REQUEST) {
			assert_int_equal(get_be32(frame_in + 38), 0x0a00020f);
			send_arp(ARP_REPLY, 0x0a00020f,
				 get_be32(frame_in + 28));
		} else if (get_be16(frame_in + 12) == 0x0800 &&
			   frame_in[ETH + 9] == protocol) {
			break;
		}
	}
	/* Its header's sum is right. */
	assert_int_equal(sum_be16(frame_in + ETH, IP, 0), 0xffff);
	return r;
}

/* ---- TCP ----------------------------------------------------------------- */

struct guest_tcp {
	unsigned sport, dport;
	uint32_t to;
	uint32_t seq; /* what we send next */
	uint32_t ack; /* what we expect next */
	uint8_t flags; /* of the last that came */
};

static inline void send_tcp(struct guest_tcp *t, unsigned flags,
			    const void *data, size_t len)
{
	uint8_t *tcp = frame_out + ETH + IP;

	memset(tcp, 0, 20);
	put_be16(tcp, t->sport);
	put_be16(tcp + 2, t->dport);
	put_be32(tcp + 4, t->seq);
	put_be32(tcp + 8, flags & TCP_ACK ? t->ack : 0);
	tcp[12] = 5 << 4;
	tcp[13] = (uint8_t)flags;
	put_be16(tcp + 14, 0xffff);
	if (len)
		memcpy(tcp + 20, data, len);
	t->seq += (uint32_t)len + (flags & (TCP_SYN | TCP_FIN) ? 1 : 0);
	len = make_ip(6, 0x0a00020f, t->to, 20 + len);
	leave_checksum(6, len - ETH - IP, 16);
	send_frame(len);
}

/*
 * The next segment for this connection; data that is in order is taken, to `to`.
 * Returns how much that was, or -EAGAIN.
 */
static inline ssize_t await_tcp(struct guest_tcp *t, uint8_t *to, int ms)
{
	const uint8_t *tcp = frame_in + ETH + IP;
	int64_t until = now_ms() + ms;
	size_t head, len;

	for (;;) {
		ssize_t r = await_ip(6, (int)(until - now_ms()));

		if (r < 0)
			return r;
		if (get_be16(tcp) == t->dport && get_be16(tcp + 2) == t->sport)
			break;
	}
	t->flags = tcp[13];
	head = 4u * (tcp[12] >> 4);
	len = get_be16(frame_in + ETH + 2) - IP - head;
	/* Without a seed of the pseudo-header this would pass by chance. */
	assert_int_equal(sum_be16(tcp, head + len,
				  sum_be16(frame_in + ETH + 12, 8,
					   6 + (uint32_t)(head + len))),
			 0xffff);
	if (t->flags & TCP_SYN) {
		t->ack = get_be32(tcp + 4) + 1;
		return 0;
	}
	if (get_be32(tcp + 4) != t->ack)
		return 0;
	if (len && to)
		memcpy(to, tcp + head, len);
	t->ack += (uint32_t)len + (t->flags & TCP_FIN ? 1 : 0);
	return (ssize_t)len;
}

/* Returns the flags of the answer; 0: none came. */
static inline unsigned connect_tcp(struct guest_tcp *t, unsigned sport,
				   uint32_t to, unsigned dport, int ms)
{
	*t = (struct guest_tcp){
		.sport = sport, .dport = dport, .to = to, .seq = 1000
	};
	send_tcp(t, TCP_SYN, NULL, 0);
	if (await_tcp(t, NULL, ms) < 0)
		return 0;
	if (t->flags & TCP_SYN)
		send_tcp(t, TCP_ACK, NULL, 0);
	return t->flags;
}

/* ---- the host's side ------------------------------------------------------ */

/* A socket on 127.0.0.1; 0 finds a port. */
static inline int host_socket(int type, unsigned port, unsigned *ret_port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 1024), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	*ret_port = ntohs(at.sin_port);
	return fd;
}

/* A port that nobody has. */
static inline unsigned free_port(int type)
{
	unsigned port = 0;

	close(host_socket(type, 0, &port));
	return port;
}

static inline int host_connect(int type, unsigned port)
{
	const struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)
	};
	int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		assert_int_equal(errno, EINPROGRESS);
	return fd;
}

static inline bool await_fd(int fd, short events, int ms)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, ms) == 1;
}

/* Whether this machine has the library; the reason why not, if not. */
static inline bool have_library(void)
{
	int r = open_net(false);

	if (r < 0) {
		printf("1..0 # SKIP %s\n",
		       r == -ENOSYS ? "built without user networks" :
				      "libslirp is not installed");
		return false;
	}
	teardown_net(NULL);
	return true;
}

#endif
