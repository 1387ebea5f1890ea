// SPDX-License-Identifier: MIT
#include "backend/chardev_tap.h"

#include <errno.h>
#include <stdlib.h>

#include "backend/chardev.h"
#include "core/base.h"

struct chardev_tap {
	struct chardev chr;
	struct chardev_tap_config cfg;
};

static struct chardev_tap *to_tap(struct chardev *chr)
{
	return container_of(chr, struct chardev_tap, chr);
}

/* The front deals with the back end directly: input is not looked at. */
static void tap_attach(struct chardev *chr, const struct chardev_front *front)
{
	struct chardev *under = to_tap(chr)->cfg.under;

	under->ops->attach(under, front);
}

static void tap_write(struct chardev *chr, const uint8_t *buf, size_t len)
{
	struct chardev_tap *tap = to_tap(chr);

	tap->cfg.under->ops->write(tap->cfg.under, buf, len);
	tap->cfg.output(tap->cfg.opaque, buf, len);
}

static void tap_want_input(struct chardev *chr)
{
	struct chardev *under = to_tap(chr)->cfg.under;

	under->ops->want_input(under);
}

static void tap_free(struct chardev *chr)
{
	free(to_tap(chr));
}

static const struct chardev_ops tap_ops = {
	.attach = tap_attach,
	.write = tap_write,
	.want_input = tap_want_input,
	.free = tap_free,
};

int chardev_tap_new(const struct chardev_tap_config *config,
		    struct chardev **ret_chr)
{
	struct chardev_tap *tap = calloc(1, sizeof(*tap));

	if (!tap)
		return -ENOMEM;
	tap->chr.ops = &tap_ops;
	tap->cfg = *config;
	*ret_chr = &tap->chr;
	return 0;
}
