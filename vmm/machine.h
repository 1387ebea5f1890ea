/* SPDX-License-Identifier: MIT */
/*
 * machine.h: the board: which devices there are, where they answer, and which
 * interrupt they raise. machine.c is the one page that says so.
 */
#ifndef TRAPMAP_MACHINE_H
#define TRAPMAP_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/pty.h"
#include "backend/unix_socket.h"
#include "core/bus.h"
#include "core/end.h"
#include "core/irq_shared.h"
#include "core/loop.h"
#include "doorbell.h"
#include "error.h"
#include "irqchip.h"
#include "layout.h"
#include "notice.h"
#include "platform.h"
#include "trapmap/trapmap.h"
#include "watch.h"

struct attachment;
struct chardev;
struct device;
struct gmem;
struct iothreads;
struct nvram_file;

/* What lies at the other end of a serial line, as trapmap_serial has it. */
struct machine_serial {
	bool asked; /* false: nothing does, and the rest is not looked at */
	enum trapmap_serial_kind kind;
	int in_fd, out_fd; /* -1 for none. Stay the caller's, as does path */
	char *path;
};

/* What the board is built from. */
struct machine_config {
	struct platform platform; /* .virtio is not looked at */
	enum trapmap_rtc_base rtc_base;
	enum trapmap_rtc_clock rtc_clock;
	int64_t rtc_epoch;
	/*
	 * The file of what the clock's battery keeps, or NULL; stays the
	 * caller's. The time in it counts unless the clock is to be set.
	 */
	const char *nvram;
	bool nvram_set_clock;
	struct machine_serial serial[PLATFORM_UARTS];
	/* The debug console's output; -1 for none. Stays the caller's. */
	int debugcon_fd;
	struct attachment *const *attached; /* they stay the caller's */
	unsigned attached_count;
	/* For those that ask for one; NULL: none of them does. */
	struct iothreads *iothreads;
	bool test_device; /* trapmap_machine.test_device */
	/* Where no device may lie; NULL: nowhere. */
	const struct gmem *ram;
	/* Devices of the embedder's; they stay the caller's. */
	const struct trapmap_device *extra;
	unsigned extra_count;
};

/* What the board tells the VM. */
struct machine_host {
	struct end_sink end;
	/*
	 * chardev_fd.h's throttle, drained and failed. The first two come from
	 * each of the consoles.
	 */
	void (*throttle)(void *opaque, bool on);
	void (*drained)(void *opaque);
	void (*console_failed)(void *opaque, int err);
	void (*debugcon_failed)(void *opaque, int err);
	/*
	 * The same of anything that was attached, and its name: "port 'x'". Like
	 * those it may be NULL.
	 */
	void (*output_failed)(void *opaque, const char *what, int err);
	/* What the guest says. Any thread, with a device's lock held. */
	void (*console_output)(void *opaque, enum watch_stream stream,
			       const uint8_t *buf, size_t len);
	/*
	 * Has the VM pause, soon. Any thread, with a device's lock held.
	 */
	void (*pause)(void *opaque);
	/*
	 * Lets the guest read len bytes of the host's (whole pages, for as long
	 * as the machine lives) where there is nothing else. Returns 0 with the
	 * address, or -errno. Before the VM is powered on.
	 */
	int (*map)(void *opaque, void *host, uint64_t len, uint64_t align,
		   uint64_t *ret_gpa);
	struct notices *notices;
	void *opaque;
};

/* Where what a console says is seen. */
struct machine_tap {
	struct chardev *chr;
	const struct machine_host *host;
	enum watch_stream stream;
};

/* A serial port; `host` is NULL where there is none. */
struct machine_uart {
	const struct machine_host *host;
	struct device *dev;
	struct chardev *back; /* the line's other end */
	char pty_name[PTY_NAME_MAX]; /* empty: it is no pty */
	int pty_fd;
	struct unix_listener listener; /* path NULL: it is no socket */
	struct irqchip_input input;
	struct irq_shared irq; /* of the first port with its interrupt */
	char title[24]; /* "serial port COM2" */
};

/* A virtio device's place on the board. */
struct machine_virtio {
	struct virtio_device *vd; /* the transport's */
	struct doorbell_place doorbell;
	struct notice_source notice;
};

