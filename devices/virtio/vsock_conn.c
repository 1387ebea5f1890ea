// SPDX-License-Identifier: MIT
/*
 * Connections of the socket device: their states, and how much may be under way.
 * VIRTIO 1.2, 5.10.6.3 "Buffer Space Management", 5.10.6.6 "Stream Sockets".
 *
 * To the host: what the host's socket does not take at once is kept in a buffer, of
 * whose size the guest knows. One that sends more than that lies about its credit,
 * and is reset. To the guest: the host's socket is read only when the guest has said
 * that it has room, and a buffer of its is at hand.
 *
 * An end of what the host sends is a half-close, as sockets have it; the guest may
 * go on sending until writing fails.
 *
 * Not modelled: a time limit for a guest that leaves a request unanswered. Where
 * there is no place for one more the oldest such has to go.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "virtio/vsock_parts.h"

/* Of one packet. 5.10.6.4 has no limit; this is Linux's. */
#define PAYLOAD_MAX KIB(64)

static struct vsock_bucket *bucket(struct virtio_vsock *vs, uint32_t host_port,
				   uint32_t guest_port)
{
	return &vs->bucket[(host_port ^ guest_port) % VSOCK_BUCKETS];
}

struct vsock_conn *vsock_conn_find(struct virtio_vsock *vs, uint32_t host_port,
				   uint32_t guest_port)
{
	struct vsock_conn *c;

	LIST_FOREACH(c, bucket(vs, host_port, guest_port), in_bucket)
	if (c->host_port == host_port && c->guest_port == guest_port)
		return c;
	return NULL;
}

/* Ends the oldest that is not open, if any: not yet, or no more. */
static void make_room(struct virtio_vsock *vs)
{
	struct vsock_conn *c, *oldest = NULL;
	unsigned i;

	for (i = 0; i < VSOCK_BUCKETS; i++)
		LIST_FOREACH(c, &vs->bucket[i], in_bucket)
			if (!c->open && (!oldest || vs->born - c->born >
							    vs->born - oldest->born))
				oldest = c;
	if (oldest)
		vsock_conn_end(oldest);
}

struct vsock_conn *vsock_conn_new(struct virtio_vsock *vs, uint32_t host_port,
				  uint32_t guest_port)
{
	struct vsock_conn *c;

	if (vs->conns == VIRTIO_VSOCK_CONNS_MAX)
		make_room(vs);
	if (vs->conns == VIRTIO_VSOCK_CONNS_MAX)
		return NULL;
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->vs = vs;
	c->host_port = host_port;
	c->guest_port = guest_port;
	c->born = vs->born++;
	c->guest_sends = c->guest_receives = true;
	LIST_INSERT_HEAD(bucket(vs, host_port, guest_port), c, in_bucket);
	vs->conns++;
	return c;
}

void vsock_conn_end(struct vsock_conn *c)
{
	struct virtio_vsock *vs = c->vs;

	if (c->dead)
		return;
	c->dead = true;
	LIST_REMOVE(c, in_bucket);
	if (c->has_work)
		TAILQ_REMOVE(&vs->work, c, in_work);
	c->has_work = false;
	vs->conns--;
	if (c->stream)
		c->stream->ops->want(c->stream, 0);
	TAILQ_INSERT_TAIL(&vs->dead, c, in_work);
	/* Of the host's clock, which runs while the VM is paused. */
	loop_timer_set(vs->loop, vs->reaper, 0);
}

void vsock_conn_reset(struct vsock_conn *c)
{
	if (c->dead)
		return;
	if (c->stream) {
		c->stream->ops->want(c->stream, 0);
		c->stream->ops->shut(c->stream, true, true);
	}
	c->open = c->readable = false;
	c->len = 0;
	c->todo = BIT(VSOCK_OP_RST);
	vsock_conn_update(c);
}

void vsock_reap(void *opaque)
{
	struct virtio_vsock *vs = opaque;
	struct vsock_list dead;

	TAILQ_INIT(&dead);
	virtio_lock(&vs->vd);
	TAILQ_CONCAT(&dead, &vs->dead, in_work);
	virtio_unlock(&vs->vd);
	vsock_conn_free(&dead);
}

void vsock_conn_free(struct vsock_list *dead)
{
	struct vsock_conn *c;

	while ((c = TAILQ_FIRST(dead))) {
		TAILQ_REMOVE(dead, c, in_work);
		if (c->stream)
			c->stream->ops->free(c->stream);
		free(c->buf);
		free(c);
	}
}

void vsock_conn_end_all(struct virtio_vsock *vs)
{
	struct vsock_conn *c;
	unsigned i;

	for (i = 0; i < VSOCK_BUCKETS; i++)
		while ((c = LIST_FIRST(&vs->bucket[i])))
			vsock_conn_end(c);
}

/* ---- what is possible now ----------------------------------------------- */

/* How much the guest has room for. It may say what it likes: never too much. */
static uint32_t credit(const struct vsock_conn *c)
{
	uint32_t under_way = c->tx_cnt - c->peer_fwd;

	return under_way < c->peer_alloc ? c->peer_alloc - under_way : 0;
}

