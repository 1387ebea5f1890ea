/* SPDX-License-Identifier: MIT */
/*
 * term.h: the terminal on stdin: given to the guest as it is (raw), and put
 * back however this process ends.
 */
#ifndef TRAPMAP_CLI_TERM_H
#define TRAPMAP_CLI_TERM_H

#include <stdbool.h>
#include <stdint.h>

#include "guard.h"

struct term {
	int fd; /* -1: there is no terminal */
	bool attached; /* it is in raw mode, and ours to read */
	struct guard_modes modes;
	struct guard guard;
};

#define TERM_INIT { .fd = -1, .guard = GUARD_INIT }

/*
 * Looks whether fd is a terminal; if it is, starts the guard. Changes nothing
 * yet. For a process that has one thread.
 */
void term_init(struct term *term, int fd);

/*
 * Takes the terminal if it is there, not taken yet and we are its foreground
 * job; gives it up if we are not any more. Returns whether we have it.
 */
bool term_attach(struct term *term);

/* Puts the terminal back as it was. */
void term_detach(struct term *term);

/* How large it is; false where there is none, or it does not know. */
bool term_size(const struct term *term, uint16_t *ret_cols, uint16_t *ret_rows);

/* As term_detach(), for the end. */
void term_done(struct term *term);

/*
 * Begins a new line on the terminal of stderr, unless the cursor is at the
 * beginning of one. Without effect where stdout is no terminal.
 */
void term_fresh_line(void);

#endif
