/* SPDX-License-Identifier: MIT */
/*
 * mmio.h: a virtio device behind memory-mapped registers (VIRTIO 1.2, 4.2).
 */
#ifndef TRAPMAP_VIRTIO_MMIO_H
#define TRAPMAP_VIRTIO_MMIO_H

#include "core/device.h"
#include "core/doorbell.h"
#include "core/loop.h"
#include "virtio/virtio.h"

/* Registers in the first 256 bytes, then the configuration space. */
#define VIRTIO_MMIO_LEN 0x1000

struct virtio_mmio_config {
	struct virtio_device *vd;
	struct loop *loop; /* the I/O thread, where queues are looked at */
	int irq_fd; /* an event is an interrupt; open as long as the device */
	struct doorbell doorbell;
};

/*
 * vd is the transport's after success, and freed with it. Returns 0 or -errno.
 */
int virtio_mmio_new(const struct virtio_mmio_config *config,
		    struct device **ret_dev);

#endif
