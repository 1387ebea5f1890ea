// SPDX-License-Identifier: MIT
/*
 * The debug-exit, test-exit and POST ports. Four bytes a step: what to do, where,
 * and a value. Checks that each write is reported once with its own value.
 */
#include <stdint.h>
#include <stdlib.h>

#include "core/base.h"
#include "core/bus.h"
#include "core/device.h"
#include "debug_exit.h"
#include "fake_loop.h"
#include "post_code.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct seen {
	unsigned count;
	enum end_request kind;
	uint32_t value;
};

static void request(void *opaque, enum end_request kind, uint32_t value,
		    const char *who)
{
	struct seen *seen = opaque;

	if (!who)
		abort();
	seen->count++;
	seen->kind = kind;
	seen->value = value;
}

static void write_exit(struct bus *bus, struct seen *seen, uint64_t port,
		       unsigned off, unsigned size, uint64_t val)
{
	unsigned before = seen->count;

	if (!bus_write(bus, port + off, size, val)) {
		if (off + size <= 4 || seen->count != before)
			abort();
		return;
	}
	if (seen->count != before + 1 || seen->value != (val & size_mask(size)))
		abort();
	if (seen->kind != (port == 0xf4 ? END_DEBUG_EXIT : END_TEST_EXIT))
		abort();
}

static void step(struct bus *bus, struct seen *seen, struct device *post,
		 const uint8_t *op)
{
	unsigned size = 1u << (op[0] >> 4) % 3, off = op[1] % 5;
	uint64_t port = op[0] & 1 ? 0xf4 : 0x560;
	uint64_t val = get_le16(op + 2) * UINT64_C(0x10001);

	switch (op[0] >> 1 & 3) {
	case 0: write_exit(bus, seen, port, off, size, val); break;
	case 1:
		if (bus_read(bus, port + off, size, &val) && val != 0)
			abort();
		break;
	case 2:
		bus_write(bus, 0x80, 1, val);
		if (post_code_last(post) != (int)(val & 0xff))
			abort();
		break;
	case 3:
		device_reset(post);
		bus_read(bus, 0x80, 1, &val);
		if (post_code_last(post) != -1 || val != 0)
			abort();
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct device *debug_exit = NULL, *test_exit = NULL, *post = NULL;
	struct fake_loop fl;
	struct seen seen = { 0 };
	struct end_sink sink = { request, &seen };
	struct bus bus;

	fake_loop_init(&fl, 0);
	bus_init(&bus, 0xffff);
	if (debug_exit_new(&sink, &debug_exit) < 0 ||
	    test_exit_new(&sink, &test_exit) < 0 ||
	    post_code_new(&fl.loop, &post) < 0)
		goto out;
	if (bus_add(&bus, 0xf4, 4, debug_exit, 0) < 0 ||
	    bus_add(&bus, 0x560, 4, test_exit, 0) < 0 ||
	    bus_add(&bus, 0x80, 1, post, 0) < 0)
		abort();
	for (; len >= 4; data += 4, len -= 4)
		step(&bus, &seen, post, data);
out:
	bus_done(&bus);
	device_free(debug_exit);
	device_free(test_exit);
	device_free(post);
	return 0;
}
