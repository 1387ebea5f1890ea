// SPDX-License-Identifier: MIT
/*
 * The virtio-pci transport. VIRTIO 1.2, 4.1 "Virtio Over PCI Bus".
 *
 * Everything is behind one BAR, a page for each structure, the last one for MSI-X.
 * An interrupt by MSI-X is a write to the vector's eventfd and nothing else: who does
 * a queue's work elsewhere is lent that eventfd, and masking, affinity and the moving
 * of vectors are then between the guest and pci/msix.c.
 *
 * Not modelled: the legacy and the transitional interface, shared memory regions,
 * VIRTIO_F_RING_RESET, VIRTIO_F_NOTIFICATION_DATA, VIRTIO_F_NOTIF_CONFIG_DATA, and a
 * driver that gives a queue another vector, or turns MSI-X on or off, while the queue
 * is lent: its interrupts then come as they did before.
 */
#include "virtio/pci.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "virtio/pci_parts.h"

/* 4.1.2 */
#define VENDOR 0x1af4
#define DEVICE_FROM 0x1040
#define REVISION 1

/* 4.1.4: cfg_type */
#define CAP_COMMON_CFG 1
#define CAP_NOTIFY_CFG 2
#define CAP_ISR_CFG 3
#define CAP_DEVICE_CFG 4
#define CAP_PCI_CFG 5

#define BAR 0
#define PAGE 0x1000u
enum { COMMON, ISR, DEVICE, NOTIFY, MSIX };
#define BAR_LEN (8 * PAGE)
#define MSIX_PBA (MSIX * PAGE + PAGE / 2)

/* 4.1.4.4: queue i's register is that of queue_notify_off i. */
#define NOTIFY_STEP 4u

/* 4.1.4.5 */
#define ISR_QUEUE BIT(0)
#define ISR_CONFIG BIT(1)

/* Within the capabilities of 4.1.4, from their third byte on. */
#define CAP_BODY 2
#define CAP_OFFSET 8
#define CAP_LENGTH 12
#define CAP_DATA 16

static struct virtio_pci *to_pci(struct device *dev)
{
	return container_of(dev, struct virtio_pci, dev);
}

static struct virtio_pci *of_function(struct pci_function *pf)
{
	return container_of(pf, struct virtio_pci, function);
}

/* ---- interrupts --------------------------------------------------------- */

/* 4.1.4.5.1 and 4.1.5.1.3: the pin is for those who do not use MSI-X. */
static void update_irq(struct virtio_pci *vp)
{
	pci_function_set_intx(&vp->function,
			      vp->state.isr != 0 && !vp->msix.enabled);
}

static void vp_interrupt(void *opaque, unsigned queue)
{
	struct virtio_pci *vp = opaque;

	if (vp->msix.enabled) {
		msix_raise(&vp->msix, vp->queue_vector[queue]);
		return;
	}
	vp->state.isr |= ISR_QUEUE;
	update_irq(vp);
}

static void vp_config_changed(void *opaque)
{
	struct virtio_pci *vp = opaque;

	/* 4.1.4.5.1: this bit with MSI-X, too. */
	vp->state.isr |= ISR_CONFIG;
	if (vp->msix.enabled)
		msix_raise(&vp->msix, vp->state.config_vector);
	update_irq(vp);
}

static void vp_again(void *opaque, unsigned queue)
{
	const struct virtio_pci *vp = opaque;

	notify_queue(vp->notify, queue);
}

static int vp_lend(void *opaque, unsigned queue, int *ret_kick, int *ret_call)
{
	const struct virtio_pci *vp = opaque;
	unsigned vector = vp->queue_vector[queue];
	int r;

	if (!vp->msix.enabled || vector >= vp->msix.count)
		return notify_lend(vp->notify, queue, ret_kick, ret_call);
	r = notify_lend(vp->notify, queue, ret_kick, NULL);
	if (r == 0)
		*ret_call = vp->msix.vector[vector].fd;
	return r;
}

static void vp_take_back(void *opaque, unsigned queue)
{
	const struct virtio_pci *vp = opaque;

	notify_take_back(vp->notify, queue);
}

static const struct virtio_transport_ops vp_transport = {
	.interrupt = vp_interrupt,
	.config_changed = vp_config_changed,
	.again = vp_again,
	.lend = vp_lend,
	.take_back = vp_take_back,
};

/* ---- the BAR ------------------------------------------------------------ */

static uint64_t read_isr(struct virtio_pci *vp)
{
	uint8_t isr = vp->state.isr;

	vp->state.isr = 0;
	update_irq(vp);
	return isr;
}

