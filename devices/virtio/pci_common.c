// SPDX-License-Identifier: MIT
/*
 * The common configuration structure of virtio-pci. VIRTIO 1.2, 4.1.4.3.
 */
#include <string.h>

#include "core/base.h"
#include "virtio/pci_parts.h"

enum field {
	DEVICE_FEATURE_SELECT = 0x00,
	DEVICE_FEATURE = 0x04,
	DRIVER_FEATURE_SELECT = 0x08,
	DRIVER_FEATURE = 0x0c,
	CONFIG_MSIX_VECTOR = 0x10,
	NUM_QUEUES = 0x12,
	DEVICE_STATUS = 0x14,
	CONFIG_GENERATION = 0x15,
	QUEUE_SELECT = 0x16,
	QUEUE_SIZE = 0x18,
	QUEUE_MSIX_VECTOR = 0x1a,
	QUEUE_ENABLE = 0x1c,
	QUEUE_NOTIFY_OFF = 0x1e,
	QUEUE_DESC = 0x20,
	QUEUE_DRIVER = 0x28,
	QUEUE_DEVICE = 0x30,
};

/* The selected queue's number; false: there is no such queue. */
static bool selected(const struct virtio_pci *vp, unsigned *ret_queue)
{
	const struct virtio_device *vd = vp->cfg.vd;

	if (vp->state.queue_select >= vd->queues ||
	    vd->queue[vp->state.queue_select].size_max == 0)
		return false;
	*ret_queue = vp->state.queue_select;
	return true;
}

static void fill_queue(const struct virtio_pci *vp, uint8_t *image)
{
	const struct virtio_queue *vq;
	unsigned queue;

	/* 4.1.4.3.1: one that is not there has a size of 0. */
	if (!selected(vp, &queue)) {
		put_le16(image + QUEUE_MSIX_VECTOR, VIRTIO_PCI_NO_VECTOR);
		return;
	}
	vq = &vp->cfg.vd->queue[queue];
	put_le16(image + QUEUE_SIZE, (uint16_t)vq->size);
	put_le16(image + QUEUE_MSIX_VECTOR, vp->queue_vector[queue]);
	put_le16(image + QUEUE_ENABLE, vq->ready);
	put_le16(image + QUEUE_NOTIFY_OFF, (uint16_t)queue);
	put_le64(image + QUEUE_DESC, vq->desc);
	put_le64(image + QUEUE_DRIVER, vq->driver);
	put_le64(image + QUEUE_DEVICE, vq->device);
}

/* As it lies there, so that it can be read in any width. */
uint64_t virtio_pci_common_read(const struct virtio_pci *vp, uint64_t off,
				unsigned size)
{
	const struct virtio_device *vd = vp->cfg.vd;
	const uint32_t device = vp->state.device_feature_select;
	const uint32_t driver = vp->state.driver_feature_select;
	uint8_t image[VIRTIO_PCI_COMMON_LEN + 8] = { 0 };

	if (off >= VIRTIO_PCI_COMMON_LEN)
		return 0;
	put_le32(image + DEVICE_FEATURE_SELECT, device);
	if (device < 2)
		put_le32(image + DEVICE_FEATURE,
			 (uint32_t)(vd->offered >> 32 * device));
	put_le32(image + DRIVER_FEATURE_SELECT, driver);
	if (driver < 2)
		put_le32(image + DRIVER_FEATURE,
			 vp->state.driver_feature[driver]);
	put_le16(image + CONFIG_MSIX_VECTOR, vp->state.config_vector);
	put_le16(image + NUM_QUEUES, (uint16_t)vd->queues);
	image[DEVICE_STATUS] = vd->status;
	image[CONFIG_GENERATION] = (uint8_t)vd->config_generation;
	put_le16(image + QUEUE_SELECT, vp->state.queue_select);
	fill_queue(vp, image);
	return get_le64(image + off) & size_mask(size);
}

/* ---- writes ------------------------------------------------------------- */

void virtio_pci_reset_device(struct virtio_pci *vp)
{
	const struct virtio_device *vd = vp->cfg.vd;
	unsigned i;

	virtio_reset(vp->cfg.vd);
	if (vd->resetting)
		return; /* another processor's, which does the rest */
	memset(&vp->state, 0, sizeof(vp->state));
	vp->state.config_vector = VIRTIO_PCI_NO_VECTOR;
	for (i = 0; i < vd->queues; i++)
		vp->queue_vector[i] = VIRTIO_PCI_NO_VECTOR;
	notify_reset(vp->notify);
	pci_function_set_intx(&vp->function, false);
}

