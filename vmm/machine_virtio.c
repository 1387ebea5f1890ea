// SPDX-License-Identifier: MIT
/*
 * The virtio part of the board: the entropy device, which every board has, and then
 * what was attached, each behind a transport of its own. Their order is that of
 * their addresses, which is that in which guests find them.
 */
#include "machine.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "attach/attach.h"
#include "core/base.h"
#include "core/device.h"
#include "virtio/mmio.h"
#include "virtio/rng.h"

/* Puts vd behind the next transport; it is the board's, or freed. */
static int add(struct machine *m, struct loop *loop, const int *vm_fd,
	       const char *name, struct virtio_device *vd)
{
	unsigned n = m->virtio_count;
	struct virtio_mmio_config mmio = { .vd = vd, .loop = loop };
	struct machine_virtio *at = &m->virtio[n];
	struct device *dev = NULL;
	int r = -ENOSPC;

	if (n < LAYOUT_VIRTIO_MAX) {
		vd->notice = notice_from(&at->notice, m->host.notices, name);
		mmio.irq = irqchip_line(&at->irq, vm_fd, LAYOUT_IRQ_VIRTIO + n);
		mmio.doorbell = doorbell_at(&at->doorbell, vm_fd,
					    LAYOUT_VIRTIO_AT(n));
		r = virtio_mmio_new(&mmio, &dev);
	}
	if (r < 0) {
		virtio_free(vd);
		return r;
	}
	m->virtio_count++;
	return machine_keep(m, dev) ?:
	       bus_add(&m->mmio, LAYOUT_VIRTIO_AT(n), VIRTIO_MMIO_LEN, dev, 0);
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

int machine_add_virtio(struct machine *m, const struct machine_config *config,
		       struct loop *loop, const int *vm_fd, struct error *err)
{
	static const struct gmem no_ram;
	struct attach_site site = {
		.ram = config->ram ? config->ram : &no_ram,
		.cpus = config->cpus,
		.loop = loop,
		.host = &m->host,
	};
	const struct virtio_rng_config rng = {
		.ram = site.ram,
		.fill = host_entropy,
	};
	struct virtio_device *vd = NULL;
	unsigned i;
	int r;

	r = virtio_rng_new(&rng, &vd) ?:
	    add(m, loop, vm_fd, "entropy device", vd);
	if (r < 0)
		return error_host(err, r, "cannot build the machine");
	for (i = 0; i < config->attached_count; i++) {
		struct attachment *at = config->attached[i];

		r = at->ops->device(at, &site, &vd, err);
		if (r < 0)
			return r;
		r = add(m, loop, vm_fd, at->name, vd);
		if (r < 0)
			return error_host(err, r, "%s", at->name);
		at->vd = vd;
	}
	return 0;
}
