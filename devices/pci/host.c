// SPDX-License-Identifier: MIT
/*
 * The PCI host bridge. PCI Local Bus Specification 3.0, 3.2.2.3.2 "Software
 * Generation of Configuration Transactions" (mechanism #1); PCI Express Base
 * Specification 3.0, 7.2.2 "PCI Express Enhanced Configuration Access Mechanism".
 *
 * It is itself the function at 00:00.0. Its IDs are those that Red Hat has published
 * for a host bridge that has nothing but a header (QEMU's for its generic boards): a
 * name that lspci knows, while no driver and no quirk of Linux's goes by it.
 *
 * Not modelled: other buses and bridges to them, functions 1 to 7, special cycles,
 * mechanism #2, the reset register that chip sets have at 0xcf9 (byte accesses to the
 * first four ports belong to nobody, as they should), I/O space behind the bridge.
 */
#include "pci/host.h"

#include <errno.h>
#include <stdlib.h>

#include "core/base.h"
#include "pci/function.h"

#define BRIDGE_VENDOR 0x1b36
#define BRIDGE_DEVICE 0x0008
#define BRIDGE_CLASS 0x060000u

/* 3.2.2.3.2: enable, bus, device, function, register; the rest reads as 0. */
#define ADDRESS_ENABLE 0x80000000u
#define ADDRESS_BITS 0x80fffffcu

#define FUNCTION_LEN 0x1000

struct slot {
	struct pci_host *host;
	struct pci_function *function; /* NULL: empty */
	unsigned pin;
	uint32_t bit; /* in asserted[] */
};

struct pci_host {
	struct device dev;
	struct pci_host_config cfg;
	struct pci_function bridge;
	struct slot slot[PCI_SLOTS];
	uint64_t window_used;

	/* Of the pins. Taken with a function's lock held, and last. */
	pthread_mutex_t pin_lock;
	uint32_t asserted[PCI_PINS]; /* by slot */

	struct {
		uint32_t config_address;
	} state;
};

static struct pci_host *to_host(struct device *dev)
{
	return container_of(dev, struct pci_host, dev);
}

/* ---- configuration accesses --------------------------------------------- */

static struct pci_function *find(const struct pci_host *host, unsigned bus,
				 unsigned slot, unsigned function)
{
	return bus == 0 && function == 0 ? host->slot[slot].function : NULL;
}

static uint32_t read_config(struct pci_function *pf, unsigned off,
			    unsigned size)
{
	uint32_t val;

	if (!pf)
		return UINT32_MAX;
	if (pf->dev)
		device_lock(pf->dev);
	val = pci_function_read(pf, off, size);
	if (pf->dev)
		device_unlock(pf->dev);
	return val;
}

static void write_config(struct pci_function *pf, unsigned off, unsigned size,
			 uint32_t val)
{
	if (!pf)
		return;
	if (pf->dev)
		device_lock(pf->dev);
	pci_function_write(pf, off, size, val);
	if (pf->dev)
		device_unlock(pf->dev);
}

/* 7.2.2: bits 19:15 are the device, 14:12 the function. */
static struct pci_function *at_ecam(const struct pci_host *host, uint64_t off)
{
	return find(host, 0, off >> 15 & 0x1f, off >> 12 & 7);
}

/* What CONFIG_ADDRESS selects, if anything. */
static struct pci_function *selected(const struct pci_host *host)
{
	uint32_t addr = host->state.config_address;

	if (!(addr & ADDRESS_ENABLE))
		return NULL;
	return find(host, addr >> 16 & 0xff, addr >> 11 & 0x1f, addr >> 8 & 7);
}

/* `port` counts from CONFIG_DATA. */
static unsigned selected_register(const struct pci_host *host, uint64_t port)
{
	return (host->state.config_address & 0xfc) + (unsigned)port;
}

static uint64_t host_read(struct device *dev, uint64_t off, unsigned size)
{
	struct pci_host *host = to_host(dev);

	if (off < PCI_HOST_ECAM_LEN)
		return read_config(at_ecam(host, off), off % FUNCTION_LEN,
				   size);
	off -= PCI_HOST_ECAM_LEN;
	if (off >= 4)
		return read_config(selected(host),
				   selected_register(host, off - 4), size);
	/* Only as a whole; all else passes by. */
	return off == 0 && size == 4 ? host->state.config_address : UINT64_MAX;
}

