/* SPDX-License-Identifier: MIT */
/*
 * virtio_pci_rig.h: a virtio device of three queues behind virtio-pci and a PCI host,
 * and a driver's way to it: configuration space, capabilities, BAR, registers.
 */
#ifndef TRAPMAP_TEST_VIRTIO_PCI_RIG_H
#define TRAPMAP_TEST_VIRTIO_PCI_RIG_H

#include "test.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base.h"
#include "core/bus.h"
#include "fake_loop.h"
#include "fake_msi.h"
#include "virtio/pci.h"
#include "virtio_driver.h"

#define RAM MIB(1)
#define BUF 0x80000
#define ECAM 0xb0000000u
#define WINDOW 0xc0000000u
#define SLOT 3
#define INPUT 3 /* (SLOT + INTA) % 4 */

/* VIRTIO 1.2, 4.1.4.3, as numbers on purpose. */
enum {
	DFSELECT = 0x00, DF = 0x04, GFSELECT = 0x08, GF = 0x0c,
	CONFIG_VECTOR = 0x10, NUM_QUEUES = 0x12, STATUS = 0x14,
	GENERATION = 0x15, Q_SELECT = 0x16, Q_SIZE = 0x18, Q_VECTOR = 0x1a,
	Q_ENABLE = 0x1c, Q_NOTIFY_OFF = 0x1e, Q_DESC = 0x20, Q_DRIVER = 0x28,
	Q_DEVICE = 0x30,
};

/* By cfg_type. */
enum { COMMON = 1, NOTIFY, ISR, DEVICE, ACCESS, TYPES };

struct bell {
	bool bound;
	uint64_t addr; /* where it was when it was bound */
	unsigned size, match;
	int fd;
};

static struct fixture {
	struct gmem gm;
	uint8_t *ram;
	struct fake_loop fl;
	struct fake_line pin[PCI_PINS];
	struct fake_msi msi;
	struct virtio_device vd;
	struct pci_host *host;
	struct device *dev;
	struct bus bus;
	struct vdrv drv;
	uint8_t config[10];
	unsigned frees, agains, stops;
	/* doorbells, by queue */
	struct bell bell[3];
	uint64_t bell_base;
	int bell_fails;
	/* what the driver has found */
	struct {
		unsigned at; /* of the capability; 0: none */
		uint32_t off, len;
	} cap[TYPES];
	unsigned msix_at, notify_step;
	uint64_t bar; /* where it lies */
} f;

/* ---- the device ----------------------------------------------------------- */

static void model_notify(struct virtio_device *vd, unsigned queue)
{
	struct iovec iov[4];
	struct virtq_chain chain = { .iov = iov, .room = 4 };

	while (virtio_pop(vd, queue, &chain))
		virtio_push(vd, queue, &chain, 1);
	if (f.agains) {
		f.agains--;
		virtio_again(vd, queue);
	}
}

static void model_config_read(struct virtio_device *vd, size_t off, void *buf,
			      size_t len)
{
	memcpy(buf, f.config + off, len);
}

static void model_config_write(struct virtio_device *vd, size_t off,
			       const void *buf, size_t len)
{
	memcpy(f.config + off, buf, len);
}

static void model_stop(struct virtio_device *vd)
{
	f.stops++;
}

static void model_free(struct virtio_device *vd)
{
	f.frees++;
	virtio_done(vd);
}

static const struct virtio_ops model = {
	.name = "model",
	.id = 42,
	.config_read = model_config_read,
	.config_write = model_config_write,
	.stop = model_stop,
	.notify = model_notify,
	.free = model_free,
};

/* ---- the board ------------------------------------------------------------ */

static int bell_bind(void *opaque, uint64_t off, unsigned size, uint64_t match,
		     int fd)
{
	struct bell *bell = &f.bell[match];

	assert_in_range(match, 0, 2);
	assert_false(bell->bound);
	if (f.bell_fails)
		return f.bell_fails;
	*bell = (struct bell){ true, f.bell_base + off, size, (unsigned)match,
			       fd };
	return 0;
}

static void bell_unbind(void *opaque, uint64_t off, unsigned size,
			uint64_t match, int fd)
{
	struct bell *bell = &f.bell[match];

	assert_true(bell->bound);
	assert_true(bell->addr == f.bell_base + off);
	assert_int_equal(bell->size, size);
	assert_int_equal(bell->fd, fd);
	bell->bound = false;
}

static void bell_move(void *opaque, uint64_t base)
{
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(f.bell); i++)
		assert_false(f.bell[i].bound);
	f.bell_base = base;
}

