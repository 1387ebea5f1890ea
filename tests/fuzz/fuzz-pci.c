// SPDX-License-Identifier: MIT
/*
 * A guest at a PCI host with two functions: by ports, by memory and behind the BARs,
 * in any order and at any width, wherever the BARs are moved to.
 *
 *	0	write a port		which, width, 4 bytes
 *	1	read a port		which, width
 *	2	write by memory		which, register, 4 bytes
 *	3	read by memory		which, register
 *	4	write behind a BAR	which, offset (2), 8 bytes
 *	5	read behind a BAR	which, offset (2)
 *	6	raise a vector or set the pin of the function without vectors
 *	7	read anywhere (5), or reset
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "core/bus.h"
#include "fake_msi.h"
#include "pci/function.h"
#include "pci/host.h"
#include "pci/msix.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define ECAM 0xb0000000u
#define WINDOW 0xc0000000u
#define VECTORS 3
#define TABLE 0x100
#define PBA 0x180

/* The first has MSI-X behind a BAR of 64 bits, the second one of 32 and a pin. */
struct toy {
	struct device dev;
	struct pci_function pf;
	struct msix msix;
	uint64_t told; /* base, by moved() */
};

struct world {
	struct bus pio, mmio;
	struct pci_host *host;
	struct toy toy[2];
	struct fake_msi msi;
	bool level[PCI_PINS];
	const uint8_t *next, *end;
};