/* 4.1.5.1.2: reading back says whether the vector is there. */
static uint16_t checked_vector(const struct virtio_pci *vp, uint64_t val)
{
	return val < vp->msix.count ? (uint16_t)val : VIRTIO_PCI_NO_VECTOR;
}

/* There are no features beyond 64; what is taken of those counts for nothing. */
static void write_features(struct virtio_pci *vp, uint32_t val)
{
	if (vp->state.driver_feature_select > 1)
		return;
	vp->state.driver_feature[vp->state.driver_feature_select] = val;
	virtio_set_features(vp->cfg.vd,
			    (uint64_t)vp->state.driver_feature[1] << 32 |
				    vp->state.driver_feature[0]);
}

static void write_status(struct virtio_pci *vp, uint8_t val)
{
	if (val == 0)
		virtio_pci_reset_device(vp);
	else
		virtio_set_status(vp->cfg.vd, val);
}

static void write_8(struct virtio_pci *vp, uint64_t off, uint8_t val)
{
	if (off == DEVICE_STATUS)
		write_status(vp, val);
}

static void write_16(struct virtio_pci *vp, uint64_t off, uint16_t val)
{
	struct virtio_queue *vq;
	unsigned queue;

	switch (off) {
	case CONFIG_MSIX_VECTOR:
		vp->state.config_vector = checked_vector(vp, val);
		break;
	case QUEUE_SELECT: vp->state.queue_select = val; break;
	case QUEUE_SIZE:
		vq = virtio_queue_setup(vp->cfg.vd, vp->state.queue_select);
		if (vq)
			vq->size = val;
		break;
	case QUEUE_MSIX_VECTOR:
		if (selected(vp, &queue))
			vp->queue_vector[queue] = checked_vector(vp, val);
		break;
	case QUEUE_ENABLE:
		/* 4.1.4.3.2: a driver never writes 0. */
		if (val == 1)
			virtio_queue_ready(vp->cfg.vd, vp->state.queue_select,
					   true);
		notify_update(vp->notify);
		break;
	}
}

static void set_half(gpa_t *gpa, bool high, uint32_t val)
{
	if (high)
		*gpa = (*gpa & UINT32_MAX) | (gpa_t)val << 32;
	else
		*gpa = (*gpa & ~(gpa_t)UINT32_MAX) | val;
}

static void write_address(struct virtio_pci *vp, uint64_t off, uint32_t val)
{
	struct virtio_queue *vq =
		virtio_queue_setup(vp->cfg.vd, vp->state.queue_select);

	if (!vq)
		return;
	switch (off & ~UINT64_C(4)) {
	case QUEUE_DESC: set_half(&vq->desc, off & 4, val); break;
	case QUEUE_DRIVER: set_half(&vq->driver, off & 4, val); break;
	case QUEUE_DEVICE: set_half(&vq->device, off & 4, val); break;
	}
}

static void write_32(struct virtio_pci *vp, uint64_t off, uint32_t val)
{
	switch (off) {
	case DEVICE_FEATURE_SELECT:
		vp->state.device_feature_select = val;
		break;
	case DRIVER_FEATURE_SELECT:
		vp->state.driver_feature_select = val;
		break;
	case DRIVER_FEATURE: write_features(vp, val); break;
	default:
		if (off >= QUEUE_DESC && off % 4 == 0)
			write_address(vp, off, val);
		break;
	}
}

/* 4.1.3.1: in the width of the field, addresses also by halves. */
void virtio_pci_common_write(struct virtio_pci *vp, uint64_t off,
			     unsigned size, uint64_t val)
{
	switch (size) {
	case 1: write_8(vp, off, (uint8_t)val); break;
	case 2: write_16(vp, off, (uint16_t)val); break;
	case 4: write_32(vp, off, (uint32_t)val); break;
	default:
		if (off < QUEUE_DESC || off % 8 != 0)
			break;
		write_32(vp, off, (uint32_t)val);
		write_32(vp, off + 4, (uint32_t)(val >> 32));
		break;
	}
}