/* The entropy device, and what is attached; by PCI there is room for more. */
#define MACHINE_MAX_VIRTIO (1 + TRAPMAP_ATTACHED_MAX)
#define MACHINE_MAX_DEVICES (19 + MACHINE_MAX_VIRTIO)

struct machine {
	struct bus pio;
	struct bus mmio;
	struct machine_host host;
	struct machine_tap tap[WATCH_HVC];
	struct attachment *const *attached; /* machine_config's */
	unsigned attached_count;
	struct machine_uart uart[PLATFORM_UARTS];
	struct chardev *debugcon; /* the debug console's other end */
	struct device *fw_cfg;
	struct device *debugcon_dev;
	struct device *post;
	struct device *pm; /* ACPI's fixed hardware */
	struct device *rtc; /* or NULL */
	struct irq_line rtc_line; /* where its interrupt goes */
	struct nvram_file *nvram; /* or NULL */
	struct notice_source nvram_notice;
	struct device *device[MACHINE_MAX_DEVICES];
	unsigned count;
	struct device *pci; /* the host bridge, or NULL */
	struct device **extra;
	unsigned extra_count;
	struct irqchip_input irq_rtc, irq_sci, irq_kbd, irq_aux;
	struct irqchip_input irq_test[LAYOUT_IOAPIC_PINS];
	struct irqchip_input irq_pci[LAYOUT_IRQ_PCI_COUNT];
	struct irqchip irqchip; /* created by power.c */
	struct machine_virtio virtio[MACHINE_MAX_VIRTIO];
	unsigned virtio_count;
};

/*
 * Builds it. loop outlives the machine, vm_fd too (it is followed through a
 * pointer, and may change while no vCPU runs). Returns 0, or -errno with *err;
 * machine_done() is due either way.
 */
int machine_init(struct machine *m, const struct machine_config *config,
		 const struct machine_host *host, struct loop *loop,
		 const int *vm_fd, struct error *err);

/*
 * machine_rtc.c: the clock, with the file of its NVRAM; what is wrong with that in
 * *err.
 */
int machine_add_rtc(struct machine *m, const struct machine_config *config,
		    struct loop *loop, const int *vm_fd, struct error *err);

/*
 * The guest has ended: that file gets what the clock has now. Waits for the disk.
 * The I/O thread.
 */
void machine_keep_rtc(struct machine *m);

/* machine_virtio.c: adds its part of the board. */
int machine_add_virtio(struct machine *m, const struct machine_config *config,
		       struct loop *loop, const int *vm_fd, struct error *err);

/*
 * machine_serial.c: the same; where the other end of a line can be opened, or NULL;
 * output, as machine_output_pending() and _discard(); and machine_done()'s part.
 */
int machine_add_serial(struct machine *m, const struct machine_config *config,
		       struct loop *loop, const int *vm_fd, struct error *err);
const char *machine_serial_name(const struct machine *m, unsigned i);
size_t machine_serial_pending(const struct machine *m);
size_t machine_serial_discard(struct machine *m);
void machine_serial_done(struct machine *m);

/* Lets the VM see what goes to `under`, if it wants to. Returns 0 or -ENOMEM. */
int machine_add_tap(struct machine *m, enum watch_stream stream,
		    struct chardev *under, struct chardev **ret_chr);

/* machine_embedded.c: the same, and what is wrong with a device in *err. */
int machine_add_embedded(struct machine *m, const struct machine_config *config,
			 struct error *err);

/* Keeps dev for reset and free; it is freed if there is no room (-ENOSPC). */
int machine_keep(struct machine *m, struct device *dev);

/*
 * No vCPU runs any more: takes what the guest has given for the host to read, so
 * that it counts as pending. Returns false while that is not all of it;
 * machine_host.drained() follows. The I/O thread.
 */
bool machine_output_finish(struct machine *m);

/* Bytes of the consoles' output that wait for their readers. Any thread. */
size_t machine_output_pending(const struct machine *m);

/* Drops them, and returns how many they were. Any thread. */
size_t machine_output_discard(struct machine *m);

/* A system reset of every device. No vCPU may run. */
void machine_reset(struct machine *m);

/* The loop's thread has stopped. Accepts one that is all zero. */
void machine_done(struct machine *m);

#endif
