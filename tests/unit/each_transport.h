/* SPDX-License-Identifier: MIT */
/*
 * each_transport.h: a virtio device of any type behind a real transport, and a driver
 * who knows nothing but registers. VIRTIO 1.2, 4.1.4.3 and 4.2.2, with offsets as
 * numbers on purpose.
 */
#ifndef TRAPMAP_TEST_EACH_TRANSPORT_H
#define TRAPMAP_TEST_EACH_TRANSPORT_H

#include "test.h"

#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/base.h"
#include "core/bus.h"
#include "fake_loop.h"
#include "virtio/mmio.h"
#include "virtio/pci.h"
#include "virtio_driver.h"

#define AT 0xb0000000u /* the registers; with PCI the configuration space */
#define WINDOW 0xc0000000u
#define SLOT 3

struct transport {
	bool pci;
	struct fake_loop fl;
	struct bus bus;
	struct device *dev;
	int irq_fd;
	struct pci_host *host;
	uint64_t common, notify, config; /* addresses; 0: there is none */
	unsigned notify_step;
};

static inline uint64_t mem(struct transport *t, uint64_t addr, unsigned size)
{
	uint64_t val;

	assert_true(bus_read(&t->bus, addr, size, &val));
	return val;
}

static inline void set_mem(struct transport *t, uint64_t addr, unsigned size,
			   uint64_t val)
{
	assert_true(bus_write(&t->bus, addr, size, val));
}

/* ---- building ------------------------------------------------------------- */

/* 4.1.4: where each structure lies in the BAR. */
static inline void discover(struct transport *t)
{
	uint64_t conf = AT + (SLOT << 15), bar, at;
	unsigned cap;

	set_mem(t, conf + 4, 2, 6);
	bar = (mem(t, conf + 0x10, 4) & ~UINT64_C(15)) |
	      mem(t, conf + 0x14, 4) << 32;
	for (cap = (unsigned)mem(t, conf + 0x34, 1); cap;
	     cap = (unsigned)mem(t, conf + cap + 1, 1)) {
		at = bar + mem(t, conf + cap + 8, 4);
		switch (mem(t, conf + cap + 3, 1)) {
		case 1: t->common = at; break;
		case 2:
			t->notify = at;
			t->notify_step =
				(unsigned)mem(t, conf + cap + 16, 4);
			break;
		case 4: t->config = at; break;
		}
	}
	assert_true(t->common && t->notify);
}

static inline void transport_make(struct transport *t, bool pci,
				  struct virtio_device *vd)
{
	const struct pci_host_config host = {
		.mmio = &t->bus,
		.window = WINDOW,
		.window_len = 0x100000,
	};
	struct virtio_mmio_config m = { .vd = vd, .loop = &t->fl.loop };
	struct virtio_pci_config p = { .vd = vd,
				       .loop = &t->fl.loop,
				       .slot = SLOT };

	t->pci = pci;
	bus_init(&t->bus, UINT64_MAX - 1);
	t->irq_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	assert_true(t->irq_fd >= 0);
	if (pci) {
		assert_int_equal(pci_host_new(&host, &t->host), 0);
		assert_int_equal(bus_add(&t->bus, AT, PCI_HOST_ECAM_LEN,
					 pci_host_device(t->host), 0),
				 0);
		p.host = t->host;
		assert_int_equal(virtio_pci_new(&p, &t->dev), 0);
		discover(t);
		return;
	}
	m.irq_fd = t->irq_fd;
	assert_int_equal(virtio_mmio_new(&m, &t->dev), 0);
	assert_int_equal(bus_add(&t->bus, AT, VIRTIO_MMIO_LEN, t->dev, 0), 0);
	t->config = AT + 0x100;
}

static inline void transport_done(struct transport *t)
{
	unsigned i;

	bus_done(&t->bus);
	device_free(t->dev);
	if (t->host)
		device_free(pci_host_device(t->host));
	close(t->irq_fd);
	for (i = 0; i < FAKE_LOOP_MAX; i++)
		assert_false(t->fl.watch[i].used || t->fl.timer[i].used);
}

