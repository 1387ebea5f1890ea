/* SPDX-License-Identifier: MIT */
/*
 * init.h: process 1 of the guest of "trapmap exec", in parts: init.c reads what to do
 * and does it in order; ports.c finds the console's ports and moves bytes between
 * them and the command.
 *
 * What to do is the file /trapmap: items KEY=VALUE, each ended by a zero byte, in
 * the order in which they are carried out:
 *
 *	module=FILE       loads it (.ko, or .ko.xz, .zst, .gz if the kernel unpacks)
 *	root=TAG          the root filesystem is the 9p share TAG, read-only; without
 *	                  it, what the initramfs has
 *	share=TAG DIR     mounts the share TAG on DIR, for writing too
 *	dir=DIR           the command's working directory
 *	env=NAME=VALUE    of its environment
 *	arg=WORD          the command (a path) and its arguments
 *
 * What became of it is one line on the port "result":
 *
 *	exit N            the command's exit status
 *	signal N          it was killed
 *	cannot TEXT: N    what could not be done before, and an errno
 */
#ifndef FIRMWARE_EXEC_INIT_H
#define FIRMWARE_EXEC_INIT_H

#include "exec/linux.h"
#include "exec/text.h"

enum port { PORT_STDIN, PORT_STDOUT, PORT_STDERR, PORT_RESULT, PORTS };

/*
 * Opens the ports as soon as they are there, within a few seconds. Returns 0 or
 * -errno.
 */
long ports_open(void);

/* Writes the line to PORT_RESULT, whatever it takes. */
void ports_result(const struct text *line);

/* The other ends of the command's pipes, for the command. */
struct pipes {
	int in, out, err;
};

/* Returns 0 or -errno. */
long ports_pipes(struct pipes *ret_pipes);

/*
 * Moves bytes until child has gone and what it wrote is out; also takes in every
 * other process that ends. Returns the child's wait status.
 */
int ports_pump(long child);

#endif
