// SPDX-License-Identifier: MIT
/*
 * A tap of the host's own, and through it the host's own network: frames that are
 * sent to it, an answer of its kernel's. Where no tap can be made, that part is
 * skipped. All of it happens in a network namespace of the test's own.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend/net.h"
#include "backend/net_tap.h"
#include "core/base.h"
#include "fake_loop.h"
#include "test.h"

static struct fake_loop fl;
static struct {
	unsigned count, queue;
} readies;
static bool alone; /* in a namespace where taps can be made */

static void on_ready(void *opaque, unsigned queue)
{
	readies.count++;
	readies.queue = queue;
}

/* A tap that stays when its last user has gone. -1: that cannot be. */
static int make_tap(const char *name, int flags)
{
	struct ifreq ifr = { .ifr_flags = (short)flags };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -1;
	memcpy(ifr.ifr_name, name, strlen(name));
	if (ioctl(fd, TUNSETIFF, &ifr) < 0 || ioctl(fd, TUNSETPERSIST, 1) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static void configure(const char *name, unsigned long request, struct ifreq *ifr)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	memcpy(ifr->ifr_name, name, strlen(name) + 1);
	assert_int_equal(ioctl(fd, request, ifr), 0);
	close(fd);
}

static void address(const char *name, const char *text)
{
	struct ifreq ifr = { 0 };
	struct sockaddr_in *sin = (struct sockaddr_in *)(void *)&ifr.ifr_addr;

	sin->sin_family = AF_INET;
	inet_pton(AF_INET, text, &sin->sin_addr);
	configure(name, SIOCSIFADDR, &ifr);
	inet_pton(AF_INET, "255.255.255.0", &sin->sin_addr);
	configure(name, SIOCSIFNETMASK, &ifr);
	ifr.ifr_flags = IFF_UP;
	configure(name, SIOCSIFFLAGS, &ifr);
}

/* So that the next one may have the same address. */
static void retire(const char *name)
{
	struct ifreq ifr = { 0 };

	configure(name, SIOCSIFFLAGS, &ifr);
}

static struct net *open_tap(const char *name, unsigned queues, bool fewer)
{
	const struct net_tap_config config = {
		.loop = &fl.loop,
		.name = name,
		.fd = -1,
		.queues = queues,
		.fewer = fewer,
	};
	struct net *net = NULL;

	assert_int_equal(net_tap_new(&config, &net), 0);
	net->ops->attach(net, on_ready, NULL);
	return net;
}

static int refusal(const char *name, int fd, unsigned queues)
{
	const struct net_tap_config config = {
		.loop = &fl.loop, .name = name, .fd = fd, .queues = queues
	};
	struct net *net = NULL;
	int r = net_tap_new(&config, &net);

	assert_null(net);
	return r;
}

static int setup(void **state)
{
	fake_loop_init(&fl, 0);
	memset(&readies, 0, sizeof(readies));
	return 0;
}

#define NEEDS_TAP()                                                          \
	do {                                                                 \
		if (!alone) {                                                \
			print_message("no tap can be made here: skipped\n"); \
			skip();                                              \
		}                                                            \
	} while (0)

static void what_is_no_tap_is_refused(void **state)
{
	int fd = open("/dev/null", O_RDWR);

	assert_int_equal(refusal("", -1, 1), -ENAMETOOLONG);
	assert_int_equal(refusal("sixteen-letters-", -1, 1), -ENAMETOOLONG);
	assert_int_equal(refusal("no-such-tap", -1, 1), -ENODEV);
	assert_int_equal(refusal("lo", -1, 0), -EINVAL);
	assert_int_equal(refusal("lo", -1, 17), -EINVAL);
	assert_int_equal(refusal(NULL, fd, 1), -ENOTTY);
	assert_int_equal(refusal(NULL, -1, 1), -EBADF);
	close(fd);
	fd = open("/dev/null", O_RDONLY);
	assert_int_equal(refusal(NULL, fd, 1), -EBADF);
	close(fd);
}

static void each_obstacle_has_its_own_errno(void **state)
{
	struct net *net;
	int fd;

	NEEDS_TAP();
	assert_int_equal(refusal("lo", -1, 1), -ENOTTY);
	close(make_tap("tun-t", IFF_TUN | IFF_NO_PI));
	assert_int_equal(refusal("tun-t", -1, 1), -ENOTTY);
	fd = make_tap("busy-t", IFF_TAP | IFF_NO_PI);
	assert_int_equal(refusal("busy-t", -1, 1), -EBUSY);
	assert_int_equal(refusal(NULL, fd, 1), -EPROTONOSUPPORT);
	close(fd);
	assert_int_equal(refusal("busy-t", -1, 2), -ENOTUNIQ);
	net = open_tap("busy-t", 2, true);
	assert_int_equal(net->info.queues, 1);
	net_free(net);
	/* Nothing was made on the way. */
	assert_int_equal(refusal("no-such-tap", -1, 1), -ENODEV);
	fd = open("/dev/net/tun", O_RDWR);
	assert_int_equal(refusal(NULL, fd, 1), -ENOTTY); /* nothing behind it */
	close(fd);
}

static void it_says_what_it_can_do(void **state)
{
	struct ifreq ifr = { .ifr_mtu = 4000 };
	char name[NET_TAP_NAME_MAX + 1];
	struct net *net;
	bool up;

	NEEDS_TAP();
	close(make_tap("can-t", IFF_TAP | IFF_NO_PI));
	configure("can-t", SIOCSIFMTU, &ifr);
	net = open_tap("can-t", 1, false);
	assert_int_equal(net->info.mtu, 4000);
	assert_true(net->info.vhost);
	assert_true(net->ops->vhost_fd(net, 0) >= 0);
	assert_true(net->info.to_guest.csum && net->info.to_guest.tso4 &&
		    net->info.from_guest.tso6);
	assert_int_equal(net_tap_look(net, name, &up), 0);
	assert_string_equal(name, "can-t");
	assert_false(up);
	address("can-t", "10.123.1.1");
	assert_int_equal(net_tap_look(net, name, &up), 0);
	assert_true(up);
	net_free(net);
}

static const uint8_t guest_mac[6] = { 0x52, 0x54, 0, 1, 2, 3 };

/* Who has 10.123.2.1? */
static void send_question(struct net *net, unsigned queue)
{
	uint8_t header[12] = { 0 };
	uint8_t arp[42] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0,
			    0,	  0,	0,    8,    6,	  0,	1, 8, 0,
			    6,	  4,	0,    1,    0,	  0,	0, 0, 0,
			    0,	  10,	123,  2,    2,	  0,	0, 0, 0,
			    0,	  0,	10,   123,  2,	  1 };
	const struct iovec iov[] = { { header, 12 },
				     { arp, 20 },
				     { arp + 20, 22 } };

	memcpy(arp + 6, guest_mac, 6);
	memcpy(arp + 22, guest_mac, 6);
	assert_int_equal(net->ops->send(net, queue, iov, 3), 0);
}

