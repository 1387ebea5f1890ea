// SPDX-License-Identifier: MIT
#include "backend/chardev_port.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "backend/chardev.h"
#include "backend/port.h"
#include "core/base.h"

struct chardev_port {
	struct chardev chr;
	struct port *port;
	struct chardev_front front;
};

static struct chardev_port *to_cp(struct chardev *chr)
{
	return container_of(chr, struct chardev_port, chr);
}

static size_t on_room(void *opaque)
{
	struct chardev_port *cp = opaque;

	return cp->front.room(cp->front.opaque);
}

static void on_receive(void *opaque, const uint8_t *buf, size_t len)
{
	struct chardev_port *cp = opaque;

	cp->front.receive(cp->front.opaque, buf, len);
}

/* A serial line has no say in this. */
static void on_connected(void *opaque, bool on)
{
}

/* It always is: it takes all. */
static void on_writable(void *opaque)
{
}

static void cp_attach(struct chardev *chr, const struct chardev_front *front)
{
	struct chardev_port *cp = to_cp(chr);

	cp->front = *front;
	cp->port->ops->attach(cp->port,
			      &(struct port_front){ .room = on_room,
						    .receive = on_receive,
						    .connected = on_connected,
						    .writable = on_writable,
						    .opaque = cp });
}

static void cp_write(struct chardev *chr, const uint8_t *buf, size_t len)
{
	struct port *port = to_cp(chr)->port;

	port->ops->write(port, buf, len);
}

static void cp_want_input(struct chardev *chr)
{
	struct port *port = to_cp(chr)->port;

	port->ops->want_input(port);
}

static size_t cp_pending(struct chardev *chr)
{
	struct port *port = to_cp(chr)->port;

	return port->ops->pending(port);
}

static size_t cp_discard(struct chardev *chr)
{
	struct port *port = to_cp(chr)->port;

	return port->ops->discard(port);
}

static void cp_free(struct chardev *chr)
{
	struct chardev_port *cp = to_cp(chr);

	port_free(cp->port);
	free(cp);
}

static const struct chardev_ops cp_ops = {
	.attach = cp_attach,
	.write = cp_write,
	.want_input = cp_want_input,
	.pending = cp_pending,
	.discard = cp_discard,
	.free = cp_free,
};

int chardev_port_new(struct port *port, struct chardev **ret_chr)
{
	struct chardev_port *cp = calloc(1, sizeof(*cp));

	if (!cp)
		return -ENOMEM;
	cp->chr.ops = &cp_ops;
	cp->port = port;
	*ret_chr = &cp->chr;
	return 0;
}
