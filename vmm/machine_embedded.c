// SPDX-License-Identifier: MIT
/*
 * The embedder's part of the board: devices of its own, where nothing else is.
 */
#include "machine.h"

#include <errno.h>
#include <stdlib.h>

#include "core/base.h"
#include "core/device.h"
#include "core/gmem.h"
#include "embedded_device.h"

/* What KVM answers itself: a device of ours there would never be asked. */
static const struct {
	enum trapmap_space space;
	uint64_t base, last;
	const char *what;
} in_kvm[] = {
	{ TRAPMAP_SPACE_PIO, 0x20, 0x21, "KVM's interrupt controller" },
	{ TRAPMAP_SPACE_PIO, 0x40, 0x43, "KVM's timer" },
	{ TRAPMAP_SPACE_PIO, 0x61, 0x61, "KVM's timer" },
	{ TRAPMAP_SPACE_PIO, 0xa0, 0xa1, "KVM's interrupt controller" },
	{ TRAPMAP_SPACE_PIO, 0x4d0, 0x4d1, "KVM's interrupt controller" },
	{ TRAPMAP_SPACE_MMIO, LAYOUT_IOAPIC, LAYOUT_IOAPIC + 0xff,
	  "KVM's IOAPIC" },
	{ TRAPMAP_SPACE_MMIO, LAYOUT_LAPIC, LAYOUT_LAPIC + 0xfff,
	  "KVM's local APIC" },
	{ TRAPMAP_SPACE_MMIO, LAYOUT_IDENTITY_MAP, LAYOUT_TSS + 0x2fff,
	  "pages of kvm-intel's" },
};

/* What has the place, or part of it, already; or NULL. */
static const char *occupant(const struct machine *m, const struct gmem *ram,
			    const struct trapmap_device *desc)
{
	bool is_pio = desc->space == TRAPMAP_SPACE_PIO;
	const struct bus *bus = is_pio ? &m->pio : &m->mmio;
	uint64_t base = desc->base, last = base + (desc->len - 1);
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(in_kvm); i++)
		if (desc->space == in_kvm[i].space && base <= in_kvm[i].last &&
		    last >= in_kvm[i].base)
			return in_kvm[i].what;
	for (i = 0; ram && !is_pio && i < ram->count; i++) {
		const struct gmem_region *r = &ram->region[i];

		if (base <= r->base + (r->len - 1) && last >= r->base)
			return "guest memory";
	}
	if (m->pci && !is_pio &&
	    base <= LAYOUT_PCI_WINDOW + (LAYOUT_PCI_WINDOW_LEN - 1) &&
	    last >= LAYOUT_PCI_WINDOW)
		return "the window of the PCI bus";
	for (i = 0; i < bus->count; i++)
		if (base <= bus->ranges[i].last && last >= bus->ranges[i].base)
			return bus->ranges[i].dev->ops->name;
	return NULL;
}

static int add_embedded(struct machine *m, const struct gmem *ram,
			const struct trapmap_device *desc, struct error *err)
{
	struct bus *bus =
		desc->space == TRAPMAP_SPACE_PIO ? &m->pio : &m->mmio;
	const char *there = occupant(m, ram, desc);
	struct device *dev = NULL;
	int r;

	if (there)
		return error_set(err, ERROR_INPUT, -EEXIST,
				 "device '%s': %#llx..%#llx clashes with %s",
				 desc->name, (unsigned long long)desc->base,
				 (unsigned long long)(desc->base + desc->len -
						      1),
				 there);
	r = embedded_device_new(desc, &dev);
	if (r < 0)
		return error_host(err, r, "device '%s'", desc->name);
	m->extra[m->extra_count++] = dev;
	r = bus_add(bus, desc->base, desc->len, dev, 0);
	if (r < 0)
		return error_host(err, r, "device '%s'", desc->name);
	return 0;
}

int machine_add_embedded(struct machine *m, const struct machine_config *config,
			 struct error *err)
{
	unsigned i;
	int r = 0;

	if (config->extra_count == 0)
		return 0;
	m->extra = calloc(config->extra_count, sizeof(struct device *));
	if (!m->extra)
		return error_host(err, -ENOMEM, "cannot build the machine");
	for (i = 0; i < config->extra_count && r == 0; i++)
		r = add_embedded(m, config->ram, &config->extra[i], err);
	return r;
}
