/* SPDX-License-Identifier: MIT */
/*
 * pci_parts.h: what the files of the virtio-pci transport share.
 */
#ifndef TRAPMAP_VIRTIO_PCI_PARTS_H
#define TRAPMAP_VIRTIO_PCI_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "pci/function.h"
#include "pci/msix.h"
#include "virtio/notify.h"
#include "virtio/pci.h"

#define VIRTIO_PCI_NO_VECTOR 0xffff
/* 4.1.4.3; what lies beyond exists with features that are not offered. */
#define VIRTIO_PCI_COMMON_LEN 0x38

struct virtio_pci {
	struct device dev;
	struct virtio_pci_config cfg;
	struct pci_function function;
	struct msix msix;
	struct notify *notify;
	unsigned access_cap; /* where VIRTIO_PCI_CAP_PCI_CFG lies */
	uint16_t *queue_vector; /* as many as the device has queues */
	struct {
		uint32_t device_feature_select, driver_feature_select;
		uint32_t driver_feature[2];
		uint16_t queue_select;
		uint16_t config_vector;
		uint8_t isr;
	} state;
};

/* The common configuration structure. */
uint64_t virtio_pci_common_read(const struct virtio_pci *vp, uint64_t off,
				unsigned size);
void virtio_pci_common_write(struct virtio_pci *vp, uint64_t off,
			     unsigned size, uint64_t val);

/* 4.1.4.3.1: a reset of the virtio device, by the driver or with the function. */
void virtio_pci_reset_device(struct virtio_pci *vp);

#endif
