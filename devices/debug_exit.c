// SPDX-License-Identifier: MIT
/*
 * The debug-exit and the test-exit port: a write hands its value to the board,
 * which ends the run.
 *
 * Source: QEMU's isa-debug-exit for the first (a write of 1, 2 or 4 bytes at
 * any offset counts, a read gives 0); trapmap/guest_abi.h for both. The rule
 * that turns a value into an exit status is the board's.
 *
 * Not modelled: nothing is left out. There is no state, so no reset either.
 */
#include "debug_exit.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/base.h"
#include "core/device.h"

struct exit_port {
	struct device dev;
	struct end_sink end;
};

static struct exit_port *to_exit_port(struct device *dev)
{
	return container_of(dev, struct exit_port, dev);
}

static uint64_t exit_port_read(struct device *dev, uint64_t off, unsigned size)
{
	return 0;
}

static void debug_exit_write(struct device *dev, uint64_t off, unsigned size,
			     uint64_t val)
{
	end_request(&to_exit_port(dev)->end, END_DEBUG_EXIT,
		    (uint32_t)(val & size_mask(size)), "debug-exit port");
}

static void test_exit_write(struct device *dev, uint64_t off, unsigned size,
			    uint64_t val)
{
	end_request(&to_exit_port(dev)->end, END_TEST_EXIT,
		    (uint32_t)(val & size_mask(size)), "test-exit port");
}

static void exit_port_free(struct device *dev)
{
	struct exit_port *port = to_exit_port(dev);

	device_done(dev);
	free(port);
}

static const struct device_ops debug_exit_ops = {
	.name = "debug-exit",
	.sizes = 1 | 2 | 4,
	.read = exit_port_read,
	.write = debug_exit_write,
	.free = exit_port_free,
};

static const struct device_ops test_exit_ops = {
	.name = "test-exit",
	.sizes = 1 | 2 | 4,
	.read = exit_port_read,
	.write = test_exit_write,
	.free = exit_port_free,
};

static int exit_port_new(const struct device_ops *ops,
			 const struct end_sink *end, struct device **ret_dev)
{
	struct exit_port *port = calloc(1, sizeof(*port));

	if (!port)
		return -ENOMEM;
	device_init(&port->dev, ops);
	port->end = *end;
	*ret_dev = &port->dev;
	return 0;
}

int debug_exit_new(const struct end_sink *end, struct device **ret_dev)
{
	return exit_port_new(&debug_exit_ops, end, ret_dev);
}

int test_exit_new(const struct end_sink *end, struct device **ret_dev)
{
	return exit_port_new(&test_exit_ops, end, ret_dev);
}
