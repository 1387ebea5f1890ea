// SPDX-License-Identifier: MIT
/* A user network: connections out of the guest and into it, and where they end. */
#include "net_user_rig.h"

#include <dirent.h>
#include <sys/resource.h>

#define GATEWAY 0x0a000202u
#define GUEST 0x0a00020fu
#define LOOPBACK 0x7f000001u

#define DATA 300000u

static uint8_t data[DATA], got[DATA + 70000];

static int setup_data(void **state)
{
	uint32_t x = 1, i;

	for (i = 0; i < DATA; i++) {
		x = x * 1664525 + 1013904223;
		data[i] = (uint8_t)(x >> 24);
	}
	return 0;
}

/* The guest sends all of data, in segments of so many bytes. */
static void send_data(struct guest_tcp *t, int fd, size_t segment)
{
	size_t sent = 0, arrived = 0;

	while (arrived < DATA) {
		size_t n = DATA - sent < segment ? DATA - sent : segment;
		ssize_t r;

		if (n) {
			send_tcp(t, TCP_ACK | TCP_PSH, data + sent, n);
			sent += n;
		}
		while (arrived < sent) {
			assert_true(await_fd(fd, POLLIN, PATIENCE_MS));
			r = read(fd, got + arrived, sizeof(got) - arrived);
			assert_true(r > 0);
			arrived += (size_t)r;
		}
	}
	assert_memory_equal(got, data, DATA);
}

/* The host's side does, and the guest takes it. */
static void take_data(struct guest_tcp *t, int fd)
{
	size_t sent = 0, arrived = 0;
	ssize_t r;

	memset(got, 0, sizeof(got));
	while (arrived < DATA) {
		r = send(fd, data + sent, DATA - sent, MSG_DONTWAIT);
		if (r > 0)
			sent += (size_t)r;
		r = await_tcp(t, got + arrived, PATIENCE_MS);
		assert_true(r >= 0);
		arrived += (size_t)r;
		send_tcp(t, TCP_ACK, NULL, 0);
	}
	assert_memory_equal(got, data, DATA);
}

static void a_connection_carries_data_both_ways_and_ends(void **state)
{
	static const size_t segment[] = { 1460, 9000, 60000 };
	unsigned port = 0, i;
	int listener = host_socket(SOCK_STREAM, 0, &port), fd;
	struct guest_tcp t;

	for (i = 0; i < ARRAY_SIZE(segment); i++) {
		assert_int_equal(connect_tcp(&t, 5000 + i, GATEWAY, port,
					     PATIENCE_MS),
				 TCP_SYN | TCP_ACK);
		fd = accept(listener, NULL, NULL);
		assert_true(fd >= 0);
		send_data(&t, fd, segment[i]);
		take_data(&t, fd);
		/* The guest has said all: the host hears of it, and hangs up. */
		send_tcp(&t, TCP_ACK | TCP_FIN, NULL, 0);
		assert_true(await_fd(fd, POLLIN, PATIENCE_MS));
		assert_int_equal(read(fd, got, 1), 0);
		close(fd);
		t.flags = 0;
		while (!(t.flags & TCP_FIN))
			assert_true(await_tcp(&t, NULL, PATIENCE_MS) >= 0);
		send_tcp(&t, TCP_ACK, NULL, 0);
	}
	close(listener);
}

static void a_port_that_nobody_has_refuses(void **state)
{
	struct guest_tcp t;

	assert_true(connect_tcp(&t, 5000, GATEWAY, free_port(SOCK_STREAM),
				PATIENCE_MS) &
		    TCP_RST);
}

static void a_segment_with_a_wrong_checksum_is_dropped(void **state)
{
	unsigned port = 0;
	int listener = host_socket(SOCK_STREAM, 0, &port);
	struct guest_tcp t = { .sport = 5000, .dport = port, .to = GATEWAY };

	send_arp(ARP_REQUEST, GUEST, GATEWAY);
	assert_true(receive_frame(PATIENCE_MS) > 0);
	send_tcp(&t, TCP_SYN, NULL, 0);
	out[0] = 0; /* as it stands in the frame */
	t.sport = 5001;
	put_be16(frame_out + ETH + IP, 5001);
	send_frame(ETH + IP + 20);
	assert_int_equal(await_tcp(&t, NULL, 300), -EAGAIN);
	close(listener);
}

static struct net_user_forward forward(bool udp, unsigned host, unsigned guest)
{
	return (struct net_user_forward){ .udp = udp,
					  .host_addr = LOOPBACK,
					  .guest_addr = GUEST,
					  .host_port = (uint16_t)host,
					  .guest_port = (uint16_t)guest };
}

