// SPDX-License-Identifier: MIT
/*
 * The virtio-mmio transport. VIRTIO 1.2, 4.2 "Virtio Over MMIO".
 *
 * Notifications come by an eventfd for each queue, watched on the I/O thread. From
 * the moment that a queue is ready the board's doorbell feeds it; a QueueNotify
 * that reaches us nevertheless does too.
 *
 * Not modelled: the legacy interface (version 1), QueueReset (it needs
 * VIRTIO_F_RING_RESET), shared memory regions (SHMLen reads as all ones: there is
 * none), VIRTIO_F_NOTIFICATION_DATA.
 */
#include "virtio/mmio.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/base.h"

/* 4.2.2 */
#define MAGIC 0x74726976u /* "virt" */
#define VERSION 2u
#define VENDOR 0x504d5254u /* "TRMP" */

enum reg {
	MAGIC_VALUE = 0x000,
	DEVICE_VERSION = 0x004,
	DEVICE_ID = 0x008,
	VENDOR_ID = 0x00c,
	DEVICE_FEATURES = 0x010,
	DEVICE_FEATURES_SEL = 0x014,
	DRIVER_FEATURES = 0x020,
	DRIVER_FEATURES_SEL = 0x024,
	QUEUE_SEL = 0x030,
	QUEUE_NUM_MAX = 0x034,
	QUEUE_NUM = 0x038,
	QUEUE_READY = 0x044,
	QUEUE_NOTIFY = 0x050,
	INTERRUPT_STATUS = 0x060,
	INTERRUPT_ACK = 0x064,
	STATUS = 0x070,
	QUEUE_DESC_LOW = 0x080,
	QUEUE_DESC_HIGH = 0x084,
	QUEUE_DRIVER_LOW = 0x090,
	QUEUE_DRIVER_HIGH = 0x094,
	QUEUE_DEVICE_LOW = 0x0a0,
	QUEUE_DEVICE_HIGH = 0x0a4,
	SHM_LEN_LOW = 0x0b0,
	SHM_LEN_HIGH = 0x0b4,
	SHM_BASE_LOW = 0x0b8,
	SHM_BASE_HIGH = 0x0bc,
	CONFIG_GENERATION = 0x0fc,
	CONFIG = 0x100,
};

#define INTERRUPT_USED_BUFFER BIT(0)
#define INTERRUPT_CONFIG_CHANGE BIT(1)

struct mmio_queue {
	struct virtio_mmio *vm;
	unsigned index;
	int fd; /* -1: none yet */
	struct loop_watch *watch;
	bool bound; /* to the doorbell */
};

struct virtio_mmio {
	struct device dev;
	struct virtio_mmio_config cfg;
	struct mmio_queue *queue; /* as many as the device has */
	struct {
		uint32_t device_features_sel, driver_features_sel;
		uint32_t driver_features[2];
		uint32_t queue_sel;
		uint32_t interrupt_status;
	} state;
};

static struct virtio_mmio *to_mmio(struct device *dev)
{
	return container_of(dev, struct virtio_mmio, dev);
}

static void update_irq(struct virtio_mmio *vm)
{
	irq_set(&vm->cfg.irq, vm->state.interrupt_status != 0);
}

/* ---- what the device wants ---------------------------------------------- */

static void mmio_interrupt(void *opaque, unsigned queue)
{
	struct virtio_mmio *vm = opaque;

	vm->state.interrupt_status |= INTERRUPT_USED_BUFFER;
	update_irq(vm);
}

static void mmio_config_changed(void *opaque)
{
	struct virtio_mmio *vm = opaque;

	vm->state.interrupt_status |= INTERRUPT_CONFIG_CHANGE;
	update_irq(vm);
}

static void mmio_again(void *opaque, unsigned queue)
{
	const struct virtio_mmio *vm = opaque;
	uint64_t one = 1;

	/* EAGAIN: it has 2^64 - 2 notifications and does not miss this one. */
	(void)!write(vm->queue[queue].fd, &one, sizeof(one));
}

static const struct virtio_transport_ops mmio_transport = {
	.interrupt = mmio_interrupt,
	.config_changed = mmio_config_changed,
	.again = mmio_again,
};

/* ---- notifications ------------------------------------------------------ */

