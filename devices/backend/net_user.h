/* SPDX-License-Identifier: MIT */
/*
 * net_user.h: a network of the process's own, which needs no privileges: what the
 * guest sends to the world is sent by sockets of this process's, by libslirp.
 *
 *	10.0.2.0/24	the network; IPv4 only
 *	10.0.2.2	the gateway, which is also the host's 127.0.0.1
 *	10.0.2.3	a DNS server: the host's first
 *	10.0.2.15	what DHCP gives first
 */
#ifndef TRAPMAP_BACKEND_NET_USER_H
#define TRAPMAP_BACKEND_NET_USER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/notice.h"

/* Addresses are numbers: 0x7f000001 is 127.0.0.1. */
#define NET_USER_NETWORK 0x0a000200u
#define NET_USER_MASK 0xffffff00u
#define NET_USER_GATEWAY 0x0a000202u
#define NET_USER_DNS 0x0a000203u
#define NET_USER_GUEST 0x0a00020fu

struct loop;
struct net;

struct net_user_config {
	struct loop *loop; /* outlives the network */
	/*
	 * Nothing leaves for the host or beyond it; what comes through a forward
	 * is answered, if it is TCP.
	 */
	bool offline;
	/* For what the guest does wrong. From a thread of the network's own. */
	struct notice notice;
};

/* A port of the host's that leads to one of the guest's. */
struct net_user_forward {
	bool udp;
	uint32_t host_addr, guest_addr;
	uint16_t host_port, guest_port;
};

/*
 * Returns 0; -ENOSYS: built without it; -ENOPKG: libslirp is not installed; or
 * the -errno of what failed. Released by net_free(), which closes every connection.
 */
int net_user_new(const struct net_user_config *config, struct net **ret_net);

/*
 * Before the network is attached to a device. Returns 0, or the -errno of what the
 * host refused: -EADDRINUSE, -EADDRNOTAVAIL, -EACCES.
 */
int net_user_forward(struct net *net, const struct net_user_forward *forward);

#endif