static int build(bool with_msi, size_t config_len)
{
	static const uint16_t sizes[] = { 8, 0, 16 };
	const struct virtio_config config = {
		.ops = &model,
		.ram = &f.gm,
		.queues = ARRAY_SIZE(sizes),
		.sizes = sizes,
		.config_len = config_len,
		.features = BIT64(3) | BIT64(40),
	};
	struct pci_host_config host = {
		.mmio = &f.bus,
		.window = WINDOW,
		.window_len = 0x100000,
	};
	struct virtio_pci_config pci = {
		.vd = &f.vd,
		.loop = &f.fl.loop,
		.slot = SLOT,
		.doorbell = { .bind = bell_bind,
			      .unbind = bell_unbind,
			      .move = bell_move },
	};
	unsigned i;

	memset(&f, 0, sizeof(f));
	f.ram = calloc(1, RAM);
	assert_non_null(f.ram);
	assert_int_equal(gmem_add(&f.gm, 0, RAM, f.ram), 0);
	fake_loop_init(&f.fl, 0);
	bus_init(&f.bus, UINT64_MAX - 1);
	for (i = 0; i < PCI_PINS; i++)
		host.pin[i] = (struct irq_line){ .set = fake_line_set,
						 .opaque = &f.pin[i] };
	assert_int_equal(pci_host_new(&host, &f.host), 0);
	assert_int_equal(bus_add(&f.bus, ECAM, PCI_HOST_ECAM_LEN,
				 pci_host_device(f.host), 0),
			 0);
	assert_int_equal(virtio_init(&f.vd, &config), 0);
	pci.host = f.host;
	if (with_msi)
		pci.msi = fake_msi(&f.msi);
	assert_int_equal(virtio_pci_new(&pci, &f.dev), 0);
	return 0;
}

static inline int teardown(void **state)
{
	unsigned i;

	bus_done(&f.bus);
	device_free(f.dev);
	device_free(pci_host_device(f.host));
	assert_int_equal(f.frees, 1);
	for (i = 0; i < ARRAY_SIZE(f.bell); i++)
		assert_false(f.bell[i].bound);
	for (i = 0; i < FAKE_LOOP_MAX; i++)
		assert_false(f.fl.watch[i].used);
	assert_int_equal(fake_msi_routed(&f.msi), 0);
	if (f.drv.next)
		vdrv_done(&f.drv);
	free(f.ram);
	return 0;
}

/* What the I/O thread would do: run whatever there is an event for. */
static inline unsigned run_loop(void)
{
	unsigned i, n = 0;
	uint64_t count;

	for (i = 0; i < FAKE_LOOP_MAX; i++) {
		struct loop_watch *w = &f.fl.watch[i];

		if (!w->used || !w->events ||
		    read(w->fd, &count, sizeof(count)) < 0)
			continue;
		assert_int_equal(write(w->fd, &count, sizeof(count)),
				 sizeof(count));
		n += fake_loop_ready(&f.fl, w->fd, LOOP_IN);
	}
	return n;
}

/* ---- the driver: configuration space -------------------------------------- */

static inline uint64_t mem(uint64_t addr, unsigned size)
{
	uint64_t val;

	bus_read(&f.bus, addr, size, &val);
	return val;
}

static inline uint32_t conf(unsigned off, unsigned size)
{
	return (uint32_t)mem(ECAM + (SLOT << 15) + off, size);
}

static inline void set_conf(unsigned off, unsigned size, uint32_t val)
{
	assert_true(bus_write(&f.bus, ECAM + (SLOT << 15) + off, size, val));
}

static inline void move_bar(uint64_t base)
{
	set_conf(0x10, 4, (uint32_t)base);
	set_conf(0x14, 4, (uint32_t)(base >> 32));
	f.bar = base;
}

/* 4.1.4: the first capability of each type. */
static inline void discover(void)
{
	unsigned at, type, hops = 0;

	memset(f.cap, 0, sizeof(f.cap));
	assert_int_equal(conf(0, 2), 0x1af4);
	assert_true(conf(6, 2) & 0x10);
	for (at = conf(0x34, 1); at && hops < 48; at = conf(at + 1, 1)) {
		hops++;
		if (conf(at, 1) == 0x11)
			f.msix_at = at;
		type = conf(at + 3, 1);
		if (conf(at, 1) != 9 || type >= TYPES || f.cap[type].at)
			continue;
		assert_in_range(conf(at + 2, 1), type == NOTIFY ? 20 : 16, 64);
		if (type != ACCESS)
			assert_int_equal(conf(at + 4, 1), 0);
		f.cap[type].at = at;
		f.cap[type].off = conf(at + 8, 4);
		f.cap[type].len = conf(at + 12, 4);
		if (type == NOTIFY)
			f.notify_step = conf(at + 16, 4);
	}
	assert_in_range(hops, 1, 47);
	f.bar = (uint64_t)conf(0x14, 4) << 32 | (conf(0x10, 4) & ~0xfu);
	set_conf(4, 2, 6);
}