/* What the I/O thread has to do now, once. Returns how much that was. */
static inline unsigned run_once(struct transport *t)
{
	unsigned i, n = 0;

	for (i = 0; i < FAKE_LOOP_MAX; i++) {
		struct loop_watch *watch = &t->fl.watch[i];
		struct pollfd fd = { watch->fd, POLLIN, 0 };

		if (watch->used && watch->events && poll(&fd, 1, 0) == 1)
			n += fake_loop_ready(&t->fl, watch->fd, LOOP_IN);
	}
	fake_loop_advance(&t->fl, 1);
	return n;
}

/* ---- registers ------------------------------------------------------------ */

static inline uint8_t status(struct transport *t)
{
	return (uint8_t)(t->pci ? mem(t, t->common + 0x14, 1) :
				  mem(t, AT + 0x70, 4));
}

static inline void set_status(struct transport *t, uint8_t val)
{
	if (t->pci)
		set_mem(t, t->common + 0x14, 1, val);
	else
		set_mem(t, AT + 0x70, 4, val);
}

static inline uint64_t offered(struct transport *t)
{
	uint64_t features = 0;
	unsigned i;

	for (i = 0; i < 2; i++) {
		set_mem(t, t->pci ? t->common : AT + 0x14, 4, i);
		features |= mem(t, t->pci ? t->common + 4 : AT + 0x10, 4)
			    << 32 * i;
	}
	return features;
}

/* 3.1.1, 1 to 6. Returns whether the device goes along. */
static inline bool negotiate(struct transport *t, uint64_t features)
{
	unsigned i;

	set_status(t, 0);
	assert_int_equal(status(t), 0);
	set_status(t, 1);
	set_status(t, 1 | 2);
	for (i = 0; i < 2; i++) {
		set_mem(t, t->pci ? t->common + 8 : AT + 0x24, 4, i);
		set_mem(t, t->pci ? t->common + 12 : AT + 0x20, 4,
			(uint32_t)(features >> 32 * i));
	}
	set_status(t, 1 | 2 | 8);
	return status(t) == (1 | 2 | 8);
}

static inline void select_queue(struct transport *t, unsigned queue)
{
	if (t->pci)
		set_mem(t, t->common + 0x16, 2, queue);
	else
		set_mem(t, AT + 0x30, 4, queue);
}

/* 0: there is no such queue, or (mmio) none after these. */
static inline uint32_t queue_max(struct transport *t, unsigned queue)
{
	select_queue(t, queue);
	return (uint32_t)(t->pci ? mem(t, t->common + 0x18, 2) :
				   mem(t, AT + 0x34, 4));
}

static inline void set_address(struct transport *t, unsigned off, gpa_t gpa)
{
	set_mem(t, (t->pci ? t->common : AT) + off, 4, (uint32_t)gpa);
	set_mem(t, (t->pci ? t->common : AT) + off + 4, 4, gpa >> 32);
}

static inline void set_queue(struct transport *t, unsigned queue,
			     const struct vdrv *drv)
{
	select_queue(t, queue);
	if (t->pci)
		set_mem(t, t->common + 0x18, 2, drv->size);
	else
		set_mem(t, AT + 0x38, 4, drv->size);
	set_address(t, t->pci ? 0x20 : 0x80, drv->desc);
	set_address(t, t->pci ? 0x28 : 0x90, drv->driver);
	set_address(t, t->pci ? 0x30 : 0xa0, drv->device);
	if (t->pci)
		set_mem(t, t->common + 0x1c, 2, 1);
	else
		set_mem(t, AT + 0x44, 4, 1);
	assert_int_equal(t->pci ? mem(t, t->common + 0x1c, 2) :
				  mem(t, AT + 0x44, 4),
			 1);
}

static inline void kick(struct transport *t, unsigned queue)
{
	if (!t->pci) {
		set_mem(t, AT + 0x50, 4, queue);
		return;
	}
	select_queue(t, queue);
	set_mem(t,
		t->notify + t->notify_step * mem(t, t->common + 0x1e, 2), 2,
		queue);
}

#endif