static uint64_t vp_read(struct device *dev, uint64_t off, unsigned size)
{
	struct virtio_pci *vp = to_pci(dev);
	uint64_t at = off % PAGE;
	uint8_t buf[8] = { 0 };

	switch (off / PAGE) {
	case COMMON: return virtio_pci_common_read(vp, at, size);
	case ISR: return at == 0 ? read_isr(vp) : 0;
	case DEVICE:
		virtio_config_read(vp->cfg.vd, at, buf, size);
		return get_le64(buf);
	case MSIX:
		if (off < MSIX_PBA)
			return msix_table_read(&vp->msix, at, size);
		return msix_pba_read(&vp->msix, off - MSIX_PBA, size);
	default: return 0;
	}
}

static void vp_write(struct device *dev, uint64_t off, unsigned size,
		     uint64_t val)
{
	struct virtio_pci *vp = to_pci(dev);
	uint64_t at = off % PAGE;
	uint8_t buf[8];

	switch (off / PAGE) {
	case COMMON: virtio_pci_common_write(vp, at, size, val); break;
	case DEVICE:
		put_le64(buf, val);
		virtio_config_write(vp->cfg.vd, at, buf, size);
		break;
	case NOTIFY:
		/* 4.1.5.2: the value says the same as the register does. */
		if (size >= 2 && at % NOTIFY_STEP == 0)
			notify_queue(vp->notify, at / NOTIFY_STEP);
		break;
	case MSIX:
		if (off < MSIX_PBA)
			msix_table_write(&vp->msix, at, size, val);
		break;
	}
}

/* ---- the function ------------------------------------------------------- */

static void vp_moved(struct pci_function *pf, unsigned bar, uint64_t base)
{
	struct virtio_pci *vp = of_function(pf);

	if (base == BUS_NOWHERE)
		notify_move(vp->notify, NOTIFY_NOWHERE);
	else
		notify_move(vp->notify, base + NOTIFY * PAGE);
}

/* 4.1.4.9: whether pci_cfg_data now stands for a piece of the BAR, and which. */
static bool window(const struct virtio_pci *vp, unsigned off, unsigned len,
		   uint32_t *ret_at, uint32_t *ret_size)
{
	const uint8_t *cap = vp->function.config + vp->access_cap;
	uint32_t at = get_le32(cap + CAP_OFFSET);
	uint32_t size = get_le32(cap + CAP_LENGTH);
	unsigned data = vp->access_cap + CAP_DATA;

	if (!vp->access_cap || off >= data + 4 || data >= off + len)
		return false;
	/* 4.1.4.9.2: anything else is the driver's mistake. */
	if ((size != 1 && size != 2 && size != 4) || at % size != 0 ||
	    at >= BAR_LEN || cap[4] != BAR)
		return false;
	*ret_at = at;
	*ret_size = size;
	return true;
}

static void vp_config_read(struct pci_function *pf, unsigned off, unsigned len)
{
	struct virtio_pci *vp = of_function(pf);
	uint32_t at, size;

	if (window(vp, off, len, &at, &size))
		put_le32(pf->config + vp->access_cap + CAP_DATA,
			 (uint32_t)(vp_read(&vp->dev, at, size) &
				    size_mask(size)));
}

static void vp_config_written(struct pci_function *pf, unsigned off,
			      unsigned len)
{
	struct virtio_pci *vp = of_function(pf);
	uint32_t at, size;

	if (window(vp, off, len, &at, &size))
		vp_write(&vp->dev, at, size,
			 get_le32(pf->config + vp->access_cap + CAP_DATA) &
				 size_mask(size));
	/* MSI-X may have been turned on or off. */
	update_irq(vp);
}

static const struct pci_function_ops vp_function = {
	.moved = vp_moved,
	.config_read = vp_config_read,
	.config_written = vp_config_written,
};

/* What a person sees who lists the devices; drivers go by the device ID. */
static uint32_t class_code(uint32_t id)
{
	switch (id) {
	case VIRTIO_ID_NET: return 0x020000; /* Ethernet */
	case VIRTIO_ID_BLOCK: return 0x018000; /* other mass storage */
	case VIRTIO_ID_CONSOLE:
	case VIRTIO_ID_VSOCK: return 0x078000; /* other communication */
	default: return 0x00ff00;
	}
}

/* 4.1.4: cap_len, cfg_type, bar, id, padding, offset, length, and then some. */
static unsigned add_cap(struct virtio_pci *vp, uint8_t type, uint32_t off,
			uint32_t len, unsigned more)
{
	uint8_t cap[20] = { 0 }, writable[20] = { 0 };

	cap[2] = (uint8_t)(16 + more);
	cap[3] = type;
	cap[4] = BAR;
	put_le32(cap + CAP_OFFSET, off);
	put_le32(cap + CAP_LENGTH, len);
	if (type == CAP_NOTIFY_CFG)
		put_le32(cap + CAP_DATA, NOTIFY_STEP);
	if (type == CAP_PCI_CFG) {
		writable[4] = 0xff;
		memset(writable + CAP_OFFSET, 0xff, 12);
	}
	return pci_function_add_capability(&vp->function, PCI_CAP_VENDOR,
					   cap + CAP_BODY, writable + CAP_BODY,
					   16 + more);
}

