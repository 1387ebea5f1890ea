// SPDX-License-Identifier: MIT
/*
 * The virtio part of the board: the entropy device, which every board has that has a
 * place for one, and then
 * what was attached, each behind a transport of its own. Their order is that of
 * their addresses or slots, which is that in which guests find them.
 */
#include "machine.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "attach/attach.h"
#include "core/base.h"
#include "core/device.h"
#include "iothreads.h"
#include "pci/host.h"
#include "platform.h"
#include "virtio/mmio.h"
#include "virtio/pci.h"
#include "virtio/rng.h"

/* Where devices are put one after another. */
struct board {
	struct machine *m;
	const int *vm_fd;
	const struct platform *platform;
	struct pci_host *pci; /* NULL: virtio-mmio */
};

static int add_mmio(struct board *b, unsigned n, struct virtio_device *vd,
		    struct loop *loop, struct device **ret_dev)
{
	struct machine *m = b->m;
	struct virtio_mmio_config mmio = {
		.vd = vd,
		.loop = loop,
		.doorbell = doorbell_at(&m->virtio[n].doorbell, b->vm_fd,
					b->platform->slot[n].base),
	};

	return irqchip_edge(&m->irqchip, b->platform->slot[n].irq,
			    &mmio.irq_fd) ?:
	       virtio_mmio_new(&mmio, ret_dev);
}

static int add_function(struct board *b, unsigned n, struct virtio_device *vd,
			struct loop *loop, struct device **ret_dev)
{
	struct machine *m = b->m;
	struct virtio_pci_config pci = {
		.vd = vd,
		.loop = loop,
		.host = b->pci,
		.slot = 1 + n,
		.doorbell = doorbell_at(&m->virtio[n].doorbell, b->vm_fd, 0),
	};

	return irqchip_msi(&m->irqchip, VIRTIO_PCI_VECTORS_MAX, &pci.msi) ?:
	       virtio_pci_new(&pci, ret_dev);
}

/* Puts vd behind the next transport; it is the board's, or freed. */
static int add(struct board *b, struct loop *loop, const char *name,
	       struct virtio_device *vd)
{
	struct machine *m = b->m;
	unsigned n = m->virtio_count;
	struct device *dev = NULL;
	int r;

	vd->notice = notice_from(&m->virtio[n].notice, m->host.notices, name);
	r = b->pci ? add_function(b, n, vd, loop, &dev) :
		     add_mmio(b, n, vd, loop, &dev);
	if (r < 0) {
		virtio_free(vd);
		return r;
	}
	m->virtio[n].vd = vd;
	m->virtio_count++;
	r = machine_keep(m, dev);
	if (r < 0 || b->pci)
		return r;
	return bus_add(&m->mmio, b->platform->slot[n].base, VIRTIO_MMIO_LEN, dev,
		       0);
}

/* Its device is the last to go: the functions know it. */
static int add_pci_host(struct machine *m, const int *vm_fd,
			struct pci_host **ret_host)
{
	struct pci_host_config config = {
		.mmio = &m->mmio,
		.window = LAYOUT_PCI_WINDOW,
		.window_len = LAYOUT_PCI_WINDOW_LEN,
	};
	struct device *dev;
	unsigned i;
	int r;

	_Static_assert(PCI_PINS == LAYOUT_IRQ_PCI_COUNT &&
			       PCI_HOST_ECAM_LEN == LAYOUT_ECAM_LEN &&
			       MACHINE_MAX_VIRTIO < PCI_SLOTS,
		       "the board is as the bridge wants it");
	for (i = 0; i < PCI_PINS; i++)
		config.pin[i] = irqchip_line(&m->irq_pci[i], vm_fd,
					     platform_pci_irq(i));
	r = pci_host_new(&config, ret_host);
	if (r < 0)
		return r;
	dev = pci_host_device(*ret_host);
	m->pci = dev;
	return bus_add(&m->pio, LAYOUT_PORT_PCI_CONFIG, PCI_HOST_PORTS_LEN, dev,
		       PCI_HOST_ECAM_LEN) ?:
	       bus_add(&m->mmio, LAYOUT_ECAM, PCI_HOST_ECAM_LEN, dev, 0);
}

/* The host's generator, which has been seeded since long. */
static int host_entropy(void *opaque, void *buf, size_t len)
{
	uint8_t *p = buf;

	while (len > 0) {
		ssize_t n = getrandom(p, len, GRND_NONBLOCK);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n < 0)
			continue;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static int add_attached(struct board *b, const struct machine_config *config,
			struct attachment *at, struct attach_site *site,
			struct loop *loop, struct error *err)
{
	struct virtio_device *vd = NULL;
	int r = 0;

	if (!b->pci && b->platform->slots == 0)
		return error_set(err, ERROR_INPUT, -E2BIG,
				 "%s: the board has no place for virtio devices "
				 "(virtio,mmio or pci-host-ecam-generic)",
				 at->name);
	if (!b->pci && b->m->virtio_count == b->platform->slots)
		return error_set(err, ERROR_INPUT, -E2BIG,
				 "%s: virtio-mmio has room for %u devices, the "
				 "entropy device among them, and they are there "
				 "already; --transport pci has room for %d",
				 at->name, b->platform->slots,
				 MACHINE_MAX_VIRTIO);
	site->loop = loop;
	if (at->iothread && config->iothreads)
		r = iothreads_get(config->iothreads, at->iothread,
				  &site->loop);
	if (r < 0)
		return error_host(err, r, "%s: its I/O thread", at->name);
	r = at->ops->device(at, site, &vd, err);
	if (r < 0)
		return r;
	r = add(b, site->loop, at->name, vd);
	if (r < 0)
		return error_host(err, r, "%s", at->name);
	at->vd = vd;
	return 0;
}

int machine_add_virtio(struct machine *m, const struct machine_config *config,
		       struct loop *loop, const int *vm_fd, struct error *err)
{
	static const struct gmem no_ram;
	struct attach_site site = {
		.ram = config->ram ? config->ram : &no_ram,
		.cpus = config->platform.cpus,
		.host = &m->host,
	};
	const struct virtio_rng_config rng = {
		.ram = site.ram,
		.fill = host_entropy,
	};
	struct board b = {
		.m = m,
		.vm_fd = vm_fd,
		.platform = &config->platform,
	};
	struct virtio_device *vd = NULL;
	unsigned i;
	int r = 0;

	if (platform_has_pci(&config->platform))
		r = add_pci_host(m, vm_fd, &b.pci);
	if (r == 0 && (b.pci || b.platform->slots > 0))
		r = virtio_rng_new(&rng, &vd) ?:
		    add(&b, loop, "entropy device", vd);
	if (r < 0)
		return error_host(err, r, "cannot build the machine");
	for (i = 0; i < config->attached_count; i++) {
		r = add_attached(&b, config, config->attached[i], &site, loop,
				 err);
		if (r < 0)
			return r;
	}
	return 0;
}