static void queue_notified(void *opaque, unsigned events)
{
	struct mmio_queue *mq = opaque;
	uint64_t n;

	/* First, so that one that comes from here on is not lost. */
	if (read(mq->fd, &n, sizeof(n)) < 0)
		return;
	device_lock(&mq->vm->dev);
	virtio_notify(mq->vm->cfg.vd, mq->index);
	device_unlock(&mq->vm->dev);
}

/* Follows the queue's being ready. */
static void update_doorbell(struct mmio_queue *mq)
{
	struct virtio_mmio *vm = mq->vm;
	bool ready = vm->cfg.vd->queue[mq->index].ready;

	if (ready == mq->bound)
		return;
	if (ready) {
		/* A failure costs time only: see QueueNotify. */
		mq->bound = doorbell_bind(&vm->cfg.doorbell, QUEUE_NOTIFY, 4,
					  mq->index, mq->fd) == 0;
		return;
	}
	doorbell_unbind(&vm->cfg.doorbell, QUEUE_NOTIFY, 4, mq->index, mq->fd);
	mq->bound = false;
}

static void update_doorbells(struct virtio_mmio *vm)
{
	unsigned i;

	for (i = 0; i < vm->cfg.vd->queues; i++)
		update_doorbell(&vm->queue[i]);
}

/* ---- registers ---------------------------------------------------------- */

/* 4.2.2.1: back to what a driver expects before it begins. */
static void mmio_reset(struct device *dev)
{
	struct virtio_mmio *vm = to_mmio(dev);

	virtio_reset(vm->cfg.vd);
	memset(&vm->state, 0, sizeof(vm->state));
	update_doorbells(vm);
	update_irq(vm);
}

static const struct virtio_queue *selected(const struct virtio_mmio *vm)
{
	const struct virtio_device *vd = vm->cfg.vd;

	return vm->state.queue_sel < vd->queues ?
		       &vd->queue[vm->state.queue_sel] :
		       NULL;
}

static uint32_t read_register(const struct virtio_mmio *vm, uint64_t off)
{
	const struct virtio_queue *vq = selected(vm);
	const struct virtio_device *vd = vm->cfg.vd;

	switch (off) {
	case MAGIC_VALUE: return MAGIC;
	case DEVICE_VERSION: return VERSION;
	case DEVICE_ID: return vd->ops->id;
	case VENDOR_ID: return VENDOR;
	case DEVICE_FEATURES:
		if (vm->state.device_features_sel > 1)
			return 0;
		return (uint32_t)(vd->offered >>
				  32 * vm->state.device_features_sel);
	case QUEUE_NUM_MAX: return vq ? vq->size_max : 0;
	case QUEUE_READY: return vq && vq->ready;
	case INTERRUPT_STATUS: return vm->state.interrupt_status;
	case STATUS: return vd->status;
	case SHM_LEN_LOW:
	case SHM_LEN_HIGH:
	case SHM_BASE_LOW:
	case SHM_BASE_HIGH: return UINT32_MAX;
	case CONFIG_GENERATION: return vd->config_generation;
	default: return 0;
	}
}

static uint64_t mmio_read(struct device *dev, uint64_t off, unsigned size)
{
	struct virtio_mmio *vm = to_mmio(dev);
	uint8_t buf[8] = { 0 };

	if (off >= CONFIG) {
		virtio_config_read(vm->cfg.vd, off - CONFIG, buf, size);
		return get_le64(buf);
	}
	/* 4.2.2.2: registers are 32 bits wide and never read in part. */
	return size == 4 ? read_register(vm, off) : 0;
}

static void set_low(gpa_t *gpa, uint32_t val)
{
	*gpa = (*gpa & ~(gpa_t)UINT32_MAX) | val;
}

static void set_high(gpa_t *gpa, uint32_t val)
{
	*gpa = (*gpa & UINT32_MAX) | (gpa_t)val << 32;
}

/* Of the selected queue. */
static void write_queue(struct virtio_mmio *vm, uint64_t off, uint32_t val)
{
	struct virtio_queue *vq =
		virtio_queue_setup(vm->cfg.vd, vm->state.queue_sel);

	if (!vq)
		return;
	switch (off) {
	case QUEUE_NUM: vq->size = val; break;
	case QUEUE_DESC_LOW: set_low(&vq->desc, val); break;
	case QUEUE_DESC_HIGH: set_high(&vq->desc, val); break;
	case QUEUE_DRIVER_LOW: set_low(&vq->driver, val); break;
	case QUEUE_DRIVER_HIGH: set_high(&vq->driver, val); break;
	case QUEUE_DEVICE_LOW: set_low(&vq->device, val); break;
	case QUEUE_DEVICE_HIGH: set_high(&vq->device, val); break;
	}
}

