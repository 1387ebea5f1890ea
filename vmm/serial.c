// SPDX-License-Identifier: MIT
/* Serial ports: the setters of the public interface, and which of them there are. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach/attach.h"
#include "uart16550.h"
#include "vm.h"

static int bad(struct trapmap_vm *vm, const char *what)
{
	return error_set(&vm->error, ERROR_INPUT, -EINVAL,
			 "struct trapmap_serial: %s", what);
}

static int check(struct trapmap_vm *vm, const struct trapmap_serial *serial)
{
	bool is_socket = serial->kind == TRAPMAP_SERIAL_SOCKET;

	if (serial->port >= TRAPMAP_SERIAL_PORTS)
		return bad(vm, "a port from 0 to 3 is expected");
	if (serial->kind > TRAPMAP_SERIAL_SOCKET)
		return bad(vm, "unknown kind");
	if (serial->kind != TRAPMAP_SERIAL_FDS &&
	    (serial->in_fd >= 0 || serial->out_fd >= 0))
		return bad(vm, "a pty or a socket has no descriptors");
	if (is_socket != (serial->path != NULL))
		return bad(vm, "a path is expected for a socket, and for "
			       "nothing else");
	if (is_socket && !*serial->path)
		return bad(vm, "the socket's path is empty");
	return 0;
}

static int copy_fd(struct trapmap_vm *vm, const char *what, int fd, int *ret_fd)
{
	if (fd < 0)
		return 0;
	*ret_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (*ret_fd >= 0)
		return 0;
	return error_set(&vm->error, ERROR_INPUT, -errno, "serial port: %s: %s",
			 what, strerrordesc_np(errno));
}

static void forget(struct machine_serial *s)
{
	if (s->asked && s->in_fd >= 0)
		close(s->in_fd);
	if (s->asked && s->out_fd >= 0)
		close(s->out_fd);
	free(s->path);
	*s = (struct machine_serial){ 0 };
}

int trapmap_vm_set_serial(struct trapmap_vm *vm,
			  const struct trapmap_serial *serial)
{
	struct machine_serial to = { .asked = true, .in_fd = -1, .out_fd = -1 };
	struct machine_serial *old;
	int r;

	r = attach_check(vm, serial->size, sizeof(*serial), "trapmap_serial");
	if (r == 0)
		r = check(vm, serial);
	if (r < 0)
		return r;
	to.kind = serial->kind;
	if (serial->path) {
		to.path = strdup(serial->path);
		if (!to.path)
			return error_set(&vm->error, ERROR_HOST, -ENOMEM,
					 "out of memory");
	}
	r = copy_fd(vm, "in_fd", serial->in_fd, &to.in_fd);
	if (r == 0)
		r = copy_fd(vm, "out_fd", serial->out_fd, &to.out_fd);
	if (r < 0) {
		forget(&to);
		return r;
	}
	old = &vm->config.machine.serial[serial->port];
	forget(old);
	*old = to;
	return 0;
}

void vm_serial_config_done(struct vm_config *c)
{
	unsigned i;

	for (i = 0; i < PLATFORM_UARTS; i++)
		forget(&c->machine.serial[i]);
}

int vm_arrange_serial(struct trapmap_vm *vm, struct error *err)
{
	struct platform *p = &vm->config.machine.platform;
	unsigned i;

	for (i = 0; i < PLATFORM_UARTS; i++) {
		if (!vm->config.machine.serial[i].asked || p->uart[i].there)
			continue;
		/* The first is asked for by habit, but not a pty or a socket. */
		if (vm->config.board.tree && i == 0 &&
		    vm->config.machine.serial[i].kind == TRAPMAP_SERIAL_FDS)
			continue;
		if (vm->config.board.tree)
			return error_set(err, ERROR_INPUT, -EINVAL,
					 "%s: there is no serial port COM%u on "
					 "this board",
					 vm->config.board.name, i + 1);
		platform_add_pc_uart(p, i);
	}
	return 0;
}

const char *trapmap_vm_serial_name(struct trapmap_vm *vm, uint32_t port)
{
	if (port >= TRAPMAP_SERIAL_PORTS)
		return NULL;
	return machine_serial_name(&vm->machine, port);
}

int trapmap_vm_serial_break(struct trapmap_vm *vm, uint32_t port)
{
	enum vm_state state = vm_state_of(vm);

	if (state != VM_RUNNING && state != VM_ENDED)
		return -ENODEV;
	if (port >= TRAPMAP_SERIAL_PORTS || !vm->machine.uart[port].dev)
		return -ENODEV;
	uart_break(vm->machine.uart[port].dev);
	return 0;
}
