// SPDX-License-Identifier: MIT
/* A user network: addresses, ARP, DHCP, ICMP, UDP, and the contract of net.h. */
#include "net_user_rig.h"

#define GATEWAY 0x0a000202u
#define DNS 0x0a000203u
#define GUEST 0x0a00020fu

static void who_is_there_answers_for_its_address(void **state)
{
	static const uint32_t there[] = { GATEWAY, DNS };
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(there); i++) {
		send_arp(ARP_REQUEST, GUEST, there[i]);
		assert_true(receive_frame(PATIENCE_MS) >= 42);
		assert_memory_equal(frame_in, GUEST_MAC, 6);
		assert_int_equal(get_be16(frame_in + 12), 0x0806);
		assert_int_equal(get_be16(frame_in + 20), ARP_REPLY);
		assert_memory_equal(frame_in + 22, frame_in + 6, 6);
		assert_int_equal(get_be32(frame_in + 28), there[i]);
	}
	send_arp(ARP_REQUEST, GUEST, 0x0a000209);
	assert_int_equal(receive_frame(200), -EAGAIN);
}

/* RFC 2131, 2132 */
static const uint8_t *dhcp_option(unsigned code, unsigned len)
{
	const uint8_t *p = frame_in + ETH + IP + 8 + 240;
	const uint8_t *end = frame_in + ETH + get_be16(frame_in + ETH + 2);

	while (p + 2 <= end && *p != 255) {
		if (*p == code) {
			assert_int_equal(p[1], len);
			return p + 2;
		}
		p += *p ? 2 + p[1] : 1;
	}
	fail_msg("no DHCP option %u", code);
	return p;
}

static void ask_dhcp(unsigned type)
{
	uint8_t m[300] = { 1, 1, 6 };

	put_be32(m + 4, 0x12345678);
	memcpy(m + 28, GUEST_MAC, 6);
	put_be32(m + 236, 0x63825363);
	memcpy(m + 240, "\x35\x01", 2);
	m[242] = (uint8_t)type;
	memcpy(m + 243, "\x32\x04\x0a\x00\x02\x0f", 6);
	m[249] = 255;
	send_udp(0, 68, 0xffffffff, 67, m, sizeof(m));
	assert_true(await_ip(17, PATIENCE_MS) > 0);
	assert_int_equal(get_be16(frame_in + ETH + IP + 2), 68);
	assert_int_equal(get_be32(frame_in + ETH + IP + 8 + 16), GUEST);
}

static void dhcp_gives_an_address_and_where_all_else_is(void **state)
{
	ask_dhcp(1);
	assert_int_equal(*dhcp_option(53, 1), 2); /* an offer */
	ask_dhcp(3);
	assert_int_equal(*dhcp_option(53, 1), 5);
	assert_int_equal(get_be32(dhcp_option(1, 4)), 0xffffff00);
	assert_int_equal(get_be32(dhcp_option(3, 4)), GATEWAY);
	assert_int_equal(get_be32(dhcp_option(6, 4)), DNS);
	assert_memory_equal(dhcp_option(12, 7), "trapmap", 7);
}

static void send_ping(uint32_t to, unsigned seq, size_t len)
{
	uint8_t *icmp = frame_out + ETH + IP;

	memset(icmp, 0, 8);
	memset(icmp + 8, 'p', len - 8);
	icmp[0] = 8;
	put_be16(icmp + 6, seq);
	put_be16(icmp + 2, ~sum_be16(icmp, len, 0) & 0xffff);
	send_frame(make_ip(1, GUEST, to, len));
}