static void host_write(struct device *dev, uint64_t off, unsigned size,
		       uint64_t val)
{
	struct pci_host *host = to_host(dev);

	if (off < PCI_HOST_ECAM_LEN) {
		write_config(at_ecam(host, off), off % FUNCTION_LEN, size,
			     (uint32_t)val);
		return;
	}
	off -= PCI_HOST_ECAM_LEN;
	if (off >= 4)
		write_config(selected(host), selected_register(host, off - 4),
			     size, (uint32_t)val);
	else if (off == 0 && size == 4)
		host->state.config_address = (uint32_t)val & ADDRESS_BITS;
}

/* ---- interrupt pins ----------------------------------------------------- */

static void set_pin(void *opaque, bool level)
{
	const struct slot *slot = opaque;
	struct pci_host *host = slot->host;

	pthread_mutex_lock(&host->pin_lock);
	if (level)
		host->asserted[slot->pin] |= slot->bit;
	else
		host->asserted[slot->pin] &= ~slot->bit;
	irq_set(&host->cfg.pin[slot->pin], host->asserted[slot->pin] != 0);
	pthread_mutex_unlock(&host->pin_lock);
}

/* ---- functions ---------------------------------------------------------- */

static int place_bars(const struct pci_host *host, struct pci_function *pf,
		      uint64_t *ret_used)
{
	uint64_t end = host->cfg.window + host->cfg.window_len;
	uint64_t at = host->cfg.window + host->window_used;
	unsigned i;

	for (i = 0; i < PCI_BARS; i++) {
		struct pci_bar *bar = &pf->bar[i];

		if (!bar->len)
			continue;
		/* 6.2.5.1: naturally aligned. */
		at = align_up(at, bar->len);
		if (at > end || end - at < bar->len)
			return -ENOSPC;
		bar->initial = at;
		at += bar->len;
	}
	*ret_used = at - host->cfg.window;
	return 0;
}

int pci_host_add(struct pci_host *host, unsigned slot,
		 struct pci_function *function)
{
	struct slot *s = &host->slot[slot];
	uint8_t pin = function->config[PCI_INTERRUPT_PIN];
	uint64_t used;
	unsigned i;
	int r;

	if (s->function)
		return -EEXIST;
	r = place_bars(host, function, &used);
	for (i = 0; i < PCI_BARS && r == 0; i++) {
		struct pci_bar *bar = &function->bar[i];

		if (bar->len)
			r = bus_add_window(host->cfg.mmio, bar->len,
					   function->dev, bar->dev_off,
					   &bar->window);
	}
	if (r < 0)
		return r;
	host->window_used = used;
	if (pin) {
		s->pin = (slot + pin - 1) % PCI_PINS;
		function->intx = (struct irq_line){ .set = set_pin,
						    .opaque = s };
	}
	function->bus = host->cfg.mmio;
	s->function = function;
	/* Where the BARs have been put is what a reset brings back, too. */
	pci_function_reset(function);
	return 0;
}

/* ---- life --------------------------------------------------------------- */

static void host_reset(struct device *dev)
{
	struct pci_host *host = to_host(dev);

	host->state.config_address = 0;
	pci_function_reset(&host->bridge);
}

static void host_free(struct device *dev)
{
	struct pci_host *host = to_host(dev);

	pthread_mutex_destroy(&host->pin_lock);
	device_done(dev);
	free(host);
}

static const struct device_ops host_ops = {
	.name = "pci-host",
	.sizes = 1 | 2 | 4,
	.read = host_read,
	.write = host_write,
	.reset = host_reset,
	.free = host_free,
};

struct device *pci_host_device(struct pci_host *host)
{
	return &host->dev;
}

int pci_host_new(const struct pci_host_config *config,
		 struct pci_host **ret_host)
{
	static const struct pci_function_config bridge = {
		.vendor_id = BRIDGE_VENDOR,
		.device_id = BRIDGE_DEVICE,
		.class_code = BRIDGE_CLASS,
	};
	struct pci_host *host = calloc(1, sizeof(*host));
	unsigned i;

	if (!host)
		return -ENOMEM;
	device_init(&host->dev, &host_ops);
	pthread_mutex_init(&host->pin_lock, NULL);
	host->cfg = *config;
	for (i = 0; i < PCI_SLOTS; i++) {
		host->slot[i].host = host;
		host->slot[i].bit = BIT(i);
	}
	pci_function_init(&host->bridge, &bridge);
	host->slot[0].function = &host->bridge;
	*ret_host = host;
	return 0;
}
