/* SPDX-License-Identifier: MIT */
/*
 * signals.h: signals as events of the main loop. They are blocked before the
 * VM's threads start, so that no thread is interrupted and none is lost.
 */
#ifndef TRAPMAP_CLI_SIGNALS_H
#define TRAPMAP_CLI_SIGNALS_H

#include <stdbool.h>

/* Blocks all that this command handles, and those that it must not die of. */
void signals_block(void);

/*
 * Installs a handler that does nothing, for the library to stop its vCPUs with
 * (trapmap_machine.kick_signal). Returns the signal, or 0.
 */
int signals_kick(void);

/*
 * A descriptor that is readable when signals_next() has one. Returns it or
 * -errno. A signal that was ignored when we were started (nohup) stays so.
 */
int signals_open(void);

/* The next signal, or 0. */
int signals_next(int fd);

/* Whether sig is one that asks a program to end. */
bool signals_is_end(int sig);

/* Stops the process, as the terminal's suspend key does; returns when it goes on. */
void signals_suspend(void);

#endif