static void the_gateway_answers_a_ping_up_to_the_mtu_in_one_piece(void **state)
{
	const size_t len[] = { 8, 9, 64, 1480, net->info.mtu - IP };
	unsigned i;

	send_arp(ARP_REQUEST, GUEST, GATEWAY);
	for (i = 0; i < ARRAY_SIZE(len); i++) {
		send_ping(GATEWAY, i, len[i]);
		assert_true(await_ip(1, PATIENCE_MS) > 0);
		assert_int_equal(get_be16(frame_in + ETH + 2), IP + len[i]);
		assert_int_equal(frame_in[ETH + IP], 0);
		assert_int_equal(get_be16(frame_in + ETH + IP + 6), i);
	}
	/* 5.1.4.1: no frame is longer. RFC 791: more fragments follow. */
	send_ping(GATEWAY, i, 60000);
	assert_true(await_ip(1, PATIENCE_MS) > 0);
	assert_in_range(get_be16(frame_in + ETH + 2), IP, net->info.mtu);
	assert_true(frame_in[ETH + 6] & 0x20);
}

static void udp_reaches_the_hosts_loopback_and_comes_back(void **state)
{
	static const size_t len[] = { 1, 1400, 40000 };
	unsigned port = 0, i;
	int fd = host_socket(SOCK_DGRAM, 0, &port);
	struct sockaddr_in from;
	socklen_t from_len;
	uint8_t buf[40001];

	for (i = 0; i < ARRAY_SIZE(len); i++) {
		memset(buf, 'a' + (int)i, len[i]);
		send_udp(GUEST, 4000, GATEWAY, port, buf, len[i]);
		assert_true(await_fd(fd, POLLIN, PATIENCE_MS));
		from_len = sizeof(from);
		assert_int_equal(recvfrom(fd, buf, sizeof(buf), 0,
					  (struct sockaddr *)&from, &from_len),
				 len[i]);
		assert_int_equal(buf[len[i] - 1], 'a' + i);
		assert_int_equal(sendto(fd, "pong", 4, 0,
					(struct sockaddr *)&from, from_len),
				 4);
		assert_true(await_ip(17, PATIENCE_MS) > 0);
		assert_int_equal(get_be32(frame_in + ETH + 12), GATEWAY);
		assert_int_equal(get_be16(frame_in + ETH + IP), port);
		assert_int_equal(get_be16(frame_in + ETH + IP + 2), 4000);
		assert_memory_equal(frame_in + ETH + IP + 8, "pong", 4);
	}
	close(fd);
}

static void a_frame_has_a_header_that_says_what_was_agreed(void **state)
{
	static const uint8_t valid[NET_HEADER_LEN] = { 2 }, plain[NET_HEADER_LEN];
	static const struct net_offload none;

	assert_int_equal(net->info.queues, 1);
	send_arp(ARP_REQUEST, GUEST, GATEWAY);
	assert_true(receive_frame(PATIENCE_MS) > 0);
	assert_memory_equal(in, valid, sizeof(valid));
	net->ops->configure(net, &none, 1);
	send_arp(ARP_REQUEST, GUEST, GATEWAY);
	assert_true(receive_frame(PATIENCE_MS) > 0);
	assert_memory_equal(in, plain, sizeof(plain));
}

static void what_does_not_fit_is_lost_and_its_length_told(void **state)
{
	struct iovec iov = { in, NET_HEADER_LEN + 20 };
	ssize_t r;

	memset(in, 0xee, sizeof(in));
	send_arp(ARP_REQUEST, GUEST, GATEWAY);
	assert_true(await_ready(PATIENCE_MS));
	r = net->ops->receive(net, 0, &iov, 1);
	assert_true(r >= NET_HEADER_LEN + 42);
	assert_int_equal(in[iov.iov_len - 1], 4);
	assert_int_equal(in[iov.iov_len], 0xee);
	assert_int_equal(net->ops->receive(net, 0, &iov, 1), -EAGAIN);
}

static void nobody_is_called_unless_somebody_listens(void **state)
{
	net->ops->listen(net, 0, false);
	send_arp(ARP_REQUEST, GUEST, GATEWAY);
	assert_false(await_ready(200));
	assert_int_equal(readies, 0);
	/* What came meanwhile is told now, and until it is taken. */
	net->ops->listen(net, 0, true);
	assert_true(await_ready(PATIENCE_MS));
	assert_true(await_ready(PATIENCE_MS));
	assert_int_equal(readies, 2);
	assert_true(receive_frame(0) > 0);
	await_ready(0);
	assert_false(await_ready(100));
}

