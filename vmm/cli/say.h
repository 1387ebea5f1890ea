/* SPDX-License-Identifier: MIT */
/*
 * say.h: Trapmap's own words. They go to stderr, as stdout is the guest's
 * console and nothing else.
 */
#ifndef TRAPMAP_CLI_SAY_H
#define TRAPMAP_CLI_SAY_H

#include <stddef.h>

/* The exit statuses that the command itself decides on. */
enum {
	STATUS_OK = 0,
	STATUS_BAD_INPUT = 2,
	STATUS_HOST_FAILURE = 4,
};

/*
 * Writes "trapmap: ", the text and a newline to stderr, in one write. Control
 * characters (of a file's name, say) become '?', so that it stays one line.
 */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The same while the guest runs, and may have the terminal. Any thread. */
void say_aside(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

struct trapmap_vm;

/*
 * Says what the library found wrong with a call that returned r, behind what
 * ("" or "--option: "). Returns the exit status for it.
 */
int say_refused(const struct trapmap_vm *vm, const char *what, int r);

/* Writes all of it, whatever it takes. Returns 0 or -errno. */
int write_all(int fd, const void *buf, size_t len);

#endif
