// SPDX-License-Identifier: MIT
/*
 * The socket device: its queues and packets. VIRTIO 1.2, 5.10 "Socket Device".
 *
 * For each packet that belongs to no connection the guest gets an RST; when more of
 * those wait than we keep, its own queue has to wait, too. What is addressed to
 * another than the host, or comes from another than the guest, is passed over.
 *
 * Not modelled: sequential packets (VIRTIO_VSOCK_F_SEQPACKET); events, of which the
 * only one there is tells of a migration, so that queue's buffers are left alone.
 */
#include "virtio/vsock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "virtio/vsock_parts.h"

/* Where the ports of incoming connections begin: above those that people use. */
#define FIRST_PORT 0x40000000u

/* ---- packets ------------------------------------------------------------ */

static void decode(const uint8_t buf[VSOCK_HDR_LEN], struct vsock_hdr *hdr)
{
	*hdr = (struct vsock_hdr){
		.src_cid = get_le64(buf),
		.dst_cid = get_le64(buf + 8),
		.src_port = get_le32(buf + 16),
		.dst_port = get_le32(buf + 20),
		.len = get_le32(buf + 24),
		.type = get_le16(buf + 28),
		.op = get_le16(buf + 30),
		.flags = get_le32(buf + 32),
		.buf_alloc = get_le32(buf + 36),
		.fwd_cnt = get_le32(buf + 40),
	};
}

static void encode(const struct vsock_hdr *hdr, uint8_t buf[VSOCK_HDR_LEN])
{
	put_le64(buf, hdr->src_cid);
	put_le64(buf + 8, hdr->dst_cid);
	put_le32(buf + 16, hdr->src_port);
	put_le32(buf + 20, hdr->dst_port);
	put_le32(buf + 24, hdr->len);
	put_le16(buf + 28, hdr->type);
	put_le16(buf + 30, hdr->op);
	put_le32(buf + 32, hdr->flags);
	put_le32(buf + 36, hdr->buf_alloc);
	put_le32(buf + 40, hdr->fwd_cnt);
}

/* ---- to the guest ------------------------------------------------------- */

static bool take_buffer(struct virtio_vsock *vs)
{
	struct virtq *q = &vs->vd.queue[VSOCK_RX].q;

	while (!vs->rx_held) {
		if (virtio_pop(&vs->vd, VSOCK_RX, &vs->rx) > 0) {
			virtq_set_notify(q, false);
			vs->rx_held = true;
		} else if (!virtq_set_notify(q, true)) {
			return false;
		}
	}
	if (vs->rx.in_len > VSOCK_HDR_LEN)
		return true;
	virtio_fail(&vs->vd,
		    "a receive buffer of %llu bytes, which holds no "
		    "more than a header",
		    (unsigned long long)vs->rx.in_len);
	return false;
}

static void answer_reset(struct virtio_vsock *vs, struct vsock_hdr *ret_hdr)
{
	*ret_hdr = vs->reset[vs->reset_first];
	vs->reset_first = (vs->reset_first + 1) % VSOCK_RESETS_MAX;
	vs->resets--;
}

/* The next packet into the buffer that is held. Returns its length, or 0. */
static uint32_t next_packet(struct virtio_vsock *vs)
{
	struct iovec iov[VSOCK_QUEUE_SIZE], *data;
	struct vsock_conn *c = TAILQ_FIRST(&vs->work);
	unsigned count = vs->rx.in;
	uint8_t buf[VSOCK_HDR_LEN];
	struct vsock_hdr hdr = { 0 };

	if (vs->resets > 0) {
		answer_reset(vs, &hdr);
	} else {
		/* To the end of the line: all get their turn. */
		TAILQ_REMOVE(&vs->work, c, in_work);
		TAILQ_INSERT_TAIL(&vs->work, c, in_work);
		memcpy(iov, vs->rx.iov + vs->rx.out, count * sizeof(iov[0]));
		data = virtq_trim(iov, &count, VSOCK_HDR_LEN, UINT64_MAX);
		if (!vsock_conn_next(c, &hdr, data, count))
			return 0;
	}
	encode(&hdr, buf);
	virtq_copy_in(&vs->rx, 0, buf, VSOCK_HDR_LEN);
	return VSOCK_HDR_LEN + hdr.len;
}

