// SPDX-License-Identifier: MIT
#include "connect.h"

#include <string.h>
#include <unistd.h>

#include "attached.h"
#include "insight.h"
#include "opts_console.h"
#include "say.h"

/* A serial port or a console gets this terminal, or what is in its place. */
static int take_stdio(struct connect *c, int *ret_in_fd, int *ret_out_fd)
{
	int r;

	*ret_in_fd = STDIN_FILENO;
	*ret_out_fd = STDOUT_FILENO;
	term_init(&c->term, STDIN_FILENO);
	if (c->term.fd < 0)
		return STATUS_OK;
	r = console_init(&c->con, ret_in_fd);
	if (r == 0)
		return STATUS_OK;
	say("cannot make a pipe: %s", strerror(-r));
	return STATUS_HOST_FAILURE;
}

/* A console of a terminal is as large as that is. */
void connect_tell_size(const struct connect *c)
{
	const struct opts_console *con = opts_console_stdio(c->opts);
	uint16_t cols, rows;

	if (con && term_size(&c->term, &cols, &rows))
		trapmap_vm_port_resize(c->vm, con->port, cols, rows);
}

static int connect_consoles(struct connect *c)
{
	struct opts_console *con = opts_console_stdio(c->opts);
	int status = STATUS_OK, in_fd = -1;

	if (con) {
		status = take_stdio(c, &con->in_fd, &con->out_fd);
		in_fd = con->in_fd;
	}
	if (status == STATUS_OK)
		status = attached_add_files(c->opts, c->vm, c->files);
	if (in_fd > STDERR_FILENO)
		close(in_fd);
	if (status == STATUS_OK)
		connect_tell_size(c);
	return status;
}

static int connect_serial(struct connect *c, unsigned port)
{
	const struct opts_sink *sink = &c->opts->serial[port];
	struct trapmap_serial serial = TRAPMAP_SERIAL_INIT;
	int r, status = STATUS_OK;

	serial.port = port;
	switch (sink->kind) {
	case OPTS_SINK_NULL: break;
	case OPTS_SINK_FILE:
		serial.out_fd = insight_open(
			c->files, sink->option ?: "--serial", sink->path);
		if (serial.out_fd < 0)
			return STATUS_BAD_INPUT;
		break;
	case OPTS_SINK_PTY: serial.kind = TRAPMAP_SERIAL_PTY; break;
	case OPTS_SINK_SOCKET:
		serial.kind = TRAPMAP_SERIAL_SOCKET;
		serial.path = sink->path;
		break;
	case OPTS_SINK_STDERR:
	case OPTS_SINK_STDIO:
		status = take_stdio(c, &serial.in_fd, &serial.out_fd);
		if (status)
			return status;
		break;
	}
	r = trapmap_vm_set_serial(c->vm, &serial);
	if (r)
		status = say_refused(c->vm, "--serial: ", r);
	/* The VM has its own copies. */
	if (serial.in_fd > STDERR_FILENO)
		close(serial.in_fd);
	if (serial.out_fd > STDERR_FILENO)
		close(serial.out_fd);
	return status;
}

int connect_all(struct connect *c)
{
	unsigned i;
	int status = connect_consoles(c);

	for (i = 0; status == STATUS_OK && i < opts_serial_ports(c->opts); i++)
		status = connect_serial(c, i);
	return status;
}

void connect_tell(const struct connect *c)
{
	unsigned i;

	for (i = 0; i < opts_serial_ports(c->opts); i++) {
		const char *name = trapmap_vm_serial_name(c->vm, i);

		if (c->opts->serial[i].kind == OPTS_SINK_PTY && name)
			say("COM%u is %s", i + 1, name);
	}
}

/* The first port that is stdio; opts_serial_ports() where none is. */
static unsigned stdio_port(const struct connect *c)
{
	unsigned i, ports = opts_serial_ports(c->opts);

	for (i = 0; i < ports && c->opts->serial[i].kind != OPTS_SINK_STDIO; i++)
		;
	return i;
}

void connect_break(const struct connect *c)
{
	unsigned port = stdio_port(c);

	trapmap_vm_serial_break(c->vm,
				port < opts_serial_ports(c->opts) ? port : 0);
}

bool connect_is_stdio(const struct connect *c)
{
	return stdio_port(c) < opts_serial_ports(c->opts) ||
	       opts_console_stdio(c->opts);
}

void connect_done(struct connect *c)
{
	term_done(&c->term);
	console_done(&c->con);
}
