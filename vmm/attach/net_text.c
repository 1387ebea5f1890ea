// SPDX-License-Identifier: MIT
/* Addresses and forwards of networks, read strictly. */
#include "attach/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "core/base.h"

/* ---- Ethernet ------------------------------------------------------------ */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool read_mac(const char *text, uint8_t mac[NET_MAC_LEN])
{
	unsigned i;

	for (i = 0; i < NET_MAC_LEN; i++, text += 3) {
		int high = hex_digit(text[0]);
		int low = high < 0 ? -1 : hex_digit(text[1]);

		if (low < 0 || text[2] != (i == NET_MAC_LEN - 1 ? '\0' : ':'))
			return false;
		mac[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

int net_mac_parse(const char *text, uint8_t ret_mac[NET_MAC_LEN],
		  struct error *err)
{
	static const uint8_t zero[NET_MAC_LEN];
	uint8_t mac[NET_MAC_LEN];

	if (!read_mac(text, mac))
		return error_set(err, ERROR_INPUT, -EINVAL,
				 "mac '%s': six bytes in hexadecimal are "
				 "expected, as 52:54:00:12:34:56",
				 text);
	if (mac[0] & 1)
		return error_set(err, ERROR_INPUT, -EINVAL,
				 "mac '%s': a multicast address; the first byte "
				 "has to be even",
				 text);
	if (memcmp(mac, zero, sizeof(zero)) == 0)
		return error_set(err, ERROR_INPUT, -EINVAL,
				 "mac '%s': all zero is nobody's address", text);
	memcpy(ret_mac, mac, sizeof(mac));
	return 0;
}

int net_mac_make(uint8_t ret_mac[NET_MAC_LEN])
{
	uint8_t mac[NET_MAC_LEN] = { 0x52, 0x54, 0x00 };

	if (getrandom(mac + 3, 3, GRND_NONBLOCK) != 3)
		return -EAGAIN;
	memcpy(ret_mac, mac, sizeof(mac));
	return 0;
}

/* ---- forwards ------------------------------------------------------------ */

#define FORWARD_MAX 64
#define FIELDS_MAX 5

#define FORWARD_FORM "tcp|udp:[ADDRESS:]PORT:[ADDRESS:]PORT"

/* Cuts text at its colons; returns how many pieces, or more than FIELDS_MAX. */
static unsigned cut(char *text, char *field[FIELDS_MAX])
{
	unsigned n = 0;

	for (;; text++) {
		char *colon = strchr(text, ':');

		if (n < FIELDS_MAX)
			field[n] = text;
		n++;
		if (!colon)
			return n;
		*colon = '\0';
		text = colon;
	}
}

static bool read_port(const char *text, uint16_t *ret_port)
{
	unsigned value = 0;
	const char *p;

	for (p = text; *p; p++) {
		if (*p < '0' || *p > '9' || p - text >= 5)
			return false;
		value = value * 10 + (unsigned)(*p - '0');
	}
	if (value == 0 || value > UINT16_MAX)
		return false;
	*ret_port = (uint16_t)value;
	return true;
}

static int bad_port(const char *text, const char *port, struct error *err)
{
	return error_set(err, ERROR_INPUT, -EINVAL,
			 "forward '%s': port '%s': 1 to 65535 is expected", text,
			 port);
}

/* One side: an address, unless that is left out, and a port. */
static int read_side(const char *text, char **field, bool with_address,
		     uint32_t *ret_addr, uint16_t *ret_port, struct error *err)
{
	struct in_addr in;

	if (with_address) {
		if (inet_pton(AF_INET, *field, &in) != 1)
			return error_set(err, ERROR_INPUT, -EINVAL,
					 "forward '%s': '%s' is no IPv4 address",
					 text, *field);
		*ret_addr = ntohl(in.s_addr);
		field++;
	}
	return read_port(*field, ret_port) ? 0 : bad_port(text, *field, err);
}

static bool is_guests(uint32_t addr)
{
	uint32_t host = addr & ~NET_USER_MASK;

	return (addr & NET_USER_MASK) == NET_USER_NETWORK && host != 0 &&
	       host != ~NET_USER_MASK && addr != NET_USER_GATEWAY &&
	       addr != NET_USER_DNS;
}

int net_forward_parse(const char *text, struct net_user_forward *ret_forward,
		      struct error *err)
{
	struct net_user_forward f = { .host_addr = INADDR_LOOPBACK,
				      .guest_addr = NET_USER_GUEST };
	char copy[FORWARD_MAX + 1], *field[FIELDS_MAX];
	bool host, guest;
	unsigned n;
	int r;

	snprintf(copy, sizeof(copy), "%s", text);
	n = strlen(text) > FORWARD_MAX ? 0 : cut(copy, field);
	if (n < 3 || n > FIELDS_MAX ||
	    (strcmp(field[0], "tcp") != 0 && strcmp(field[0], "udp") != 0))
		return error_set(err, ERROR_INPUT, -EINVAL,
				 "forward '%s': " FORWARD_FORM
				 " is expected, as tcp:8080:80",
				 text);
	f.udp = field[0][0] == 'u';
	/* Of three one is an address, which has dots. */
	host = n == 5 || (n == 4 && strchr(field[1], '.'));
	guest = n == 5 || (n == 4 && !host);
	r = read_side(text, field + 1, host, &f.host_addr, &f.host_port, err) ?:
	    read_side(text, field + (host ? 3 : 2), guest, &f.guest_addr,
		      &f.guest_port, err);
	if (r < 0)
		return r;
	if (!is_guests(f.guest_addr))
		return error_set(err, ERROR_INPUT, -EINVAL,
				 "forward '%s': the guest's address is one of "
				 "10.0.2.4 to 10.0.2.254",
				 text);
	*ret_forward = f;
	return 0;
}

bool net_forward_clash(const struct net_user_forward *a,
		       const struct net_user_forward *b)
{
	return a->udp == b->udp && a->host_port == b->host_port &&
	       (a->host_addr == b->host_addr || a->host_addr == INADDR_ANY ||
		b->host_addr == INADDR_ANY);
}