static bool is_answer(const uint8_t *frame, ssize_t len)
{
	return len >= 12 + 42 && memcmp(frame, guest_mac, 6) == 0 &&
	       frame[12] == 8 && frame[13] == 6 && frame[21] == 2;
}

/*
 * Asks until there is an answer on any queue; other frames pass by. An interface
 * that has just come up loses what is sent at first.
 */
static bool is_answered(struct net *net, unsigned queue, unsigned queues)
{
	uint8_t buf[2000];
	const struct iovec iov[] = { { buf, 12 }, { buf + 12, 1988 } };
	unsigned tries, i;
	ssize_t r;

	for (tries = 0; tries < 500; tries++) {
		if (tries % 10 == 0)
			send_question(net, queue);
		for (i = 0; i < queues; i++) {
			r = net->ops->receive(net, i, iov, 2);
			if (is_answer(buf + 12, r))
				return true;
			assert_true(r > 0 || r == -EAGAIN);
		}
		usleep(10000);
	}
	return false;
}

static void frames_go_both_ways(void **state)
{
	struct net *net;

	NEEDS_TAP();
	close(make_tap("go-t", IFF_TAP | IFF_NO_PI));
	address("go-t", "10.123.2.1");
	net = open_tap("go-t", 1, false);
	assert_true(is_answered(net, 0, 1));
	/* Who does not listen is not woken. */
	assert_int_equal(
		fake_loop_ready(&fl, net->ops->vhost_fd(net, 0), LOOP_IN), 0);
	net->ops->listen(net, 0, true);
	assert_int_equal(
		fake_loop_ready(&fl, net->ops->vhost_fd(net, 0), LOOP_IN), 1);
	assert_int_equal(readies.count, 1);
	net->ops->listen(net, 0, false);
	assert_int_equal(
		fake_loop_ready(&fl, net->ops->vhost_fd(net, 0), LOOP_IN), 0);
	net_free(net);
	retire("go-t");
}

static void a_descriptor_does_as_well(void **state)
{
	struct net *net = NULL;
	struct net_tap_config config = { .loop = &fl.loop, .queues = 1 };

	NEEDS_TAP();
	config.fd = make_tap("fd-t", IFF_TAP | IFF_NO_PI | IFF_VNET_HDR);
	assert_int_equal(net_tap_new(&config, &net), 0);
	net->ops->attach(net, on_ready, NULL);
	close(config.fd);
	address("fd-t", "10.123.2.1");
	assert_true(is_answered(net, 0, 1));
	retire("fd-t");
	net_free(net);
}

