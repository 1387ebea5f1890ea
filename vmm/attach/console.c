// SPDX-License-Identifier: MIT
/*
 * Consoles and ports: the setters of the public interface, and the host's side of
 * each port. One device has them all; it is attached with the first.
 *
 * On the device consoles and ports have their numbers in the order in which they
 * were added, but number 0 is the first console's, and else nobody's: to a driver
 * that knows one port only it is a console.
 */
#include "attach/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/port.h"
#include "backend/port_fd.h"
#include "backend/unix_socket.h"
#include "core/base.h"
#include "virtio/console.h"
#include "vm.h"

struct console;

struct console_end {
	struct console *console;
	char *name;	   /* NULL: a console */
	int in_fd, out_fd; /* ours; -1: none */
	char *socket;
	struct unix_listener listener;
	uint16_t cols, rows;
	unsigned id;				/* its number on the device */
	enum watch_stream stream;		/* of a console */
	void (*opened)(void *opaque, int open); /* trapmap_port.opened */
	void *opaque;
	char title[VIRTIO_CONSOLE_NAME_MAX + 16]; /* "port 'x'", "console hvc0" */
};

struct console {
	struct attachment at;
	const struct machine_host *host;
	unsigned count;
	struct console_end end[TRAPMAP_PORTS_MAX];
};

static struct console *to_console(struct attachment *at)
{
	return container_of(at, struct console, at);
}

/* ---- what the back ends say --------------------------------------------- */

static void on_output(void *opaque, const uint8_t *buf, size_t len)
{
	struct console_end *end = opaque;
	const struct machine_host *host = end->console->host;

	host->console_output(host->opaque, end->stream, buf, len);
}

static void on_throttle(void *opaque, bool on)
{
	const struct machine_host *host =
		((struct console_end *)opaque)->console->host;

	host->throttle(host->opaque, on);
}

static void on_drained(void *opaque)
{
	const struct machine_host *host =
		((struct console_end *)opaque)->console->host;

	if (host->drained)
		host->drained(host->opaque);
}

static void on_failed(void *opaque, int err)
{
	const struct console_end *end = opaque;
	const struct machine_host *host = end->console->host;

	if (host->output_failed)
		host->output_failed(host->opaque, end->title, err);
}

static void on_opened(void *opaque, bool open)
{
	const struct console_end *end = opaque;

	end->opened(end->opaque, open);
}

static void all_drained(void *opaque)
{
	on_drained(&((struct console *)opaque)->end[0]);
}

/* ---- at start ----------------------------------------------------------- */

/* Gives each its number. Returns how many ports the device has. */
static unsigned number(struct console *con)
{
	struct console_end *first = NULL;
	unsigned i, next = 1, consoles = 0;

	for (i = 0; i < con->count && !first; i++)
		if (!con->end[i].name)
			first = &con->end[i];
	for (i = 0; i < con->count; i++) {
		struct console_end *end = &con->end[i];

		end->id = end == first ? 0 : next++;
		if (end->name) {
			snprintf(end->title, sizeof(end->title), "port '%s'",
				 end->name);
			continue;
		}
		end->stream = (enum watch_stream)(WATCH_HVC + consoles);
		snprintf(end->title, sizeof(end->title), "console hvc%u",
			 consoles++);
	}
	return next;
}

static int open_end(struct console_end *end, const struct attach_site *site,
		    struct port **ret_port, struct error *err)
{
	struct port_fd_config fd = {
		.loop = site->loop,
		.in_fd = end->in_fd,
		.out_fd = end->out_fd,
		.listen_fd = -1,
		.pty_fd = -1,
		.drained = on_drained,
		.failed = on_failed,
		.opaque = end,
	};
	int r;

	if (end->socket) {
		r = attach_listen(&end->listener, end->title, end->socket, err);
		if (r < 0)
			return r;
		fd.listen_fd = end->listener.fd;
	}
	if (!end->name && site->host->console_output)
		fd.output = on_output;
	/*
	 * A driver's console waits for its last piece without ever sleeping:
	 * better that its processor is held.
	 */
	if (!end->name && site->host->throttle)
		fd.throttle = on_throttle;
	r = port_fd_new(&fd, ret_port);
	return r < 0 ? error_host(err, r, "%s", end->title) : 0;
}

static int console_device(struct attachment *at, const struct attach_site *site,
			  struct virtio_device **ret_vd, struct error *err)
{
	struct console *con = to_console(at);
	struct virtio_console_port port[VIRTIO_CONSOLE_PORTS_MAX];
	struct virtio_console_config config = {
		.ram = site->ram,
		.port = port,
		.ports = number(con),
		.drained = all_drained,
		.opaque = con,
	};
	unsigned i;
	int r = 0;

	memset(port, 0, sizeof(port));
	con->host = site->host;
	for (i = 0; r == 0 && i < con->count; i++) {
		struct console_end *end = &con->end[i];
		struct virtio_console_port *to = &port[end->id];

		*to = (struct virtio_console_port){
			.name = end->name,
			.cols = end->cols,
			.rows = end->rows,
			.opened = end->opened ? on_opened : NULL,
			.opaque = end,
		};
		r = open_end(end, site, &to->back, err);
	}
	if (r == 0) {
		r = virtio_console_new(&config, ret_vd);
		if (r < 0)
			error_host(err, r, "%s", at->name);
	}
	for (i = 0; r < 0 && i < ARRAY_SIZE(port); i++)
		port_free(port[i].back);
	return r;
}

