/* SPDX-License-Identifier: MIT */
/*
 * init.h: process 1 of the guest of "trapmap exec", in parts: init.c reads what to do
 * and does it in order; files.c makes the tree of files that the command sees;
 * ports.c finds the console's ports, and pump.c moves bytes between them and the
 * command.
 *
 * What to do is the file /trapmap: items KEY=VALUE, each ended by a zero byte, in
 * the order in which they are carried out:
 *
 *	module=FILE       loads it (.ko, or .ko.xz, .zst, .gz if the kernel unpacks)
 *	root=TAG          the root filesystem is the 9p share TAG, read-only; without
 *	                  it, what the initramfs has
 *	modules=DIR       the kernel's modules, of that share, for modprobe to find
 *	keep=PATH         a file or a folder of the share that lies where the guest has
 *	                  a filesystem of its own (/tmp, /run, /dev/shm) is there all
 *	                  the same
 *	share=TAG DIR     mounts the share TAG on DIR, for writing too
 *	umask=OCTAL       the command's
 *	dir=DIR           its working directory
 *	env=NAME=VALUE    of its environment
 *	arg=WORD          the command (a path) and its arguments
 *
 * What became of it is one line on the port "result":
 *
 *	exit N            the command's exit status
 *	signal N          it was killed
 *	cannot N TEXT     what could not be done before, and the errno of it
 */
#ifndef FIRMWARE_EXEC_INIT_H
#define FIRMWARE_EXEC_INIT_H

#include "exec/linux.h"
#include "exec/text.h"

/*
 * Tells the host what could not be done, which ends the guest; r is a negative
 * errno.
 */
__attribute__((noreturn)) void fail(const char *what, const char *which, long r);

/* ---- files.c ------------------------------------------------------------ */

/* What the init itself needs. */
void files_begin(void);

/* The rest, as soon as the root is what it will be. */
void files_usual(void);

/* Of these items, keep= and modules= need the share of root=. */
void files_root(const char *tag);
void files_modules(const char *dir);
void files_keep(char *path);
void files_share(char *item);

/* ---- ports.c ------------------------------------------------------------ */

enum port { PORT_STDIN, PORT_STDOUT, PORT_STDERR, PORT_RESULT, PORTS };

/* Descriptors, none of which ever waits; -1 until ports_open(). */
extern int ports[PORTS];

/*
 * Opens the ports as soon as they are there, within a few seconds. Returns 0 or
 * -errno.
 */
long ports_open(void);

/* Writes the line to PORT_RESULT, whatever it takes. */
void ports_result(const struct text *line);

/* ---- pump.c ------------------------------------------------------------- */

/* The other ends of the command's pipes, for the command. */
struct pipes {
	int in, out, err;
};

/* Returns 0 or -errno. */
long pump_init(struct pipes *ret_pipes);

/*
 * Moves bytes until child has gone and what it wrote is out, and takes in every other
 * process that ends. Those that it left behind have a second to close its pipes, and
 * are killed then. Returns the child's wait status.
 */
int pump_run(long child);

#endif