static void send_packets(struct virtio_vsock *vs)
{
	struct virtio_device *vd = &vs->vd;
	unsigned budget = VSOCK_QUEUE_SIZE;
	bool pushed = false;
	uint32_t len;

	while ((vs->resets > 0 || !TAILQ_EMPTY(&vs->work)) && budget > 0 &&
	       take_buffer(vs)) {
		budget--;
		len = next_packet(vs);
		if (len == 0)
			continue;
		virtq_push(&vd->queue[VSOCK_RX].q, &vs->rx, len);
		vs->rx_held = false;
		pushed = true;
	}
	if (pushed)
		virtio_signal(vd, VSOCK_RX);
	if (budget == 0)
		virtio_again(vd, VSOCK_RX);
	if (vs->tx_waits && vs->resets < VSOCK_RESETS_MAX) {
		vs->tx_waits = false;
		virtio_again(vd, VSOCK_TX);
	}
}

/* ---- from the guest ----------------------------------------------------- */

static void refuse(struct virtio_vsock *vs, const struct vsock_hdr *hdr)
{
	unsigned at = (vs->reset_first + vs->resets) % VSOCK_RESETS_MAX;

	if (hdr->op == VSOCK_OP_RST)
		return;
	vs->reset[at] = (struct vsock_hdr){
		.src_cid = hdr->dst_cid,
		.dst_cid = hdr->src_cid,
		.src_port = hdr->dst_port,
		.dst_port = hdr->src_port,
		.type = hdr->type,
		.op = VSOCK_OP_RST,
	};
	vs->resets++;
}

static void connect_host(struct virtio_vsock *vs, const struct vsock_hdr *hdr)
{
	struct vsock_stream *stream = NULL;
	struct vsock_conn *c;

	c = vsock_conn_new(vs, hdr->dst_port, hdr->src_port);
	if (!c) {
		refuse(vs, hdr);
		return;
	}
	if (vs->host->ops->connect(vs->host, hdr->dst_port, &stream) < 0) {
		vsock_conn_reset(c);
		return;
	}
	stream->opaque = c;
	c->stream = stream;
	c->open = true;
	c->peer_alloc = hdr->buf_alloc;
	c->peer_fwd = hdr->fwd_cnt;
	c->todo = BIT(VSOCK_OP_RESPONSE);
	vsock_conn_update(c);
}

static void receive_packet(struct virtio_vsock *vs,
			   const struct virtq_chain *chain)
{
	uint8_t buf[VSOCK_HDR_LEN];
	struct vsock_conn *c;
	struct vsock_hdr hdr;

	if (virtq_copy_out(chain, 0, buf, sizeof(buf)) < sizeof(buf)) {
		virtio_fail(&vs->vd,
			    "a packet of %llu bytes, less than a header",
			    (unsigned long long)chain->out_len);
		return;
	}
	decode(buf, &hdr);
	if (hdr.len > chain->out_len - VSOCK_HDR_LEN) {
		virtio_fail(&vs->vd,
			    "a packet of %llu bytes whose payload has %u",
			    (unsigned long long)chain->out_len, hdr.len);
		return;
	}
	if (hdr.src_cid != vs->cid || hdr.dst_cid != VIRTIO_VSOCK_CID_HOST)
		return;
	if (hdr.type != VSOCK_TYPE_STREAM) {
		refuse(vs, &hdr);
		return;
	}
	c = vsock_conn_find(vs, hdr.dst_port, hdr.src_port);
	if (c)
		vsock_conn_receive(c, &hdr, chain);
	else if (hdr.op == VSOCK_OP_REQUEST)
		connect_host(vs, &hdr);
	else
		refuse(vs, &hdr);
}

static void receive_packets(struct virtio_vsock *vs)
{
	struct virtio_device *vd = &vs->vd;
	struct virtq *q = &vd->queue[VSOCK_TX].q;
	struct iovec iov[VSOCK_QUEUE_SIZE];
	struct virtq_chain chain = { .iov = iov, .room = VSOCK_QUEUE_SIZE };
	unsigned budget = VSOCK_QUEUE_SIZE;
	bool pushed = false;

	do {
		virtq_set_notify(q, false);
		while (budget > 0 && vs->resets < VSOCK_RESETS_MAX &&
		       virtio_pop(vd, VSOCK_TX, &chain) > 0) {
			receive_packet(vs, &chain);
			virtq_push(q, &chain, 0);
			pushed = true;
			budget--;
		}
		vs->tx_waits = vs->resets == VSOCK_RESETS_MAX;
		if (budget == 0 && !vs->tx_waits)
			virtio_again(vd, VSOCK_TX);
		if (budget == 0 || vs->tx_waits)
			break;
	} while (virtq_set_notify(q, true));
	if (pushed)
		virtio_signal(vd, VSOCK_TX);
}

