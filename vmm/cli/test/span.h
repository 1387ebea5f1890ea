/* SPDX-License-Identifier: MIT */
/* span.h: a part of a line, read from its front. */
#ifndef TRAPMAP_CLI_TEST_SPAN_H
#define TRAPMAP_CLI_TEST_SPAN_H

#include <stdbool.h>
#include <stddef.h>

struct span {
	const char *p;
	size_t len;
};

/* Takes the word off, if it is there. */
bool span_take(struct span *s, const char *word);

/* Takes blanks off and returns how many. */
size_t span_take_blanks(struct span *s);

/* Takes a decimal number of up to nine digits off; -1: there is none. */
long span_take_number(struct span *s);

/* Whether it begins with this word, and no longer one. Case does not count. */
bool span_is_word(const struct span *s, const char *word);

/* Takes blanks off both ends. */
void span_trim(struct span *s);

#endif