/* All of it fits into the space, as it is the same for all devices. */
static void make_function(struct virtio_pci *vp)
{
	const struct virtio_device *vd = vp->cfg.vd;
	const struct pci_function_config config = {
		.ops = &vp_function,
		.dev = &vp->dev,
		.vendor_id = VENDOR,
		.device_id = (uint16_t)(DEVICE_FROM + vd->ops->id),
		.subsystem_vendor_id = VENDOR,
		.subsystem_id = (uint16_t)(DEVICE_FROM + vd->ops->id),
		.class_code = class_code(vd->ops->id),
		.revision_id = REVISION,
		.pin = 1,
	};

	pci_function_init(&vp->function, &config);
	pci_function_add_bar(&vp->function, BAR, BAR_LEN, 0, true);
	if (vp->msix.count > 0)
		(void)pci_function_add_msix(&vp->function, &vp->msix, BAR,
					    MSIX * PAGE, MSIX_PBA);
	(void)add_cap(vp, CAP_COMMON_CFG, COMMON * PAGE, VIRTIO_PCI_COMMON_LEN,
		      0);
	(void)add_cap(vp, CAP_ISR_CFG, ISR * PAGE, 1, 0);
	if (vd->config_len > 0)
		(void)add_cap(vp, CAP_DEVICE_CFG, DEVICE * PAGE,
			      (uint32_t)vd->config_len, 0);
	(void)add_cap(vp, CAP_NOTIFY_CFG, NOTIFY * PAGE,
		      NOTIFY_STEP * vd->queues, 4);
	vp->access_cap = add_cap(vp, CAP_PCI_CFG, 0, 0, 4);
}

/* ---- life --------------------------------------------------------------- */

static void vp_reset(struct device *dev)
{
	struct virtio_pci *vp = to_pci(dev);

	virtio_pci_reset_device(vp);
	pci_function_reset(&vp->function);
}

static void release(struct virtio_pci *vp)
{
	notify_free(vp->notify);
	msix_done(&vp->msix);
	free(vp->queue_vector);
	device_done(&vp->dev);
	free(vp);
}

/* The bus may be gone already, so the BAR stays where it is. */
static void vp_free(struct device *dev)
{
	struct virtio_pci *vp = to_pci(dev);
	struct virtio_device *vd = vp->cfg.vd;

	device_lock(dev);
	virtio_pci_reset_device(vp);
	device_unlock(dev);
	release(vp);
	virtio_free(vd);
}

static const struct device_ops vp_ops = {
	.name = "virtio-pci",
	.sizes = 1 | 2 | 4 | 8,
	.read = vp_read,
	.write = vp_write,
	.reset = vp_reset,
	.free = vp_free,
};

static int make(struct virtio_pci *vp)
{
	const struct virtio_device *vd = vp->cfg.vd;
	const struct notify_config notify = {
		.vd = vp->cfg.vd,
		.loop = vp->cfg.loop,
		.doorbell = vp->cfg.doorbell,
		.step = NOTIFY_STEP,
		.size = 2,
	};
	unsigned vectors = vd->queues + 1;
	int r;

	vp->queue_vector = calloc(vd->queues, sizeof(*vp->queue_vector));
	if (!vp->queue_vector)
		return -ENOMEM;
	r = notify_new(&notify, &vp->notify);
	if (r < 0)
		return r;
	notify_move(vp->notify, NOTIFY_NOWHERE);
	if (vectors > VIRTIO_PCI_VECTORS_MAX)
		vectors = VIRTIO_PCI_VECTORS_MAX;
	if (vp->cfg.msi.route)
		r = msix_init(&vp->msix, &vp->cfg.msi, vectors);
	if (r < 0)
		return r;
	make_function(vp);
	virtio_pci_reset_device(vp);
	return pci_host_add(vp->cfg.host, vp->cfg.slot, &vp->function);
}

int virtio_pci_new(const struct virtio_pci_config *config,
		   struct device **ret_dev)
{
	struct virtio_pci *vp = calloc(1, sizeof(*vp));
	int r;

	if (!vp)
		return -ENOMEM;
	device_init(&vp->dev, &vp_ops);
	vp->cfg = *config;
	r = make(vp);
	if (r < 0) {
		release(vp);
		return r;
	}
	virtio_attach(config->vd, &vp->dev, &vp_transport, vp);
	*ret_dev = &vp->dev;
	return 0;
}
