// SPDX-License-Identifier: MIT
/*
 * The virtio-mmio transport. VIRTIO 1.2, 4.2 "Virtio Over MMIO".
 *
 * Notifications are notify.c's affair. An interrupt is an edge: an event on an
 * eventfd for each, also while InterruptStatus still says so of the one before. A
 * level would have to be lowered with each InterruptACK, which costs the driver's
 * processor a call into the host's kernel; and an event can come from any thread.
 * What drivers do holds for both (4.2.3.4): they read InterruptStatus, acknowledge
 * it, and only then look at their rings.
 *
 * Not modelled: the legacy interface (version 1), QueueReset (it needs
 * VIRTIO_F_RING_RESET), shared memory regions (SHMLen reads as all ones: there is
 * none), VIRTIO_F_NOTIFICATION_DATA.
 */
#include "virtio/mmio.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base.h"
#include "virtio/notify.h"

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

struct virtio_mmio {
	struct device dev;
	struct virtio_mmio_config cfg;
	struct notify *notify;
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

/* ---- what the device wants ---------------------------------------------- */

static void interrupt(struct virtio_mmio *vm, uint32_t why)
{
	uint64_t one = 1;

	vm->state.interrupt_status |= why;
	/* EAGAIN: there are 2^64 - 2 already, this one is not missed. */
	(void)!write(vm->cfg.irq_fd, &one, sizeof(one));
}

static void mmio_interrupt(void *opaque, unsigned queue)
{
	interrupt(opaque, INTERRUPT_USED_BUFFER);
}

static void mmio_config_changed(void *opaque)
{
	interrupt(opaque, INTERRUPT_CONFIG_CHANGE);
}

static void mmio_again(void *opaque, unsigned queue)
{
	const struct virtio_mmio *vm = opaque;

	notify_queue(vm->notify, queue);
}

static int mmio_lend(void *opaque, unsigned queue, int *ret_kick, int *ret_call)
{
	const struct virtio_mmio *vm = opaque;

	return notify_lend(vm->notify, queue, ret_kick, ret_call);
}

static void mmio_take_back(void *opaque, unsigned queue)
{
	const struct virtio_mmio *vm = opaque;

	notify_take_back(vm->notify, queue);
}

static const struct virtio_transport_ops mmio_transport = {
	.interrupt = mmio_interrupt,
	.config_changed = mmio_config_changed,
	.again = mmio_again,
	.lend = mmio_lend,
	.take_back = mmio_take_back,
};

/* ---- registers ---------------------------------------------------------- */

/* 4.2.2.1: back to what a driver expects before it begins. */
static void mmio_reset(struct device *dev)
{
	struct virtio_mmio *vm = to_mmio(dev);

	virtio_reset(vm->cfg.vd);
	memset(&vm->state, 0, sizeof(vm->state));
	notify_reset(vm->notify);
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
		notify_update(vm->notify);
		break;
	case QUEUE_NOTIFY: notify_queue(vm->notify, val); break;
	case INTERRUPT_ACK: vm->state.interrupt_status &= ~val; break;
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

static void mmio_free(struct device *dev)
{
	struct virtio_mmio *vm = to_mmio(dev);
	struct virtio_device *vd = vm->cfg.vd;

	device_reset(dev);
	notify_free(vm->notify);
	device_done(dev);
	free(vm);
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

int virtio_mmio_new(const struct virtio_mmio_config *config,
		    struct device **ret_dev)
{
	const struct notify_config notify = {
		.vd = config->vd,
		.loop = config->loop,
		.doorbell = config->doorbell,
		.off = QUEUE_NOTIFY,
		.size = 4,
	};
	struct virtio_mmio *vm = calloc(1, sizeof(*vm));
	int r;

	if (!vm)
		return -ENOMEM;
	vm->cfg = *config;
	r = notify_new(&notify, &vm->notify);
	if (r < 0) {
		free(vm);
		return r;
	}
	device_init(&vm->dev, &mmio_ops);
	virtio_attach(config->vd, &vm->dev, &mmio_transport, vm);
	*ret_dev = &vm->dev;
	return 0;
}
