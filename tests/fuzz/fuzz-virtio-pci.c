// SPDX-License-Identifier: MIT
/*
 * A driver at a virtio-pci function, at its registers and at the ring behind it, with
 * the entropy device for its work: in any order, at any width, wherever the BAR is.
 *
 *	0	write a common register		offset, 8 bytes
 *	1	write anywhere behind the BAR	offset (2), 8 bytes
 *	2	read anywhere behind the BAR	offset (2)
 *	3	write the configuration space	register, 4 bytes
 *	4	read the configuration space	register
 *	5	put bytes into memory		address / 4, count, the bytes
 *	6	run what was notified, send what was raised
 *	7	bring it up as a good driver would, with features, a size and vectors
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base.h"
#include "core/bus.h"
#include "core/device.h"
#include "fake_loop.h"
#include "fake_msi.h"
#include "virtio/pci.h"
#include "virtio/rng.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define RAM 1024
#define DESC 0
#define DRIVER 512
#define DEVICE 640
#define ECAM 0xb0000000u
#define WINDOW 0xc0000000u
#define CONF (ECAM + (1u << 15))
#define INPUT 1

struct world {
	struct fake_loop fl;
	struct fake_msi msi;
	struct gmem gm;
	uint8_t *ram; /* of just this size, so that a byte too far shows */
	struct bus bus;
	struct pci_host *host;
	struct device *dev;
	bool level, bound;
	uint64_t doorbell;
	const uint8_t *next, *end;
};

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void set_pin(void *opaque, bool level)
{
	struct world *w = opaque;

	check(level != w->level);
	w->level = level;
}

static int bind(void *opaque, uint64_t off, unsigned size, uint64_t match,
		int fd)
{
	struct world *w = opaque;

	check(!w->bound && off == 0 && size == 2 && match == 0);
	w->bound = true;
	return 0;
}

static void unbind(void *opaque, uint64_t off, unsigned size, uint64_t match,
		   int fd)
{
	struct world *w = opaque;

	check(w->bound && off == 0);
	w->bound = false;
}

static void move(void *opaque, uint64_t base)
{
	struct world *w = opaque;

	check(!w->bound);
	w->doorbell = base;
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

static uint64_t get(struct world *w, uint64_t at, unsigned size)
{
	uint64_t val;

	(void)bus_read(&w->bus, at, size, &val);
	return val;
}

static void put(struct world *w, uint64_t at, unsigned size, uint64_t val)
{
	(void)bus_write(&w->bus, at, size, val & size_mask(size));
}

/* Where the BAR says that it is. */
static uint64_t bar(struct world *w)
{
	return get(w, CONF + 0x14, 4) << 32 | (get(w, CONF + 0x10, 4) & ~0xfu);
}

static void bring_up(struct world *w)
{
	uint8_t features = byte(w), size = byte(w), vectors = byte(w);
	const uint64_t at = WINDOW;

	put(w, CONF + 0x10, 4, WINDOW);
	put(w, CONF + 0x14, 4, 0);
	put(w, CONF + 0x04, 2, 6);
	put(w, at + 0x14, 1, 0);
	check(get(w, at + 0x14, 1) == 0);
	put(w, at + 0x14, 1, 3);
	put(w, at + 0x08, 4, 0);
	put(w, at + 0x0c, 4, (uint32_t)(features & 3) << 28);
	put(w, at + 0x08, 4, 1);
	put(w, at + 0x0c, 4, 1 | (features & 4));
	put(w, at + 0x14, 1, 11);
	check(get(w, at + 0x14, 1) == 11);
	put(w, at + 0x10, 2, vectors & 3);
	put(w, at + 0x16, 2, 0);
	put(w, at + 0x18, 2, size);
	put(w, at + 0x1a, 2, vectors >> 2 & 3);
	put(w, at + 0x20, 8, DESC);
	put(w, at + 0x28, 8, DRIVER);
	put(w, at + 0x30, 8, DEVICE);
	put(w, at + 0x1c, 2, 1);
	put(w, at + 0x14, 1, 15);
}

static void run_loop(struct world *w)
{
	/* It may ask to be called again, for as long as a ring goes round. */
	unsigned i;

	for (i = 0; i < 4; i++)
		fake_loop_ready(&w->fl, w->fl.watch[0].fd, LOOP_IN);
	fake_msi_deliver(&w->msi);
}

static void step(struct world *w)
{
	uint8_t what = byte(w);
	unsigned n, size = 1u << (what >> 3 & 3);
	uint64_t at;

	switch (what & 7) {
	case 0:
		at = byte(w);
		put(w, bar(w) + at, size, number(w, 8));
		break;
	case 1:
		at = number(w, 2);
		put(w, bar(w) + at, size, number(w, 8));
		break;
	case 2: (void)get(w, bar(w) + number(w, 2), size); break;
	case 3:
		at = byte(w);
		put(w, CONF + at, size & 8 ? 4 : size, number(w, 4));
		break;
	case 4: (void)get(w, CONF + byte(w), size); break;
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
	uint16_t command = (uint16_t)get(w, CONF + 4, 2);
	uint16_t status = (uint16_t)get(w, CONF + 6, 2);
	uint64_t at = bar(w);

	check(get(w, CONF, 4) == 0x10441af4);
	check(w->level == ((status & 8) && !(command & 0x400)));
	check(!w->bound || (command & 2));
	check(!w->bound || w->doorbell - at < 0x8000);
	/* Unless it lies over the configuration space, which wins. */
	if ((command & 2) && !(at + 0x8000 > ECAM && at < ECAM + 0x100000) &&
	    at < UINT64_MAX - 0x8000) {
		uint8_t device = (uint8_t)get(w, at + 0x14, 1);

		check((device & (16 | 32)) == 0);
		check(!(device & 4) || (device & 8));
		check(get(w, at + 0x12, 2) == 1);
	}
}

static void build(struct world *w)
{
	const struct virtio_rng_config rng = { .ram = &w->gm, .fill = fill };
	struct pci_host_config host = {
		.mmio = &w->bus,
		.window = WINDOW,
		.window_len = 0x10000,
	};
	struct virtio_pci_config pci = {
		.loop = &w->fl.loop,
		.slot = 1,
		.msi = fake_msi(&w->msi),
		.doorbell = { bind, unbind, move, w },
	};

	w->ram = calloc(1, RAM);
	check(w->ram && gmem_add(&w->gm, 0, RAM, w->ram) == 0);
	fake_loop_init(&w->fl, 0);
	bus_init(&w->bus, UINT64_MAX - 1);
	host.pin[INPUT] = (struct irq_line){ .set = set_pin, .opaque = w };
	check(pci_host_new(&host, &w->host) == 0);
	check(bus_add(&w->bus, ECAM, PCI_HOST_ECAM_LEN,
		      pci_host_device(w->host), 0) == 0);
	pci.host = w->host;
	check(virtio_rng_new(&rng, &pci.vd) == 0);
	check(virtio_pci_new(&pci, &w->dev) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct world w = { .next = data, .end = data + len };

	build(&w);
	while (w.next < w.end) {
		step(&w);
		check_state(&w);
	}
	device_reset(w.dev);
	check(!w.level && !w.bound && bar(&w) == WINDOW);
	bus_done(&w.bus);
	device_free(w.dev);
	device_free(pci_host_device(w.host));
	check(fake_msi_routed(&w.msi) == 0);
	free(w.ram);
	return 0;
}