static void what_is_no_frame_is_refused_or_ignored(void **state)
{
	size_t len;

	assert_int_equal(net->ops->send(net, 0, &(struct iovec){ out, 11 }, 1),
			 -EINVAL);
	assert_int_equal(try_send(NET_FRAME_MAX + 1), -EMSGSIZE);
	assert_int_equal(
		net->ops->send(net, 0,
			       (struct iovec[]){ { out, 12 },
						 { out, SIZE_MAX } },
			       2),
		-EMSGSIZE);
	memset(out, 0, sizeof(out));
	assert_int_equal(try_send(NET_FRAME_MAX), 0);
	/* Cut off anywhere: Ethernet, ARP, IP, UDP. */
	for (len = 0; len < 60; len++) {
		memset(out, 0, NET_HEADER_LEN);
		put_be16(frame_out + 12, len & 1 ? 0x0806 : 0x0800);
		frame_out[ETH] = 0x45;
		frame_out[ETH + 9] = len & 2 ? 17 : 6;
		send_frame(len);
	}
	/* A checksum that would lie outside. */
	send_ping(GATEWAY, 1, 64);
	for (len = 0; len < 2; len++) {
		make_ip(17, GUEST, GATEWAY, 40);
		out[0] = 1;
		put_le16(out + 6, len ? 0xffff : 34);
		put_le16(out + 8, len ? 0xffff : 39);
		send_frame(ETH + IP + 40);
	}
	assert_true(await_ip(1, PATIENCE_MS) > 0);
}

static void a_flood_takes_no_more_than_there_is_room(void **state)
{
	size_t bytes = 0;
	unsigned i, frames = 0;

	send_arp(ARP_REQUEST, GUEST, GATEWAY);
	assert_true(receive_frame(PATIENCE_MS) > 0);
	for (i = 0; i < 4000; i++)
		send_ping(GATEWAY, i, 1400);
	/* Those that found no room are lost, the others wait. */
	while (receive_frame(100) > 0) {
		frames++;
		bytes += get_be16(frame_in + ETH + 2);
	}
	assert_in_range(frames, 300, 1600);
	assert_in_range(bytes, 0, 0x200000);
	send_ping(GATEWAY, 0, 64);
	assert_true(await_ip(1, PATIENCE_MS) > 0);
}

static void frames_before_there_is_a_device_wait_and_then_no_more_fit(void **state)
{
	unsigned n = 0;

	assert_int_equal(open_net(false), 0);
	make_ip(17, GUEST, GATEWAY, 1400);
	while (try_send(ETH + IP + 1400) == 0)
		n++;
	assert_in_range(n, 500, 800);
	assert_false(await_ready(0));
	attach_net();
	assert_true(await_ready(PATIENCE_MS));
	assert_int_equal(try_send(ETH + IP + 1400), 0);
	teardown_net(NULL);
	/* Nor does one that never gets a device leave anything behind. */
	assert_int_equal(open_net(true), 0);
	teardown_net(NULL);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup_online, teardown_net)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(who_is_there_answers_for_its_address),
		T(dhcp_gives_an_address_and_where_all_else_is),
		T(the_gateway_answers_a_ping_up_to_the_mtu_in_one_piece),
		T(udp_reaches_the_hosts_loopback_and_comes_back),
		T(a_frame_has_a_header_that_says_what_was_agreed),
		T(what_does_not_fit_is_lost_and_its_length_told),
		T(nobody_is_called_unless_somebody_listens),
		T(what_is_no_frame_is_refused_or_ignored),
		T(a_flood_takes_no_more_than_there_is_room),
		cmocka_unit_test(
			frames_before_there_is_a_device_wait_and_then_no_more_fit),
	};

	if (!have_library())
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