static void several_queues_are_used_as_agreed(void **state)
{
	static const struct net_offload none = { .csum = false };
	static const unsigned pairs[] = { 1, 3, 2, 1, 3 };
	struct net *net;
	unsigned i, q;

	NEEDS_TAP();
	close(make_tap("mq-t", IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE));
	address("mq-t", "10.123.2.1");
	net = open_tap("mq-t", 3, false);
	assert_int_equal(net->info.queues, 3);
	for (i = 0; i < ARRAY_SIZE(pairs); i++) {
		net->ops->configure(net, &none, pairs[i]);
		for (q = 0; q < pairs[i]; q++) {
			assert_true(is_answered(net, q, pairs[i]));
		}
	}
	net_free(net);
	/* And one of them, though it was made for more. */
	net = open_tap("mq-t", 1, false);
	assert_int_equal(net->info.queues, 1);
	assert_true(is_answered(net, 0, 1));
	net_free(net);
	retire("mq-t");
}

/* A checksum that is left to the host arrives as it should be. */
static void offloads_are_those_agreed_to(void **state)
{
	static const struct net_offload with = { .csum = true, .tso4 = true };
	static const struct net_offload without = { .csum = false };
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(9),
				  .sin_addr.s_addr = htonl(0x0a7b0202) };
	unsigned on;

	NEEDS_TAP();
	close(make_tap("off-t", IFF_TAP | IFF_NO_PI));
	address("off-t", "10.123.2.1");
	for (on = 0; on < 2; on++) {
		struct net *net = open_tap("off-t", 1, false);
		int fd = socket(AF_INET, SOCK_DGRAM, 0), tries = 0;
		uint8_t buf[2000] = { 0 };
		const struct iovec iov = { buf, sizeof(buf) };
		ssize_t r;

		net->ops->configure(net, on ? &with : &without, 1);
		/* So that the host knows where 10.123.2.2 is. */
		assert_true(is_answered(net, 0, 1));
		assert_int_equal(sendto(fd, "hello", 5, 0,
					(struct sockaddr *)(void *)&to,
					sizeof(to)),
				 5);
		do {
			r = net->ops->receive(net, 0, &iov, 1);
			if (r == -EAGAIN)
				usleep(10000);
		} while (tries++ < 200 &&
			 (r < 12 + 34 || buf[12 + 23] != IPPROTO_UDP ||
			  buf[12 + 36] != 0 || buf[12 + 37] != 9));
		assert_in_range(tries, 1, 200);
		assert_int_equal(buf[0] & 1, on); /* NEEDS_CSUM */
		close(fd);
		net_free(net);
	}
}

/*
 * Asked for at each EAGAIN anew: of a device that was reset meanwhile nobody sends
 * again. A socket that nobody reads from stands for a tap that takes no more.
 */
static void room_to_send_is_told_once(void **state)
{
	uint8_t frame[12 + 60] = { 0 };
	const struct iovec iov[] = { { frame, 12 }, { frame + 12, 60 } };
	int pair[2], fd, i, r = 0;
	struct net *net;

	NEEDS_TAP();
	close(make_tap("full-t", IFF_TAP | IFF_NO_PI));
	net = open_tap("full-t", 1, false);
	fd = net->ops->vhost_fd(net, 0);
	assert_int_equal(socketpair(AF_UNIX,
				    SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC,
				    0, pair),
			 0);
	assert_int_equal(dup2(pair[0], fd), fd);
	for (i = 0; i < 100000 && r == 0; i++)
		r = net->ops->send(net, 0, iov, 2);
	for (i = 1; i <= 2; i++) {
		assert_int_equal(net->ops->send(net, 0, iov, 2), -EAGAIN);
		assert_int_equal(fake_loop_ready(&fl, fd, LOOP_OUT), 1);
		assert_int_equal(fake_loop_ready(&fl, fd, LOOP_OUT), 0);
		assert_int_equal(readies.count, i);
	}
	/* What comes in is another matter. */
	net->ops->listen(net, 0, true);
	assert_int_equal(net->ops->send(net, 0, iov, 2), -EAGAIN);
	assert_int_equal(fake_loop_ready(&fl, fd, LOOP_OUT), 1);
	assert_int_equal(fake_loop_ready(&fl, fd, LOOP_IN), 1);
	assert_int_equal(fake_loop_ready(&fl, fd, LOOP_IN), 1);
	net_free(net);
	close(pair[0]);
	close(pair[1]);
	retire("full-t");
}

#define T(fn) cmocka_unit_test_setup(fn, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_is_no_tap_is_refused),
		T(each_obstacle_has_its_own_errno),
		T(it_says_what_it_can_do),
		T(room_to_send_is_told_once),
		T(frames_go_both_ways),
		T(a_descriptor_does_as_well),
		T(several_queues_are_used_as_agreed),
		T(offloads_are_those_agreed_to),
	};

	/* Elsewhere it would disturb, and be disturbed. */
	if (unshare(CLONE_NEWNET) == 0 ||
	    unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0) {
		int fd = make_tap("try-t", IFF_TAP | IFF_NO_PI);

		alone = fd >= 0;
		if (alone)
			close(fd);
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
