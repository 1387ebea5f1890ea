// SPDX-License-Identifier: MIT
/*
 * The control queues of the console device. VIRTIO 1.2, 5.3.6.2 "Multiport Device
 * Operation".
 *
 * What the driver has to be told is kept as bits, not as messages: however long it
 * leaves us without a buffer, nothing piles up, and it is told how things stand then.
 *
 * Not modelled: ports that are added or removed while the driver runs.
 */
#include <string.h>

#include "virtio/console_parts.h"

enum {
	DEVICE_READY = 0,
	DEVICE_ADD = 1,
	DEVICE_REMOVE = 2,
	PORT_READY = 3,
	CONSOLE_PORT = 4,
	RESIZE = 5,
	PORT_OPEN = 6,
	PORT_NAME = 7,
};

/* struct virtio_console_control: id, event, value. */
#define MESSAGE_LEN 8u
#define MESSAGE_MAX (MESSAGE_LEN + VIRTIO_CONSOLE_NAME_MAX)

/* ---- to the driver ------------------------------------------------------ */

static size_t make_message(const struct console_port *port, unsigned event,
			   uint8_t buf[MESSAGE_MAX])
{
	size_t len;

	put_le32(buf, port->id);
	put_le16(buf + 4, (uint16_t)event);
	put_le16(buf + 6, 1);
	switch (event) {
	case PORT_OPEN: put_le16(buf + 6, port->host_open); return MESSAGE_LEN;
	case RESIZE:
		/*
		 * As the standard has it. Linux took the rows for the first
		 * until 6.15.
		 */
		put_le16(buf + 8, port->cols);
		put_le16(buf + 10, port->rows);
		return MESSAGE_LEN + 4;
	case PORT_NAME:
		len = strlen(port->name);
		memcpy(buf + MESSAGE_LEN, port->name, len);
		return MESSAGE_LEN + len;
	default: return MESSAGE_LEN;
	}
}

/*
 * Which is the next: a port is made known before anything is said of it, and who
 * finds it by its name finds it open.
 */
static struct console_port *next_todo(struct virtio_console *con,
				      unsigned *ret_event)
{
	static const uint8_t order[] = { DEVICE_ADD, CONSOLE_PORT, RESIZE,
					 PORT_OPEN, PORT_NAME };
	unsigned i, k;

	for (i = 0; i < con->ports; i++) {
		for (k = 0; con->port[i].todo && k < ARRAY_SIZE(order); k++) {
			if (con->port[i].todo & BIT(order[k])) {
				*ret_event = order[k];
				return &con->port[i];
			}
		}
	}
	return NULL;
}

/* A buffer for a message, or false: the driver will tell of the next one. */
static bool take_buffer(struct virtio_console *con, struct virtq_chain *chain)
{
	struct virtq *q = &con->vd.queue[CONSOLE_CONTROL_RX].q;

	do {
		if (virtio_pop(&con->vd, CONSOLE_CONTROL_RX, chain) > 0)
			return true;
	} while (virtq_set_notify(q, true));
	return false;
}

static void send_messages(struct virtio_console *con)
{
	struct iovec iov[CONSOLE_QUEUE_SIZE];
	struct virtq_chain chain = { .iov = iov, .room = CONSOLE_QUEUE_SIZE };
	struct console_port *port;
	uint8_t buf[MESSAGE_MAX];
	unsigned event = 0;
	size_t len;

	while ((port = next_todo(con, &event)) && take_buffer(con, &chain)) {
		len = make_message(port, event, buf);
		if (chain.in_len < len) {
			virtio_fail(&con->vd,
				    "control: a buffer of %llu bytes for a "
				    "message of %zu",
				    (unsigned long long)chain.in_len, len);
			return;
		}
		virtq_copy_in(&chain, 0, buf, len);
		port->todo &= ~BIT(event);
		virtio_push(&con->vd, CONSOLE_CONTROL_RX, &chain, (uint32_t)len);
	}
}

void console_tell_open(struct console_port *port)
{
	if (!port->ready || !console_multiport(port->con))
		return;
	port->todo |= BIT(PORT_OPEN);
	send_messages(port->con);
}

void console_tell_size(struct console_port *port)
{
	struct virtio_device *vd = &port->con->vd;

	if (console_multiport(port->con)) {
		if (!port->ready)
			return;
		port->todo |= BIT(RESIZE);
		send_messages(port->con);
	} else if (port->id == 0 && virtio_has(vd, VIRTIO_CONSOLE_F_SIZE)) {
		virtio_config_changed(vd);
	}
}

/* ---- from the driver ---------------------------------------------------- */

static void device_ready(struct virtio_console *con)
{
	unsigned i;

	if (con->announced)
		return;
	con->announced = true;
	for (i = 0; i < con->ports; i++)
		if (con->port[i].back)
			con->port[i].todo |= BIT(DEVICE_ADD);
}

static void port_ready(struct console_port *port)
{
	if (port->ready)
		return;
	port->ready = true;
	if (port->is_console)
		port->todo |= BIT(CONSOLE_PORT);
	if (port->is_console && port->cols && port->rows)
		port->todo |= BIT(RESIZE);
	if (port->name[0])
		port->todo |= BIT(PORT_NAME);
	if (port->host_open)
		port->todo |= BIT(PORT_OPEN);
}

/* Messages about ports that do not exist, and unknown ones, are passed over. */
static void handle(struct virtio_console *con,
		   const uint8_t message[MESSAGE_LEN])
{
	uint32_t id = get_le32(message);
	uint16_t event = get_le16(message + 4), value = get_le16(message + 6);
	struct console_port *port = NULL;

	if (id < con->ports && con->port[id].back)
		port = &con->port[id];
	if (event == DEVICE_READY && value)
		device_ready(con);
	else if (event == PORT_READY && value && port)
		port_ready(port);
	else if (event == PORT_OPEN && port)
		console_set_guest_open(port, value != 0);
}

static void receive_messages(struct virtio_console *con)
{
	struct virtio_device *vd = &con->vd;
	struct virtq *q = &vd->queue[CONSOLE_CONTROL_TX].q;
	struct iovec iov[CONSOLE_QUEUE_SIZE];
	struct virtq_chain chain = { .iov = iov, .room = CONSOLE_QUEUE_SIZE };
	unsigned budget = CONSOLE_QUEUE_SIZE;
	uint8_t message[MESSAGE_LEN];

	do {
		virtq_set_notify(q, false);
		while (budget > 0 && virtio_pop(vd, CONSOLE_CONTROL_TX, &chain)) {
			size_t n = virtq_copy_out(&chain, 0, message,
						  MESSAGE_LEN);

			if (n < MESSAGE_LEN) {
				virtio_fail(vd,
					    "control: a message of %zu "
					    "bytes",
					    n);
				return;
			}
			handle(con, message);
			virtio_push(vd, CONSOLE_CONTROL_TX, &chain, 0);
			budget--;
		}
		if (budget == 0) {
			virtio_again(vd, CONSOLE_CONTROL_TX);
			break;
		}
	} while (virtq_set_notify(q, true));
	send_messages(con);
}

void console_control_notify(struct virtio_console *con, unsigned queue)
{
	if (!console_multiport(con))
		return;
	if (queue == CONSOLE_CONTROL_RX)
		send_messages(con);
	else
		receive_messages(con);
}

void console_control_start(struct virtio_console *con)
{
	unsigned i;

	con->announced = false;
	for (i = 0; i < con->ports; i++)
		con->port[i].todo = 0;
}
