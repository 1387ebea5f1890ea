// SPDX-License-Identifier: MIT
/*
 * The ports of the console device. VIRTIO 1.2, 5.3.6 "Device Operation".
 *
 * Output goes from the driver's buffers to the back end without a copy of ours. What
 * the back end does not take stays in the driver's queue, so that a slow reader makes
 * the driver wait. Input is taken from the back end only when the driver has a
 * buffer for it, and of a port other than a console only while it is open there,
 * since drivers throw away the rest.
 */
#include "virtio/console_parts.h"

/* What the I/O thread does for one port before it looks at others, in bytes. */
#define ROUND_BYTES KIB(1024)
#define SLICE KIB(256)

/* ---- output ------------------------------------------------------------- */

uint64_t console_output_left(const struct console_port *port)
{
	uint64_t left = 0;
	unsigned i;

	for (i = 0; port->tx.held && i < port->tx_count; i++)
		left += port->tx_iov[i].iov_len;
	return left;
}

static bool take_output(struct console_port *port)
{
	struct console_chain *tx = &port->tx;
	unsigned queue = console_rx_queue(port->id) + 1;

	if (tx->held)
		return true;
	if (virtio_pop(&port->con->vd, queue, &tx->chain) <= 0)
		return false;
	tx->held = true;
	port->tx_iov = tx->iov;
	port->tx_count = tx->chain.out;
	return true;
}

static void give_output_back(struct console_port *port)
{
	unsigned queue = console_rx_queue(port->id) + 1;

	virtq_push(&port->con->vd.queue[queue].q, &port->tx.chain, 0);
	port->tx.held = false;
}

/* Writes from the chain that is held; *budget bytes or a little more. */
static void write_chain(struct console_port *port, uint64_t *budget)
{
	while (port->tx_count > 0 && *budget > 0) {
		struct iovec *iov = port->tx_iov;
		size_t len = iov->iov_len < SLICE ? iov->iov_len : SLICE,
		       n = len;

		if (port->back)
			n = port->back->ops->write(port->back, iov->iov_base,
						   len);
		iov->iov_base = (uint8_t *)iov->iov_base + n;
		iov->iov_len -= n;
		*budget -= n < *budget ? n : *budget;
		if (iov->iov_len == 0) {
			port->tx_iov++;
			port->tx_count--;
		}
		if (n < len) {
			port->tx_blocked = true;
			return;
		}
	}
}

/* Until nothing is left, the reader is slow, or it is others' turn. */
void console_pump(struct console_port *port)
{
	struct virtio_device *vd = &port->con->vd;
	unsigned queue = console_rx_queue(port->id) + 1;
	struct virtq *q = &vd->queue[queue].q;
	unsigned chains = CONSOLE_QUEUE_SIZE;
	uint64_t budget = ROUND_BYTES;
	bool pushed = false;

	port->tx_again = false;
	do {
		virtq_set_notify(q, false);
		while (!port->tx_blocked && chains > 0 && budget > 0 &&
		       take_output(port)) {
			write_chain(port, &budget);
			if (port->tx_count > 0)
				continue;
			give_output_back(port);
			pushed = true;
			chains--;
		}
		if (port->tx_blocked) {
			/* Since before a reset, perhaps: is there any? */
			(void)take_output(port);
			break;
		}
		if (chains == 0 || budget == 0) {
			port->tx_again = true;
			virtio_again(vd, queue);
			break;
		}
	} while (virtq_set_notify(q, true));
	if (pushed)
		virtio_signal(vd, queue);
}

bool console_output_taken(const struct console_port *port)
{
	/* Then virtio_again() leads to nothing, but writable() comes. */
	if (port->con->vd.status & VIRTIO_STATUS_NEEDS_RESET)
		return !port->tx.held || !port->tx_blocked;
	return !port->tx.held && !port->tx_again;
}

/* A driver that has closed a port is believed once its last word is out. */
void console_update_closing(struct console_port *port)
{
	if (!port->closing || !console_output_taken(port))
		return;
	port->closing = false;
	if (port->opened)
		port->opened(port->opaque, false);
}

