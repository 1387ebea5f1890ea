/* SPDX-License-Identifier: MIT */
/*
 * connect.h: what lies at the other end of the guest's serial ports and consoles:
 * this terminal, files, sockets.
 */
#ifndef TRAPMAP_CLI_CONNECT_H
#define TRAPMAP_CLI_CONNECT_H

#include <stdbool.h>
#include <stdint.h>

#include <trapmap/trapmap.h>

#include "console.h"
#include "opts.h"
#include "outfiles.h"
#include "term.h"

struct connect {
	const struct run_opts *opts;
	struct trapmap_vm *vm;
	struct outfiles *files;
	struct term term; /* not open where nothing leads there */
	struct console con;
};

#define CONNECT_INIT { .term = TERM_INIT, .con = { .guest_fd = -1 } }

/*
 * Connects all of them. Returns 0, or an exit status, having said why. It opens
 * files, so it comes after all else that may be refused.
 */
int connect_all(struct connect *c);

/* Says where ptys are to be found, once the VM has been prepared. */
void connect_tell(const struct connect *c);

/* Tells a console how large the terminal is, now and when it has changed. */
void connect_tell_size(const struct connect *c);

/* Sends a break to the serial port that is on the terminal, or else to the first. */
void connect_break(const struct connect *c);

/* Whether the guest's output shares the terminal with our own words. */
bool connect_is_stdio(const struct connect *c);

void connect_done(struct connect *c);

#endif
