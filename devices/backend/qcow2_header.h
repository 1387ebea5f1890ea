/* SPDX-License-Identifier: MIT */
/*
 * qcow2_header.h: what qcow2_header.c does for the opening of an image. Nobody but
 * qcow2_open.c includes it.
 */
#ifndef TRAPMAP_BACKEND_QCOW2_HEADER_H
#define TRAPMAP_BACKEND_QCOW2_HEADER_H

#include "backend/qcow2_parts.h"

/* Puts the sentence into why. Returns r. */
int qcow2_refuse(char *why, int r, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Reads the header, the first cluster of the file, which becomes the caller's, and
 * the tables, and checks them. As qcow2_open().
 */
int qcow2_read_header(struct qcow2 *q, uint8_t **ret_header, char *why);

/* The backing file's name ("": there is none), and its format's ("": not given). */
int qcow2_backing_name(const struct qcow2 *q, const uint8_t *header,
		       char ret_name[1024], char ret_format[64], char *why);

#endif
