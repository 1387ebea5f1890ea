/* SPDX-License-Identifier: MIT */
/*
 * console.h: from the keyboard to the guest. The VM takes from its serial input
 * only what the guest has room for; what lies between waits here, so that
 * Trapmap's keys work with a guest that reads nothing.
 */
#ifndef TRAPMAP_CLI_CONSOLE_H
#define TRAPMAP_CLI_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

#include "keys.h"

/*
 * So much is held. Then the terminal is read no further, and holds the rest:
 * no input is ever thrown away.
 */
#define CONSOLE_MAX (1u << 20)

/* What a call of console_read() found, as a set. */
enum {
	CONSOLE_END = 1,
	CONSOLE_HELP = 2,
	CONSOLE_BREAK = 4,
	CONSOLE_HANGUP = 8, /* the terminal is gone */
	CONSOLE_RESUME = 16,
	CONSOLE_POWER = 32,
};

struct console {
	int guest_fd; /* the pipe to the VM; -1: it takes no more */
	struct keys keys;
	char *buf; /* a ring of `size` bytes, `len` of them in use */
	size_t size;
	size_t begin;
	size_t len;
};

/*
 * Makes the pipe; *ret_vm_fd is the VM's end of it, the caller's to close.
 * Returns 0 or -errno.
 */
int console_init(struct console *con, int *ret_vm_fd);

/* What has not been delivered is lost. */
void console_done(struct console *con);

/* Whether console_read() has room to read into. */
bool console_has_room(const struct console *con);

/* Whether there is something for console_flush() to deliver. */
bool console_has_input(const struct console *con);

/* Reads the terminal, which has something to read, once. Returns a set. */
unsigned console_read(struct console *con, int tty_fd);

/* Delivers what the pipe takes now. */
void console_flush(struct console *con);

#endif
