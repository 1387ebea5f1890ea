/* SPDX-License-Identifier: MIT */
/* vsock_parts.h: what the files of the socket device share. */
#ifndef TRAPMAP_VIRTIO_VSOCK_PARTS_H
#define TRAPMAP_VIRTIO_VSOCK_PARTS_H

#include <sys/queue.h>

#include "backend/vsock.h"
#include "core/base.h"
#include "core/loop.h"
#include "virtio/vsock.h"

/* 5.10.2, 5.10.3 */
enum { VSOCK_RX, VSOCK_TX, VSOCK_EVENT, VSOCK_QUEUES };
#define VIRTIO_VSOCK_F_STREAM 0u
#define VSOCK_CONFIG_LEN 8u
#define VSOCK_QUEUE_SIZE 128u

/* 5.10.6 */
enum vsock_op {
	VSOCK_OP_REQUEST = 1,
	VSOCK_OP_RESPONSE = 2,
	VSOCK_OP_RST = 3,
	VSOCK_OP_SHUTDOWN = 4,
	VSOCK_OP_RW = 5,
	VSOCK_OP_CREDIT_UPDATE = 6,
	VSOCK_OP_CREDIT_REQUEST = 7,
};

#define VSOCK_TYPE_STREAM 1u
#define VSOCK_SHUTDOWN_RCV 1u
#define VSOCK_SHUTDOWN_SEND 2u

/* struct virtio_vsock_hdr */
#define VSOCK_HDR_LEN 44u

struct vsock_hdr {
	uint64_t src_cid, dst_cid;
	uint32_t src_port, dst_port;
	uint32_t len;
	uint16_t type, op;
	uint32_t flags;
	uint32_t buf_alloc, fwd_cnt;
};

struct vsock_conn {
	struct virtio_vsock *vs;
	LIST_ENTRY(vsock_conn) in_bucket;
	TAILQ_ENTRY(vsock_conn) in_work;
	uint32_t born; /* as vs->born was */
	bool has_work; /* it is in vs->work */
	bool dead;     /* it is in vs->dead */

	struct vsock_stream *stream;
	uint32_t host_port, guest_port;
	bool open;     /* the guest has said yes, or will be told so */
	unsigned todo; /* packets to send, as bits by vsock_op */

	/* To the host. */
	bool guest_sends, guest_receives; /* until it shuts that down */
	uint8_t *buf; /* VIRTIO_VSOCK_BUF bytes, from the first use on */
	uint32_t begin, len;
	uint32_t rx_cnt;   /* bytes that came from the guest */
	uint32_t fwd_cnt;  /* of them, those that the host has */
	uint32_t fwd_told; /* what the guest last heard of fwd_cnt */

	/* To the guest. */
	bool readable; /* there may be something, or the end */
	bool host_ended;
	uint32_t tx_cnt, peer_alloc, peer_fwd;
};

LIST_HEAD(vsock_bucket, vsock_conn);
TAILQ_HEAD(vsock_list, vsock_conn);

#define VSOCK_BUCKETS 64u
#define VSOCK_RESETS_MAX 64u

struct virtio_vsock {
	struct virtio_device vd;
	uint64_t cid;
	struct loop *loop;
	struct vsock_host *host;
	struct loop_timer *reaper;
	struct vsock_bucket bucket[VSOCK_BUCKETS];
	struct vsock_list work; /* those with something for the guest */
	struct vsock_list dead; /* to be freed by the loop's thread */
	unsigned conns;
	uint32_t born; /* so many there have been */
	uint32_t next_port;

	/* Packets that belong to no connection are answered with RST. */
	struct vsock_hdr reset[VSOCK_RESETS_MAX];
	unsigned reset_first, resets;
	bool tx_waits; /* there was no room for one more */

	/* A buffer of the driver's. */
	struct virtq_chain rx;
	struct iovec rx_iov[VSOCK_QUEUE_SIZE];
	bool rx_held;
};

static inline struct virtio_vsock *to_vsock(struct virtio_device *vd)
{
	return container_of(vd, struct virtio_vsock, vd);
}

/* All with the lock, on the loop's thread unless it says otherwise. */

/* vsock_conn.c: connections. */

struct vsock_conn *vsock_conn_find(struct virtio_vsock *vs, uint32_t host_port,
				   uint32_t guest_port);
/* Returns NULL where there is no room. */
struct vsock_conn *vsock_conn_new(struct virtio_vsock *vs, uint32_t host_port,
				  uint32_t guest_port);
/*
 * Lets go of it; the guest is not told. The stream is freed soon. Any thread. The
 * memory stays until then.
 */
void vsock_conn_end(struct vsock_conn *c);
/* The same once the guest has been told by RST. */
void vsock_conn_reset(struct vsock_conn *c);
/* Frees those that have ended. Without the lock. */
void vsock_reap(void *opaque);
void vsock_conn_free(struct vsock_list *dead);
/* Ends all. Any thread. */
void vsock_conn_end_all(struct virtio_vsock *vs);

/* A packet for this connection, with its payload in the chain behind the header. */
void vsock_conn_receive(struct vsock_conn *c, const struct vsock_hdr *hdr,
			const struct virtq_chain *chain);
/* What the host has to take, or to give. */
void vsock_conn_ready(struct vsock_conn *c, unsigned events);
/*
 * The next packet for the guest: fills hdr, and payload into iov. Returns false for
 * none.
 */
bool vsock_conn_next(struct vsock_conn *c, struct vsock_hdr *hdr,
		     struct iovec *iov, unsigned count);
/* Whether it may have one; puts it into vs->work, or takes it out. */
void vsock_conn_update(struct vsock_conn *c);

#endif
