// SPDX-License-Identifier: MIT
/*
 * Port 0x80 of a PC: firmware and kernels write one byte there to say how far
 * they have come, or just to wait about a microsecond.
 *
 * Source: IBM PC AT Technical Reference, I/O address map: 0x80 is a spare page
 * register of the DMA controller (a 74LS612), so what was written reads back.
 *
 * A kernel that waits this way does so thousands of times, with whatever its
 * register holds: only a change of the code costs a reading of the clock.
 *
 * Not modelled: the microsecond; the register's unknown content before the
 * first write, which is 0 here.
 */
#include "post_code.h"

#include <errno.h>
#include <stdlib.h>

#include "core/base.h"
#include "core/device.h"
#include "core/loop.h"

struct post_code {
	struct device dev;
	struct loop *loop;
	struct {
		/* A ring; the change with number n is at n % its size. */
		struct post_code_entry entry[POST_CODE_HISTORY];
		uint64_t changes;
	} state;
};

static struct post_code *to_post(struct device *dev)
{
	return container_of(dev, struct post_code, dev);
}

/* The newest, or NULL. */
static struct post_code_entry *newest(struct post_code *post)
{
	uint64_t n = post->state.changes;

	return n ? &post->state.entry[(n - 1) % POST_CODE_HISTORY] : NULL;
}

static uint64_t post_read(struct device *dev, uint64_t off, unsigned size)
{
	const struct post_code_entry *last = newest(to_post(dev));

	return last ? last->code : 0;
}

static void post_write(struct device *dev, uint64_t off, unsigned size,
		       uint64_t val)
{
	struct post_code *post = to_post(dev);
	struct post_code_entry *last = newest(post);

	if (last && last->code == (uint8_t)val) {
		last->count++;
		return;
	}
	post->state.changes++;
	*newest(post) = (struct post_code_entry){
		.code = (uint8_t)val,
		.ns = loop_now(post->loop, LOOP_CLOCK_VM),
		.count = 1,
	};
}

static void post_reset(struct device *dev)
{
	to_post(dev)->state.changes = 0;
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

int post_code_new(struct loop *loop, struct device **ret_dev)
{
	struct post_code *post = calloc(1, sizeof(*post));

	if (!post)
		return -ENOMEM;
	device_init(&post->dev, &post_ops);
	post->loop = loop;
	*ret_dev = &post->dev;
	return 0;
}

int post_code_last(struct device *dev)
{
	const struct post_code_entry *last;
	int code;

	device_lock(dev);
	last = newest(to_post(dev));
	code = last ? last->code : -1;
	device_unlock(dev);
	return code;
}

size_t post_code_history(struct device *dev, struct post_code_entry *ret,
			 size_t max)
{
	struct post_code *post = to_post(dev);
	uint64_t from;
	size_t n, i;

	if (max > POST_CODE_HISTORY)
		max = POST_CODE_HISTORY;
	device_lock(dev);
	n = post->state.changes < max ? (size_t)post->state.changes : max;
	from = post->state.changes - n;
	for (i = 0; i < n; i++)
		ret[i] = post->state.entry[(from + i) % POST_CODE_HISTORY];
	device_unlock(dev);
	return n;
}
