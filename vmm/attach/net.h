/* SPDX-License-Identifier: MIT */
/* net.h: what networks are described with, as text. */
#ifndef TRAPMAP_ATTACH_NET_H
#define TRAPMAP_ATTACH_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "backend/net_user.h"
#include "error.h"

#define NET_MAC_LEN 6

/* As trapmap_net.mac. Returns 0, or -EINVAL with *err. */
int net_mac_parse(const char *text, uint8_t ret_mac[NET_MAC_LEN],
		  struct error *err);
/* 52:54:00 and three random bytes. Returns 0 or -errno. */
int net_mac_make(uint8_t ret_mac[NET_MAC_LEN]);

/* One of trapmap_net.forward. Returns 0, or -EINVAL with *err. */
int net_forward_parse(const char *text, struct net_user_forward *ret_forward,
		      struct error *err);
/* Whether both would take the same port of the host's. */
bool net_forward_clash(const struct net_user_forward *a,
		       const struct net_user_forward *b);

#endif
