/* SPDX-License-Identifier: MIT */
/* console_parts.h: what the files of the console device share. */
#ifndef TRAPMAP_VIRTIO_CONSOLE_PARTS_H
#define TRAPMAP_VIRTIO_CONSOLE_PARTS_H

#include "backend/port.h"
#include "core/base.h"
#include "virtio/console.h"

/* 5.3.3 */
#define VIRTIO_CONSOLE_F_SIZE 0u
#define VIRTIO_CONSOLE_F_MULTIPORT 1u
#define VIRTIO_CONSOLE_F_EMERG_WRITE 2u

/* 5.3.2: receiveq and transmitq of port 0, of control, of port 1 ... */
#define CONSOLE_CONTROL_RX 2u
#define CONSOLE_CONTROL_TX 3u

#define CONSOLE_QUEUE_SIZE 64u

/* A chain of the driver's that is being worked on. */
struct console_chain {
	struct virtq_chain chain;
	struct iovec iov[CONSOLE_QUEUE_SIZE];
	bool held;
};

struct console_port {
	struct virtio_console *con;
	unsigned id;
	struct port *back; /* NULL: no such port */
	bool is_console;
	char name[VIRTIO_CONSOLE_NAME_MAX + 1];
	uint16_t cols, rows;
	void (*opened)(void *opaque, bool open);
	void *opaque;

	bool host_open; /* somebody is there */

	/* Since the last reset. */
	bool ready; /* the driver knows the port */
	bool guest_open;
	bool closing; /* opened(false) is due when all that was written is out */
	unsigned todo; /* messages to send, as bits by event */
	struct console_chain tx, rx;
	struct iovec *tx_iov; /* of tx: what is left to write */
	unsigned tx_count;
	bool tx_blocked; /* until the back end says writable() */
	bool tx_again;	 /* there may be more in the queue */
	bool rx_starved; /* the back end waits for want_input() */
};

struct virtio_console {
	struct virtio_device vd;
	void (*drained)(void *opaque);
	void *opaque;
	bool finishing;
	bool announced; /* DEVICE_READY: the driver has been told of its ports */
	unsigned ports;
	struct console_port port[];
};

static inline struct virtio_console *to_console(struct virtio_device *vd)
{
	return container_of(vd, struct virtio_console, vd);
}

static inline unsigned console_rx_queue(unsigned port)
{
	return port == 0 ? 0 : 2 * port + 2;
}

/* All with the lock. */

/* console.c */
bool console_multiport(const struct virtio_console *con);

/* console_port.c */
/* The driver has opened the port, or closed it. */
void console_set_guest_open(struct console_port *port, bool open);
/* Takes output until none is left, the reader is slow, or it is others' turn. */
void console_pump(struct console_port *port);
/* After it: whoever waits for the last of it is told. */
void console_update_closing(struct console_port *port);
/* Both. */
void console_output(struct console_port *port);
/* Whether nothing is left to take, or nothing will be. */
bool console_output_taken(const struct console_port *port);
/* Once that is so of all: virtio_console_finish()'s drained(). */
void console_check_drained(struct virtio_console *con);
uint64_t console_output_left(const struct console_port *port);
size_t console_output_discard(struct console_port *port);
/* There may be buffers for input. */
void console_feed(struct console_port *port);
/* A struct port_front's, without the lock. */
size_t console_room(void *opaque);
void console_receive(void *opaque, const uint8_t *buf, size_t len);
void console_connected(void *opaque, bool on);
void console_writable(void *opaque);

/* console_control.c */
void console_control_start(struct virtio_console *con);
void console_control_notify(struct virtio_console *con, unsigned queue);
/* What the driver must know of a port has changed. */
void console_tell_open(struct console_port *port);
void console_tell_size(struct console_port *port);

#endif
