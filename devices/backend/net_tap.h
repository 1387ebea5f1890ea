/* SPDX-License-Identifier: MIT */
/*
 * net_tap.h: a tap interface of the host's (Documentation/networking/tuntap.rst,
 * linux/if_tun.h). Frames carry the header of virtio, so that checksums and the
 * cutting up of long segments are left to whoever can do it.
 */
#ifndef TRAPMAP_BACKEND_NET_TAP_H
#define TRAPMAP_BACKEND_NET_TAP_H

#include <stdbool.h>

#include "core/loop.h"

struct net;

#define NET_TAP_NAME_MAX 15
#define NET_TAP_QUEUES_MAX 16

struct net_tap_config {
	struct loop *loop; /* outlives it */
	/* An interface that is there already: none is made. */
	const char *name;
	/*
	 * Used if name is NULL: an open /dev/net/tun with a tap behind it. It is
	 * duplicated; the file becomes non-blocking.
	 */
	int fd;
	/* Pairs of queues, 1 to NET_TAP_QUEUES_MAX; of fd there is 1. */
	unsigned queues;
	bool fewer; /* a tap that has only one will do */
};

/*
 * Returns 0, or -errno, by which the caller tells what to do:
 *
 *	-ENAMETOOLONG	the name is empty or longer than NET_TAP_NAME_MAX
 *	-ENOENT		there is no /dev/net/tun
 *	-EACCES		it may not be opened
 *	-ENODEV		there is no interface of that name
 *	-EPERM		it belongs to somebody else
 *	-EBUSY		another program uses it
 *	-ENOTTY		it is no tap; fd: neither is that
 *	-ENOTUNIQ	it has one queue, and more were asked for
 *	-EPROTONOSUPPORT fd: a tap without IFF_VNET_HDR
 *	-EBADF		fd: not open, or not for reading and writing
 *	-EINVAL		queues
 *	another		the host's own
 */
int net_tap_new(const struct net_tap_config *config, struct net **ret_net);

/* Its name now, NET_TAP_NAME_MAX + 1 bytes, and whether it is up. 0 or -errno. */
int net_tap_look(const struct net *net, char *ret_name, bool *ret_up);

#endif
