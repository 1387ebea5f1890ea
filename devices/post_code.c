// SPDX-License-Identifier: MIT
/*
 * Port 0x80 of a PC: firmware and kernels write one byte there to say how far
 * they have come, or just to wait about a microsecond.
 *
 * Source: IBM PC AT Technical Reference, I/O address map: 0x80 is a spare page
 * register of the DMA controller (a 74LS612), so what was written reads back.
 *
 * Not modelled: the microsecond; the register's unknown content before the
 * first write, which is 0 here.
 */
#include "post_code.h"

#include <errno.h>
#include <stdlib.h>

#include "core/base.h"
#include "core/device.h"

#define POST_NONE (-1)

struct post_code {
	struct device dev;
	int last; /* POST_NONE, or the byte */
};

static struct post_code *to_post(struct device *dev)
{
	return container_of(dev, struct post_code, dev);
}

static uint64_t post_read(struct device *dev, uint64_t off, unsigned size)
{
	int last = to_post(dev)->last;

	return last == POST_NONE ? 0 : (uint64_t)last;
}

static void post_write(struct device *dev, uint64_t off, unsigned size,
		       uint64_t val)
{
	to_post(dev)->last = (uint8_t)val;
}

static void post_reset(struct device *dev)
{
	to_post(dev)->last = POST_NONE;
}

static void post_free(struct device *dev)
{
	struct post_code *post = to_post(dev);

	device_done(dev);
	free(post);
}

static const struct device_ops post_ops = {
	.name = "post-code",
	.sizes = 1,
	.read = post_read,
	.write = post_write,
	.reset = post_reset,
	.free = post_free,
};

int post_code_new(struct device **ret_dev)
{
	struct post_code *post = calloc(1, sizeof(*post));

	if (!post)
		return -ENOMEM;
	device_init(&post->dev, &post_ops);
	post->last = POST_NONE;
	*ret_dev = &post->dev;
	return 0;
}

int post_code_last(struct device *dev)
{
	int last;

	device_lock(dev);
	last = to_post(dev)->last;
	device_unlock(dev);
	return last;
}