/* Whether reading the host's end makes sense. */
static bool may_read(const struct vsock_conn *c)
{
	return c->open && c->guest_receives && !c->host_ended && credit(c) > 0;
}

void vsock_conn_update(struct vsock_conn *c)
{
	bool has_work = c->todo || (c->readable && may_read(c));
	unsigned events = 0;

	if (c->dead)
		return;
	if (has_work && !c->has_work)
		TAILQ_INSERT_TAIL(&c->vs->work, c, in_work);
	else if (!has_work && c->has_work)
		TAILQ_REMOVE(&c->vs->work, c, in_work);
	c->has_work = has_work;
	if (!c->open)
		return;
	if (may_read(c) && !c->readable)
		events |= LOOP_IN;
	if (c->len > 0)
		events |= LOOP_OUT;
	c->stream->ops->want(c->stream, events);
}

/* ---- to the host -------------------------------------------------------- */

/* The guest hears of room when it may run out of it. */
static void update_credit(struct vsock_conn *c)
{
	if (c->fwd_cnt != c->fwd_told &&
	    c->rx_cnt - c->fwd_told > VIRTIO_VSOCK_BUF / 2)
		c->todo |= BIT(VSOCK_OP_CREDIT_UPDATE);
}

/* When all is out of what the guest sent before it shut that down. */
static void update_shutdown(struct vsock_conn *c)
{
	if (c->len > 0 || c->guest_sends)
		return;
	if (!c->guest_receives)
		vsock_conn_reset(c); /* the RST that ends a clean disconnect */
	else
		c->stream->ops->shut(c->stream, false, true);
}

static void flush(struct vsock_conn *c)
{
	ssize_t n;

	while (c->len > 0) {
		n = c->stream->ops->write(c->stream, c->buf + c->begin, c->len);
		if (n == -EAGAIN)
			break;
		if (n < 0) {
			vsock_conn_reset(c);
			return;
		}
		c->begin += (uint32_t)n;
		c->len -= (uint32_t)n;
		c->fwd_cnt += (uint32_t)n;
	}
	update_credit(c);
	update_shutdown(c);
}