/* There are no features beyond 64; what is taken of those counts for nothing. */
static void write_features(struct virtio_mmio *vm, uint32_t val)
{
	if (vm->state.driver_features_sel > 1)
		return;
	vm->state.driver_features[vm->state.driver_features_sel] = val;
	virtio_set_features(vm->cfg.vd,
			    (uint64_t)vm->state.driver_features[1] << 32 |
				    vm->state.driver_features[0]);
}

static void write_register(struct virtio_mmio *vm, uint64_t off, uint32_t val)
{
	switch (off) {
	case DEVICE_FEATURES_SEL: vm->state.device_features_sel = val; break;
	case DRIVER_FEATURES: write_features(vm, val); break;
	case DRIVER_FEATURES_SEL: vm->state.driver_features_sel = val; break;
	case QUEUE_SEL: vm->state.queue_sel = val; break;
	case QUEUE_READY:
		virtio_queue_ready(vm->cfg.vd, vm->state.queue_sel, val & 1);
		update_doorbells(vm);
		break;
	case QUEUE_NOTIFY:
		if (val < vm->cfg.vd->queues)
			mmio_again(vm, val);
		break;
	case INTERRUPT_ACK:
		vm->state.interrupt_status &= ~val;
		update_irq(vm);
		break;
	case STATUS:
		if ((uint8_t)val == 0)
			mmio_reset(&vm->dev);
		else
			virtio_set_status(vm->cfg.vd, (uint8_t)val);
		break;
	default: write_queue(vm, off, val); break;
	}
}

static void mmio_write(struct device *dev, uint64_t off, unsigned size,
		       uint64_t val)
{
	struct virtio_mmio *vm = to_mmio(dev);
	uint8_t buf[8];

	if (off >= CONFIG) {
		put_le64(buf, val);
		virtio_config_write(vm->cfg.vd, off - CONFIG, buf, size);
	} else if (size == 4) {
		write_register(vm, off, (uint32_t)val);
	}
}

/* ---- life --------------------------------------------------------------- */

static void release(struct virtio_mmio *vm)
{
	unsigned i;

	for (i = 0; vm->queue && i < vm->cfg.vd->queues; i++) {
		struct mmio_queue *mq = &vm->queue[i];

		loop_watch_free(vm->cfg.loop, mq->watch);
		if (mq->fd >= 0)
			close(mq->fd);
	}
	free(vm->queue);
	device_done(&vm->dev);
	free(vm);
}

static void mmio_free(struct device *dev)
{
	struct virtio_mmio *vm = to_mmio(dev);
	struct virtio_device *vd = vm->cfg.vd;

	device_reset(dev);
	release(vm);
	virtio_free(vd);
}

static const struct device_ops mmio_ops = {
	.name = "virtio-mmio",
	.sizes = 1 | 2 | 4 | 8,
	.read = mmio_read,
	.write = mmio_write,
	.reset = mmio_reset,
	.free = mmio_free,
};

static int queue_open(struct virtio_mmio *vm, unsigned index)
{
	struct mmio_queue *mq = &vm->queue[index];

	mq->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (mq->fd < 0)
		return -errno;
	return loop_watch_new(vm->cfg.loop, mq->fd, LOOP_IN, queue_notified, mq,
			      &mq->watch);
}

int virtio_mmio_new(const struct virtio_mmio_config *config,
		    struct device **ret_dev)
{
	struct virtio_mmio *vm = calloc(1, sizeof(*vm));
	unsigned i, n = config->vd->queues;
	int r = 0;

	if (!vm)
		return -ENOMEM;
	device_init(&vm->dev, &mmio_ops);
	vm->cfg = *config;
	vm->queue = calloc(n, sizeof(*vm->queue));
	if (!vm->queue) {
		release(vm);
		return -ENOMEM;
	}
	for (i = 0; i < n; i++)
		vm->queue[i] = (struct mmio_queue){ .vm = vm,
						    .index = i,
						    .fd = -1 };
	for (i = 0; i < n && r == 0; i++)
		r = queue_open(vm, i);
	if (r < 0) {
		release(vm);
		return r;
	}
	virtio_attach(config->vd, &vm->dev, &mmio_transport, vm);
	*ret_dev = &vm->dev;
	return 0;
}
