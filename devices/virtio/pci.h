/* SPDX-License-Identifier: MIT */
/*
 * pci.h: a virtio device as a PCI function (VIRTIO 1.2, 4.1).
 */
#ifndef TRAPMAP_VIRTIO_PCI_H
#define TRAPMAP_VIRTIO_PCI_H

#include "core/device.h"
#include "core/doorbell.h"
#include "core/loop.h"
#include "core/msi.h"
#include "pci/host.h"
#include "virtio/virtio.h"

/* One a queue, and one for the configuration; a device with more shares them. */
#define VIRTIO_PCI_VECTORS_MAX 33

struct virtio_pci_config {
	struct virtio_device *vd;
	struct loop *loop; /* the I/O thread, where queues are looked at */
	struct pci_host *host;
	unsigned slot;
	struct msi msi; /* VIRTIO_PCI_VECTORS_MAX vectors */
	struct doorbell doorbell; /* of the notification structure, wherever it lies */
};

/*
 * vd is the transport's after success, and freed with it. Returns 0 or -errno. The
 * device answers at no address of its own: the host sees to that.
 */
int virtio_pci_new(const struct virtio_pci_config *config,
		   struct device **ret_dev);

#endif