/* The guest is called: takes the connection. */
static void answer_tcp(struct guest_tcp *t, unsigned port)
{
	const uint8_t *tcp = frame_in + ETH + IP;

	do
		assert_true(await_ip(6, PATIENCE_MS) > 0);
	while (!(tcp[13] & TCP_SYN));
	assert_int_equal(get_be32(frame_in + ETH + 16), GUEST);
	assert_int_equal(get_be16(tcp + 2), port);
	*t = (struct guest_tcp){ .sport = port,
				 .dport = get_be16(tcp),
				 .to = get_be32(frame_in + ETH + 12),
				 .seq = 77,
				 .ack = get_be32(tcp + 4) + 1 };
	send_tcp(t, TCP_SYN | TCP_ACK, NULL, 0);
}

static void call_the_guest(bool offline)
{
	unsigned port = free_port(SOCK_STREAM);
	struct net_user_forward f = forward(false, port, 80);
	struct guest_tcp t;
	int fd;

	assert_int_equal(open_net(offline), 0);
	assert_int_equal(net_user_forward(net, &f), 0);
	attach_net();
	fd = host_connect(SOCK_STREAM, port);
	answer_tcp(&t, 80);
	assert_true(await_fd(fd, POLLOUT, PATIENCE_MS));
	take_data(&t, fd);
	send_data(&t, fd, 1460);
	close(fd);
	teardown_net(NULL);
}

static void a_forward_leads_into_the_guest(void **state)
{
	call_the_guest(false);
}

static void offline_it_still_does(void **state)
{
	call_the_guest(true);
}

static void many_can_call_at_once(void **state)
{
	unsigned port = free_port(SOCK_STREAM), i;
	struct net_user_forward f = forward(false, port, 80);
	struct guest_tcp t;
	int64_t began = now_ms();
	int fd[20];

	assert_int_equal(open_net(false), 0);
	assert_int_equal(net_user_forward(net, &f), 0);
	/* Before anybody could accept. */
	for (i = 0; i < ARRAY_SIZE(fd); i++)
		fd[i] = host_connect(SOCK_STREAM, port);
	attach_net();
	for (i = 0; i < ARRAY_SIZE(fd); i++)
		answer_tcp(&t, 80);
	/* A second is what a caller who is not heard waits. */
	assert_in_range(now_ms() - began, 0, 900);
	for (i = 0; i < ARRAY_SIZE(fd); i++)
		close(fd[i]);
	teardown_net(NULL);
}

static void udp_is_forwarded_too(void **state)
{
	unsigned port = free_port(SOCK_DGRAM);
	struct net_user_forward f = forward(true, port, 53);
	char buf[8];
	int fd;

	assert_int_equal(open_net(false), 0);
	assert_int_equal(net_user_forward(net, &f), 0);
	attach_net();
	fd = host_connect(SOCK_DGRAM, port);
	assert_int_equal(send(fd, "ping", 4, 0), 4);
	assert_true(await_ip(17, PATIENCE_MS) > 0);
	assert_int_equal(get_be16(frame_in + ETH + IP + 2), 53);
	assert_memory_equal(frame_in + ETH + IP + 8, "ping", 4);
	send_udp(GUEST, 53, get_be32(frame_in + ETH + 12),
		 get_be16(frame_in + ETH + IP), "pong", 4);
	assert_true(await_fd(fd, POLLIN, PATIENCE_MS));
	assert_int_equal(recv(fd, buf, sizeof(buf), 0), 4);
	close(fd);
	teardown_net(NULL);
}

static void a_port_that_is_taken_cannot_be_forwarded(void **state)
{
	unsigned port = 0, udp_port = 0;
	int fd = host_socket(SOCK_STREAM, 0, &port);
	int udp = host_socket(SOCK_DGRAM, 0, &udp_port);
	struct net_user_forward f = forward(false, port, 80);
	struct net_user_forward g = forward(true, udp_port, 80);

	assert_int_equal(open_net(false), 0);
	assert_int_equal(net_user_forward(net, &f), -EADDRINUSE);
	assert_int_equal(net_user_forward(net, &g), -EADDRINUSE);
	f.host_addr = 0xc0000201; /* of RFC 5737: nobody's */
	assert_int_equal(net_user_forward(net, &f), -EADDRNOTAVAIL);
	close(fd);
	close(udp);
	f.host_addr = LOOPBACK;
	assert_int_equal(net_user_forward(net, &f), 0);
	assert_int_equal(net_user_forward(net, &g), 0);
	assert_int_equal(net_user_forward(net, &f), -EADDRINUSE);
	teardown_net(NULL);
	/* And is given back. */
	assert_int_equal(open_net(false), 0);
	assert_int_equal(net_user_forward(net, &f), 0);
	teardown_net(NULL);
}

static void offline_nothing_leaves(void **state)
{
	unsigned port = 0, udp_port = 0;
	int listener = host_socket(SOCK_STREAM, 0, &port);
	int udp = host_socket(SOCK_DGRAM, 0, &udp_port);
	struct guest_tcp t;

	assert_int_equal(open_net(true), 0);
	attach_net();
	send_udp(GUEST, 4000, GATEWAY, udp_port, "x", 1);
	assert_false(connect_tcp(&t, 5000, GATEWAY, port, 300) & TCP_SYN);
	assert_false(await_fd(listener, POLLIN, 0));
	assert_false(await_fd(udp, POLLIN, 0));
	close(listener);
	close(udp);
	teardown_net(NULL);
}