/* ---- the driver: registers ------------------------------------------------ */

static inline uint64_t reg(unsigned type, uint64_t off, unsigned size)
{
	return mem(f.bar + f.cap[type].off + off, size);
}

static inline void set_reg(unsigned type, uint64_t off, unsigned size,
			   uint64_t val)
{
	assert_true(bus_write(&f.bus, f.bar + f.cap[type].off + off, size,
			      val));
}

#define R8(off) ((uint8_t)reg(COMMON, off, 1))
#define R16(off) ((uint16_t)reg(COMMON, off, 2))
#define R32(off) ((uint32_t)reg(COMMON, off, 4))
#define W8(off, val) set_reg(COMMON, off, 1, val)
#define W16(off, val) set_reg(COMMON, off, 2, val)
#define W32(off, val) set_reg(COMMON, off, 4, val)

static inline void w64(uint64_t off, uint64_t val)
{
	W32(off, (uint32_t)val);
	W32(off + 4, val >> 32);
}

/* 3.1.1, 1 to 6, with VIRTIO_F_VERSION_1 and nothing else. */
static inline void negotiate(void)
{
	W8(STATUS, 0);
	assert_int_equal(R8(STATUS), 0);
	W8(STATUS, 1);
	W8(STATUS, 3);
	W32(GFSELECT, 0);
	W32(GF, 0);
	W32(GFSELECT, 1);
	W32(GF, 1);
	W8(STATUS, 11);
	assert_int_equal(R8(STATUS), 11);
}

/* To DRIVER_OK with one queue; its vector and the configuration's, or -1. */
static inline void bring_up(unsigned queue, int vector, int config_vector)
{
	negotiate();
	if (config_vector >= 0)
		W16(CONFIG_VECTOR, config_vector);
	if (f.drv.next)
		vdrv_done(&f.drv);
	vdrv_init(&f.drv, &f.gm, 0x1000, 8, 0);
	W16(Q_SELECT, queue);
	assert_int_equal(R16(Q_ENABLE), 0);
	W16(Q_SIZE, 8);
	if (vector >= 0)
		W16(Q_VECTOR, vector);
	w64(Q_DESC, f.drv.desc);
	w64(Q_DRIVER, f.drv.driver);
	w64(Q_DEVICE, f.drv.device);
	W16(Q_ENABLE, 1);
	assert_int_equal(R16(Q_ENABLE), 1);
	W8(STATUS, 15);
	assert_int_equal(R8(STATUS), 15);
}

static inline void kick(unsigned queue)
{
	W16(Q_SELECT, queue);
	set_reg(NOTIFY, f.notify_step * R16(Q_NOTIFY_OFF), 2, queue);
}

static inline void add_request(void)
{
	const struct vdrv_buf buf = { BUF, 16, true };

	assert_true(vdrv_add(&f.drv, &buf, 1) >= 0);
}

static inline bool answered(void)
{
	uint32_t id, len;

	return vdrv_take(&f.drv, &id, &len);
}

/* A whole request by way of the register. */
static inline void request(unsigned queue)
{
	add_request();
	kick(queue);
	run_loop();
	assert_true(answered());
}

/* MSI-X: on or off, and one entry. */
static inline void msix_control(uint16_t bits)
{
	set_conf(f.msix_at + 2, 2, bits);
}

static inline void msix_entry(unsigned vector, uint32_t data, bool masked)
{
	uint64_t at = f.bar + (conf(f.msix_at + 4, 4) & ~7u) + 16 * vector;

	bus_write(&f.bus, at, 4, 0xfee00000);
	bus_write(&f.bus, at + 4, 4, 0);
	bus_write(&f.bus, at + 8, 4, data);
	bus_write(&f.bus, at + 12, 4, masked);
}

static inline uint64_t msix_pending(void)
{
	return mem(f.bar + (conf(f.msix_at + 8, 4) & ~7u), 8);
}

#endif
