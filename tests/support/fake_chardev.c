// SPDX-License-Identifier: MIT
#include "fake_chardev.h"

#include <string.h>

#include "core/base.h"

static struct fake_chardev *to_fake(struct chardev *chr)
{
	return container_of(chr, struct fake_chardev, chr);
}

static void fake_attach(struct chardev *chr, const struct chardev_front *front)
{
	to_fake(chr)->front = *front;
}

static void fake_write(struct chardev *chr, const uint8_t *buf, size_t len)
{
	struct fake_chardev *fc = to_fake(chr);
	size_t i;

	for (i = 0; i < len; i++, fc->out_len++)
		if (fc->out_len < sizeof(fc->out))
			fc->out[fc->out_len] = buf[i];
}

static void fake_want_input(struct chardev *chr)
{
	to_fake(chr)->wants++;
}

static const struct chardev_ops fake_ops = {
	.attach = fake_attach,
	.write = fake_write,
	.want_input = fake_want_input,
};

void fake_chardev_init(struct fake_chardev *fc)
{
	memset(fc, 0, sizeof(*fc));
	fc->chr.ops = &fake_ops;
}

size_t fake_chardev_type(struct fake_chardev *fc, const void *buf, size_t len)
{
	size_t room = fc->front.room(fc->front.opaque);

	if (len > room)
		len = room;
	if (len)
		fc->front.receive(fc->front.opaque, buf, len);
	return len;
}
