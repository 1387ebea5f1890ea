// SPDX-License-Identifier: MIT
/*
 * The console device. VIRTIO 1.2, 5.3 "Console Device".
 *
 * Not modelled: ports that come and go (DEVICE_REMOVE); sizes that the driver sets.
 */
#include "virtio/console.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "virtio/console_parts.h"

/* 5.3.4: cols, rows, max_nr_ports, emerg_wr */
#define CONFIG_LEN 12u
#define CONFIG_EMERG_WR 8u

bool console_multiport(const struct virtio_console *con)
{
	return virtio_has(&con->vd, VIRTIO_CONSOLE_F_MULTIPORT);
}

static void console_notify(struct virtio_device *vd, unsigned queue)
{
	struct virtio_console *con = to_console(vd);
	unsigned id = queue < CONSOLE_CONTROL_RX ? 0 : queue / 2 - 1;

	if (queue == CONSOLE_CONTROL_RX || queue == CONSOLE_CONTROL_TX)
		console_control_notify(con, queue);
	else if (queue % 2 == 0)
		console_feed(&con->port[id]);
	else
		console_output(&con->port[id]);
	console_check_drained(con);
}

static void console_start(struct virtio_device *vd)
{
	struct virtio_console *con = to_console(vd);

	con->finishing = false;
	console_control_start(con);
	if (!console_multiport(con) && con->port[0].back)
		console_set_guest_open(&con->port[0], true);
}

static void console_stop(struct virtio_device *vd)
{
	struct virtio_console *con = to_console(vd);
	unsigned i;

	con->finishing = false;
	for (i = 0; i < con->ports; i++) {
		struct console_port *port = &con->port[i];

		if ((port->guest_open || port->closing) && port->opened)
			port->opened(port->opaque, false);
		port->guest_open = port->closing = port->ready = false;
		port->tx.held = port->rx.held = false;
		port->tx_again = false;
		port->rx_starved = true;
		port->todo = 0;
	}
}

/* ---- configuration space ------------------------------------------------ */

static void config_read(struct virtio_device *vd, size_t off, void *buf,
			size_t len)
{
	const struct virtio_console *con = to_console(vd);
	uint8_t config[CONFIG_LEN] = { 0 };

	put_le16(config, con->port[0].cols);
	put_le16(config + 2, con->port[0].rows);
	put_le32(config + 4, con->ports);
	memcpy(buf, config + off, len);
}

/* 5.3.5.1: a character at any time, even before there is a driver. */
static void config_write(struct virtio_device *vd, size_t off, const void *buf,
			 size_t len)
{
	struct port *back = to_console(vd)->port[0].back;

	if (back && off == CONFIG_EMERG_WR)
		back->ops->write(back, buf, 1);
}

/* ---- for the board ------------------------------------------------------ */

int virtio_console_resize(struct virtio_device *vd, unsigned port,
			  uint16_t cols, uint16_t rows)
{
	struct virtio_console *con = to_console(vd);
	struct console_port *p;

	if (port >= con->ports || !con->port[port].is_console)
		return -ENOENT;
	p = &con->port[port];
	virtio_lock(vd);
	if (p->cols != cols || p->rows != rows) {
		p->cols = cols;
		p->rows = rows;
		if (vd->started)
			console_tell_size(p);
	}
	virtio_unlock(vd);
	return 0;
}

bool virtio_console_finish(struct virtio_device *vd)
{
	struct virtio_console *con = to_console(vd);
	bool all = true;
	unsigned i;

	virtio_lock(vd);
	for (i = 0; vd->started && i < con->ports; i++) {
		if (!con->finishing)
			console_pump(&con->port[i]);
		console_update_closing(&con->port[i]);
	}
	/* By now: one that breaks the rules ends it for the others. */
	for (i = 0; vd->started && i < con->ports; i++)
		all &= console_output_taken(&con->port[i]);
	con->finishing = true;
	virtio_unlock(vd);
	return all;
}