/* ---- while it runs ------------------------------------------------------ */

static bool console_finish(struct attachment *at)
{
	return virtio_console_finish(at->vd);
}

static size_t console_pending(struct attachment *at)
{
	return virtio_console_pending(at->vd);
}

static size_t console_discard(struct attachment *at)
{
	return virtio_console_discard(at->vd);
}

static void console_free(struct attachment *at)
{
	struct console *con = to_console(at);
	unsigned i;

	for (i = 0; i < con->count; i++) {
		struct console_end *end = &con->end[i];

		unix_listener_done(&end->listener);
		if (end->in_fd >= 0)
			close(end->in_fd);
		if (end->out_fd >= 0)
			close(end->out_fd);
		free(end->name);
		free(end->socket);
	}
	free(con);
}

static const struct attachment_ops console_ops = {
	.device = console_device,
	.finish = console_finish,
	.pending = console_pending,
	.discard = console_discard,
	.free = console_free,
};

/* ---- the public interface ----------------------------------------------- */

static int bad(struct trapmap_vm *vm, const char *what)
{
	return error_set(&vm->error, ERROR_INPUT, -EINVAL,
			 "struct trapmap_port: %s", what);
}

static int check(struct trapmap_vm *vm, const struct trapmap_port *port,
		 const struct console *con)
{
	const char *p = port->name;
	unsigned i;

	if (con && con->count == TRAPMAP_PORTS_MAX)
		return error_set(&vm->error, ERROR_INPUT, -E2BIG,
				 "more than %d consoles and ports",
				 TRAPMAP_PORTS_MAX);
	if (port->socket && !*port->socket)
		return bad(vm, "the socket's path is empty");
	if (port->socket && (port->in_fd >= 0 || port->out_fd >= 0))
		return bad(vm, "a socket or descriptors are expected, not both");
	if (!p)
		return 0;
	if (!*p || strlen(p) > VIRTIO_CONSOLE_NAME_MAX)
		return bad(vm, "a name of 1 to 63 bytes is expected");
	for (; *p; p++)
		if (*p <= ' ' || *p > '~' || *p == '/')
			return bad(vm, "a name of printable characters other "
				       "than blanks and '/' is expected");
	for (i = 0; con && i < con->count; i++)
		if (con->end[i].name && !strcmp(con->end[i].name, port->name))
			return error_set(&vm->error, ERROR_INPUT, -EINVAL,
					 "there are two ports '%s'", port->name);
	return 0;
}

static int copy_fd(int fd, int *ret_fd)
{
	if (fd < 0)
		return 0;
	*ret_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return *ret_fd < 0 ? -errno : 0;
}

static int copy_text(const char *text, char **ret_text)
{
	if (!text)
		return 0;
	*ret_text = strdup(text);
	return *ret_text ? 0 : -ENOMEM;
}

/* The device's attachment, new with the first port. */
static int find_console(struct trapmap_vm *vm, struct console **ret_con)
{
	struct attachment *at = attach_find(vm, &console_ops);
	struct console *con;
	int r;

	if (!at) {
		con = calloc(1, sizeof(*con));
		if (!con)
			return error_set(&vm->error, ERROR_HOST, -ENOMEM,
					 "out of memory");
		con->at.ops = &console_ops;
		at = &con->at;
		r = attach_add(vm, at, NULL, "console device");
		if (r < 0)
			return r;
	}
	*ret_con = to_console(at);
	return 0;
}

int trapmap_vm_add_port(struct trapmap_vm *vm, const struct trapmap_port *port)
{
	struct attachment *at = attach_find(vm, &console_ops);
	struct console_end end = { .in_fd = -1,
				   .out_fd = -1,
				   .listener = UNIX_LISTENER_INIT };
	struct console *con = NULL;
	int r;

	r = attach_check(vm, port->size, sizeof(*port), "trapmap_port");
	if (r == 0)
		r = check(vm, port, at ? to_console(at) : NULL);
	if (r < 0)
		return r;
	r = copy_fd(port->in_fd, &end.in_fd) ?:
	    copy_fd(port->out_fd, &end.out_fd) ?:
	    copy_text(port->name, &end.name) ?:
	    copy_text(port->socket, &end.socket);
	if (r < 0)
		error_set(&vm->error, ERROR_INPUT, r, "port: %s",
			  strerrordesc_np(-r));
	else
		r = find_console(vm, &con);
	if (r < 0 || !con) {
		if (end.in_fd >= 0)
			close(end.in_fd);
		if (end.out_fd >= 0)
			close(end.out_fd);
		free(end.name);
		free(end.socket);
		return r;
	}
	end.console = con;
	end.opened = port->opened;
	end.opaque = port->opaque;
	con->end[con->count++] = end;
	return 0;
}

int trapmap_vm_port_resize(struct trapmap_vm *vm, uint32_t port, uint16_t cols,
			   uint16_t rows)
{
	struct attachment *at = attach_find(vm, &console_ops);
	struct console *con = at ? to_console(at) : NULL;
	struct console_end *end;

	if (!con || port >= con->count || con->end[port].name)
		return -ENOENT;
	if (!cols || !rows)
		return -EINVAL;
	end = &con->end[port];
	if (at->vd)
		return virtio_console_resize(at->vd, end->id, cols, rows);
	end->cols = cols;
	end->rows = rows;
	return 0;
}
