// SPDX-License-Identifier: MIT
/*
 * virtio-net.c: a driver for a network behind virtio-mmio, over split rings. Asks by
 * ARP who has the address on its command line, then sends it echo requests, short
 * ones and long ones, and looks at each answer.
 *
 * case virtio-net-user
 *	if: "$trapmap" run -n user "$guest" -p none 2>/dev/null
 *	options: -n user,mac=52:54:00:ab:cd:ef --params 10.0.2.2
 *	status: 0
 *	out: 52:54:00:ab:cd:ef
 *	out: 10.0.2.2 is there
 *	out: 40 echoes
 * case virtio-net-tap
 *	if: ip tuntap add dev tmtry$$ mode tap && ip link del tmtry$$
 *	setup: tap=tmg$$ net=10.98.$(($$ % 250))
 *	setup: ip tuntap add dev $tap mode tap && trap 'rm -rf "$dir"; ip link del $tap' EXIT
 *	setup: ip addr add $net.1/24 dev $tap; ip link set $tap up
 *	options: -n tap=$tap --params $net.1
 *	status: 0
 *	match: ^10\.98\.[0-9]+\.1 is there$
 *	out: 40 echoes
 * case virtio-net-tap-queues
 *	if: ip tuntap add dev tmtry$$ mode tap && ip link del tmtry$$
 *	setup: tap=tmq$$ net=10.99.$(($$ % 250))
 *	setup: ip tuntap add dev $tap mode tap multi_queue && trap 'rm -rf "$dir"; ip link del $tap' EXIT
 *	setup: ip addr add $net.1/24 dev $tap; ip link set $tap up
 *	options: -c 2 -n tap=$tap --params $net.1
 *	status: 0
 *	out: 40 echoes
 *	out: 2 pairs: 40 echoes
 * case virtio-net-tap-down
 *	if: ip tuntap add dev tmtry$$ mode tap && ip link del tmtry$$
 *	setup: tap=tmd$$; ip tuntap add dev $tap mode tap && trap 'rm -rf "$dir"; ip link del $tap' EXIT
 *	options: -n tap=$tap --params none
 *	status: 0
 *	err: ^trapmap: tap .*: the interface is down; as root: ip link set .* up
 * case virtio-net-no-such-tap
 *	if: test -w /dev/net/tun
 *	options: -n tap=tm-not-there --params none
 *	status: 2
 *	err: ^trapmap: tap 'tm-not-there': there is no such interface; as root: ip tuntap add
 */
#include "virtio.h"

/* VIRTIO 1.2, 5.1 */
#define NETWORK 1
#define F_MAC (1u << 5)
#define F_MRG_RXBUF (1u << 15)
#define F_CTRL_VQ (1u << 17)
#define F_MQ (1u << 22)
#define HEADER 12
#define MAX_PAIRS 2

#define IP_AT 14
#define ICMP_AT 34
#define ECHO_MAX 1400

static struct virtio_ring rx[MAX_PAIRS], tx[MAX_PAIRS], ctrl;
static uint8_t in[MAX_PAIRS][HEADER + 2048], out[HEADER + 2048];
static uint8_t mac[6], peer_mac[6], peer[4], self[4];
static uint32_t base, features;
static unsigned pairs = 1; /* in use */

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static unsigned get16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

