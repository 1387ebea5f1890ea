// SPDX-License-Identifier: MIT
#include "attach/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/unix_socket.h"
#include "vm.h"

#define IOTHREAD_MAX 8

int attach_check(struct trapmap_vm *vm, size_t size, size_t want,
		 const char *what)
{
	int r = vm_configurable(vm);

	if (r < 0)
		return r;
	if (size != want)
		return error_set(&vm->error, ERROR_INPUT, -EINVAL,
				 "struct %s: wrong size", what);
	return 0;
}

static bool is_iothread(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");

	return len > 0 && len <= IOTHREAD_MAX && !name[len];
}

__attribute__((format(printf, 3, 0)))
static int name_attachment(struct attachment *at, const char *iothread,
			   const char *fmt, va_list ap)
{
	if (vasprintf(&at->name, fmt, ap) < 0) {
		at->name = NULL;
		return -ENOMEM;
	}
	if (!iothread)
		return 0;
	at->iothread = strdup(iothread);
	return at->iothread ? 0 : -ENOMEM;
}

int attach_add(struct trapmap_vm *vm, struct attachment *at,
	       const char *iothread, const char *name_fmt, ...)
{
	struct vm_config *c = &vm->config;
	va_list ap;
	int r;

	if (iothread && !is_iothread(iothread))
		r = error_set(&vm->error, ERROR_INPUT, -EINVAL,
			      "iothread '%s': 1 to %d letters, digits or '-' "
			      "are expected",
			      iothread, IOTHREAD_MAX);
	else if (c->machine.attached_count == TRAPMAP_ATTACHED_MAX)
		r = error_set(&vm->error, ERROR_INPUT, -E2BIG,
			      "more than %d devices", TRAPMAP_ATTACHED_MAX);
	else {
		va_start(ap, name_fmt);
		r = name_attachment(at, iothread, name_fmt, ap);
		va_end(ap);
		if (r < 0)
			r = error_set(&vm->error, ERROR_HOST, r,
				      "out of memory");
	}
	if (r < 0) {
		attach_free(at);
		return r;
	}
	c->attached[c->machine.attached_count++] = at;
	c->machine.attached = c->attached;
	return 0;
}

struct attachment *attach_find(const struct trapmap_vm *vm,
			       const struct attachment_ops *ops)
{
	unsigned i;

	for (i = 0; i < vm->config.machine.attached_count; i++)
		if (vm->config.attached[i]->ops == ops)
			return vm->config.attached[i];
	return NULL;
}

const struct attachment *attach_pinned(const struct trapmap_vm *vm)
{
	unsigned i;

	for (i = 0; i < vm->config.machine.attached_count; i++)
		if (vm->config.attached[i]->pins)
			return vm->config.attached[i];
	return NULL;
}

void attach_free(struct attachment *at)
{
	free(at->name);
	free(at->iothread);
	at->ops->free(at);
}

int attach_file_init(struct attach_file *file, const char *path, int fd)
{
	*file = (struct attach_file){ .fd = -1 };
	if (path)
		file->name = strdup(path);
	else if (asprintf(&file->name, "file descriptor %d", fd) < 0)
		file->name = NULL;
	if (!file->name)
		return -ENOMEM;
	if (path)
		return 0;
	file->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return file->fd < 0 ? -errno : 0;
}

void attach_file_done(struct attach_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	free(file->name);
	*file = (struct attach_file){ .fd = -1 };
}

bool attach_is_ours(int r)
{
	return r == -ENOMEM || r == -EMFILE || r == -ENFILE || r == -EAGAIN;
}

int attach_listen(struct unix_listener *listener, const char *name,
		  const char *path, struct error *err)
{
	int r = unix_listener_init(listener, path, 4);

	if (r == 0)
		return 0;
	if (r == -EADDRINUSE)
		return error_set(err, ERROR_INPUT, r,
				 "%s: '%s' is there already; if no other "
				 "program listens there, remove it",
				 name, path);
	if (r == -ENAMETOOLONG)
		return error_set(err, ERROR_INPUT, r,
				 "%s: '%s' is longer than a socket's path can "
				 "be (%d bytes)",
				 name, path, UNIX_SOCKET_PATH_MAX);
	if (attach_is_ours(r))
		return error_host(err, r, "%s", name);
	return error_set(err, ERROR_INPUT, r, "%s: cannot listen at '%s': %s",
			 name, path, strerrordesc_np(-r));
}
