// SPDX-License-Identifier: MIT
/*
 * The serial ports of the board, and what lies at the other end of each line. Ports
 * of one interrupt share its input: see core/irq_shared.h.
 */
#include "machine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "attach/attach.h"
#include "backend/chardev.h"
#include "backend/chardev_fd.h"
#include "backend/chardev_port.h"
#include "backend/port.h"
#include "backend/port_fd.h"
#include "backend/pty.h"
#include "core/device.h"
#include "uart16550.h"

static void on_throttle(void *opaque, bool on)
{
	const struct machine_host *host =
		((const struct machine_uart *)opaque)->host;

	if (host->throttle)
		host->throttle(host->opaque, on);
}

static void on_drained(void *opaque)
{
	const struct machine_host *host =
		((const struct machine_uart *)opaque)->host;

	if (host->drained)
		host->drained(host->opaque);
}

static void on_failed(void *opaque, int err)
{
	const struct machine_uart *u = opaque;

	if (u->host->output_failed)
		u->host->output_failed(u->host->opaque, u->title, err);
}

static void on_console_failed(void *opaque, int err)
{
	const struct machine_uart *u = opaque;

	if (u->host->console_failed)
		u->host->console_failed(u->host->opaque, err);
}

static int open_fds(struct machine_uart *u, const struct machine_serial *to,
		    struct loop *loop, bool first)
{
	const struct chardev_fd_config config = {
		.loop = loop,
		.in_fd = to->asked ? to->in_fd : -1,
		.out_fd = to->asked ? to->out_fd : -1,
		.throttle = on_throttle,
		.drained = on_drained,
		.failed = first ? on_console_failed : on_failed,
		.opaque = u,
	};

	return chardev_fd_new(&config, &u->back);
}

/* What is kept for whoever comes must not hold the guest. */
#define KEEP PORT_FD_HIGH

static int open_port(struct machine_uart *u, struct loop *loop, int listen_fd,
		     int pty_fd)
{
	const struct port_fd_config config = {
		.loop = loop,
		.in_fd = -1,
		.out_fd = -1,
		.listen_fd = listen_fd,
		.pty_fd = pty_fd,
		.keep = KEEP,
		.takes_all = true,
		.throttle = on_throttle,
		.drained = on_drained,
		.failed = on_failed,
		.opaque = u,
	};
	struct port *port = NULL;
	int r = port_fd_new(&config, &port);

	if (r < 0)
		return r;
	r = chardev_port_new(port, &u->back);
	if (r < 0)
		port_free(port);
	return r;
}

static int open_pty(struct machine_uart *u, struct loop *loop, struct error *err)
{
	int r;

	u->pty_fd = pty_open(u->pty_name);
	if (u->pty_fd < 0) {
		u->pty_name[0] = '\0';
		return error_host(err, u->pty_fd,
				  "%s: cannot make a pseudo terminal", u->title);
	}
	r = open_port(u, loop, -1, u->pty_fd);
	return r < 0 ? error_host(err, r, "%s", u->title) : 0;
}

static int open_socket(struct machine_uart *u, const char *path,
		       struct loop *loop, struct error *err)
{
	int r = attach_listen(&u->listener, u->title, path, err);

	if (r < 0)
		return r;
	r = open_port(u, loop, u->listener.fd, -1);
	return r < 0 ? error_host(err, r, "%s", u->title) : 0;
}

static int open_back(struct machine *m, const struct machine_config *config,
		     unsigned i, struct loop *loop, struct error *err)
{
	const struct machine_serial *to = &config->serial[i];
	struct machine_uart *u = &m->uart[i];
	int r;

	switch (to->kind) {
	case TRAPMAP_SERIAL_PTY: return open_pty(u, loop, err);
	case TRAPMAP_SERIAL_SOCKET: return open_socket(u, to->path, loop, err);
	case TRAPMAP_SERIAL_FDS: break;
	}
	r = open_fds(u, to, loop, i == 0);
	return r < 0 ? error_host(err, r, "%s", u->title) : 0;
}

/* The line of the first port with this interrupt, or its own. */
static struct irq_line wire(struct machine *m, const struct platform *p,
			    unsigned i, const int *vm_fd)
{
	unsigned first = 0;

	while (!m->uart[first].host || p->uart[first].irq != p->uart[i].irq)
		first++;
	if (first == i)
		irq_shared_init(
			&m->uart[i].irq,
			irqchip_line(&m->uart[i].input, vm_fd, p->uart[i].irq));
	return irq_shared_line(&m->uart[first].irq);
}

static int add_uart(struct machine *m, const struct machine_config *config,
		    unsigned i, struct loop *loop, const int *vm_fd,
		    struct error *err)
{
	const struct platform_place *place = &config->platform.uart[i];
	struct machine_uart *u = &m->uart[i];
	struct uart_config uart = { .loop = loop,
				    .reg_shift = place->reg_shift };
	struct bus *bus;
	int r;

	u->host = &m->host;
	snprintf(u->title, sizeof(u->title), "serial port COM%u", i + 1);
	uart.irq = wire(m, &config->platform, i, vm_fd);
	r = open_back(m, config, i, loop, err);
	if (r < 0)
		return r;
	bus = place->space == TRAPMAP_SPACE_MMIO ? &m->mmio : &m->pio;
	r = machine_add_tap(m, (enum watch_stream)(WATCH_COM1 + i), u->back,
			    &uart.chr)
		    ?: uart_new(&uart, &u->dev);
	if (r == 0) {
		r = machine_keep(m, u->dev);
		if (r < 0)
			u->dev = NULL;
	}
	if (r == 0)
		r = bus_add(bus, place->base, uart_len(place->reg_shift),
			    u->dev, 0);
	return r < 0 ? error_host(err, r, "cannot build %s", u->title) : 0;
}

int machine_add_serial(struct machine *m, const struct machine_config *config,
		       struct loop *loop, const int *vm_fd, struct error *err)
{
	unsigned i;
	int r = 0;

	for (i = 0; i < PLATFORM_UARTS && r == 0; i++)
		if (config->platform.uart[i].there)
			r = add_uart(m, config, i, loop, vm_fd, err);
	return r;
}

const char *machine_serial_name(const struct machine *m, unsigned i)
{
	const struct machine_uart *u = &m->uart[i];

	return u->pty_name[0] ? u->pty_name : u->listener.path;
}

size_t machine_serial_pending(const struct machine *m)
{
	size_t n = 0;
	unsigned i;

	for (i = 0; i < PLATFORM_UARTS; i++)
		if (m->uart[i].back)
			n += m->uart[i].back->ops->pending(m->uart[i].back);
	return n;
}

size_t machine_serial_discard(struct machine *m)
{
	size_t n = 0;
	unsigned i;

	for (i = 0; i < PLATFORM_UARTS; i++)
		if (m->uart[i].back)
			n += m->uart[i].back->ops->discard(m->uart[i].back);
	return n;
}

void machine_serial_done(struct machine *m)
{
	unsigned i;

	for (i = 0; i < PLATFORM_UARTS; i++) {
		struct machine_uart *u = &m->uart[i];

		chardev_free(u->back);
		if (u->pty_name[0])
			close(u->pty_fd);
		if (u->listener.path)
			unix_listener_done(&u->listener);
		if (u->irq.out.set)
			irq_shared_done(&u->irq);
	}
}
