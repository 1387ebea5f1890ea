/* SPDX-License-Identifier: MIT */
/*
 * net_parts.h: what the files of the network device share: net.c has the device and
 * its queues, net_rx.c and net_tx.c the frames of a pair, net_ctrl.c the control
 * queue, net_filter.c what it filters by, net_vhost.c the handing over of pairs to
 * the kernel. Nobody else includes it.
 */
#ifndef TRAPMAP_VIRTIO_NET_PARTS_H
#define TRAPMAP_VIRTIO_NET_PARTS_H

#include "backend/net.h"
#include "core/base.h"
#include "virtio/net.h"

/* 5.1.6: struct virtio_net_hdr */
enum net_header_field {
	HEADER_FLAGS = 0,
	HEADER_GSO_TYPE = 1,
	HEADER_HDR_LEN = 2,
	HEADER_GSO_SIZE = 4,
	HEADER_CSUM_START = 6,
	HEADER_CSUM_OFFSET = 8,
	HEADER_NUM_BUFFERS = 10,
};

#define NET_ETHERNET_LEN 14

/*
 * Spans that go to the host in one call: IOV_MAX of Linux, one of which is the
 * header of a frame sent, or the spare room behind a frame received.
 */
#define NET_IOV_MAX 1024
#define NET_CHAIN_MAX (NET_IOV_MAX - 1)

/* Any frame with its header, and then some: what fills it was too long. */
#define NET_SPARE_LEN KIB(68)

/* Frames of one round, after which others on the thread have their turn. */
#define NET_BUDGET 256
/* The driver is asked this often whether it wants an interrupt. */
#define NET_SIGNAL_EVERY 16

/*
 * Receiving. Frames are read straight into the driver's buffers, before anybody
 * knows how long they are: so chains are taken in advance, as many as the last
 * frames have needed, and what was not needed waits here for the next frame. What
 * does not fit goes to the spare room and is copied.
 */
struct net_rx {
	struct virtq_chain *chain; /* in order; their own iov is not used */
	struct iovec *iov;	   /* of all, end to end */
	unsigned chains, iovs;
	uint64_t room; /* bytes */
	uint32_t want; /* bytes that there should be */
	uint8_t *spare;
	/*
	 * A frame that lacks buffers, header included, or 0; its first `direct`
	 * bytes lie in the chains.
	 */
	size_t waiting, direct;
	bool listening; /* to the host */
};

struct net_tx {
	struct virtq_chain chain;
	struct iovec *iov;
	uint8_t header[NET_HEADER_LEN];
	/* What was to be sent when the host said later. */
	struct iovec *frame;
	unsigned count; /* 0: nothing */
};

#define NET_MACS_MAX 64
#define NET_VLANS 4096

struct net_macs {
	uint8_t mac[NET_MACS_MAX][VIRTIO_NET_MAC_LEN];
	unsigned count;
	bool overflow; /* there were more: all fit */
};

/* 5.1.6.5.1 to 5.1.6.5.3 */
struct net_filter {
	bool promisc, allmulti, alluni, nomulti, nouni, nobcast;
	struct net_macs unicast, multicast;
	bool vlans; /* the driver names those it wants */
	uint8_t vlan[NET_VLANS / 8];
};

struct virtio_net {
	struct virtio_device vd;
	struct virtio_net_config cfg;
	struct net_rx rx[VIRTIO_NET_PAIRS_MAX];
	struct net_tx tx[VIRTIO_NET_PAIRS_MAX];
	struct iovec *ctrl_iov;
	struct virtio_net_drops drops;
	bool complained; /* of the host, since the last start */

	/* Since the last start. */
	unsigned active;   /* pairs */
	uint64_t offloads; /* by their feature bits */
	uint32_t on_loan;  /* pairs that vhost works for, by number */
	bool mergeable, guest_csum;
	uint8_t mac[VIRTIO_NET_MAC_LEN];
	struct net_filter filter;
};

static inline unsigned net_rx_queue(unsigned pair)
{
	return 2 * pair;
}

static inline unsigned net_tx_queue(unsigned pair)
{
	return 2 * pair + 1;
}

/* net_rx.c. A round receives what there is and has room. */
int net_rx_init(struct net_rx *rx);
void net_rx_done(struct net_rx *rx);
void net_rx_round(struct virtio_net *vn, unsigned pair);
/* Nobody listens until the next round. */
void net_rx_pause(struct virtio_net *vn, unsigned pair);
/* Forgets what has begun. */
void net_rx_stop(struct virtio_net *vn, unsigned pair);

/* net_tx.c */
int net_tx_init(struct net_tx *tx);
void net_tx_done(struct net_tx *tx);
void net_tx_round(struct virtio_net *vn, unsigned pair);
void net_tx_stop(struct virtio_net *vn, unsigned pair);

/* net_ctrl.c */
void net_ctrl_round(struct virtio_net *vn, unsigned queue);
/* What the driver has agreed to, of bits that are numbered as features are. */
void net_configure(struct virtio_net *vn, uint64_t offloads);

/* net_filter.c */
void net_filter_reset(struct net_filter *filter, bool vlans);
/* frame: destination, source, type, and what follows. */
#define NET_FILTER_LOOK 18
bool net_filter_wants(const struct net_filter *filter, const uint8_t *mac,
		      const uint8_t frame[NET_FILTER_LOOK]);

/* net_vhost.c. What cannot be lent stays with us. */
void net_vhost_start(struct virtio_net *vn);
void net_vhost_stop(struct virtio_net *vn);
/* Features of `offered` that vhost has a part in and does not know. */
uint64_t net_vhost_lacks(const struct virtio_net_config *config);

/* net.c */
bool net_is_ctrl(const struct virtio_net *vn, unsigned queue);
/* Something is wrong with the host's side; said once a start. */
void net_complain(struct virtio_net *vn, const char *what, int err);

#endif