/* Returns how much of it the host took, or -errno. */
static ssize_t write_piece(struct vsock_conn *c, const uint8_t *buf, size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = c->stream->ops->write(c->stream, buf + done, len - done);
		if (n == -EAGAIN)
			break;
		if (n < 0)
			return n;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

/* The caller has seen to it that there is room. */
static int keep_piece(struct vsock_conn *c, const uint8_t *buf, uint32_t len)
{
	if (!c->buf)
		c->buf = malloc(VIRTIO_VSOCK_BUF);
	if (!c->buf)
		return -ENOMEM;
	if (c->len == 0)
		c->begin = 0;
	if (len > VIRTIO_VSOCK_BUF - c->begin - c->len) {
		memmove(c->buf, c->buf + c->begin, c->len);
		c->begin = 0;
	}
	memcpy(c->buf + c->begin + c->len, buf, len);
	c->len += len;
	return 0;
}

static int take_piece(struct vsock_conn *c, const uint8_t *buf, uint32_t len)
{
	ssize_t n = c->len > 0 ? 0 : write_piece(c, buf, len);

	if (n < 0)
		return (int)n;
	c->fwd_cnt += (uint32_t)n;
	c->rx_cnt += len;
	if ((uint32_t)n == len)
		return 0;
	return keep_piece(c, buf + n, len - (uint32_t)n);
}

/* The payload, straight from where it lies; behind it is nothing of ours. */
static void receive_data(struct vsock_conn *c, uint32_t len,
			 const struct virtq_chain *chain)
{
	uint64_t off = VSOCK_HDR_LEN;
	unsigned i;

	if (!c->open || !c->guest_sends || len > VIRTIO_VSOCK_BUF - c->len) {
		vsock_conn_reset(c);
		return;
	}
	for (i = 0; i < chain->out && len > 0; i++) {
		const struct iovec *iov = &chain->iov[i];
		uint64_t n = iov->iov_len;

		if (off >= n) {
			off -= n;
			continue;
		}
		n -= off;
		if (n > len)
			n = len;
		if (take_piece(c, (const uint8_t *)iov->iov_base + off,
			       (uint32_t)n) < 0) {
			vsock_conn_reset(c);
			return;
		}
		len -= (uint32_t)n;
		off = 0;
	}
	update_credit(c);
}

static void receive_shutdown(struct vsock_conn *c, uint32_t flags)
{
	if (flags & VSOCK_SHUTDOWN_SEND)
		c->guest_sends = false;
	if ((flags & VSOCK_SHUTDOWN_RCV) && c->guest_receives) {
		c->guest_receives = false;
		if (c->guest_sends)
			c->stream->ops->shut(c->stream, true, false);
	}
	if (!c->open)
		vsock_conn_reset(c);
	else
		update_shutdown(c);
}

void vsock_conn_receive(struct vsock_conn *c, const struct vsock_hdr *hdr,
			const struct virtq_chain *chain)
{
	c->peer_alloc = hdr->buf_alloc;
	c->peer_fwd = hdr->fwd_cnt;
	if (hdr->op == VSOCK_OP_RST) {
		vsock_conn_end(c);
		return;
	}
	if (c->todo & BIT(VSOCK_OP_RST))
		return; /* it will hear of its end */
	switch (hdr->op) {
	case VSOCK_OP_RESPONSE:
		if (c->open || (c->todo & BIT(VSOCK_OP_REQUEST))) {
			vsock_conn_reset(c);
			break;
		}
		c->open = true;
		c->stream->ops->accepted(c->stream, c->host_port);
		break;
	case VSOCK_OP_SHUTDOWN: receive_shutdown(c, hdr->flags); break;
	case VSOCK_OP_RW: receive_data(c, hdr->len, chain); break;
	case VSOCK_OP_CREDIT_UPDATE: break;
	case VSOCK_OP_CREDIT_REQUEST:
		c->todo |= BIT(VSOCK_OP_CREDIT_UPDATE);
		break;
	default: vsock_conn_reset(c); break; /* a second REQUEST, or unknown */
	}
	vsock_conn_update(c);
}

void vsock_conn_ready(struct vsock_conn *c, unsigned events)
{
	if (!c->open)
		return;
	if (events & LOOP_IN)
		c->readable = true;
	if ((events & LOOP_OUT) && c->len > 0)
		flush(c);
	vsock_conn_update(c);
}

/* ---- to the guest ------------------------------------------------------- */

static void fill(struct vsock_conn *c, struct vsock_hdr *hdr, enum vsock_op op)
{
	*hdr = (struct vsock_hdr){
		.src_cid = VIRTIO_VSOCK_CID_HOST,
		.dst_cid = c->vs->cid,
		.src_port = c->host_port,
		.dst_port = c->guest_port,
		.type = VSOCK_TYPE_STREAM,
		.op = (uint16_t)op,
		.buf_alloc = VIRTIO_VSOCK_BUF,
		.fwd_cnt = c->fwd_cnt,
	};
	c->todo &= ~BIT(op);
	/* Each packet tells of it. */
	c->todo &= ~BIT(VSOCK_OP_CREDIT_UPDATE);
	c->fwd_told = c->fwd_cnt;
}

/* Returns whether there was any, of which *ret_len bytes are in iov. */
static bool read_data(struct vsock_conn *c, struct iovec *iov, unsigned count,
		      uint32_t *ret_len)
{
	uint64_t max = credit(c) < PAYLOAD_MAX ? credit(c) : PAYLOAD_MAX;
	ssize_t n;

	iov = virtq_trim(iov, &count, 0, max);
	if (count == 0)
		return false;
	n = c->stream->ops->read(c->stream, iov, count);
	if (n > 0) {
		c->tx_cnt += (uint32_t)n;
		if (credit(c) == 0)
			c->todo |= BIT(VSOCK_OP_CREDIT_REQUEST);
		*ret_len = (uint32_t)n;
		return true;
	}
	c->readable = false;
	if (n == 0) {
		c->host_ended = true;
		c->todo |= BIT(VSOCK_OP_SHUTDOWN);
	} else if (n != -EAGAIN) {
		vsock_conn_reset(c);
	}
	return false;
}

bool vsock_conn_next(struct vsock_conn *c, struct vsock_hdr *hdr,
		     struct iovec *iov, unsigned count)
{
	uint32_t len = 0;

	if (c->todo & BIT(VSOCK_OP_RST)) {
		fill(c, hdr, VSOCK_OP_RST);
		vsock_conn_end(c);
		return true;
	}
	if (c->todo & BIT(VSOCK_OP_REQUEST)) {
		fill(c, hdr, VSOCK_OP_REQUEST);
	} else if (c->todo & BIT(VSOCK_OP_RESPONSE)) {
		fill(c, hdr, VSOCK_OP_RESPONSE);
	} else if (c->readable && may_read(c) && read_data(c, iov, count, &len)) {
		fill(c, hdr, VSOCK_OP_RW);
		hdr->len = len;
	} else if (c->todo & BIT(VSOCK_OP_RST)) {
		fill(c, hdr, VSOCK_OP_RST);
		vsock_conn_end(c);
		return true;
	} else if (c->todo & BIT(VSOCK_OP_SHUTDOWN)) {
		fill(c, hdr, VSOCK_OP_SHUTDOWN);
		hdr->flags = VSOCK_SHUTDOWN_SEND;
	} else if (c->todo & BIT(VSOCK_OP_CREDIT_REQUEST)) {
		fill(c, hdr, VSOCK_OP_CREDIT_REQUEST);
	} else if (c->todo & BIT(VSOCK_OP_CREDIT_UPDATE)) {
		fill(c, hdr, VSOCK_OP_CREDIT_UPDATE);
	} else {
		vsock_conn_update(c);
		return false;
	}
	vsock_conn_update(c);
	return true;
}
