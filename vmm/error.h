/* SPDX-License-Identifier: MIT */
/*
 * error.h: one failure, for people. Library code never prints; whatever fails
 * leaves its sentence here and returns -errno.
 */
#ifndef TRAPMAP_ERROR_H
#define TRAPMAP_ERROR_H

/* Whose fault it was, as the exit status that follows (trapmap_end.status). */
enum error_status {
	ERROR_INPUT = 2, /* bad option, file or request: nothing was run */
	ERROR_HOST = 4, /* the host failed us */
};

struct error {
	enum error_status status;
	char text[512];
};

/* Fills *err; returns code (a negative errno), so that a caller can return it. */
int error_set(struct error *err, enum error_status status, int code,
	      const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* As error_set() with ERROR_HOST, and strerror(-code) after the text. */
int error_host(struct error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
