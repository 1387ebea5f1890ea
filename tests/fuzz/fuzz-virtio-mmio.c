// SPDX-License-Identifier: MIT
/*
 * A driver at the registers of a virtio-mmio transport and at the ring behind it,
 * with the entropy device for its work: in any order, at any width, with any bytes
 * in memory.
 *
 *	0-1	write a register	offset / 4, 4 bytes
 *	2	write at any width	offset (2), 8 bytes
 *	3	read at any width	offset (2)
 *	4-5	put bytes into memory	address / 4, count, the bytes
 *	6	run what was notified
 *	7	bring it up as a good driver would, with features and a size given
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/base.h"
#include "core/bus.h"
#include "core/device.h"
#include "fake_loop.h"
#include "virtio/mmio.h"
#include "virtio/rng.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define RAM 1024
#define DESC 0
#define DRIVER 512
#define DEVICE 640

struct world {
	struct fake_loop fl;
	struct gmem gm;
	uint8_t *ram; /* of just this size, so that a byte too far shows */
	struct bus bus;
	struct device *dev;
	int irq_fd;
	uint32_t before; /* InterruptStatus at the step before */
	const uint8_t *next, *end;
};

static void check(bool ok)
{
	if (!ok)
		abort();
}

static int fill(void *opaque, void *buf, size_t len)
{
	check(len > 0);
	memset(buf, 0x5a, len);
	return 0;
}

static uint8_t byte(struct world *w)
{
	return w->next < w->end ? *w->next++ : 0;
}

static uint64_t number(struct world *w, unsigned bytes)
{
	uint64_t val = 0;
	unsigned i;

	for (i = 0; i < bytes; i++)
		val |= (uint64_t)byte(w) << 8 * i;
	return val;
}

static uint32_t get(struct world *w, uint64_t off)
{
	uint64_t val;

	check(bus_read(&w->bus, off, 4, &val));
	return (uint32_t)val;
}

static void put(struct world *w, uint64_t off, uint32_t val)
{
	check(bus_write(&w->bus, off, 4, val));
}

static void bring_up(struct world *w)
{
	uint8_t features = byte(w), size = byte(w);

	put(w, 0x70, 0);
	check(get(w, 0x70) == 0);
	put(w, 0x70, 3);
	put(w, 0x24, 0);
	put(w, 0x20, (uint32_t)(features & 3) << 28);
	put(w, 0x24, 1);
	put(w, 0x20, 1 | (features & 4));
	put(w, 0x70, 11);
	check(get(w, 0x70) == 11);
	put(w, 0x30, 0);
	put(w, 0x38, size);
	put(w, 0x80, DESC);
	put(w, 0x90, DRIVER);
	put(w, 0xa0, DEVICE);
	put(w, 0x44, 1);
	put(w, 0x70, 15);
}

static void run_loop(struct world *w)
{
	/* It may ask to be called again, for as long as a ring goes round. */
	unsigned i;

	for (i = 0; i < 4; i++)
		fake_loop_ready(&w->fl, w->fl.watch[0].fd, LOOP_IN);
}

static void step(struct world *w)
{
	uint8_t what = byte(w);
	unsigned size = 1u << (what >> 3 & 3);
	uint64_t at, val;
	unsigned n;

	switch (what & 7) {
	case 0:
	case 1:
		at = byte(w) * 4u;
		put(w, at, (uint32_t)number(w, 4));
		break;
	case 2:
		at = number(w, 2);
		(void)bus_write(&w->bus, at, size,
				number(w, 8) & size_mask(size));
		break;
	case 3: (void)bus_read(&w->bus, number(w, 2), size, &val); break;
	case 4:
	case 5:
		at = byte(w) * 4u;
		for (n = byte(w); n > 0 && at < RAM && w->next < w->end; n--)
			w->ram[at++] = byte(w);
		break;
	case 6: run_loop(w); break;
	default: bring_up(w); break;
	}
}

/* What holds after every step, whatever came before. */
static void check_state(struct world *w)
{
	uint32_t pending = get(w, 0x60), status = get(w, 0x70);
	bool edge = read(w->irq_fd, &(uint64_t){ 0 }, 8) == 8;

	/* A reason without an edge would never be looked at. */
	check(!(pending & ~w->before) || edge);
	w->before = pending;

	check(get(w, 0x00) == 0x74726976);
	check(pending <= 3);
	check((status & (16 | 32)) == 0);
	check(!(status & 4) || (status & 8));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct world w = { .next = data, .end = data + len };
	const struct virtio_rng_config rng = { .ram = &w.gm, .fill = fill };
	struct virtio_mmio_config mmio = {
		.loop = &w.fl.loop,
	};

	w.irq_fd = mmio.irq_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	check(w.irq_fd >= 0);
	w.ram = calloc(1, RAM);
	check(w.ram && gmem_add(&w.gm, 0, RAM, w.ram) == 0);
	fake_loop_init(&w.fl, 0);
	bus_init(&w.bus, UINT64_MAX - 1);
	check(virtio_rng_new(&rng, &mmio.vd) == 0);
	check(virtio_mmio_new(&mmio, &w.dev) == 0);
	check(bus_add(&w.bus, 0, VIRTIO_MMIO_LEN, w.dev, 0) == 0);
	while (w.next < w.end) {
		step(&w);
		check_state(&w);
	}
	device_reset(w.dev);
	check(get(&w, 0x60) == 0 && get(&w, 0x70) == 0);
	bus_done(&w.bus);
	device_free(w.dev);
	close(w.irq_fd);
	free(w.ram);
	return 0;
}
