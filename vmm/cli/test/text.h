/* SPDX-License-Identifier: MIT */
/*
 * text.h: what a guest printed, put where people and programs read it: any
 * bytes go in, one line of clean UTF-8 comes out.
 */
#ifndef TRAPMAP_CLI_TEST_TEXT_H
#define TRAPMAP_CLI_TEST_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TEXT_BAD (-1)

/*
 * The character (RFC 3629) that text, of len > 0 bytes, begins with, or TEXT_BAD
 * for a byte that begins none. *ret_len is how many bytes it takes.
 */
int32_t text_char(const char *text, size_t len, size_t *ret_len);

/* A line for people: a control character, or what is no UTF-8, becomes \xNN. */
void text_visible(FILE *out, const char *text, size_t len);

/* The same for a string, and how many columns it takes. */
void text_say(FILE *out, const char *text);
size_t text_columns(const char *text);

/*
 * As character data or an attribute of XML 1.0: what is not allowed there (2.2)
 * becomes U+FFFD, a line's end a reference in an attribute only.
 */
void text_xml(FILE *out, const char *text, size_t len, int in_attribute);

/* As a double-quoted scalar of YAML 1.1, which is JSON's string too. */
void text_quoted(FILE *out, const char *text, size_t len);

/* Where the last `lines` lines of text begin; an unfinished one counts. */
size_t text_last_lines(const char *text, size_t len, size_t lines);

/*
 * Takes a line off the front: returns it, its length without "\n" or "\r\n" in
 * *ret_len. NULL: nothing is left.
 */
const char *text_line(const char **text, size_t *len, size_t *ret_len);

#endif