static unsigned open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

#define SYNS 1500u

/* For the network to be done with what it was sent. */
static void await_ping(void)
{
	uint8_t *icmp = frame_out + ETH + IP;

	memset(icmp, 0, 8);
	icmp[0] = 8;
	put_be16(icmp + 2, 0xf7ff);
	send_frame(make_ip(1, GUEST, GATEWAY, 8));
	assert_true(await_ip(1, PATIENCE_MS) > 0);
}

static void try_to_use_up_all_descriptors(void)
{
	unsigned port = 0, before, i;
	int listener = host_socket(SOCK_STREAM, 0, &port);
	struct guest_tcp t = { .dport = port, .to = GATEWAY };

	assert_int_equal(open_net(false), 0);
	attach_net();
	await_ping();
	before = open_files();
	for (i = 0; i < SYNS; i++) {
		t.sport = 10000 + i;
		t.seq = 1000;
		send_tcp(&t, TCP_SYN, NULL, 0);
	}
	/* They are not pinged: that needs a socket, too. */
	while (receive_frame(300) >= 0)
		;
	assert_in_range(open_files() - before, 400, 600);
	/* Those that end make room for others. */
	for (i = 0; i < SYNS; i++) {
		t.sport = 10000 + i;
		t.seq = 1001;
		send_tcp(&t, TCP_RST, NULL, 0);
	}
	while (receive_frame(300) >= 0)
		;
	assert_in_range(open_files() - before, 0, 50);
	assert_int_equal(connect_tcp(&t, 9999, GATEWAY, port, PATIENCE_MS),
			 TCP_SYN | TCP_ACK);
	teardown_net(NULL);
	assert_int_equal(notices_said, 1);
	assert_non_null(strstr(notice_text, "connections, and gets no more"));
	close(listener);
}

static void a_guest_cannot_use_up_all_descriptors(void **state)
{
	try_to_use_up_all_descriptors();
}

/* The embedder may have thousands of its own. */
static void nor_where_their_numbers_are_high(void **state)
{
	const int many = 8192;
	struct rlimit was, more;
	int first = dup(0), fd;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	more = was;
	if (more.rlim_cur < 2 * (rlim_t)many)
		more.rlim_cur = 2 * (rlim_t)many;
	if (more.rlim_cur > more.rlim_max) {
		print_message("descriptors are few here: skipped\n");
		close(first);
		skip();
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &more), 0);
	do
		fd = dup(first);
	while (fd >= 0 && fd < many);
	assert_true(fd >= many);
	notices_said = 0;
	try_to_use_up_all_descriptors();
	for (; fd >= first; fd--)
		close(fd);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
}

/* With data under way in both directions; a sanitizer sees what is left. */
static void it_can_be_freed_at_any_time(void **state)
{
	unsigned port = 0, before = open_files();
	int listener = host_socket(SOCK_STREAM, 0, &port), fd;
	struct guest_tcp t;

	assert_int_equal(open_net(false), 0);
	attach_net();
	assert_true(connect_tcp(&t, 5000, GATEWAY, port, PATIENCE_MS));
	fd = accept(listener, NULL, NULL);
	assert_true(send(fd, data, DATA, MSG_DONTWAIT) > 0);
	send_tcp(&t, TCP_ACK, data, 60000);
	send_udp(GUEST, 4000, GATEWAY, 9, "x", 1);
	assert_true(connect_tcp(&t, 5001, GATEWAY, port, PATIENCE_MS));
	teardown_net(NULL);
	close(fd);
	close(listener);
	assert_in_range(open_files(), before, before + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_connection_carries_data_both_ways_and_ends,
			setup_online, teardown_net),
		cmocka_unit_test_setup_teardown(a_port_that_nobody_has_refuses,
						setup_online, teardown_net),
		cmocka_unit_test_setup_teardown(
			a_segment_with_a_wrong_checksum_is_dropped,
			setup_online, teardown_net),
		cmocka_unit_test(a_forward_leads_into_the_guest),
		cmocka_unit_test(offline_it_still_does),
		cmocka_unit_test(many_can_call_at_once),
		cmocka_unit_test(udp_is_forwarded_too),
		cmocka_unit_test(a_port_that_is_taken_cannot_be_forwarded),
		cmocka_unit_test(offline_nothing_leaves),
		cmocka_unit_test(a_guest_cannot_use_up_all_descriptors),
		cmocka_unit_test(nor_where_their_numbers_are_high),
		cmocka_unit_test(it_can_be_freed_at_any_time),
	};

	if (!have_library())
		return 77;
	return cmocka_run_group_tests(tests, setup_data, NULL);
}
