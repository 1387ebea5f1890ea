/* SPDX-License-Identifier: MIT */
/*
 * fake_net.h: a network whose frames come when the test says so, and which keeps
 * what it is sent. Aborts on what a device must not ask of a back end.
 */
#ifndef TRAPMAP_TEST_FAKE_NET_H
#define TRAPMAP_TEST_FAKE_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/net.h"

#define FAKE_NET_PAIRS 16
#define FAKE_NET_FRAMES 600

struct fake_net_frame {
	uint8_t *bytes; /* header first */
	size_t len;
	unsigned spans; /* of one that was sent, the header's too */
};

struct fake_net_pair {
	struct fake_net_frame in[FAKE_NET_FRAMES];
	unsigned in_first, in_count;
	bool listening;
};

struct fake_net {
	struct net net; /* what the device is given; the test may set info */
	struct fake_net_pair pair[FAKE_NET_PAIRS];
	struct fake_net_frame sent[FAKE_NET_FRAMES];
	unsigned sent_count;
	unsigned sent_pair;	       /* of the last */
	int send_error, receive_error; /* -errno for all, 0: none */
	unsigned receives, sends;      /* calls */
	unsigned direct; /* spans that the last receive() was given, of 1 or more */
	unsigned listens;	     /* calls */
	struct net_offload to_guest; /* configured */
	unsigned pairs, configures;
	unsigned freed;
	void (*ready)(void *opaque, unsigned queue);
	void *opaque;
};

/* All offloads, FAKE_NET_PAIRS pairs. */
void fake_net_init(struct fake_net *fn);
/* Frames that were not taken, and those sent. */
void fake_net_done(struct fake_net *fn);

/*
 * A frame of len bytes without its header, the i-th of which is first + i, waits
 * for the guest; so large a one that it fits at all.
 */
void fake_net_put(struct fake_net *fn, unsigned pair, uint8_t first, size_t len);
/* The same with this header and these bytes. */
void fake_net_put_bytes(struct fake_net *fn, unsigned pair,
			const uint8_t header[NET_HEADER_LEN], const void *bytes,
			size_t len);
unsigned fake_net_waiting(const struct fake_net *fn, unsigned pair);

/* As the loop would: if the device listens and there is a frame. */
bool fake_net_ready(struct fake_net *fn, unsigned pair);

void fake_net_forget_sent(struct fake_net *fn);

#endif