static void check(bool ok)
{
	if (!ok)
		abort();
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

static uint64_t toy_read(struct device *dev, uint64_t off, unsigned size)
{
	struct toy *toy = container_of(dev, struct toy, dev);

	check(off + size <= toy->pf.bar[0].len);
	return off < PBA ? msix_table_read(&toy->msix, off - TABLE, size) :
			   msix_pba_read(&toy->msix, off - PBA, size);
}

static void toy_write(struct device *dev, uint64_t off, unsigned size,
		      uint64_t val)
{
	struct toy *toy = container_of(dev, struct toy, dev);

	check(off + size <= toy->pf.bar[0].len);
	msix_table_write(&toy->msix, off - TABLE, size, val);
}

static const struct device_ops toy_ops = {
	.name = "toy",
	.sizes = 1 | 2 | 4 | 8,
	.read = toy_read,
	.write = toy_write,
};

static void moved(struct pci_function *pf, unsigned bar, uint64_t base)
{
	struct toy *toy = container_of(pf, struct toy, pf);

	check(bar == 0 && base != toy->told);
	toy->told = base;
}

static const struct pci_function_ops function_ops = { .moved = moved };

static void set_pin(void *opaque, bool level)
{
	bool *pin = opaque;

	check(level != *pin);
	*pin = level;
}

static void build(struct world *w)
{
	struct pci_host_config host = {
		.mmio = &w->mmio,
		.window = WINDOW,
		.window_len = 0x10000,
	};
	const struct msi msi = fake_msi(&w->msi);
	struct device *dev;
	unsigned i;

	bus_init(&w->pio, 0xffff);
	bus_init(&w->mmio, UINT64_MAX - 1);
	for (i = 0; i < PCI_PINS; i++)
		host.pin[i] = (struct irq_line){ .set = set_pin,
						 .opaque = &w->level[i] };
	check(pci_host_new(&host, &w->host) == 0);
	dev = pci_host_device(w->host);
	check(bus_add(&w->mmio, ECAM, PCI_HOST_ECAM_LEN, dev, 0) == 0);
	check(bus_add(&w->pio, 0, PCI_HOST_PORTS_LEN, dev,
		      PCI_HOST_ECAM_LEN) == 0);
	for (i = 0; i < 2; i++) {
		const struct pci_function_config config = {
			.ops = &function_ops,
			.dev = &w->toy[i].dev,
			.vendor_id = 0x1234,
			.pin = (uint8_t)(i + 1),
		};

		w->toy[i].told = BUS_NOWHERE;
		device_init(&w->toy[i].dev, &toy_ops);
		pci_function_init(&w->toy[i].pf, &config);
		pci_function_add_bar(&w->toy[i].pf, 0, 0x200, 0, i == 0);
	}
	check(msix_init(&w->toy[0].msix, &msi, VECTORS) == 0);
	check(pci_function_add_msix(&w->toy[0].pf, &w->toy[0].msix, 0, TABLE,
				    PBA) != 0);
	check(pci_host_add(w->host, 1, &w->toy[0].pf) == 0);
	check(pci_host_add(w->host, 4, &w->toy[1].pf) == 0);
}

static void step(struct world *w)
{
	uint8_t what = byte(w);
	unsigned size = 1u << (what >> 3 & 3);
	struct toy *toy = &w->toy[what >> 5 & 1];
	uint64_t at, val;

	switch (what & 7) {
	case 0:
		at = byte(w) & 7;
		(void)bus_write(&w->pio, at, size & 7 ? size : 4,
				number(w, 4) & size_mask(size));
		break;
	case 1:
		at = byte(w) & 7;
		(void)bus_read(&w->pio, at, size & 7 ? size : 4, &val);
		break;
	case 2:
		at = ECAM + ((uint64_t)(byte(w) & 0x3f) << 12);
		at += number(w, 2) & 0xfff;
		(void)bus_write(&w->mmio, at, size,
				number(w, 4) & size_mask(size));
		break;
	case 3:
		at = ECAM + ((uint64_t)(byte(w) & 0x3f) << 12);
		at += number(w, 2) & 0xfff;
		(void)bus_read(&w->mmio, at, size, &val);
		break;
	case 4:
		at = toy->told + number(w, 2);
		(void)bus_write(&w->mmio, at, size,
				number(w, 8) & size_mask(size));
		break;
	case 5:
		at = toy->told + number(w, 2);
		(void)bus_read(&w->mmio, at, size, &val);
		break;
	case 6:
		val = byte(w);
		if (what & 0x20)
			pci_function_set_intx(&toy->pf, val & 1);
		else
			msix_raise(&toy->msix, (unsigned)val);
		break;
	default:
		if (what & 0x40) {
			device_reset(pci_host_device(w->host));
			pci_function_reset(&w->toy[0].pf);
			pci_function_reset(&w->toy[1].pf);
		} else {
			(void)bus_read(&w->mmio, number(w, 5), size, &val);
		}
		break;
	}
}

/* What each register says is so. */
static void check_state(struct world *w)
{
	const struct msix *m = &w->toy[0].msix;
	const struct pci_function *pf;
	uint64_t base, pending;
	unsigned i;

	for (i = 0; i < 2; i++) {
		pf = &w->toy[i].pf;
		base = get_le32(pf->config + 0x10) & ~0xfu;
		if (i == 0)
			base |= (uint64_t)get_le32(pf->config + 0x14) << 32;
		check(base % 0x200 == 0);
		if (!(pf->config[4] & 2))
			base = BUS_NOWHERE;
		check(w->toy[i].told == base);
		check(!(pf->config[6] & 8) == !pf->asserted);
		check((pf->config[5] & ~4) == 0 && (pf->config[4] & ~6) == 0);
	}
	/* INTB of the fourth slot. */
	pf = &w->toy[1].pf;
	check(w->level[1] == (pf->asserted && !(pf->config[5] & 4)));
	check(!w->level[0] && !w->level[2] && !w->level[3]);

	pending = msix_pba_read(m, 0, 8);
	check(pending >> VECTORS == 0);
	for (i = 0; i < VECTORS; i++) {
		check(w->msi.vector[i].routed ==
		      (m->enabled && !m->function_masked &&
		       !m->vector[i].masked));
		check(!w->msi.vector[i].routed || !(pending >> i & 1));
	}
	fake_msi_deliver(&w->msi);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct world w = { .next = data, .end = data + len };
	unsigned i;

	build(&w);
	while (w.next < w.end) {
		step(&w);
		check_state(&w);
	}
	bus_done(&w.pio);
	bus_done(&w.mmio);
	msix_done(&w.toy[0].msix);
	check(fake_msi_routed(&w.msi) == 0);
	for (i = 0; i < 2; i++)
		device_done(&w.toy[i].dev);
	device_free(pci_host_device(w.host));
	return 0;
}