size_t virtio_console_pending(struct virtio_device *vd)
{
	struct virtio_console *con = to_console(vd);
	size_t n = 0;
	unsigned i;

	virtio_lock(vd);
	for (i = 0; i < con->ports; i++) {
		struct console_port *port = &con->port[i];

		if (port->back)
			n += port->back->ops->pending(port->back);
		n += console_output_left(port) + port->tx_again;
	}
	virtio_unlock(vd);
	return n;
}

size_t virtio_console_discard(struct virtio_device *vd)
{
	struct virtio_console *con = to_console(vd);
	size_t n = 0;
	unsigned i;

	virtio_lock(vd);
	for (i = 0; i < con->ports; i++) {
		struct console_port *port = &con->port[i];

		if (vd->started)
			n += console_output_discard(port);
		if (port->back)
			n += port->back->ops->discard(port->back);
	}
	virtio_unlock(vd);
	return n;
}

/* ---- coming and going --------------------------------------------------- */

static void console_free(struct virtio_device *vd)
{
	struct virtio_console *con = to_console(vd);
	unsigned i;

	for (i = 0; i < con->ports; i++)
		port_free(con->port[i].back);
	virtio_done(vd);
	free(con);
}

static const struct virtio_ops console_ops = {
	.name = "virtio-console",
	.id = VIRTIO_ID_CONSOLE,
	.config_read = config_read,
	.config_write = config_write,
	.start = console_start,
	.stop = console_stop,
	.notify = console_notify,
	.free = console_free,
};

static void port_init(struct virtio_console *con, unsigned id,
		      const struct virtio_console_port *from)
{
	struct console_port *port = &con->port[id];

	port->con = con;
	port->id = id;
	port->back = from->back;
	port->is_console = from->back && !from->name;
	if (from->name)
		strncpy(port->name, from->name, VIRTIO_CONSOLE_NAME_MAX);
	port->cols = from->cols;
	port->rows = from->rows;
	port->opened = from->opened;
	port->opaque = from->opaque;
	port->tx.chain.iov = port->tx.iov;
	port->rx.chain.iov = port->rx.iov;
	port->tx.chain.room = port->rx.chain.room = CONSOLE_QUEUE_SIZE;
	port->rx_starved = true;
}

/* What the board gave is the device's only after success. */
int virtio_console_new(const struct virtio_console_config *config,
		       struct virtio_device **ret_vd)
{
	static const struct port_front front = {
		.room = console_room,
		.receive = console_receive,
		.connected = console_connected,
		.writable = console_writable,
	};
	uint16_t sizes[2 * (VIRTIO_CONSOLE_PORTS_MAX + 1)];
	struct virtio_config common = {
		.ops = &console_ops,
		.ram = config->ram,
		.queues = 2 * (config->ports + 1),
		.sizes = sizes,
		.config_len = CONFIG_LEN,
		.features = BIT64(VIRTIO_CONSOLE_F_MULTIPORT),
	};
	struct virtio_console *con;
	unsigned i;

	con = calloc(1, sizeof(*con) + config->ports * sizeof(con->port[0]));
	if (!con)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		sizes[i] = CONSOLE_QUEUE_SIZE;
	if (config->port[0].back)
		common.features |= BIT64(VIRTIO_CONSOLE_F_SIZE) |
				   BIT64(VIRTIO_CONSOLE_F_EMERG_WRITE);
	if (virtio_init(&con->vd, &common) < 0) {
		free(con);
		return -ENOMEM;
	}
	con->ports = config->ports;
	con->drained = config->drained;
	con->opaque = config->opaque;
	for (i = 0; i < config->ports; i++)
		port_init(con, i, &config->port[i]);
	/*
	 * No loop runs yet, or this is its thread: nothing comes before the
	 * transport has attached.
	 */
	for (i = 0; i < config->ports; i++) {
		struct console_port *port = &con->port[i];
		struct port_front of = front;

		of.opaque = port;
		if (port->back)
			port->host_open = port->back->ops->attach(port->back,
								  &of);
	}
	*ret_vd = &con->vd;
	return 0;
}
