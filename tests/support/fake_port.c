// SPDX-License-Identifier: MIT
#include "fake_port.h"

#include <string.h>

#include "core/base.h"

static struct fake_port *to_fake(struct port *port)
{
	return container_of(port, struct fake_port, port);
}

static bool fake_attach(struct port *port, const struct port_front *front)
{
	to_fake(port)->front = *front;
	return to_fake(port)->there;
}

static size_t fake_write(struct port *port, const uint8_t *buf, size_t len)
{
	struct fake_port *fp = to_fake(port);
	size_t i;

	if (len > fp->takes)
		len = fp->takes;
	if (fp->takes != SIZE_MAX)
		fp->takes -= len;
	for (i = 0; i < len && fp->out_len + i < sizeof(fp->out); i++)
		fp->out[fp->out_len + i] = buf[i];
	fp->out_len += len;
	return len;
}

static void fake_want_input(struct port *port)
{
	to_fake(port)->wants++;
}

static size_t fake_pending(struct port *port)
{
	return to_fake(port)->pending;
}

static size_t fake_discard(struct port *port)
{
	size_t n = to_fake(port)->pending;

	to_fake(port)->pending = 0;
	return n;
}

static void fake_free(struct port *port)
{
	to_fake(port)->freed++;
}

static const struct port_ops fake_ops = {
	.attach = fake_attach,
	.write = fake_write,
	.want_input = fake_want_input,
	.pending = fake_pending,
	.discard = fake_discard,
	.free = fake_free,
};

void fake_port_init(struct fake_port *fp)
{
	memset(fp, 0, sizeof(*fp));
	fp->port.ops = &fake_ops;
	fp->there = true;
	fp->takes = SIZE_MAX;
}

size_t fake_port_type(struct fake_port *fp, const void *buf, size_t len)
{
	size_t room = fp->front.room(fp->front.opaque);

	if (len > room)
		len = room;
	if (len)
		fp->front.receive(fp->front.opaque, buf, len);
	return len;
}

void fake_port_take(struct fake_port *fp, size_t len)
{
	fp->takes = len;
	fp->front.writable(fp->front.opaque);
}