void console_check_drained(struct virtio_console *con)
{
	unsigned i;

	for (i = 0; i < con->ports; i++)
		if (!console_output_taken(&con->port[i]))
			return;
	if (con->finishing && con->drained)
		con->drained(con->opaque);
}

void console_output(struct console_port *port)
{
	console_pump(port);
	console_update_closing(port);
}

void console_writable(void *opaque)
{
	struct console_port *port = opaque;
	struct virtio_console *con = port->con;

	virtio_lock(&con->vd);
	port->tx_blocked = false;
	if (con->vd.started) {
		console_output(port);
		console_check_drained(con);
	}
	virtio_unlock(&con->vd);
}

/* ---- input -------------------------------------------------------------- */

static bool takes_input(const struct console_port *port)
{
	const struct virtio_device *vd = &port->con->vd;

	return vd->started && !vd->resetting &&
	       (console_multiport(port->con) ? port->guest_open : port->id == 0);
}

/* A buffer of the driver's to read into. */
static bool take_input_buffer(struct console_port *port)
{
	struct virtio_device *vd = &port->con->vd;
	unsigned queue = console_rx_queue(port->id);
	struct virtq *q = &vd->queue[queue].q;
	struct console_chain *rx = &port->rx;
	unsigned budget = CONSOLE_QUEUE_SIZE;

	for (; !rx->held && budget > 0; budget--) {
		if (virtio_pop(vd, queue, &rx->chain) > 0) {
			virtq_set_notify(q, false);
			rx->held = rx->chain.in_len > 0;
			if (!rx->held)
				virtio_push(vd, queue, &rx->chain, 0);
		} else if (!virtq_set_notify(q, true)) {
			return false;
		}
	}
	if (!rx->held)
		virtio_again(vd, queue);
	return rx->held;
}

size_t console_room(void *opaque)
{
	struct console_port *port = opaque;
	size_t room = 0;

	virtio_lock(&port->con->vd);
	if (takes_input(port) && take_input_buffer(port))
		room = port->rx.chain.in_len;
	port->rx_starved = room == 0;
	virtio_unlock(&port->con->vd);
	return room;
}

void console_receive(void *opaque, const uint8_t *buf, size_t len)
{
	struct console_port *port = opaque;
	struct virtio_device *vd = &port->con->vd;
	size_t done = 0, n;

	virtio_lock(vd);
	/* A reset in between takes the buffers; what is for this life is lost. */
	while (done < len && takes_input(port) && take_input_buffer(port)) {
		n = virtq_copy_in(&port->rx.chain, 0, buf + done, len - done);
		virtio_push(vd, console_rx_queue(port->id), &port->rx.chain,
			    (uint32_t)n);
		port->rx.held = false;
		done += n;
	}
	virtio_unlock(vd);
}

void console_feed(struct console_port *port)
{
	if (!port->back || !port->rx_starved || !takes_input(port))
		return;
	port->rx_starved = false;
	port->back->ops->want_input(port->back);
}

/* ---- the two ends ------------------------------------------------------- */

void console_connected(void *opaque, bool on)
{
	struct console_port *port = opaque;

	virtio_lock(&port->con->vd);
	port->host_open = on;
	if (port->con->vd.started)
		console_tell_open(port);
	virtio_unlock(&port->con->vd);
}

void console_set_guest_open(struct console_port *port, bool open)
{
	if (port->guest_open == open)
		return;
	port->guest_open = open;
	if (open) {
		/* Closed and opened in one breath is two events all the same. */
		if (port->closing && port->opened)
			port->opened(port->opaque, false);
		port->closing = false;
		if (port->opened)
			port->opened(port->opaque, true);
		console_feed(port);
	} else {
		/* What it wrote before, whoever of us saw what first. */
		port->closing = true;
		console_pump(port);
		console_update_closing(port);
	}
}

/* What is held, and as much as the queue can have beyond it. */
size_t console_output_discard(struct console_port *port)
{
	unsigned queue = console_rx_queue(port->id) + 1, i;
	size_t n = 0;

	for (i = 0; i <= CONSOLE_QUEUE_SIZE && take_output(port); i++) {
		n += console_output_left(port);
		give_output_back(port);
	}
	port->tx_again = false;
	virtio_signal(&port->con->vd, queue);
	console_update_closing(port);
	return n;
}