static void vsock_notify(struct virtio_device *vd, unsigned queue)
{
	struct virtio_vsock *vs = to_vsock(vd);

	if (queue == VSOCK_TX)
		receive_packets(vs);
	if (queue != VSOCK_EVENT)
		send_packets(vs);
}

/* ---- from the host ------------------------------------------------------ */

/* One that the guest's connections, few of which end there, do not have. */
static uint32_t new_port(struct virtio_vsock *vs, uint32_t guest_port)
{
	do {
		vs->next_port++;
		if (vs->next_port < FIRST_PORT)
			vs->next_port = FIRST_PORT;
	} while (vsock_conn_find(vs, vs->next_port, guest_port));
	return vs->next_port;
}

static bool on_incoming(void *opaque, struct vsock_stream *s,
			uint32_t guest_port)
{
	struct virtio_vsock *vs = opaque;
	struct vsock_conn *c = NULL;

	virtio_lock(&vs->vd);
	if (vs->vd.started && !vs->vd.resetting)
		c = vsock_conn_new(vs, new_port(vs, guest_port), guest_port);
	if (c) {
		s->opaque = c;
		c->stream = s;
		c->todo = BIT(VSOCK_OP_REQUEST);
		vsock_conn_update(c);
		send_packets(vs);
	}
	virtio_unlock(&vs->vd);
	return c != NULL;
}

/* What has ended meanwhile is still there: this is the thread that frees it. */
static void on_ready(void *opaque, unsigned events)
{
	struct vsock_conn *c = opaque;
	struct virtio_vsock *vs = c->vs;

	virtio_lock(&vs->vd);
	if (!c->dead) {
		vsock_conn_ready(c, events);
		send_packets(vs);
	}
	virtio_unlock(&vs->vd);
}

/* ---- the device --------------------------------------------------------- */

static void config_read(struct virtio_device *vd, size_t off, void *buf,
			size_t len)
{
	uint8_t config[VSOCK_CONFIG_LEN];

	put_le64(config, to_vsock(vd)->cid);
	memcpy(buf, config + off, len);
}

static void vsock_stop(struct virtio_device *vd)
{
	struct virtio_vsock *vs = to_vsock(vd);

	vsock_conn_end_all(vs);
	vs->resets = 0;
	vs->tx_waits = vs->rx_held = false;
}

static void vsock_free(struct virtio_device *vd)
{
	struct virtio_vsock *vs = to_vsock(vd);

	vsock_conn_free(&vs->dead);
	loop_timer_free(vs->loop, vs->reaper);
	if (vs->host)
		vs->host->ops->free(vs->host);
	virtio_done(vd);
	free(vs);
}

static const struct virtio_ops vsock_ops = {
	.name = "virtio-vsock",
	.id = VIRTIO_ID_VSOCK,
	.config_read = config_read,
	.stop = vsock_stop,
	.notify = vsock_notify,
	.free = vsock_free,
};

int virtio_vsock_new(const struct virtio_vsock_config *config,
		     struct virtio_device **ret_vd)
{
	static const uint16_t sizes[VSOCK_QUEUES] = { VSOCK_QUEUE_SIZE,
						      VSOCK_QUEUE_SIZE,
						      VSOCK_QUEUE_SIZE };
	const struct virtio_config common = {
		.ops = &vsock_ops,
		.ram = config->ram,
		.queues = VSOCK_QUEUES,
		.sizes = sizes,
		.config_len = VSOCK_CONFIG_LEN,
		.features = BIT64(VIRTIO_VSOCK_F_STREAM),
	};
	struct virtio_vsock *vs = calloc(1, sizeof(*vs));
	struct vsock_front front = {
		.incoming = on_incoming,
		.ready = on_ready,
		.opaque = vs,
	};
	unsigned i;
	int r;

	if (!vs)
		return -ENOMEM;
	if (virtio_init(&vs->vd, &common) < 0) {
		free(vs);
		return -ENOMEM;
	}
	vs->cid = config->cid;
	vs->loop = config->loop;
	vs->rx.iov = vs->rx_iov;
	vs->rx.room = VSOCK_QUEUE_SIZE;
	TAILQ_INIT(&vs->work);
	TAILQ_INIT(&vs->dead);
	for (i = 0; i < VSOCK_BUCKETS; i++)
		LIST_INIT(&vs->bucket[i]);
	r = loop_timer_new(vs->loop, LOOP_CLOCK_HOST, vsock_reap, vs,
			   &vs->reaper);
	if (r < 0) {
		vsock_free(&vs->vd);
		return r;
	}
	vs->host = config->host;
	vs->host->ops->attach(vs->host, &front);
	*ret_vd = &vs->vd;
	return 0;
}