/* RFC 1071 */
static unsigned checksum(const uint8_t *p, unsigned len)
{
	uint32_t sum = 0;
	unsigned i;

	for (i = 0; i + 1 < len; i += 2)
		sum += get16(p + i);
	if (len & 1)
		sum += (unsigned)p[len - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

static void parse(const char *text)
{
	unsigned i, n = 0;

	for (i = 0; i < 4; text++) {
		if (*text >= '0' && *text <= '9') {
			n = n * 10 + (unsigned)(*text - '0');
			continue;
		}
		peer[i++] = (uint8_t)n;
		n = 0;
		if (!*text)
			break;
	}
	CHECK_EQ(i, 4);
	memcpy(self, peer, 4);
	self[3] = (uint8_t)(peer[3] + 13);
}

/* ---- frames -------------------------------------------------------------- */

static void offer(unsigned pair)
{
	rx[pair].desc[0].addr = (uintptr_t)in[pair];
	rx[pair].desc[0].len = sizeof(in[pair]);
	virtio_offer(base, 2 * pair, &rx[pair], 1, 0);
}

static void send(unsigned pair, unsigned len)
{
	memset(out, 0, HEADER);
	tx[pair].desc[0].addr = (uintptr_t)out;
	tx[pair].desc[0].len = HEADER;
	tx[pair].desc[1].addr = (uintptr_t)(out + HEADER);
	tx[pair].desc[1].len = len;
	virtio_offer(base, 2 * pair + 1, &tx[pair], 2, 2);
	CHECK_EQ(virtio_wait(&tx[pair]), 0);
}

/*
 * The next frame on any pair, which stays until the next one; NULL: after so many
 * looks there is none.
 */
static uint8_t *receive_soon(unsigned *ret_len, unsigned looks)
{
	static unsigned last = MAX_PAIRS;
	unsigned i;

	if (last < MAX_PAIRS)
		offer(last);
	last = MAX_PAIRS;
	for (i = 0; !virtio_answered(&rx[i]); i = (i + 1) % pairs) {
		if (looks-- == 0)
			return NULL;
		cpu_relax();
	}
	last = i;
	*ret_len = virtio_wait(&rx[i]) - HEADER;
	CHECK_EQ(in[i][10] | in[i][11] << 8, 1); /* num_buffers */
	return in[i] + HEADER;
}

static uint8_t *receive(unsigned *ret_len)
{
	uint8_t *frame;

	do
		frame = receive_soon(ret_len, ~0u);
	while (!frame);
	return frame;
}

static void ethernet(uint8_t *frame, const uint8_t *to, unsigned type)
{
	memcpy(frame, to, 6);
	memcpy(frame + 6, mac, 6);
	put16(frame + 12, type);
}

/* RFC 826. A tap that has just come up loses what its host sends at first. */
static void arp(void)
{
	static const uint8_t all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	static const uint8_t head[8] = { 0, 1, 8, 0, 6, 4, 0, 1 };
	uint8_t *frame = out + HEADER;
	unsigned len;

	ethernet(frame, all, 0x0806);
	memcpy(frame + 14, head, 8);
	memcpy(frame + 22, mac, 6);
	memcpy(frame + 28, self, 4);
	memset(frame + 32, 0, 6);
	memcpy(frame + 38, peer, 4);
	send(0, 42);
	do {
		frame = receive_soon(&len, 100000);
		if (!frame)
			send(0, 42);
	} while (!frame || len < 42 || get16(frame + 12) != 0x0806 ||
	       get16(frame + 20) != 2 || memcmp(frame + 28, peer, 4) != 0);
	CHECK(memcmp(frame, mac, 6) == 0);
	memcpy(peer_mac, frame + 22, 6);
	print("%u.%u.%u.%u is there\n", peer[0], peer[1], peer[2], peer[3]);
}

/* RFC 792: n is its number, and tells its length. */
static void echo(unsigned pair, unsigned n)
{
	unsigned data = n * 37 % ECHO_MAX, i, len;
	uint8_t *frame = out + HEADER, *ip = frame + IP_AT,
		*icmp = frame + ICMP_AT;

	ethernet(frame, peer_mac, 0x0800);
	memset(ip, 0, 20 + 8);
	ip[0] = 0x45;
	put16(ip + 2, 20 + 8 + data);
	ip[8] = 64;
	ip[9] = 1; /* ICMP */
	memcpy(ip + 12, self, 4);
	memcpy(ip + 16, peer, 4);
	put16(ip + 10, checksum(ip, 20));
	icmp[0] = 8;
	put16(icmp + 4, 0x1234);
	put16(icmp + 6, n);
	for (i = 0; i < data; i++)
		icmp[8 + i] = (uint8_t)(n + i);
	put16(icmp + 2, checksum(icmp, 8 + data));
	send(pair, ICMP_AT + 8 + data);

	do {
		frame = receive(&len);
		icmp = frame + ICMP_AT;
	} while (len < ICMP_AT + 8 + data || get16(frame + 12) != 0x0800 ||
		 frame[IP_AT + 9] != 1 || icmp[0] != 0 || get16(icmp + 6) != n);
	CHECK(memcmp(frame, mac, 6) == 0);
	CHECK_EQ(get16(icmp + 4), 0x1234);
	CHECK_EQ(checksum(icmp, 8 + data), 0);
	CHECK_EQ(icmp[8 + data - 1], (uint8_t)(n + data - 1));
}

/* ---- the device ---------------------------------------------------------- */

static void bring_up(void)
{
	unsigned i, max;

	base = virtio_find(NETWORK, 0);
	CHECK(base != 0);
	features = virtio_begin(base, F_MAC | F_MRG_RXBUF | F_CTRL_VQ | F_MQ);
	CHECK(features & F_MAC && features & F_MRG_RXBUF);
	for (i = 0; i < 6; i++)
		mac[i] = *(volatile uint8_t *)(uintptr_t)(base + CONFIG + i);
	print("%02x:%02x:%02x:%02x:%02x:%02x\n", mac[0], mac[1], mac[2], mac[3],
	      mac[4], mac[5]);
	max = features & F_MQ ? MAX_PAIRS : 1;
	for (i = 0; i < max; i++) {
		virtio_queue(base, 2 * i, &rx[i]);
		virtio_queue(base, 2 * i + 1, &tx[i]);
	}
	virtio_queue(base, 2 * max, &ctrl);
	virtio_run(base);
	offer(0);
}

/* 5.1.6.5.5: VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET */
static void use_pairs(unsigned n)
{
	static uint8_t command[4], ack;

	command[0] = 4;
	command[1] = 0;
	command[2] = (uint8_t)n;
	command[3] = 0;
	ack = 0xee;
	ctrl.desc[0].addr = (uintptr_t)command;
	ctrl.desc[0].len = sizeof(command);
	ctrl.desc[1].addr = (uintptr_t)&ack;
	ctrl.desc[1].len = sizeof(ack);
	virtio_offer(base, 2 * MAX_PAIRS, &ctrl, 2, 1);
	CHECK_EQ(virtio_wait(&ctrl), 1);
	CHECK_EQ(*(volatile uint8_t *)&ack, 0);
	for (; pairs < n; pairs++)
		offer(pairs);
}

int guest_main(void)
{
	const char *how = boot_cmdline();
	unsigned n;

	if (!strcmp(how, "none"))
		return 0;
	parse(how);
	bring_up();
	arp();
	for (n = 1; n <= 40; n++)
		echo(0, n);
	print("%u echoes\n", n - 1);
	if (features & F_MQ) {
		use_pairs(2);
		for (; n <= 80; n++)
			echo(n & 1, n);
		print("%u pairs: %u echoes\n", pairs, n - 41);
	}
	return 0;
}
