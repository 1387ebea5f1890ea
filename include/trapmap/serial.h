/* SPDX-License-Identifier: MIT */
/*
 * serial.h: serial ports, COM1 to COM4. Part of trapmap.h, which includes it; its
 * conventions hold here.
 */
#ifndef TRAPMAP_SERIAL_H
#define TRAPMAP_SERIAL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct trapmap_vm;

#define TRAPMAP_SERIAL_PORTS 4

/* What lies at the other end of a serial line. */
enum trapmap_serial_kind {
	/*
	 * in_fd and out_fd. Output waits for its reader, whoever that is, and the
	 * guest with it.
	 */
	TRAPMAP_SERIAL_FDS = 0,
	/*
	 * A pseudo terminal, raw, whose other side is for whoever opens it:
	 * trapmap_vm_serial_name() has its path.
	 */
	TRAPMAP_SERIAL_PTY = 1,
	/*
	 * A unix stream socket at `path`, of at most 107 bytes, which must not be
	 * there yet. One client after another is the other end.
	 */
	TRAPMAP_SERIAL_SOCKET = 2,
};

struct trapmap_serial {
	size_t size; /* sizeof(struct trapmap_serial) */
	uint32_t port; /* 0: COM1, up to TRAPMAP_SERIAL_PORTS - 1 */
	enum trapmap_serial_kind kind;
	/*
	 * Of TRAPMAP_SERIAL_FDS: duplicated; -1 for none. Neither descriptor's
	 * flags are changed. The library reads from in_fd only what the guest has
	 * room for, so what it has not read stays there.
	 */
	int in_fd;
	int out_fd;
	const char *path; /* of TRAPMAP_SERIAL_SOCKET. Copied */
};

#define TRAPMAP_SERIAL_INIT \
	{ .size = sizeof(struct trapmap_serial), .in_fd = -1, .out_fd = -1 }

/*
 * Connects a serial port. COM1 is always there, and its output vanishes where this
 * was not called for it; each of the others is there if this was. Output goes out
 * within a millisecond or so. When the reader is slow the guest waits, so nothing is
 * lost; but behind a pty or a socket there may be nobody at all: then the guest goes
 * on, and the latest 64 KiB of what it said wait for whoever comes.
 *
 * A pty or a socket is made by start and gone with the VM; what is there already at
 * a socket's path is refused. COM1 and COM3 share one interrupt, COM2 and COM4
 * another. After trapmap_vm_set_board() the ports are those that the tree has, and
 * start refuses what is asked for beyond them (a first one that is not there, only as
 * a pty or a socket). Returns 0, -EINVAL, -EBADF, -EBUSY, -EMFILE or -ENOMEM.
 */
int trapmap_vm_set_serial(struct trapmap_vm *vm,
			  const struct trapmap_serial *serial);

/*
 * Where the other end of a serial port can be opened: the path of a pty or of a
 * socket. NULL: there is none, or the VM has not been started. Any thread, once start
 * has returned. Valid until trapmap_vm_free().
 */
const char *trapmap_vm_serial_name(struct trapmap_vm *vm, uint32_t port);

/*
 * Sends a break on a serial line to the guest. Any thread, while running. Returns 0,
 * or -ENODEV: there is no such port, or the VM has not been started.
 */
int trapmap_vm_serial_break(struct trapmap_vm *vm, uint32_t port);

#ifdef __cplusplus
}
#endif

#endif
